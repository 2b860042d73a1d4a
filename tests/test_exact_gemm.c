/* exact gemm: each element is the correctly rounded one, certified or not; its lo and scale keep
 * what the header promises. MPFR is the witness. */
#include <criterion/criterion.h>

#include "exact_witness.h"

enum { MOST = 24 * 300 };

struct shape {
    int64_t m, n, k;
};

static const struct shape shapes[] = {{0, 3, 2},    {3, 0, 2},     {2, 3, 0},   {1, 1, 1},
                                      {1, 1, 300},  {3, 5, 7},     {8, 24, 16}, {9, 25, 17},
                                      {24, 9, 300}, {17, 26, 257}, {13, 1, 40}};

static double a[MOST], b[MOST];

/* Entries within some binades of 1; `spread` above 200 reaches into the subnormals and beyond the
 * squares. */
static void draw(uint64_t *state, double *x, int64_t n, int spread, bool narrow)
{
    for (int64_t i = 0; i < n; ++i) {
        x[i] = witness_number(state, witness_between(state, -spread, spread < 100 ? 0 : spread));
        if (narrow)
            x[i] = (double)(float)x[i];
        if (witness_draw(state) % 64 == 0)
            x[i] = 0;
    }
}

/* Makes the rows of A cancel against B: pairs of equal columns of A meet rows of B of opposite
 * sign. */
static void cancel(int64_t m, int64_t n, int64_t k)
{
    for (int64_t l = 1; l < k; l += 2) {
        for (int64_t i = 0; i < m; ++i)
            a[i * k + l] = a[i * k + l - 1];
        for (int64_t j = 0; j < n; ++j)
            b[l * n + j] = -b[(l - 1) * n + j];
    }
}

static void compute(struct cf_truth *c, const struct shape *s, bool narrow,
                    enum cf_exact_format format, int threads, int64_t *n_fallback)
{
    float *af = witness_narrow(a, s->m * s->k), *bf = witness_narrow(b, s->k * s->n);

    if (narrow)
        cf_exact_gemm_f32(c, af, bf, s->m, s->n, s->k, format, threads, n_fallback);
    else
        cf_exact_gemm_f64(c, a, b, s->m, s->n, s->k, format, threads, n_fallback);
    free(af);
    free(bf);
}

static bool element_is_good(struct witness *w, const struct cf_truth *got, const struct shape *s,
                            int64_t i, int64_t j, enum cf_exact_format format)
{
    static const double u[] = {0x1p-53, 0x1p-24, 0x1p-8, 0x1p-11};
    double x[300], y[300];
    struct cf_truth exact;

    for (int64_t l = 0; l < s->k; ++l) {
        x[l] = a[i * s->k + l];
        y[l] = b[l * s->n + j];
    }
    witness_sum(w, WITNESS_DOT, x, y, s->k);
    exact = witness_truth(w, format);
    if (!witness_same(exact.rounded, got->rounded))
        return false;
    if (!isfinite(exact.scale))
        return witness_same(exact.scale, got->scale);
    return fabs(got->lo - exact.lo) <= 0x1p-20 * u[format] * exact.scale &&
           mpfr_cmp_d(w->scale, got->scale) <= 0 && got->scale <= exact.scale * (1 + 0x1p-40) &&
           (exact.scale == 0) == (got->scale == 0);
}

static int64_t wrong_elements(const struct shape *s, bool narrow, enum cf_exact_format format,
                              int threads)
{
    struct cf_truth *c = malloc(sizeof *c * (size_t)(s->m * s->n + 1));
    struct witness w;
    int64_t wrong = 0, n_fallback = -1;

    witness_start(&w);
    compute(c, s, narrow, format, threads, &n_fallback);
    for (int64_t i = 0; i < s->m * s->n; ++i)
        wrong += !element_is_good(&w, &c[i], s, i / s->n, i % s->n, format);
    wrong += n_fallback < 0 || n_fallback > s->m * s->n;
    witness_stop(&w);
    free(c);
    return wrong;
}

static void check_everything(const char *what, int most_narrow)
{
    const enum cf_exact_isa best = cf_exact_best_isa();

    for (int isa = 0; isa <= (int)best; ++isa)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i)
            for (int f = CF_EXACT_F64; f <= CF_EXACT_F16; ++f)
                for (int narrow = 0; narrow <= most_narrow; ++narrow) {
                    cf_exact_force_isa((enum cf_exact_isa)isa);
                    cr_expect_eq(
                        wrong_elements(&shapes[i], narrow != 0, (enum cf_exact_format)f, 2), 0,
                        "%s: shape %zu format %d %s %s", what, i, f, narrow ? "f32" : "f64",
                        cf_exact_isa_name((enum cf_exact_isa)isa));
                }
    cf_exact_force_isa(best);
}

struct fill {
    const char *name;
    int spread;
    bool cancels, special;
};

static const struct fill fills[] = {
    {"ordinary", 3, false, false}, {"spread", 40, false, false},
    {"range", 140, false, false},  {"cancelling", 3, true, false},
    {"special", 3, false, true},   {"whole range", 1020, false, false}};

Test(exact_gemm, agrees_with_mpfr)
{
    uint64_t state = 7;

    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; ++i) {
        draw(&state, a, MOST, fills[i].spread, fills[i].spread <= 140);
        draw(&state, b, MOST, fills[i].spread, fills[i].spread <= 140);
        if (fills[i].cancels)
            cancel(24, 24, 300);
        for (int64_t j = 0; j < MOST && fills[i].special; j += 50)
            a[j] = witness_special(&state);
        check_everything(fills[i].name, fills[i].spread <= 140); /* f32 sees floats only */
    }
}

Test(exact_gemm, certifies_ordinary_data_and_gives_up_on_ties)
{
    const struct shape s = {16, 24, 256};
    struct cf_truth c[16 * 24];
    uint64_t state = 8;
    int64_t n_fallback;

    draw(&state, a, MOST, 3, true);
    draw(&state, b, 6144, 3, true);
    compute(c, &s, true, CF_EXACT_F32, 1, &n_fallback);
    cr_expect(n_fallback <= 1, "f32: %" PRId64, n_fallback);
    draw(&state, a, MOST, 3, false); /* floats would meet true ties of double */
    compute(c, &s, false, CF_EXACT_F64, 1, &n_fallback);
    cr_expect(n_fallback <= 1, "f64: %" PRId64, n_fallback);
    memset(a, 0, sizeof a);
    for (int64_t i = 0; i < 16; ++i) { /* 1 + 2^-24: a tie of f32 in every element */
        a[i * 256] = 1;
        a[i * 256 + 1] = 0x1p-24;
    }
    for (int64_t j = 0; j < MOST; ++j)
        b[j] = 1;
    compute(c, &s, true, CF_EXACT_F32, 1, &n_fallback);
    cr_expect_eq(n_fallback, 16 * 24);
    cr_expect_eq(c[0].rounded, 1.0);
    cr_expect_eq(c[0].lo, 0x1p-24);
}

/* The witness catches an element that is one unit off, one whose lo is, and one whose scale is low.
 */
Test(exact_gemm, liars_are_caught)
{
    const struct shape s = {1, 1, 40};
    struct cf_truth c, lie;
    struct witness w;
    uint64_t state = 9;

    witness_start(&w);
    draw(&state, a, MOST, 3, true);
    draw(&state, b, MOST, 3, true);
    compute(&c, &s, true, CF_EXACT_F32, 1, NULL);
    cr_expect(element_is_good(&w, &c, &s, 0, 0, CF_EXACT_F32));
    lie = c;
    lie.rounded = (double)nextafterf((float)c.rounded, INFINITY);
    cr_expect(!element_is_good(&w, &lie, &s, 0, 0, CF_EXACT_F32));
    lie = c;
    lie.lo += c.scale * 0x1p-43;
    cr_expect(!element_is_good(&w, &lie, &s, 0, 0, CF_EXACT_F32));
    lie = c;
    lie.scale *= 1 - 0x1p-40;
    cr_expect(!element_is_good(&w, &lie, &s, 0, 0, CF_EXACT_F32));
    witness_stop(&w);
}

Test(exact_gemm, same_bits_for_any_number_of_threads)
{
    const struct shape s = {70, 33, 64};
    static struct cf_truth one[70 * 33], many[70 * 33];
    uint64_t state = 10;

    draw(&state, a, MOST, 30, false);
    draw(&state, b, MOST, 30, false);
    compute(one, &s, false, CF_EXACT_F64, 1, NULL);
    for (int threads = 2; threads < 6; ++threads) {
        compute(many, &s, false, CF_EXACT_F64, threads, NULL);
        cr_expect_eq(memcmp(one, many, sizeof one), 0, "%d threads", threads);
    }
}
