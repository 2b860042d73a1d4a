/* elements: how an operand lies in memory. ELEMENT is its type there; CF_CUDA_FORMAT says how it
 * becomes a REAL, which is exact, and back, rounded to nearest even: 0 it is one; 16 an IEEE
 * binary16 and 8 a bfloat16, whose arithmetic is all in float. */
#if CF_CUDA_FORMAT == 0
CF_DEVICE REAL TYPED(widen)(ELEMENT x)
{
    return x;
}

CF_DEVICE ELEMENT TYPED(narrow)(REAL x)
{
    return x;
}
#elif CF_CUDA_FORMAT == 8
CF_DEVICE REAL TYPED(widen)(ELEMENT x)
{
    const unsigned bits = (unsigned)x << 16;
    REAL value;

    CF_BITS(value, bits);
    return value;
}

CF_DEVICE ELEMENT TYPED(narrow)(REAL x)
{
    unsigned bits;

    CF_BITS(bits, x);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (ELEMENT)(bits >> 16 | 0x40u);
    return (ELEMENT)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
#else
/* The exponent's field is 112 short, which one exact product mends; subnormals come out right. */
CF_DEVICE REAL TYPED(widen)(ELEMENT x)
{
    const unsigned sign = (x & 0x8000u) << 16, scale = 239u << 23;
    unsigned bits = (x & 0x7fffu) << 13;
    REAL value, up;

    CF_BITS(value, bits);
    CF_BITS(up, scale); /* 2^112 */
    value = CF_PRODUCT(value, up);
    CF_BITS(bits, value);
    bits |= sign | ((x & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u);
    CF_BITS(value, bits);
    return value;
}

/* Below 2^-14 the sum with 1/2 rounds to the units of a subnormal; 65520 rounds to infinity. */
CF_DEVICE ELEMENT TYPED(narrow)(REAL x)
{
    unsigned bits, sign;

    CF_BITS(bits, x);
    sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return (ELEMENT)(sign | 0x7e00u);
    if (bits >= 0x477ff000u)
        return (ELEMENT)(sign | 0x7c00u);
    if (bits < 0x38800000u) {
        REAL sum;

        CF_BITS(sum, bits);
        sum += (REAL)0.5;
        CF_BITS(bits, sum);
        return (ELEMENT)(sign | (bits - 0x3f000000u));
    }
    return (ELEMENT)(sign | ((bits - (112u << 23) + 0xfffu + (bits >> 13 & 1u)) >> 13));
}
#endif

CF_DEVICE REAL TYPED(load)(const void *from, long long i)
{
    return TYPED(widen)(((const ELEMENT *)from)[i]);
}

CF_DEVICE void TYPED(store)(void *to, long long i, REAL x)
{
    ((ELEMENT *)to)[i] = TYPED(narrow)(x);
}
