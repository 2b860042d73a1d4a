/* The kernels, written once over vectors of W doubles. A file that includes this one defines
 *   KERNEL      attributes of every function: the instruction set
 *   W           doubles in a vector
 *   HAS_FMA     whether FMA(a, b, c) is one rounding; without it, products of doubles have no
 * kernels FMA(a,b,c)  a * b + c;   MINI, MAXI  the lesser and the greater of signed 64-bit integers
 *   ADD, SUB    a + b and a - b once more, on another execution unit where that helps
 *   FLIP(q,x)   q with its sign flipped where x is negative
 *   MULTIPLY(a,b)  product of 64-bit integers below 2^32
 *   PAIR_ADD(sum, s)  adds the low and the high half of *s to sum[0] and sum[1]
 *   LOAD_FLOATS(p)  W floats from p, widened
 *   ROWS        rows of a tile of three vectors
 *   TABLE       the name of the table */
#include "kernels.h"

#include <math.h>

typedef double vd __attribute__((vector_size(8 * W)));
typedef int64_t vi __attribute__((vector_size(8 * W)));
typedef uint64_t vu __attribute__((vector_size(8 * W)));
typedef float vf __attribute__((vector_size(4 * W)));
typedef uint32_t vw __attribute__((vector_size(4 * W)));

#define UNROLLED _Pragma("GCC unroll 8")
#define INLINE   KERNEL static inline __attribute__((always_inline))

static const int64_t SIGN = INT64_MIN;

INLINE vd splat(double x)
{
    return x - (vd){0};
}

INLINE vi splat_i(int64_t x)
{
    return x - (vi){0};
}

INLINE vd load_f64(const double *x)
{
    vd v;

    memcpy(&v, x, sizeof v);
    return v;
}

INLINE vd load_f32(const float *x)
{
    return LOAD_FLOATS(x);
}

/* W terms from index i on. */
INLINE vd load(enum cf_terms terms, const void *x, const void *y, int i)
{
    if (terms == CF_TERMS_F64)
        return load_f64((const double *)x + i);
    if (terms == CF_TERMS_F32)
        return load_f32((const float *)x + i);
    if (terms == CF_TERMS_F64_F64)
        return load_f64((const double *)x + i) * load_f64((const double *)y + i);
    return load_f32((const float *)x + i) * load_f32((const float *)y + i);
}

/* The last terms of a block, filled up with zeros: room for two vectors of either type. */
struct tail {
    double x[2 * W], y[2 * W];
};

INLINE void tail_fill(struct tail *t, enum cf_terms terms, const void *x, const void *y, int i,
                      int n)
{
    const size_t size = terms == CF_TERMS_F64 || terms == CF_TERMS_F64_F64 ? 8 : 4;

    memset(t, 0, sizeof *t);
    memcpy(t->x, (const char *)x + (size_t)i * size, (size_t)(n - i) * size);
    if (terms == CF_TERMS_F32_F32 || terms == CF_TERMS_F64_F64)
        memcpy(t->y, (const char *)y + (size_t)i * size, (size_t)(n - i) * size);
}

INLINE int64_t lanes_sum(vi v)
{
    int64_t sum = 0;

    UNROLLED
    for (int i = 0; i < W; ++i)
        sum += v[i];
    return sum;
}

INLINE uint64_t lanes_or(vi v)
{
    uint64_t bits = 0;

    UNROLLED
    for (int i = 0; i < W; ++i)
        bits |= (uint64_t)v[i];
    return bits;
}

INLINE int64_t lanes_min(vi v)
{
    int64_t least = v[0];

    UNROLLED
    for (int i = 1; i < W; ++i)
        least = v[i] < least ? v[i] : least;
    return least;
}

INLINE int64_t lanes_max(vi v)
{
    int64_t most = v[0];

    UNROLLED
    for (int i = 1; i < W; ++i)
        most = v[i] > most ? v[i] : most;
    return most;
}

/* 1.5 * 2^(52 + grid): a double whose unit in the last place is 2^grid, half a binade from either
 * end. */
INLINE vd anchor_of(int top, int level)
{
    return splat(1.5 * cf_power_of_two(52 + cf_window_grid(top, level)));
}

/* Sums of values and of magnitudes on each grid, as distances from the anchors. */
struct sums {
    vd v0, v1, v2, v3, m0, m1, m2, m3;
    vi rest;
};

INLINE struct sums sums_start(int top, int levels)
{
    struct sums s;

    s.v0 = s.m0 = anchor_of(top, 0);
    s.v1 = s.m1 = anchor_of(top, 1);
    s.v2 = s.m2 = levels > 2 ? anchor_of(top, 2) : splat(0);
    s.v3 = s.m3 = levels > 3 ? anchor_of(top, 3) : splat(0);
    s.rest = splat_i(0);
    return s;
}

/* Rounds r to the grid of a sum, adds that, and returns what is left. The magnitude of a term takes
 * the same parts with the sign of the term x removed. */
INLINE vd extract(vd *value, vd *magnitude, vd r, vd x)
{
    const vd t = *value + r, q = t - *value;

    *value = t;
    *magnitude = ADD(FLIP(q, x), *magnitude);
    return r - q;
}

INLINE vd extract_alt(vd *value, vd *magnitude, vd r, vd x)
{
    const vd t = ADD(r, *value), q = SUB(t, *value);

    *value = t;
    *magnitude = *magnitude + FLIP(q, x);
    return SUB(r, q);
}

INLINE void sums_add(struct sums *s, vd x, int levels)
{
    vd r = extract(&s->v0, &s->m0, x, x);

    r = extract_alt(&s->v1, &s->m1, r, x);
    if (levels > 2)
        r = extract(&s->v2, &s->m2, r, x);
    if (levels > 3)
        r = extract_alt(&s->v3, &s->m3, r, x);
    s->rest |= (vi)r;
}

INLINE void drain_level(struct cf_window *w, int level, vd anchor, vd va, vd vb, vd ma, vd mb)
{
    w->value[level] = lanes_sum((vi)va - (vi)anchor + ((vi)vb - (vi)anchor));
    w->scale[level] = lanes_sum((vi)ma - (vi)anchor + ((vi)mb - (vi)anchor));
}

/* The sum of magnitudes only grows; while it is within 2^50 units of its anchor, no sum has left
 * the binade of its anchor, and each addition was exact. NaN and infinity fail here too. */
INLINE bool sums_drain(struct cf_window *w, const struct sums *a, const struct sums *b, int top,
                       int levels)
{
    const vd anchor = anchor_of(top, 0);
    const vi far = ((vi)a->m0 - (vi)anchor) | ((vi)b->m0 - (vi)anchor);

    if (lanes_or(far) >> 50 != 0 || lanes_or((a->rest | b->rest) & INT64_MAX) != 0)
        return false;
    drain_level(w, 0, anchor, a->v0, b->v0, a->m0, b->m0);
    drain_level(w, 1, anchor_of(top, 1), a->v1, b->v1, a->m1, b->m1);
    if (levels > 2)
        drain_level(w, 2, anchor_of(top, 2), a->v2, b->v2, a->m2, b->m2);
    if (levels > 3)
        drain_level(w, 3, anchor_of(top, 3), a->v3, b->v3, a->m3, b->m3);
    return true;
}

INLINE bool window(enum cf_terms terms, struct cf_window *w, const void *x, const void *y, int n,
                   int top, int levels)
{
    struct sums a = sums_start(top, levels), b = a;
    struct tail t;
    int i;

    for (i = 0; i + 2 * W <= n; i += 2 * W) {
        sums_add(&a, load(terms, x, y, i), levels);
        sums_add(&b, load(terms, x, y, i + W), levels);
    }
    if (i < n) {
        tail_fill(&t, terms, x, y, i, n);
        sums_add(&a, load(terms, t.x, t.y, 0), levels);
        sums_add(&b, load(terms, t.x, t.y, W), levels);
    }
    return sums_drain(w, &a, &b, top, levels);
}

INLINE bool window_levels(enum cf_terms terms, struct cf_window *w, const void *x, const void *y,
                          int n, int top, int levels)
{
    if (levels == 2)
        return window(terms, w, x, y, n, top, 2);
    if (levels == 3)
        return window(terms, w, x, y, n, top, 3);
    return window(terms, w, x, y, n, top, 4);
}

#define WINDOW(name, terms)                                                                        \
    KERNEL static bool name(struct cf_window *w, const void *x, const void *y, int n, int top,     \
                            int levels)                                                            \
    {                                                                                              \
        return window_levels(terms, w, x, y, n, top, levels);                                      \
    }
WINDOW(window_f64, CF_TERMS_F64)
WINDOW(window_f32, CF_TERMS_F32)
WINDOW(window_f32_f32, CF_TERMS_F32_F32)

struct extremes {
    vi most,
        least; /* bits of magnitudes; least: as unsigned, minus one, so that zero is the largest */
};

INLINE void extremes_add(struct extremes *e, vd x)
{
    const vi magnitude = (vi)x & INT64_MAX;

    e->most = MAXI(e->most, magnitude);
    e->least = MINI(e->least, (vi)((vu)(magnitude - 1) >> 1));
}

INLINE int exponent_of(int64_t magnitude)
{
    const int field = (int)(magnitude >> 52);

    return field != 0 ? field - 1023 : 63 - __builtin_clzll((uint64_t)magnitude) - 1074;
}

INLINE void span(enum cf_terms terms, struct cf_span *s, const void *x, const void *y, int n)
{
    struct extremes e = {splat_i(0), splat_i(INT64_MAX)};
    struct tail t;
    int64_t most, least;
    int i;

    for (i = 0; i + W <= n; i += W)
        extremes_add(&e, load(terms, x, y, i));
    if (i < n) {
        tail_fill(&t, terms, x, y, i, n);
        extremes_add(&e, load(terms, t.x, t.y, 0));
    }
    most = lanes_max(e.most);
    /* The bits, or one less when they are odd: the same exponent or one below. */
    least = most == 0 ? 0 : lanes_min(e.least) * 2 + 1;
    s->special = most >> 52 == 0x7ff;
    s->highest = most == 0 ? 0 : exponent_of(most);
    s->lowest = most == 0 ? 0 : exponent_of(least);
}

#define SPAN(name, terms)                                                                          \
    KERNEL static void name(struct cf_span *s, const void *x, const void *y, int n)                \
    {                                                                                              \
        span(terms, s, x, y, n);                                                                   \
    }
SPAN(span_f64, CF_TERMS_F64)
SPAN(span_f32, CF_TERMS_F32)
SPAN(span_f32_f32, CF_TERMS_F32_F32)

/* Significands and the places where they go, in bytes from the start of a table: first a chunk is
 * made ready by vectors, then put into the bins one by one. */
enum { CHUNK = 128 };

struct binned {
    uint64_t significand[CHUNK];
    uint32_t place[CHUNK];
};

INLINE void store_place(uint32_t *to, vu place)
{
    const vw narrow = __builtin_convertvector(place, vw);

    memcpy(to, &narrow, sizeof narrow);
}

/* Sign and exponent field lie side by side, and so do the bins of one sign and of the other.
 * Subnormals have the exponent of the least normals, and the bin of all small exponents anyway.
 * Returns the field. */
INLINE vi bin_double(struct binned *b, int at, vd x)
{
    const vi bits = (vi)x, field = (bits >> 52) & 0x7ff, tiny = field == 0;
    const vu fraction = (vu)(bits & (((int64_t)1 << 52) - 1));
    const vu significand = fraction | (vu)(~tiny & ((int64_t)1 << 52));
    const vu shifted = significand << (vu)((field - tiny) & 7);

    memcpy(b->significand + at, &shifted, sizeof shifted);
    store_place(b->place + at, (vu)bits >> 55 << 4);
    return field;
}

/* Two tables, so that equal neighbours need not wait for each other. */
INLINE void bins_put(struct cf_bins *bins, const struct binned *b, int n)
{
    char *table0 = (char *)bins->sum.term[0], *table1 = (char *)bins->sum.term[1];

    for (int i = 0; i < n; i += 2) {
        PAIR_ADD((uint64_t *)(table0 + b->place[i]), &b->significand[i]);
        PAIR_ADD((uint64_t *)(table1 + b->place[i + 1]), &b->significand[i + 1]);
    }
}

KERNEL static __attribute__((noinline)) void add_lanes(struct cf_accumulator *acc, vd x)
{
    for (int i = 0; i < W; ++i)
        cf_accumulator_add(acc, x[i]);
}

INLINE void bins_touch(struct cf_bins *bins, int64_t least, int64_t most)
{
    bins->low = (int)(least >> 3) < bins->low ? (int)(least >> 3) : bins->low;
    bins->high = (int)(most >> 3) > bins->high ? (int)(most >> 3) : bins->high;
}

INLINE void bins_chunk(enum cf_terms terms, struct cf_bins *bins, struct cf_accumulator *odd,
                       const void *x, const void *y, int first, int n)
{
    vi most = splat_i(0), least = splat_i(INT64_MAX);
    struct binned b;

    for (int j = 0; j < n; j += W) {
        const vi field = bin_double(&b, j, load(terms, x, y, first + j));

        most = MAXI(most, field);
        least = MINI(least, field);
    }
    if (lanes_max(most) < 0x7ff) {
        bins_put(bins, &b, n);
        bins_touch(bins, lanes_min(least), lanes_max(most));
    } else {
        for (int j = 0; j < n; j += W)
            add_lanes(odd, load(terms, x, y, first + j));
    }
}

INLINE void bins(enum cf_terms terms, struct cf_bins *sums, struct cf_accumulator *odd,
                 const void *x, const void *y, int n)
{
    const int whole = n / W * W;
    struct tail t;

    for (int i = 0; i < whole; i += CHUNK)
        bins_chunk(terms, sums, odd, x, y, i, whole - i < CHUNK ? whole - i : CHUNK);
    if (whole < n) {
        tail_fill(&t, terms, x, y, whole, n);
        bins_chunk(terms, sums, odd, t.x, t.y, 0, W);
    }
}

#define BINS(name, terms)                                                                          \
    KERNEL static void name(struct cf_bins *b, struct cf_accumulator *odd, const void *x,          \
                            const void *y, int n)                                                  \
    {                                                                                              \
        bins(terms, b, odd, x, y, n);                                                              \
    }
BINS(bins_f64, CF_TERMS_F64)
BINS(bins_f32, CF_TERMS_F32)
BINS(bins_f32_f32, CF_TERMS_F32_F32)
