/* Kernels for products of doubles, on top of kernels.inc.h. A product is split without error into
 * its rounded value h and the rest l = fma(x, y, -h), of at most 53 bits each (Dekker, A
 * floating-point technique for extending the available precision, 1971; with FMA: Handbook of
 * Floating-Point Arithmetic, Muller et al., 2018, section 4.4), which holds as long as l does not
 * fall below the subnormals. */
#if HAS_FMA

/* The last bit of l is at most 105 below the leading bit of h; this keeps it above 2^-1074. */
enum { LEAST_SPLIT = -968 };

struct product {
    vd h, l;
};

INLINE struct product product_of(vd x, vd y)
{
    const vd h = x * y;

    return (struct product){h, FMA(x, y, -h)};
}

/* Levels of a block of products: those of h, and the same ones shifted for l. h needs no more grids
 * than levels - 1, l none that is coarser than the second. `least` gathers the smallest |h|. */
struct product_sums {
    struct sums s;
    vi least;
};

INLINE void magnitude_add(vd *value, vd *magnitude, vd part, vd x)
{
    *value += part;
    *magnitude = ADD(FLIP(part, x), *magnitude);
}

INLINE vd to_grid(vd x, vd anchor)
{
    return SUB(ADD(x, anchor), anchor);
}

INLINE void product_add(struct product_sums *p, vd x, vd y, vd anchor1, vd anchor2, int levels)
{
    const struct product t = product_of(x, y);
    const vd h1 = extract(&p->s.v0, &p->s.m0, t.h, t.h);
    const vd l1 = to_grid(t.l, anchor1), l_rest = SUB(t.l, l1);

    p->least = MINI(p->least, (vi)t.h & INT64_MAX);
    if (levels == 3) {
        magnitude_add(&p->s.v1, &p->s.m1, h1 + l1, t.h);
        magnitude_add(&p->s.v2, &p->s.m2, l_rest, t.h);
    } else {
        const vd h2 = to_grid(h1, anchor1), l2 = to_grid(l_rest, anchor2);

        magnitude_add(&p->s.v1, &p->s.m1, h2 + l1, t.h);
        magnitude_add(&p->s.v2, &p->s.m2, (h1 - h2) + l2, t.h);
        magnitude_add(&p->s.v3, &p->s.m3, l_rest - l2, t.h);
    }
}

/* Whether a pair of factors that are not zero has a product below a limit. */
KERNEL static bool any_below(const double *x, const double *y, int n, double limit)
{
    vi below = splat_i(0);
    struct tail t;
    int i;

    for (i = 0; i + W <= n; i += W) {
        const vd u = load_f64(x + i), v = load_f64(y + i), h = (vd)((vi)(u * v) & INT64_MAX);

        below |= (h < splat(limit)) & (u != splat(0)) & (v != splat(0));
    }
    if (i < n) {
        tail_fill(&t, CF_TERMS_F64_F64, x, y, i, n);
        for (int j = 0; j < n - i; ++j)
            if (t.x[j] != 0 && t.y[j] != 0 && fabs(t.x[j] * t.y[j]) < limit)
                return true;
    }
    return lanes_or(below) != 0;
}

/* The smallest exponent of h that `levels` grids below 2^top hold, with its l. */
INLINE int least_exponent(int top, int levels)
{
    const int by_l = cf_window_grid(top, levels - 1) + 105,
              by_h = cf_window_grid(top, levels - 2) + 52;
    const int least = by_l > by_h ? by_l : by_h;

    return least > LEAST_SPLIT ? least : LEAST_SPLIT;
}

INLINE bool product_window(struct cf_window *w, const double *x, const double *y, int n, int top,
                           int levels)
{
    struct product_sums a = {sums_start(top, levels), splat_i(INT64_MAX)}, b = a;
    const vd anchor1 = anchor_of(top, 1), anchor2 = anchor_of(top, 2);
    const double limit = cf_power_of_two(least_exponent(top, levels));
    struct tail t;
    int i;

    for (i = 0; i + 2 * W <= n; i += 2 * W) {
        product_add(&a, load_f64(x + i), load_f64(y + i), anchor1, anchor2, levels);
        product_add(&b, load_f64(x + i + W), load_f64(y + i + W), anchor1, anchor2, levels);
    }
    if (i < n) {
        const vi least = MINI(a.least, b.least); /* not that of the zeros which fill the tail */

        tail_fill(&t, CF_TERMS_F64_F64, x, y, i, n);
        product_add(&a, load_f64(t.x), load_f64(t.y), anchor1, anchor2, levels);
        product_add(&b, load_f64(t.x + W), load_f64(t.y + W), anchor1, anchor2, levels);
        if (any_below(t.x, t.y, n - i, limit))
            return false;
        a.least = b.least = least;
    }
    if (lanes_min(MINI(a.least, b.least)) < (int64_t)cf_bits_of_double(limit) &&
        any_below(x, y, n, limit))
        return false;
    return sums_drain(w, &a.s, &b.s, top, levels);
}

KERNEL static bool window_f64_f64(struct cf_window *w, const void *x, const void *y, int n, int top,
                                  int levels)
{
    return levels == 3 ? product_window(w, x, y, n, top, 3) : product_window(w, x, y, n, top, 4);
}

/* Special: a product overflows, is not a number, or is too small to be split. */
KERNEL static void span_f64_f64(struct cf_span *s, const void *x, const void *y, int n)
{
    span(CF_TERMS_F64_F64, s, x, y, n);
    s->special = s->special || any_below(x, y, n, cf_power_of_two(LEAST_SPLIT));
}

#endif

/* The exact product of two significands of 53 bits as upper * 2^52 + lower, lower < 2^52. Where the
 * processor multiplies integers of 52 bits, PARTS does; elsewhere, by halves of 27 and 26 bits. */
#ifndef PARTS
#define PARTS parts_by_halves
INLINE void parts_by_halves(vu *upper, vu *lower, vi x, vi y)
{
    const int64_t low27 = ((int64_t)1 << 27) - 1, low52 = ((int64_t)1 << 52) - 1;
    const vu u = (vu)((x & low52) | ((int64_t)1 << 52)), v = (vu)((y & low52) | ((int64_t)1 << 52));
    const vu u0 = u & (uint64_t)low27, u1 = u >> 27, v0 = v & (uint64_t)low27, v1 = v >> 27;
    const vu middle = MULTIPLY(u0, v1) + MULTIPLY(u1, v0);
    const vu low = MULTIPLY(u0, v0) + ((middle & (((uint64_t)1 << 25) - 1)) << 27);

    *lower = low & (uint64_t)low52;
    *upper = (MULTIPLY(u1, v1) << 2) + (middle >> 25) + (low >> 52);
}
#endif

enum { PRODUCT_CHUNK = 128 };

struct binned_products {
    uint64_t part[PRODUCT_CHUNK][2]; /* upper, lower */
    uint32_t place[PRODUCT_CHUNK];
};

/* A factor that is zero, subnormal, infinite or NaN. */
INLINE vi is_odd(vi field)
{
    return (vu)(field - 1) >= (vu)splat_i(0x7fe);
}

/* Returns the odd lanes, and in *exponent the sums of the fields. */
INLINE vi bin_product(struct binned_products *b, int at, vi *exponent, vd x, vd y)
{
    const vi fx = ((vi)x >> 52) & 0x7ff, fy = ((vi)y >> 52) & 0x7ff, odd = is_odd(fx) | is_odd(fy);
    const vu shift = (vu)((fx + fy) & 7), side = (vu)(((vi)x ^ (vi)y) >> 63) & CF_PRODUCT_BINS;
    vu upper, lower;

    *exponent = fx + fy;
    PARTS(&upper, &lower, (vi)x, (vi)y);
    INTERLEAVE(b->part[at], (upper << shift) & (vu)~odd, (lower << (shift + 4)) & (vu)~odd);
    store_place(b->place + at, (side + ((vu)*exponent >> 3)) << 5);
    return odd;
}

/* Zeros are all that products of ordinary data may have here; the rest is rare. */
KERNEL static __attribute__((noinline)) void odd_add(struct cf_accumulator *acc, vi odd, vd x, vd y)
{
    for (int i = 0; i < W; ++i)
        if (odd[i] != 0 && !(x[i] == 0 && fabs(y[i]) < INFINITY) &&
            !(y[i] == 0 && fabs(x[i]) < INFINITY))
            cf_accumulator_add_product(acc, x[i], y[i]);
}

INLINE void product_bins_put(struct cf_bins *bins, const struct binned_products *b, int n)
{
    char *table0 = (char *)bins->sum.product[0], *table1 = (char *)bins->sum.product[1];

    for (int i = 0; i < n; i += 2) {
        QUAD_ADD((uint64_t *)(table0 + b->place[i]), b->part[i]);
        QUAD_ADD((uint64_t *)(table1 + b->place[i + 1]), b->part[i + 1]);
    }
}

INLINE void product_bins_chunk(struct cf_bins *bins, struct cf_accumulator *acc, const double *x,
                               const double *y, int n)
{
    vi most = splat_i(0), least = splat_i(INT64_MAX), exponent;
    struct binned_products b;

    for (int j = 0; j < n; j += W) {
        const vd u = load_f64(x + j), v = load_f64(y + j);
        const vi odd = bin_product(&b, j, &exponent, u, v);

        most = MAXI(most, exponent);
        least = MINI(least, exponent);
        if (lanes_or(odd) != 0)
            odd_add(acc, odd, u, v);
    }
    product_bins_put(bins, &b, n);
    bins_touch(bins, lanes_min(least), lanes_max(most));
}

KERNEL static void bins_f64_f64(struct cf_bins *sums, struct cf_accumulator *odd, const void *x,
                                const void *y, int n)
{
    const double *u = x, *v = y;
    const int whole = n / W * W;
    struct tail t;

    for (int i = 0; i < whole; i += PRODUCT_CHUNK)
        product_bins_chunk(sums, odd, u + i, v + i,
                           whole - i < PRODUCT_CHUNK ? whole - i : PRODUCT_CHUNK);
    if (whole < n) {
        tail_fill(&t, CF_TERMS_F64_F64, x, y, whole, n);
        product_bins_chunk(sums, odd, t.x, t.y, W);
    }
}
