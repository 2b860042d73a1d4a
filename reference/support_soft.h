/* soft: IEEE 754 binary32 and binary64 by integers alone: no floating-point instruction has a part
 * in it, so that it can say what a processor should have answered. Round to nearest, ties to even.
 * Encodings go in and come out. NaN results are the quiet NaN 0x7fc00000 or 0x7ff8000000000000. */
#ifndef CF_SOFT_H
#define CF_SOFT_H

#include <stdint.h>

struct cf_soft_format {
    int digits, exponent_bits; /* significand bits with the hidden one: 24, 53 */
};
extern const struct cf_soft_format cf_soft_f32, cf_soft_f64;

/* a * b + c, rounded once. IEEE 754-2019, section 5.4.1. */
uint64_t cf_soft_fma(const struct cf_soft_format *f, uint64_t a, uint64_t b, uint64_t c);
uint64_t cf_soft_mul(const struct cf_soft_format *f, uint64_t a, uint64_t b);
uint64_t cf_soft_add(const struct cf_soft_format *f, uint64_t a, uint64_t b);
uint64_t cf_soft_negate(const struct cf_soft_format *f, uint64_t a);

#endif
