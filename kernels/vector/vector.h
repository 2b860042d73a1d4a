/* vector: kernels that keep one part of a processor busy, one instruction set a kernel, for
 * qualification. Every lane's order of operations is fully specified, so that the bits are the same
 * for every width, and can be worked out by a program that owns none of these instructions.
 *
 * chain  x [n], t [256] -> out [passes, n]. Each of `passes` rows starts at x and does `rounds`
 *        times, with c = t[round mod 256] / 4:
 *          fused=1: y = fma(x, 0.75, c), x = fma(-(y + y), y, 1)
 *          fused=0: y = x * 0.75 + c, x = 1 - (y + y) * y, every operation rounded
 *        x and t lie in [-1, 1], and so does every x. The map is chaotic: a wrong bit grows until
 *        it has changed the whole number, instead of being rounded away (a tolerance never sees it,
 *        a digest does). Compute-bound.
 * mix    x [n], t [256] (i32) -> out [passes, n]. As unsigned numbers modulo 2^32, `rounds` times:
 *          x ^= x << 13; x ^= x >> 17; x ^= x << 5; x = x * 2654435769 + t[round mod 256]
 *        Every step can be undone, so no wrong bit is ever lost (Marsaglia, Xorshift RNGs, 2003).
 * memory x [64] (i64) -> out [64]. w[i] = x[i mod 64] * (2 i + 1) modulo 2^64 for i < n; `rounds`
 *        times v[i] = rotate(w[n - 1 - i], 7) ^ i, and v becomes w; s[l] is the sum over i = l
 * modulo 64 of w[i] * (2 i + 1), and out[l] = (s ^ s >> 53) modulo 2^53, which a double can hold.
 * Bound by memory when n words do not fit into the caches. n is a multiple of 128 (chain, mix) or
 * of 64 (memory). */
#ifndef CF_VECTOR_H
#define CF_VECTOR_H

#include "kernel.h"

extern const struct cf_backend cf_backend_vector;

#define CF_VECTOR_TABLE 256

/* Does the processor have these instructions? "scalar", "sse2", "sse41", "fma", "avx2", "avx512".
 */
int cf_vector_has(const char *instructions);

/* The shape that all of chain and mix promise, and the attributes; 0 when they do not fit. */
int cf_vector_fits(const struct cf_tensor in[], const struct cf_tensor *out, int64_t multiple);

/* Keeps a compiler from seeing that two passes are the same. */
#define CF_VECTOR_BARRIER() __asm__ volatile("" ::: "memory")

#if defined(__x86_64__)
#define CF_VECTOR_X86 1
#endif

#endif
