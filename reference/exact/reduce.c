/* Sums and dots: block by block into an accumulator, by the cheapest way that is exact for the
 * block. */
#include "kernels.h"
#include "parallel.h"

#include <math.h>

enum {
    FEW = 8,       /* terms that one by one are faster than in a block */
    PLAN_FOR = 64, /* blocks before the choice of levels is made anew, so that it can also sink */
    NO_LEVELS = -1,
    MARGIN = 2,   /* binades that such a plan leaves for smaller terms */
    SAMPLE = 128, /* terms of a block that a first plan looks at, an eighth of it at most */
    PART = 16     /* blocks that are worth a thread */
};

/* The terms of a reduction. Element i of an operand is at i * inc, or at index[i] where there is
 * one. */
struct operand {
    const void *data;
    int64_t inc;
    const int64_t *index;
};

struct terms {
    enum cf_terms kind;
    size_t size;
    struct operand x, y;
};

struct worker {
    const struct cf_kernels *kernels;
    struct cf_accumulator *acc;
    int top, levels; /* levels 0: no plan; NO_LEVELS: straight to the bins */
    int age;
    bool bins_used;
    int64_t n_binned;
    struct cf_bins bins;
};

static bool has_factors(enum cf_terms kind)
{
    return kind == CF_TERMS_F32_F32 || kind == CF_TERMS_F64_F64;
}

static double element(enum cf_terms kind, const void *x, int i)
{
    const bool wide = kind == CF_TERMS_F64 || kind == CF_TERMS_F64_F64;

    return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void add_one_by_one(struct cf_accumulator *acc, enum cf_terms kind, const void *x,
                           const void *y, int n)
{
    for (int i = 0; i < n; ++i) {
        if (has_factors(kind))
            cf_accumulator_add_product(acc, element(kind, x, i), element(kind, y, i));
        else
            cf_accumulator_add(acc, element(kind, x, i));
    }
}

/* plus = (scale + value) / 2 and minus = (scale - value) / 2 are integers: both sums have the same
 * parts up to signs. */
static void add_window(struct cf_accumulator *acc, const struct cf_window *w, int top, int levels)
{
    for (int l = 0; l < levels; ++l) {
        const int grid = cf_window_grid(top, l);

        if (w->scale[l] + w->value[l] != 0)
            cf_accumulator_add_integer(acc, 0, (w->scale[l] + w->value[l]) / 2, grid);
        if (w->scale[l] - w->value[l] != 0)
            cf_accumulator_add_integer(acc, 1, (w->scale[l] - w->value[l]) / 2, grid);
    }
}

static bool by_window(struct worker *w, enum cf_terms kind, const void *x, const void *y, int n)
{
    struct cf_window sums;

    if (w->levels <= 0 || !w->kernels->window[kind](&sums, x, y, n, w->top, w->levels))
        return false;
    add_window(w->acc, &sums, w->top, w->levels);
    return true;
}

/* A bin takes less than 2^32 from each term and the tables together held fewer than 2^30 terms, so
 * that a half over the tables is below 2^62, and both together are below 2^95. */
static void drain_bin(struct cf_accumulator *acc, int side, const uint64_t *first,
                      const uint64_t *second, int exponent)
{
    const uint64_t low = first[0] + second[0], high = first[1] + second[1];

    if ((low | high) != 0)
        cf_accumulator_add_wide(acc, side, low + ((cf_uint128)high << 32), exponent);
}

static void drain_terms(struct cf_accumulator *acc, const struct cf_bins *b)
{
    for (int side = 0; side < 2; ++side)
        for (int bin = b->low; bin <= b->high; ++bin)
            drain_bin(acc, side, b->sum.term[0][side][bin], b->sum.term[1][side][bin],
                      8 * bin - 1075);
}

static void drain_products(struct cf_accumulator *acc, const struct cf_bins *b)
{
    for (int side = 0; side < 2; ++side)
        for (int bin = b->low; bin <= b->high; ++bin) {
            const uint64_t *first = b->sum.product[0][side][bin],
                           *second = b->sum.product[1][side][bin];

            drain_bin(acc, side, first, second, 8 * bin - 2098);
            drain_bin(acc, side, first + 2, second + 2, 8 * bin - 2154);
        }
}

static void drain_bins(struct worker *w, enum cf_terms kind)
{
    if (!w->bins_used)
        return;
    if (kind == CF_TERMS_F64_F64)
        drain_products(w->acc, &w->bins);
    else
        drain_terms(w->acc, &w->bins);
    w->bins_used = false;
}

static void by_bins(struct worker *w, enum cf_terms kind, const void *x, const void *y, int n)
{
    const bool products = kind == CF_TERMS_F64_F64;

    if (!w->bins_used) {
        memset(&w->bins.sum, 0, products ? sizeof w->bins.sum.product : sizeof w->bins.sum.term);
        w->bins.low = CF_PRODUCT_BINS;
        w->bins.high = -1;
        w->n_binned = 0;
    }
    w->bins_used = true;
    w->kernels->bins[kind](&w->bins, w->acc, x, y, n);
    w->n_binned += n;
    if (w->n_binned >= ((int64_t)1 << 30) - CF_BLOCK)
        drain_bins(w, kind);
}

/* From the leading bit of a term down to its last one: the precision of the type, twice for
 * products. */
static const int term_bits[] = {
    [CF_TERMS_F64] = 52, [CF_TERMS_F32] = 23, [CF_TERMS_F32_F32] = 47, [CF_TERMS_F64_F64] = 105};

/* How many grids hold all bits of a block that spans these exponents, and below which 2^top; 0 when
 * even the most do not. The anchors must be finite and the last grid no finer than 2^-1074. */
static int levels_for(enum cf_terms kind, const struct cf_span *s, int *top)
{
    for (int levels = kind == CF_TERMS_F64_F64 ? 3 : 2; levels <= CF_LEVELS; ++levels) {
        const int least_top = 40 + 41 * (levels - 1) - 1074;

        *top = s->highest + 2 > least_top ? s->highest + 2 : least_top;
        if (*top <= 1000 && s->lowest >= cf_window_grid(*top, levels - 1) + term_bits[kind])
            return levels;
    }
    return 0;
}

/* margin: how many binades smaller terms may turn up that the plan did not see. */
static bool plan_by(struct worker *w, enum cf_terms kind, const void *x, const void *y, int n,
                    int margin)
{
    struct cf_span s;

    w->kernels->span[kind](&s, x, y, n);
    s.lowest -= margin;
    w->levels = s.special ? 0 : levels_for(kind, &s, &w->top);
    w->age = 0;
    return w->levels > 0;
}

/* The first terms often tell enough; the window finds out if they did not. Blocks that no window
 * holds go to the bins, and so do the next ones, until it is time for a new plan. */
static void plan_and_add(struct worker *w, enum cf_terms kind, const void *x, const void *y, int n)
{
    const int sample = n / 8 < SAMPLE ? n / 8 / 16 * 16 : SAMPLE;

    if (sample > 0 && plan_by(w, kind, x, y, sample, MARGIN) && by_window(w, kind, x, y, n))
        return;
    if (plan_by(w, kind, x, y, n, 0) && by_window(w, kind, x, y, n))
        return;
    if (w->levels == 0)
        w->levels = NO_LEVELS;
    by_bins(w, kind, x, y, n);
}

static void add_block(struct worker *w, enum cf_terms kind, const void *x, const void *y, int n)
{
    if (n <= FEW)
        add_one_by_one(w->acc, kind, x, y, n);
    else if (w->kernels->window[kind] == NULL)
        by_bins(w, kind, x, y, n);
    else if (++w->age >= PLAN_FOR || w->levels == 0)
        plan_and_add(w, kind, x, y, n);
    else if (w->levels == NO_LEVELS)
        by_bins(w, kind, x, y, n);
    else if (!by_window(w, kind, x, y, n))
        plan_and_add(w, kind, x, y, n);
}

static bool is_dense(const struct operand *o)
{
    return o->data == NULL || (o->inc == 1 && o->index == NULL);
}

static void gather(void *into, const struct operand *o, size_t size, int64_t first, int n)
{
    for (int i = 0; i < n; ++i) {
        const int64_t at = o->index != NULL ? o->index[first + i] : (first + i) * o->inc;

        memcpy((char *)into + (size_t)i * size, (const char *)o->data + at * (int64_t)size, size);
    }
}

static void add_dense(struct worker *w, const struct terms *t, int64_t first, int64_t last)
{
    for (int64_t i = first; i < last; i += CF_BLOCK) {
        const int n = last - i < CF_BLOCK ? (int)(last - i) : CF_BLOCK;
        const int64_t at = i * (int64_t)t->size;

        add_block(w, t->kind, (const char *)t->x.data + at,
                  t->y.data != NULL ? (const char *)t->y.data + at : NULL, n);
    }
}

static void add_sparse(struct worker *w, const struct terms *t, int64_t first, int64_t last)
{
    double x[CF_BLOCK], y[CF_BLOCK];

    for (int64_t i = first; i < last; i += CF_BLOCK) {
        const int n = last - i < CF_BLOCK ? (int)(last - i) : CF_BLOCK;

        gather(x, &t->x, t->size, i, n);
        gather(y, &t->y, t->size, i, n);
        add_block(w, t->kind, x, y, n);
    }
}

static bool is_negative(const struct operand *o, size_t size, int64_t i)
{
    double wide;
    float narrow;

    if (o->data == NULL)
        return false;
    gather(size == sizeof wide ? (void *)&wide : (void *)&narrow, o, size, i, 1);
    return size == sizeof wide ? signbit(wide) != 0 : signbit(narrow) != 0;
}

static bool has_digits(const struct cf_accumulator *acc)
{
    int64_t any = 0;

    for (int i = acc->low; i <= acc->high; ++i)
        any |= acc->limb[0][i] | acc->limb[1][i];
    return any != 0;
}

/* Blocks leave no trace of the signs of zeros. They matter when all terms are zero, and then a look
 * at the data tells whether each is -0. */
static void see_zeros(struct cf_accumulator *acc, const struct terms *t, int64_t first,
                      int64_t last)
{
    if (has_digits(acc))
        acc->seen |= CF_SEEN_OTHER;
    for (int64_t i = first; i < last && (acc->seen & CF_SEEN_OTHER) == 0; ++i) {
        const bool minus = is_negative(&t->x, t->size, i) != is_negative(&t->y, t->size, i);

        acc->seen |= minus ? CF_SEEN_MINUS_ZERO : CF_SEEN_OTHER;
    }
}

static void add_range(struct cf_accumulator *acc, const struct terms *t, int64_t first,
                      int64_t last)
{
    struct worker w;

    w.kernels = cf_kernels_get();
    w.acc = acc;
    w.levels = w.age = 0;
    w.bins_used = false;
    w.n_binned = 0;
    if (is_dense(&t->x) && is_dense(&t->y))
        add_dense(&w, t, first, last);
    else
        add_sparse(&w, t, first, last);
    drain_bins(&w, t->kind);
    see_zeros(acc, t, first, last);
}

struct shared_work {
    const struct terms *terms;
    struct cf_accumulator *acc; /* one a part */
    int64_t n;
};

static void add_part(void *context, int64_t first, int64_t last, int part)
{
    const struct shared_work *s = context;

    cf_accumulator_clear(&s->acc[part]);
    last *= CF_BLOCK;
    add_range(&s->acc[part], s->terms, first * CF_BLOCK, last < s->n ? last : s->n);
}

static void accumulate_in_parts(struct cf_accumulator *acc, const struct terms *t, int64_t n,
                                int parts)
{
    struct cf_accumulator part[CF_MAX_PARTS];
    struct shared_work shared = {t, part, n};

    cf_parallel(parts, (n + CF_BLOCK - 1) / CF_BLOCK, add_part, &shared);
    for (int p = 0; p < parts; ++p)
        cf_accumulator_merge(acc, &part[p]);
}

static void accumulate(struct cf_accumulator *acc, const struct terms *t, int64_t n, int threads)
{
    const int parts = cf_parts(threads, n / CF_BLOCK, PART);

    cf_accumulator_clear(acc);
    if (parts == 1)
        add_range(acc, t, 0, n);
    else
        accumulate_in_parts(acc, t, n, parts);
}

typedef struct cf_truth (*round_fn)(const struct cf_accumulator *, enum cf_exact_format);

static void reduce(struct cf_truth *out, round_fn round, const struct terms *t, int64_t n,
                   enum cf_exact_format format, int threads)
{
    struct cf_accumulator acc;

    accumulate(&acc, t, n, threads);
    *out = round(&acc, format);
}

static struct terms dense(enum cf_terms kind, size_t size, const void *x, const void *y)
{
    return (struct terms){kind, size, {x, 1, NULL}, {y, 1, NULL}};
}

#define SUM(name, T, terms_kind, round)                                                            \
    void name(struct cf_truth *out, const T *x, int64_t n, enum cf_exact_format format,            \
              int threads)                                                                         \
    {                                                                                              \
        const struct terms t = dense(terms_kind, sizeof *x, x, NULL);                              \
                                                                                                   \
        reduce(out, round, &t, n, format, threads);                                                \
    }
SUM(cf_exact_sum_f64, double, CF_TERMS_F64, cf_accumulator_round)
SUM(cf_exact_sum_f32, float, CF_TERMS_F32, cf_accumulator_round)
SUM(cf_exact_asum_f64, double, CF_TERMS_F64, cf_accumulator_round_scale)
SUM(cf_exact_asum_f32, float, CF_TERMS_F32, cf_accumulator_round_scale)

#define NRM2(name, T, terms_kind)                                                                  \
    void name(struct cf_truth *out, const T *x, int64_t n, enum cf_exact_format format,            \
              int threads)                                                                         \
    {                                                                                              \
        const struct terms t = dense(terms_kind, sizeof *x, x, x);                                 \
                                                                                                   \
        reduce(out, cf_accumulator_round_sqrt, &t, n, format, threads);                            \
    }
NRM2(cf_exact_nrm2_f64, double, CF_TERMS_F64_F64)
NRM2(cf_exact_nrm2_f32, float, CF_TERMS_F32_F32)

#define DOT(suffix, T, terms_kind)                                                                 \
    void cf_exact_dot_##suffix(struct cf_truth *out, const T *x, const T *y, int64_t n,            \
                               enum cf_exact_format format, int threads)                           \
    {                                                                                              \
        const struct terms t = dense(terms_kind, sizeof *x, x, y);                                 \
                                                                                                   \
        reduce(out, cf_accumulator_round, &t, n, format, threads);                                 \
    }                                                                                              \
    void cf_exact_dot_strided_##suffix(struct cf_truth *out, const T *x, int64_t incx, const T *y, \
                                       int64_t incy, int64_t n, enum cf_exact_format format,       \
                                       int threads)                                                \
    {                                                                                              \
        const struct terms t = {terms_kind, sizeof *x, {x, incx, NULL}, {y, incy, NULL}};          \
                                                                                                   \
        reduce(out, cf_accumulator_round, &t, n, format, threads);                                 \
    }                                                                                              \
    void cf_exact_dot_gather_##suffix(struct cf_truth *out, const T *x, const int64_t *ix,         \
                                      const T *y, const int64_t *iy, int64_t n,                    \
                                      enum cf_exact_format format)                                 \
    {                                                                                              \
        const struct terms t = {terms_kind, sizeof *x, {x, 1, ix}, {y, 1, iy}};                    \
                                                                                                   \
        reduce(out, cf_accumulator_round, &t, n, format, 1);                                       \
    }
DOT(f64, double, CF_TERMS_F64_F64)
DOT(f32, float, CF_TERMS_F32_F32)
