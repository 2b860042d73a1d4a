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
 * Rows: what, peer, size, our time / peer's time (min, median, max over the rounds), then both
 * times. In a round each contender runs once, so that a disturbance of the machine hits all of
 * them. */
#include "exact.h"
#include "product.h"
#include "support_reference.h"

#include <dlfcn.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef CF_HAVE_ARB
#include <arb.h>
#include <arb_mat.h>
#endif

enum { ROUNDS = 7, CONTENDERS = 16 };

struct data {
    int64_t n;
    double *x, *y;
    float *xf, *yf;
    int threads;
};

/* A way to compute something; `share` is the part of the whole work that one run does (sampled
 * peers). */
struct contender {
    const char *name;
    void (*run)(const struct data *d);
    double share;
};

static volatile double sink;
static double (*peer_sum)(const double *, int64_t);
static double (*peer_dot)(const double *, const double *, int64_t);
static double (*peer_dot_f32)(const float *, const float *, int64_t);
static double (*blas_ddot)(int, const double *, int, const double *, int);
static float (*blas_sdot)(int, const float *, int, const float *, int);
static void (*blas_dgemm)(int, int, int, int, int, int, double, const double *, int, const double *,
                          int, double, double *, int);
static void (*blas_sgemm)(int, int, int, int, int, int, float, const float *, int, const float *,
                          int, float, float *, int);

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one run: the mean over at least 3 ms of them. */
static double time_of(const struct contender *c, const struct data *d)
{
    int64_t runs = 0;
    const double start = now();
    double elapsed;

    do {
        c->run(d);
        ++runs;
        elapsed = now() - start;
    } while (elapsed < 3e-3);
    return elapsed / (double)runs / c->share;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The first contender is ours; the others are what it is compared with. */
static void compare(const char *what, const struct contender *c, int n, const struct data *d,
                    double per, const char *unit)
{
    double times[CONTENDERS][ROUNDS], ratio[ROUNDS];

    for (int r = -1; r < ROUNDS; ++r) /* round -1 warms up */
        for (int i = 0; i < n; ++i)
            times[i][r < 0 ? 0 : r] = time_of(&c[i], d);
    for (int i = 1; i < n; ++i) {
        double mine[ROUNDS];

        memcpy(mine, times[0], sizeof mine);
        for (int r = 0; r < ROUNDS; ++r)
            ratio[r] = times[0][r] / times[i][r];
        median(ratio, ROUNDS);
        printf("%s\t%s\t%lld\t%.3g\t%.3g\t%.3g\t# %.4g and %.4g %s%s\n", what, c[i].name,
               (long long)d->n, ratio[0], ratio[ROUNDS / 2], ratio[ROUNDS - 1],
               median(mine, ROUNDS) / per, median(times[i], ROUNDS) / per, unit,
               c[i].share < 1 ? ", the peer on a sample of the work" : "");
    }
    fflush(stdout);
}

/* --- data --- */

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return ((double)(draw(state) >> 11) + 0.5) * 0x1p-53;
}

static double signed_at(uint64_t *state, int exponent)
{
    return ldexp((draw(state) & 1) != 0 ? 1 + uniform(state) : -1 - uniform(state), exponent);
}

enum fill { UNIFORM, NORMAL, ILL, WIDE, EXTREME, FILLS };
static const char *const fill_names[FILLS] = {"uniform", "normal", "ill", "wide", "extreme"};

/* ill: exponents over 61 binades, and all but one percent cancels; wide: +-300; extreme: +-1000 (a
 * third of that for products, which are to stay finite). */
static double number(uint64_t *state, enum fill fill, int most)
{
    if (fill == UNIFORM)
        return uniform(state);
    if (fill == NORMAL)
        return sqrt(-2 * log(uniform(state))) * cos(6.283185307179586 * uniform(state));
    if (fill == ILL)
        return signed_at(state, (int)(draw(state) % 61) - 30);
    if (fill == WIDE)
        return signed_at(state, (int)(draw(state) % 601) - 300);
    return signed_at(state, (int)(draw(state) % (uint64_t)(2 * most + 1)) - most);
}

static void fill_up(struct data *d, enum fill fill, bool products)
{
    uint64_t state = 1;

    for (int64_t i = 0; i < d->n; ++i) {
        d->x[i] = number(&state, fill, 1000);
        d->y[i] = products ? number(&state, fill, 1000) : 0;
        if (fill == ILL && i % 2 == 1 && i % 200 != 1) {
            d->x[i] = -d->x[i - 1];
            d->y[i] = d->y[i - 1];
        }
    }
}

static void fill_floats(struct data *d, enum fill fill)
{
    uint64_t state = 2;

    for (int64_t i = 0; i < d->n; ++i) {
        const bool wide = fill >= WIDE;

        d->xf[i] = (float)(wide ? signed_at(&state, (int)(draw(&state) % 201) - 100)
                                : number(&state, fill, 0));
        d->yf[i] = (float)(wide ? signed_at(&state, (int)(draw(&state) % 201) - 100)
                                : number(&state, fill, 0));
    }
}

static void *allocate(int64_t n, size_t size)
{
    void *p = aligned_alloc(64, ((size_t)n * size + 63) / 64 * 64);

    if (p == NULL)
        abort();
    return p;
}

static struct data allocate_data(int64_t n)
{
    return (struct data){n, allocate(n, 8), allocate(n, 8), allocate(n, 4), allocate(n, 4), 1};
}

static void free_data(struct data *d)
{
    free(d->x);
    free(d->y);
    free(d->xf);
    free(d->yf);
}

/* --- sums --- */

static void ours_sum(const struct data *d)
{
    struct cf_truth t;

    cf_exact_sum_f64(&t, d->x, d->n, CF_EXACT_F64, d->threads);
    sink = t.rounded;
}

static void ours_sum_2(const struct data *d)
{
    struct cf_truth t;

    cf_exact_sum_f64(&t, d->x, d->n, CF_EXACT_F64, 2);
    sink = t.rounded;
}

static void plain_sum(const struct data *d)
{
    double sum = 0;

    for (int64_t i = 0; i < d->n; ++i)
        sum += d->x[i];
    sink = sum;
}

static void fast_sum(const struct data *d)
{
    sink = cf_bench_fast_sum(d->x, d->n);
}

static void kahan_sum(const struct data *d)
{
    double sum = 0, rest = 0;

    for (int64_t i = 0; i < d->n; ++i) {
        const double term = d->x[i] - rest, next = sum + term;

        rest = (next - sum) - term;
        sum = next;
    }
    sink = sum;
}

static void read_x(const struct data *d)
{
    sink = (double)cf_bench_read(d->x, d->n);
}

static void exact_peer_sum(const struct data *d)
{
    sink = peer_sum(d->x, d->n);
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
    sink = mpfr_get_d(sum, MPFR_RNDN);
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
    sink = mpfr_get_d(sum, MPFR_RNDN);
    mpfr_clear(sum);
}

static double sample_share(int64_t n)
{
    return n < MPFR_SAMPLE ? 1 : (double)MPFR_SAMPLE / (double)n;
}

static void sums(void)
{
    static const int64_t sizes[] = {1000, 100000, 10000000};
    char what[64];

    for (int s = 0; s < 3; ++s)
        for (int f = 0; f < FILLS; ++f) {
            struct data d = allocate_data(sizes[s]);
            struct contender c[CONTENDERS] = {{"", ours_sum, 1},
                                              {"plain loop", plain_sum, 1},
                                              {"-ffast-math loop", fast_sum, 1},
                                              {"kahan", kahan_sum, 1},
                                              {"read bandwidth", read_x, 1},
                                              {"mpfr_sum", sum_by_mpfr, sample_share(d.n)},
                                              {"mpfr_add", sum_by_mpfr_add, sample_share(d.n)},
                                              {"two threads", ours_sum_2, 1},
                                              {"peer library", exact_peer_sum, 1}};

            fill_up(&d, (enum fill)f, false);
            snprintf(what, sizeof what, "sum f64 %s", fill_names[f]);
            compare(what, c, peer_sum != NULL ? 9 : 8, &d, 1e-9 * (double)d.n, "ns a term");
            free_data(&d);
        }
}

/* --- dots --- */

static void ours_dot(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f64(&t, d->x, d->y, d->n, CF_EXACT_F64, 1);
    sink = t.rounded;
}

static void ours_dot_f32(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f32(&t, d->xf, d->yf, d->n, CF_EXACT_F32, 1);
    sink = t.rounded;
}

static void ours_nrm2(const struct data *d)
{
    struct cf_truth t;

    cf_exact_nrm2_f64(&t, d->x, d->n, CF_EXACT_F64, 1);
    sink = t.rounded;
}

static void ours_dot_self(const struct data *d)
{
    struct cf_truth t;

    cf_exact_dot_f64(&t, d->x, d->x, d->n, CF_EXACT_F64, 1);
    sink = t.rounded;
}

static void library_ddot(const struct data *d)
{
    sink = blas_ddot((int)d->n, d->x, 1, d->y, 1);
}

static void library_sdot(const struct data *d)
{
    sink = (double)blas_sdot((int)d->n, d->xf, 1, d->yf, 1);
}

static void fast_dot(const struct data *d)
{
    sink = cf_bench_fast_dot(d->x, d->y, d->n);
}

static void dot_by_mpfr(const struct data *d)
{
    mpfr_sum_of(d, true);
}

static void exact_peer_dot(const struct data *d)
{
    sink = peer_dot(d->x, d->y, d->n);
}

static void exact_peer_dot_f32(const struct data *d)
{
    sink = peer_dot_f32(d->xf, d->yf, d->n);
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
    sink = arf_get_d(arb_midref(dot), ARF_RND_NEAR);
    arb_clear(dot);
}
#endif

static int add_if(struct contender *c, int n, bool there, struct contender more)
{
    if (there)
        c[n++] = more;
    return n;
}

static void dots_f64(const struct data *d, const char *fill)
{
    struct contender c[CONTENDERS] = {{"", ours_dot, 1},
                                      {"-ffast-math loop", fast_dot, 1},
                                      {"mpfr_mul+mpfr_sum", dot_by_mpfr, sample_share(d->n)}};
    const struct contender norm[] = {{"", ours_nrm2, 1}, {"dot of x and x", ours_dot_self, 1}};
    char what[64];
    int n = 3;

    n = add_if(c, n, blas_ddot != NULL, (struct contender){"ddot", library_ddot, 1});
    n = add_if(c, n, peer_dot != NULL, (struct contender){"peer library", exact_peer_dot, 1});
#ifdef CF_HAVE_ARB
    n = add_if(c, n, strcmp(fill, "normal") == 0 && d->n <= MPFR_SAMPLE,
               (struct contender){"arb_dot", dot_by_arb, 1});
#endif
    snprintf(what, sizeof what, "dot f64 %s", fill);
    compare(what, c, n, d, 1e-9 * (double)d->n, "ns a pair");
    snprintf(what, sizeof what, "nrm2 f64 %s", fill);
    compare(what, norm, 2, d, 1e-9 * (double)d->n, "ns a term");
}

static void dots_f32(const struct data *d, const char *fill)
{
    struct contender c[CONTENDERS] = {{"", ours_dot_f32, 1}};
    char what[64];
    int n = 1;

    n = add_if(c, n, blas_sdot != NULL, (struct contender){"sdot", library_sdot, 1});
    n = add_if(c, n, peer_dot_f32 != NULL,
               (struct contender){"peer library", exact_peer_dot_f32, 1});
    snprintf(what, sizeof what, "dot f32 %s", fill);
    compare(what, c, n, d, 1e-9 * (double)d->n, "ns a pair");
}

static void dots(void)
{
    static const int64_t sizes[] = {1000, 100000, 10000000};

    for (int s = 0; s < 3; ++s)
        for (int f = 0; f < FILLS; ++f) {
            struct data d = allocate_data(sizes[s]);

            fill_up(&d, (enum fill)f, true);
            fill_floats(&d, (enum fill)f);
            dots_f64(&d, fill_names[f]);
            dots_f32(&d, fill_names[f]);
            free_data(&d);
        }
}

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
    memset(c64, 0, sizeof *c64 * (size_t)(d->n * d->n));
    cf_product_add(c64, d->x, d->y, d->n, d->n, d->n, 1);
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
    struct contender c[CONTENDERS] = {{"", ours_gemm_f32, 1},
                                      {"our product in double", our_plain_product, 1},
                                      {"naive mpfr", gemm_by_mpfr, MPFR_ROWS / (double)d->n},
                                      {"exact dots", gemm_by_dots, 1 / (double)d->n}};
    int n = 4;

    n = add_if(c, n, blas_sgemm != NULL, (struct contender){"sgemm", library_sgemm, 1});
#ifdef CF_HAVE_ARB
    n = add_if(c, n, true, (struct contender){"arb_mat_mul", gemm_by_arb, 1});
#endif
    compare("gemm f32", c, n, d, 1e-3, "ms");
    printf("# gemm f32 %lld: %lld of %lld elements by the exact dot\n", (long long)d->n,
           (long long)n_fallback, (long long)(d->n * d->n));
}

static void gemm_f64(const struct data *d)
{
    struct contender c[CONTENDERS] = {{"", ours_gemm_f64, 1},
                                      {"our product in double", our_plain_product, 1},
                                      {"naive mpfr", gemm_by_mpfr, MPFR_ROWS / (double)d->n}};
    int n = 3;

    n = add_if(c, n, blas_dgemm != NULL, (struct contender){"dgemm", library_dgemm, 1});
    compare("gemm f64", c, n, d, 1e-3, "ms");
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

        d->xf[i] = i % 2 != 0
                       ? d->xf[i - 1]
                       : (float)signed_at(&state, (int)(draw(&state) % (uint64_t)(2 * spread + 1)) -
                                                      spread);
        d->yf[i] = l % 2 != 0
                       ? -d->yf[i - d->n]
                       : (float)signed_at(&state, (int)(draw(&state) % (uint64_t)(2 * spread + 1)) -
                                                      spread);
    }
    snprintf(what, sizeof what, "gemm f32 all zero +-%d", spread);
    compare(what, c, 2, d, 1e-9 * (double)(d->n * d->n * d->n), "ns a multiplication");
}

static void gemms(void)
{
    static const int64_t sizes[] = {256, 512};

    for (int s = 0; s < 2; ++s) {
        const int64_t n = sizes[s], area = n * n;
        struct data d = allocate_data(area);

        truths = allocate(area, sizeof *truths);
        c64 = allocate(area, sizeof *c64);
        c32 = allocate(area, sizeof *c32);
        fill_up(&d, NORMAL, true);
        fill_floats(&d, NORMAL);
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
        free_data(&d);
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
        gemms();
    return 0;
}
