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
    vi sign;
};

INLINE struct product product_of(vd x, vd y)
{
    const vd h = x * y;

    return (struct product){h, FMA(x, y, -h), (vi)h & SIGN};
}

/* Levels of a block of products: those of h, and the same ones shifted for l. h needs no more grids
 * than levels - 1, l none that is coarser than the second. `least` gathers the smallest |h|. */
struct product_sums {
    struct sums s;
    vi least;
};

INLINE void magnitude_add(vd *value, vd *magnitude, vd part, vi sign)
{
    *value += part;
    *magnitude = ADD((vd)((vi)part ^ sign), *magnitude);
}

INLINE vd to_grid(vd x, vd anchor)
{
    return SUB(ADD(x, anchor), anchor);
}

INLINE void product_add(struct product_sums *p, vd x, vd y, vd anchor1, vd anchor2, int levels)
{
    const struct product t = product_of(x, y);
    const vd h1 = extract(&p->s.v0, &p->s.m0, t.h, t.sign);
    const vd l1 = to_grid(t.l, anchor1), l_rest = SUB(t.l, l1);

    p->least = MINI(p->least, (vi)t.h ^ t.sign);
    if (levels == 3) {
        magnitude_add(&p->s.v1, &p->s.m1, h1 + l1, t.sign);
        magnitude_add(&p->s.v2, &p->s.m2, l_rest, t.sign);
    } else {
        const vd h2 = to_grid(h1, anchor1), l2 = to_grid(l_rest, anchor2);

        magnitude_add(&p->s.v1, &p->s.m1, h2 + l1, t.sign);
        magnitude_add(&p->s.v2, &p->s.m2, (h1 - h2) + l2, t.sign);
        magnitude_add(&p->s.v3, &p->s.m3, l_rest - l2, t.sign);
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

/* Special: a product overflows, is not a number, or underflows to zero. */
KERNEL static void span_f64_f64(struct cf_span *s, const void *x, const void *y, int n)
{
    double h[CF_BLOCK];

    for (int i = 0; i < n; ++i)
        h[i] = ((const double *)x)[i] * ((const double *)y)[i];
    span_f64(s, h, NULL, n);
    s->special = s->special || any_below(x, y, n, cf_power_of_two(LEAST_SPLIT));
}

/* The exponent fields and the significands as doubles in [1, 2); lanes that the splitting cannot
 * take, infinite, NaN or subnormal, are marked. */
struct factor {
    vi field, zero, odd;
    vd significand;
};

INLINE struct factor factor_of(vd x)
{
    const vi bits = (vi)x, field = (bits >> 52) & 0x7ff;
    const vi zero = (bits & INT64_MAX) == 0;
    struct factor f;

    f.field = field;
    f.zero = zero;
    f.odd = ((field == 0) & ~zero) | (field == 0x7ff);
    f.significand = (vd)((bits & (((int64_t)1 << 52) - 1)) | ((int64_t)1023 << 52));
    return f;
}

enum { PRODUCT_OFFSET = 112 }; /* makes the exponents of all l positive */

/* A double in [2^-104, 4) times 2^(sum of the two exponent fields), to its bin; nothing where not
 * kept. */
INLINE struct binned bin_of_part(vd part, vi fields, vi side, vi keep)
{
    const vi bits = (vi)part;
    const vi exponent = ((bits >> 52) + fields + (PRODUCT_OFFSET - 1023)) & keep;
    const vu significand = (vu)((bits & (((int64_t)1 << 52) - 1)) | ((int64_t)1 << 52)) & (vu)keep;
    const vu shifted = significand << (vu)(exponent & 7);
    const vi place = (side & CF_BINS) + (exponent >> 3);
    struct binned b;

    memcpy(b.significand, &shifted, sizeof b.significand);
    memcpy(b.place, &place, sizeof b.place);
    return b;
}

INLINE void odd_add(struct cf_accumulator *odd, vi lanes, vd x, vd y)
{
    for (int i = 0; i < W; ++i)
        if (lanes[i] != 0)
            cf_accumulator_add_product(odd, x[i], y[i]);
}

/* h is rounded down, so that l has the sign of the product and both go to the same side. */
INLINE void product_bins(struct cf_bins *bins, struct cf_accumulator *odd, vd x, vd y)
{
    const struct factor f = factor_of(x), g = factor_of(y);
    const vi skip = f.odd | g.odd, keep = ~(skip | f.zero | g.zero);
    const vi side = ((vi)x ^ (vi)y) >> 63, fields = f.field + g.field;
    const vd near = f.significand * g.significand, error = FMA(f.significand, g.significand, -near);
    const vd h = (vd)((vi)near + (error < splat(0))), l = error + (near - h);
    const struct binned high = bin_of_part(h, fields, side, keep);
    const struct binned low = bin_of_part(l, fields, side, keep & (l != splat(0)));

    bins_put(bins, &high);
    bins_put(bins, &low);
    if (lanes_or(skip) != 0)
        odd_add(odd, skip, x, y);
}

KERNEL static void bins_f64_f64(struct cf_bins *sums, struct cf_accumulator *odd, const void *x,
                                const void *y, int n)
{
    struct tail t;
    int i;

    for (i = 0; i + W <= n; i += W)
        product_bins(sums, odd, load_f64((const double *)x + i), load_f64((const double *)y + i));
    if (i < n) {
        tail_fill(&t, CF_TERMS_F64_F64, x, y, i, n);
        product_bins(sums, odd, load_f64(t.x), load_f64(t.y));
    }
}

#endif
