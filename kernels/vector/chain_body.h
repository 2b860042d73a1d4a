/* One width of chain: included with NAME, TARGET (function attributes), V (vector), T (element),
 * W (elements of a V) and FMA(a, b, c). Eight vectors go side by side, so that the units are full
 * while each waits for its own last result. */
TARGET static void NAME(T *out, const T *x, const T *t, int64_t n, int64_t rounds, int fused)
{
    const V one = (V){0} + (T)1, slope = (V){0} + (T)0.75;

    for (int64_t at = 0; at < n; at += 8 * W) {
        V s[8];

        memcpy(s, x + at, sizeof s);
        for (int64_t r = 0; r < rounds; ++r) {
            const V c = (V){0} + t[r & (CF_VECTOR_TABLE - 1)] * (T)0.25;

            if (fused)
                for (int k = 0; k < 8; ++k) {
                    const V y = FMA(s[k], slope, c);

                    s[k] = FMA(-(y + y), y, one);
                }
            else
                for (int k = 0; k < 8; ++k) {
                    const V y = s[k] * slope + c;

                    s[k] = one - (y + y) * y;
                }
        }
        memcpy(out + at, s, sizeof s);
    }
}
#undef NAME
#undef TARGET
#undef V
#undef T
#undef W
#undef FMA
