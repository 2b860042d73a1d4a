/* The matrix products of bench/reference.c. */
#include "exact.h"
#include "product.h"
#include "support_reference.h"

#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef CF_HAVE_ARB
#include <arb.h>
#include <arb_mat.h>
#endif

static cf_bench_sgemm blas_sgemm;
static cf_bench_dgemm blas_dgemm;

/* --- matrix products: n is the side, x and y hold n * n numbers --- */

static struct cf_truth *truths;
static double *c64;
static float *c32;
static int64_t n_fallback;

static void ours_gemm_f32(const struct data *d)
{
    cf_exact_gemm_f32(truths, d->xf, d->yf, d->n, d->n, d->n, CF_EXACT_F32, 1, &n_fallback);
}

static void ours_gemm_f64(const struct data *d)
{
    cf_exact_gemm_f64(truths, d->x, d->y, d->n, d->n, d->n, CF_EXACT_F64, 1, &n_fallback);
}

static void our_plain_product(const struct data *d)
{
    const struct cf_matrix a = {d->x, d->n, d->n, false, 0}, b = {d->y, d->n, d->n, false, 0};

    memset(c64, 0, sizeof *c64 * (size_t)(d->n * d->n));
    cf_product_add(c64, &a, CF_PART_WHOLE, &b, CF_PART_WHOLE, 1);
}

static void library_sgemm(const struct data *d)
{
    const int n = (int)d->n;

    blas_sgemm(101, 111, 111, n, n, n, 1, d->xf, n, d->yf, n, 0, c32, n);
}

static void library_dgemm(const struct data *d)
{
    const int n = (int)d->n;

    blas_dgemm(101, 111, 111, n, n, n, 1, d->x, n, d->y, n, 0, c64, n);
}

enum { MPFR_ROWS = 1 };

/* The definition for the first row only: every element is the same work. */
static void gemm_by_mpfr(const struct data *d)
{
    mpfr_t sum, product;

    mpfr_init2(sum, 400);
    mpfr_init2(product, 106);
    for (int64_t j = 0; j < d->n * MPFR_ROWS; ++j) {
        mpfr_set_zero(sum, 1);
        for (int64_t l = 0; l < d->n; ++l) {
            mpfr_set_d(product, d->x[l], MPFR_RNDN);
            mpfr_mul_d(product, product, d->y[l * d->n + j], MPFR_RNDN);
            mpfr_add(sum, sum, product, MPFR_RNDN);
        }
        c64[j] = mpfr_get_d(sum, MPFR_RNDN);
    }
    mpfr_clears(sum, product, (mpfr_ptr)0);
}

/* The same through one exact dot for each element of the first row. */
static void gemm_by_dots(const struct data *d)
{
    for (int64_t j = 0; j < d->n; ++j)
        cf_exact_dot_strided_f32(&truths[j], d->xf, 1, d->yf + j, d->n, d->n, CF_EXACT_F32, 1);
}

#ifdef CF_HAVE_ARB
static void gemm_by_arb(const struct data *d)
{
    static arb_mat_t a, b, c;
    static int64_t ready;

    if (ready != d->n) {
        arb_mat_init(a, (slong)d->n, (slong)d->n);
        arb_mat_init(b, (slong)d->n, (slong)d->n);
        arb_mat_init(c, (slong)d->n, (slong)d->n);
        for (int64_t i = 0; i < d->n * d->n; ++i) {
            arb_set_d(arb_mat_entry(a, i / d->n, i % d->n), (double)d->xf[i]);
            arb_set_d(arb_mat_entry(b, i / d->n, i % d->n), (double)d->yf[i]);
        }
        ready = d->n;
    }
    arb_mat_mul(c, a, b, 64);
}
#endif

static void gemm_f32(const struct data *d)
{
    struct contender c[BENCH_CONTENDERS] = {{"", ours_gemm_f32, 1},
                                            {"our product in double", our_plain_product, 1},
                                            {"naive mpfr", gemm_by_mpfr, MPFR_ROWS / (double)d->n},
                                            {"exact dots", gemm_by_dots, 1 / (double)d->n}};
    int n = 4;

    n = cf_bench_add_if(c, n, blas_sgemm != NULL, (struct contender){"sgemm", library_sgemm, 1});
#ifdef CF_HAVE_ARB
    n = cf_bench_add_if(c, n, true, (struct contender){"arb_mat_mul", gemm_by_arb, 1});
#endif
    cf_bench_compare("gemm f32", c, n, d, 1e-3, "ms");
    printf("# gemm f32 %lld: %lld of %lld elements by the exact dot\n", (long long)d->n,
           (long long)n_fallback, (long long)(d->n * d->n));
}

static void gemm_f64(const struct data *d)
{
    struct contender c[BENCH_CONTENDERS] = {{"", ours_gemm_f64, 1},
                                            {"our product in double", our_plain_product, 1},
                                            {"naive mpfr", gemm_by_mpfr, MPFR_ROWS / (double)d->n}};
    int n = 3;

    n = cf_bench_add_if(c, n, blas_dgemm != NULL, (struct contender){"dgemm", library_dgemm, 1});
    cf_bench_compare("gemm f64", c, n, d, 1e-3, "ms");
    printf("# gemm f64 %lld: %lld of %lld elements by the exact dot\n", (long long)d->n,
           (long long)n_fallback, (long long)(d->n * d->n));
}

/* Rows of A that meet rows of B of opposite sign: every element is exactly zero, and none is
 * certified. */
static void gemm_cancelling(struct data *d, int spread)
{
    struct contender c[] = {{"", ours_gemm_f32, 1},
                            {"our product in double", our_plain_product, 1}};
    uint64_t state = 3;
    char what[64];

    for (int64_t i = 0; i < d->n * d->n; ++i) {
        const int64_t l = i / d->n;

        d->xf[i] =
            i % 2 != 0
                ? d->xf[i - 1]
                : (float)cf_bench_signed_at(
                      &state, (int)(cf_bench_draw(&state) % (uint64_t)(2 * spread + 1)) - spread);
        d->yf[i] =
            l % 2 != 0
                ? -d->yf[i - d->n]
                : (float)cf_bench_signed_at(
                      &state, (int)(cf_bench_draw(&state) % (uint64_t)(2 * spread + 1)) - spread);
    }
    snprintf(what, sizeof what, "gemm f32 all zero +-%d", spread);
    cf_bench_compare(what, c, 2, d, 1e-9 * (double)(d->n * d->n * d->n), "ns a multiplication");
}

void cf_bench_gemms(cf_bench_sgemm sgemm, cf_bench_dgemm dgemm)
{
    static const int64_t sizes[] = {256, 512};

    blas_sgemm = sgemm;
    blas_dgemm = dgemm;
    for (int s = 0; s < 2; ++s) {
        const int64_t n = sizes[s], area = n * n;
        struct data d = cf_bench_allocate_data(area);

        truths = cf_bench_allocate(area, sizeof *truths);
        c64 = cf_bench_allocate(area, sizeof *c64);
        c32 = cf_bench_allocate(area, sizeof *c32);
        cf_bench_fill(&d, NORMAL, true);
        cf_bench_fill_floats(&d, NORMAL);
        d.n = n;
        gemm_f32(&d);
        gemm_f64(&d);
        if (n == 256) {
            gemm_cancelling(&d, 1);
            gemm_cancelling(&d, 12);
        }
        free(truths);
        free(c64);
        free(c32);
        cf_bench_free_data(&d);
    }
}
