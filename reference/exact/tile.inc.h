/* The innermost loop of the certified products: a tile of ROWS x 3 W elements, one chain each. */

#define ROW_START(r) vd c##r##0 = splat(0), c##r##1 = c##r##0, c##r##2 = c##r##0;
#define ROW_STEP(r)                                                                                \
    {                                                                                              \
        const vd e = splat(a[r]);                                                                  \
        c##r##0 = FMA(e, b0, c##r##0);                                                             \
        c##r##1 = FMA(e, b1, c##r##1);                                                             \
        c##r##2 = FMA(e, b2, c##r##2);                                                             \
    }
#define ROW_END(r)                                                                                 \
    add_to(c + r * stride, c##r##0);                                                               \
    add_to(c + r * stride + W, c##r##1);                                                           \
    add_to(c + r * stride + 2 * W, c##r##2);
#if ROWS == 8
#define ROWS_ALL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#else
#define ROWS_ALL(DO) DO(0) DO(1) DO(2) DO(3)
#endif

INLINE void add_to(double *c, vd x)
{
    const vd sum = load_f64(c) + x;

    memcpy(c, &sum, sizeof sum);
}

KERNEL static void tile(double *c, int64_t stride, const double *a, const double *b, int64_t k)
{
    ROWS_ALL(ROW_START)

    for (int64_t l = 0; l < k; ++l, a += ROWS, b += 3 * W) {
        const vd b0 = load_f64(b), b1 = load_f64(b + W), b2 = load_f64(b + 2 * W);

        ROWS_ALL(ROW_STEP)
    }
    ROWS_ALL(ROW_END)
}

const struct cf_kernels TABLE = {
    .window = {window_f64, window_f32, window_f32_f32, WITH_FMA(window_f64_f64)},
    .span = {span_f64, span_f32, span_f32_f32, WITH_FMA(span_f64_f64)},
    .bins = {bins_f64, bins_f32, bins_f32_f32, bins_f64_f64},
    .tile = tile,
    .rows = ROWS,
    .columns = 3 * W,
    .fused = HAS_FMA,
};
