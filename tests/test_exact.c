/* exact: every sum, asum, dot and nrm2 is the exact value rounded once, on every instruction set;
 * MPFR is the witness. CONFORM_SCALE=10 draws ten times as many cases. */
#include <criterion/criterion.h>

#include "exact_witness.h"

static int64_t effort(void)
{
    const char *scale = getenv("CONFORM_SCALE");
    const long times = scale != NULL ? strtol(scale, NULL, 10) : 1;

    return times > 1 ? times : 1;
}

/* Mostly short, often just long enough for the vector code and its tails, sometimes long. */
static int64_t draw_length(uint64_t *state)
{
    const uint64_t z = witness_draw(state) % 100;

    if (z < 60)
        return (int64_t)(witness_draw(state) % 9);
    return (int64_t)(witness_draw(state) % (z < 99 ? 80 : 5000));
}

struct sample {
    double x[5000], y[5000];
    int64_t n;
    enum witness_op op;
    bool narrow; /* f32 */
};

static struct sample sample;

static void draw_sample(struct sample *s, uint64_t seed)
{
    uint64_t state = seed;
    const struct witness_range *r;

    s->op = (enum witness_op)(witness_draw(&state) % WITNESS_OPS);
    s->narrow = witness_draw(&state) % 2 != 0;
    s->n = draw_length(&state);
    r = s->narrow ? &witness_f32 : &witness_f64;
    witness_fill(&state, s->x, s->n, r);
    witness_fill(&state, s->y, s->n, r);
    if (witness_draw(&state) % 4 == 0) /* a structured x keeps its structure in the products */
        for (int64_t i = 0; i < s->n; ++i)
            s->y[i] = 1;
}

typedef struct cf_truth (*answer_fn)(const struct sample *s, enum cf_exact_format format);

static struct cf_truth honest(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t;
    float *x, *y;

    if (!s->narrow)
        return witness_got(s->op, s->x, s->y, s->n, format, 1);
    x = witness_narrow(s->x, s->n);
    y = witness_narrow(s->y, s->n);
    t = witness_got_f32(s->op, x, y, s->n, format, 1);
    free(x);
    free(y);
    return t;
}

static void report(const struct sample *s, uint64_t seed, enum cf_exact_format format,
                   const char *isa, const struct cf_truth *exact, const struct cf_truth *got)
{
    cr_log_error("seed %" PRIu64 " op %d n %" PRId64
                 " %s format %d %s: exact %a + %a scale %a, got %a + %a "
                 "scale %a",
                 seed, s->op, s->n, s->narrow ? "f32" : "f64", format, isa, exact->rounded,
                 exact->lo, exact->scale, got->rounded, got->lo, got->scale);
}

/* Answers every sample in all formats on all instruction sets; returns how many answers are wrong.
 */
static int64_t disagreements(answer_fn answer, uint64_t first, int64_t n_samples, int64_t *n_checks,
                             bool quiet)
{
    const enum cf_exact_isa best = cf_exact_best_isa();
    struct witness w;
    int64_t wrong = 0;

    witness_start(&w);
    for (int64_t i = 0; i < n_samples; ++i) {
        draw_sample(&sample, first + (uint64_t)i);
        witness_sum(&w, sample.op, sample.x, sample.y, sample.n);
        for (int f = CF_EXACT_F64; f <= CF_EXACT_F16; ++f) {
            const struct cf_truth exact = witness_truth(&w, (enum cf_exact_format)f);

            for (int isa = 0; isa <= (int)best; ++isa, ++*n_checks) {
                struct cf_truth got;

                cf_exact_force_isa((enum cf_exact_isa)isa);
                got = answer(&sample, (enum cf_exact_format)f);
                if (witness_agrees(&exact, &got, sample.op))
                    continue;
                if (++wrong <= 5 && !quiet)
                    report(&sample, first + (uint64_t)i, (enum cf_exact_format)f,
                           cf_exact_isa_name((enum cf_exact_isa)isa), &exact, &got);
            }
        }
    }
    cf_exact_force_isa(best);
    witness_stop(&w);
    return wrong;
}

Test(exact, agrees_with_mpfr_on_a_million_nasty_cases)
{
    int64_t n_checks = 0, wrong;

    wrong = disagreements(honest, 1000000007, 125000 * effort(), &n_checks, false);
    cr_expect_eq(wrong, 0, "%" PRId64 " of %" PRId64 " answers are wrong", wrong, n_checks);
}

/* Liars: answers that are wrong in one way each, which the same samples must find out. */
static struct cf_truth rounds_twice(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t = honest(s, CF_EXACT_F64);

    if (format == CF_EXACT_F64)
        return t;
    if (format != CF_EXACT_F32)
        return honest(s, format);
    t.rounded = (double)(float)t.rounded;
    t.lo = honest(s, format).lo;
    return t;
}

/* Terms too small to reach the bit behind the last place still decide a tie; this one forgets them.
 */
static struct cf_truth drops_the_sticky_bit(const struct sample *s, enum cf_exact_format format)
{
    static struct sample coarse;
    struct cf_truth t = honest(s, format);
    double most = 0;

    coarse = *s;
    for (int64_t i = 0; i < s->n; ++i)
        most = fmax(most, fabs(s->x[i]));
    for (int64_t i = 0; i < s->n && isfinite(most); ++i)
        coarse.x[i] = fabs(s->x[i]) < most * 0x1p-54 ? 0 : s->x[i];
    if (s->op == WITNESS_SUM && s->n > 2)
        t.rounded = honest(&coarse, format).rounded;
    return t;
}

static struct cf_truth loses_the_sign_of_zero(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t = honest(s, format);

    t.rounded += 0.0;
    return t;
}

static struct cf_truth flushes_subnormals(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t = honest(s, format);

    if (fabs(t.rounded) < 0x1p-1022)
        t.rounded = copysign(0, t.rounded);
    return t;
}

static struct cf_truth drops_a_term(const struct sample *s, enum cf_exact_format format)
{
    static struct sample shorter;

    shorter = *s;
    if (shorter.n > 70)
        --shorter.n;
    return honest(&shorter, format);
}

static struct cf_truth scale_rounds_to_nearest(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t = honest(s, format);

    if (s->op == WITNESS_SUM && !s->narrow)
        t.scale = witness_got(WITNESS_ASUM, s->x, NULL, s->n, CF_EXACT_F64, 1).rounded;
    return t;
}

static struct cf_truth adds_in_double(const struct sample *s, enum cf_exact_format format)
{
    struct cf_truth t = honest(s, format);
    double sum = 0;

    for (int64_t i = 0; i < s->n; ++i)
        sum += s->x[i];
    if (s->op == WITNESS_SUM && format == CF_EXACT_F64)
        t.rounded = sum;
    return t;
}

struct liar {
    const char *name;
    answer_fn answer;
};

static const struct liar liars[] = {
    {"rounds through double", rounds_twice},
    {"drops the sticky bit", drops_the_sticky_bit},
    {"loses the sign of zero", loses_the_sign_of_zero},
    {"flushes subnormals", flushes_subnormals},
    {"drops the last of many terms", drops_a_term},
    {"rounds the scale to nearest", scale_rounds_to_nearest},
    {"adds in double", adds_in_double},
};

Test(exact, liars_are_caught)
{
    for (size_t i = 0; i < sizeof liars / sizeof liars[0]; ++i) {
        int64_t n_checks = 0;

        cr_expect(disagreements(liars[i].answer, 1000000007, 3000, &n_checks, true) > 0,
                  "a liar that %s is not caught", liars[i].name);
    }
}
