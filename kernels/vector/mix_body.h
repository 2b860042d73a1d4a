/* One width of mix: included with NAME, TARGET, V (vector of uint32_t) and W (elements of a V). */
TARGET static void NAME(uint32_t *out, const uint32_t *x, const uint32_t *t, int64_t n,
                        int64_t rounds)
{
    for (int64_t at = 0; at < n; at += 8 * W) {
        V s[8];

        memcpy(s, x + at, sizeof s);
        for (int64_t r = 0; r < rounds; ++r) {
            const V c = (V){0} + t[r & (CF_VECTOR_TABLE - 1)];

            for (int k = 0; k < 8; ++k) {
                s[k] ^= s[k] << 13;
                s[k] ^= s[k] >> 17;
                s[k] ^= s[k] << 5;
                s[k] = s[k] * 2654435769u + c;
            }
        }
        memcpy(out + at, s, sizeof s);
    }
}
#undef NAME
#undef TARGET
#undef V
#undef W
