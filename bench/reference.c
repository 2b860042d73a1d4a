/* reference: the exact sums, dots and matrix products against what one could use instead.
 *
 *   bench-reference [part] [blas] [peer]
 *
 * part: sum, dot, gemm or all. blas: a shared library with CBLAS (default libopenblas.so.0, left
 * out when it cannot be opened; it is told to use one thread). peer: a shared library that defines
 *   double peer_sum(const double *x, int64_t n); double peer_dot(const double *x, const double *y,
 * int64_t n); double peer_dot_f32(const float *x, const float *y, int64_t n); any of them, for
 * exact libraries that this project does not ship.
 *
 * Times are those of the processor, not of the clock on the wall, where one thread works alone.
 * Rows: what, peer, size, our time / peer's time (min, median, max over the rounds), then both
 * times. In a round each contender runs once, so that a disturbance of the machine hits all of
 * them. */
#include "exact.h"
#include "support_reference.h"

#include <dlfcn.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef CF_HAVE_ARB
#include <arb.h>
#endif

static double (*peer_sum)(const double *, int64_t);
static double (*peer_dot)(const double *, const double *, int64_t);
static double (*peer_dot_f32)(const float *, const float *, int64_t);
static double (*blas_ddot)(int, const double *, int, const double *, int);
static float (*blas_sdot)(int, const float *, int, const float *, int);
static cf_bench_dgemm blas_dgemm;
static cf_bench_sgemm blas_sgemm;

/* --- sums --- */

static void ours_sum(const struct data *d)
{
    struct cf_truth t;

    cf_exact_sum_f64(&t, d->x, d->n, CF_EXACT_F64, 1);
    cf_bench_sink = t.rounded;
}

static void ours_sum_2(const struct data *d)
{
    struct cf_truth t;

    cf_exact_sum_f64(&t, d->x, d->n, CF_EXACT_F64, 2);
    cf_bench_sink = t.rounded;
}

static void plain_sum(const struct data *d)
{
    double sum = 0;

    for (int64_t i = 0; i < d->n; ++i)
        sum += d->x[i];
    cf_bench_sink = sum;
}

static void fast_sum(const struct data *d)
{
    cf_bench_sink = cf_bench_fast_sum(d->x, d->n);
}

static void kahan_sum(const struct data *d)
{
    double sum = 0, rest = 0;

    for (int64_t i = 0; i < d->n; ++i) {
        const double term = d->x[i] - rest, next = sum + term;

        rest = (next - sum) - term;
        sum = next;
    }
    cf_bench_sink = sum;
}

static void read_x(const struct data *d)
{
    cf_bench_sink = (double)cf_bench_read(d->x, d->n);
}

static void exact_peer_sum(const struct data *d)
{
    cf_bench_sink = peer_sum(d->x, d->n);
}

/* On a sample of the data where there are many: memory for 10^7 MPFR numbers would be most of the
 * time. */
enum { MPFR_SAMPLE = 100000 };

static int64_t sample_of(const struct data *d)
{
    return d->n < MPFR_SAMPLE ? d->n : MPFR_SAMPLE;
}

/* mpfr_sum, conversion included; dots: each product as a number of 106 bits. */
static void mpfr_sum_of(const struct data *d, bool products)
{
    static mpfr_t numbers[MPFR_SAMPLE];
    static mpfr_ptr pointers[MPFR_SAMPLE];
    static bool ready;
    mpfr_t sum;

    for (int i = 0; !ready && i < MPFR_SAMPLE; ++i) {
        mpfr_init2(numbers[i], 106);
        pointers[i] = numbers[i];
    }
    ready = true;
    mpfr_init2(sum, 53);
    for (int64_t i = 0; i < sample_of(d); ++i) {
        mpfr_set_d(numbers[i], d->x[i], MPFR_RNDN);
        if (products)
            mpfr_mul_d(numbers[i], numbers[i], d->y[i], MPFR_RNDN);
    }
    mpfr_sum(sum, pointers, (unsigned long)sample_of(d), MPFR_RNDN);
    cf_bench_sink = mpfr_get_d(sum, MPFR_RNDN);
    mpfr_clear(sum);
}

static void sum_by_mpfr(const struct data *d)
{
    mpfr_sum_of(d, false);
}

/* A loop of mpfr_add, wide enough for the data at hand to be exact. */
static void sum_by_mpfr_add(const struct data *d)
{
    mpfr_t sum;

    mpfr_init2(sum, 2200);
    mpfr_set_zero(sum, 1);
    for (int64_t i = 0; i < sample_of(d); ++i)
        mpfr_add_d(sum, sum, d->x[i], MPFR_RNDN);
    cf_bench_sink = mpfr_get_d(sum, MPFR_RNDN);
    mpfr_clear(sum);
}

static double sample_share(int64_t n)
{
    return n < MPFR_SAMPLE ? 1 : (double)MPFR_SAMPLE / (double)n;
}

static void sums(void)
{
    static const int64_t sizes[] = {1000, 100000, 10000000};
    static const struct contender pair[] = {{"", ours_sum_2, 1}, {"one thread", ours_sum, 1}};
    char what[64];

    for (int s = 0; s < 3; ++s)
        for (int f = 0; f < FILLS; ++f) {
            struct data d = cf_bench_allocate_data(sizes[s]);
            struct contender c[BENCH_CONTENDERS] = {
                {"", ours_sum, 1},
                {"plain loop", plain_sum, 1},
                {"-ffast-math loop", fast_sum, 1},
                {"kahan", kahan_sum, 1},
                {"read bandwidth", read_x, 1},
                {"mpfr_sum", sum_by_mpfr, sample_share(d.n)},
                {"mpfr_add", sum_by_mpfr_add, sample_share(d.n)},
                {"peer library", exact_peer_sum, 1}};

            cf_bench_fill(&d, (enum fill)f, false);
            snprintf(what, sizeof what, "sum f64 %s", cf_bench_fill_names[f]);
            cf_bench_compare(what, c, peer_sum != NULL ? 8 : 7, &d, 1e-9 * (double)d.n,
                             "ns a term");
            cf_bench_clock = CLOCK_MONOTONIC;
            cf_bench_compare(what, pair, 2, &d, 1e-9 * (double)d.n, "ns a term, on the wall");
            cf_bench_clock = CLOCK_THREAD_CPUTIME_ID;
            cf_bench_free_data(&d);
        }
}

/* --- dots --- */

static void ours_dot(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f64(&t, d->x, d->y, d->n, CF_EXACT_F64, 1);
    cf_bench_sink = t.rounded;
}

static void ours_dot_f32(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f32(&t, d->xf, d->yf, d->n, CF_EXACT_F32, 1);
    cf_bench_sink = t.rounded;
}

static void ours_nrm2(const struct data *d)
{
    struct cf_truth t;

    cf_exact_nrm2_f64(&t, d->x, d->n, CF_EXACT_F64, 1);
    cf_bench_sink = t.rounded;
}

static void ours_dot_self(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f64(&t, d->x, d->x, d->n, CF_EXACT_F64, 1);
    cf_bench_sink = t.rounded;
}

static void library_ddot(const struct data *d)
{
    cf_bench_sink = blas_ddot((int)d->n, d->x, 1, d->y, 1);
}

static void library_sdot(const struct data *d)
{
    cf_bench_sink = (double)blas_sdot((int)d->n, d->xf, 1, d->yf, 1);
}

static void fast_dot(const struct data *d)
{
    cf_bench_sink = cf_bench_fast_dot(d->x, d->y, d->n);
}

static void dot_by_mpfr(const struct data *d)
{
    mpfr_sum_of(d, true);
}

static void exact_peer_dot(const struct data *d)
{
    cf_bench_sink = peer_dot(d->x, d->y, d->n);
}

static void exact_peer_dot_f32(const struct data *d)
{
    cf_bench_sink = peer_dot_f32(d->xf, d->yf, d->n);
}

#ifdef CF_HAVE_ARB
static void dot_by_arb(const struct data *d)
{
    static arb_ptr x, y;
    const int64_t n = sample_of(d);
    arb_t dot;

    if (x == NULL) {
        x = _arb_vec_init(MPFR_SAMPLE);
        y = _arb_vec_init(MPFR_SAMPLE);
    }
    for (int64_t i = 0; i < n && arb_is_zero(x + n - 1); ++i) {
        arb_set_d(x + i, d->x[i]);
        arb_set_d(y + i, d->y[i]);
    }
    arb_init(dot);
    arb_dot(dot, NULL, 0, x, 1, y, 1, (slong)n, 64);
    cf_bench_sink = arf_get_d(arb_midref(dot), ARF_RND_NEAR);
    arb_clear(dot);
}
#endif

static void dots_f64(const struct data *d, const char *fill)
{
    struct contender c[BENCH_CONTENDERS] = {{"", ours_dot, 1},
                                            {"-ffast-math loop", fast_dot, 1},
                                            {"mpfr_mul+mpfr_sum", dot_by_mpfr, sample_share(d->n)}};
    const struct contender norm[] = {{"", ours_nrm2, 1}, {"dot of x and x", ours_dot_self, 1}};
    char what[64];
    int n = 3;

    n = cf_bench_add_if(c, n, blas_ddot != NULL, (struct contender){"ddot", library_ddot, 1});
    n = cf_bench_add_if(c, n, peer_dot != NULL,
                        (struct contender){"peer library", exact_peer_dot, 1});
#ifdef CF_HAVE_ARB
    n = cf_bench_add_if(c, n, strcmp(fill, "normal") == 0 && d->n <= MPFR_SAMPLE,
                        (struct contender){"arb_dot", dot_by_arb, 1});
#endif
    snprintf(what, sizeof what, "dot f64 %s", fill);
    cf_bench_compare(what, c, n, d, 1e-9 * (double)d->n, "ns a pair");
    snprintf(what, sizeof what, "nrm2 f64 %s", fill);
    cf_bench_compare(what, norm, 2, d, 1e-9 * (double)d->n, "ns a term");
}

static void dots_f32(const struct data *d, const char *fill)
{
    struct contender c[BENCH_CONTENDERS] = {{"", ours_dot_f32, 1}};
    char what[64];
    int n = 1;

    n = cf_bench_add_if(c, n, blas_sdot != NULL, (struct contender){"sdot", library_sdot, 1});
    n = cf_bench_add_if(c, n, peer_dot_f32 != NULL,
                        (struct contender){"peer library", exact_peer_dot_f32, 1});
    snprintf(what, sizeof what, "dot f32 %s", fill);
    cf_bench_compare(what, c, n, d, 1e-9 * (double)d->n, "ns a pair");
}

static void dots(void)
{
    static const int64_t sizes[] = {1000, 100000, 10000000};

    for (int s = 0; s < 3; ++s)
        for (int f = 0; f < FILLS; ++f) {
            struct data d = cf_bench_allocate_data(sizes[s]);

            cf_bench_fill(&d, (enum fill)f, true);
            cf_bench_fill_floats(&d, (enum fill)f);
            dots_f64(&d, cf_bench_fill_names[f]);
            dots_f32(&d, cf_bench_fill_names[f]);
            cf_bench_free_data(&d);
        }
}

/* ISO C has no conversion between object and function pointers; POSIX wants it done this way. */
static void take(void *function, void *library, const char *name)
{
    void *symbol = library != NULL ? dlsym(library, name) : NULL;

    memcpy(function, &symbol, sizeof symbol);
}

static void open_libraries(const char *blas, const char *peer)
{
    void *library;

    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* read by the library when it is opened, below */
    library = dlopen(blas, RTLD_NOW | RTLD_LOCAL);
    take(&blas_ddot, library, "cblas_ddot");
    take(&blas_sdot, library, "cblas_sdot");
    take(&blas_dgemm, library, "cblas_dgemm");
    take(&blas_sgemm, library, "cblas_sgemm");
    printf("# blas: %s\n", library != NULL ? blas : "none");
    library = peer != NULL ? dlopen(peer, RTLD_NOW | RTLD_LOCAL) : NULL;
    take(&peer_sum, library, "peer_sum");
    take(&peer_dot, library, "peer_dot");
    take(&peer_dot_f32, library, "peer_dot_f32");
    printf("# peer library: %s; %s\n", library != NULL ? peer : "none",
           cf_exact_isa_name(cf_exact_best_isa()));
}

int main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "all";
    const bool all = strcmp(part, "all") == 0;

    open_libraries(argc > 2 ? argv[2] : "libopenblas.so.0", argc > 3 ? argv[3] : NULL);
    printf("# what\tpeer\tsize\tratio min\tmedian\tmax\t# our and the peer's time\n");
    if (all || strcmp(part, "sum") == 0)
        sums();
    if (all || strcmp(part, "dot") == 0)
        dots();
    if (all || strcmp(part, "gemm") == 0)
        cf_bench_gemms(blas_sgemm, blas_dgemm);
    return 0;
}
