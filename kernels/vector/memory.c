/* memory: see vector.h. The words go to and fro between two halves of one block of memory, read
 * backwards and written forwards. */
#include "vector.h"

#include <stdlib.h>

#define LANES 64

static void fill(uint64_t *w, const uint64_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        w[i] = x[i % LANES] * (2 * (uint64_t)i + 1);
}

static void turn(uint64_t *v, const uint64_t *w, int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        const uint64_t word = w[n - 1 - i];

        v[i] = (word << 7 | word >> 57) ^ (uint64_t)i;
    }
}

static void fold(uint64_t *out, const uint64_t *w, int64_t n)
{
    for (int l = 0; l < LANES; ++l)
        out[l] = 0;
    for (int64_t i = 0; i < n; ++i)
        out[i % LANES] += w[i] * (2 * (uint64_t)i + 1);
    for (int l = 0; l < LANES; ++l)
        out[l] = (out[l] ^ out[l] >> 53) & (((uint64_t)1 << 53) - 1);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = cf_attribute(attributes, "n", LANES),
                  rounds = cf_attribute(attributes, "rounds", 1);
    uint64_t *words;

    (void)library;
    if (in[0].dtype != CF_I64 || in[0].rank != 1 || in[0].dim[0] != LANES || n % LANES ||
        out[0].dtype != CF_I64 || cf_tensor_count(&out[0]) != LANES)
        return CF_UNSUPPORTED;
    words = malloc(((size_t)n * 2 + 1) * sizeof words[0]);
    if (!words)
        return CF_NO_MEMORY;
    fill(words, in[0].bits, n);
    for (int64_t r = 0; r < rounds; ++r)
        turn(words + (r % 2 ? 0 : n), words + (r % 2 ? n : 0), n);
    fold(out[0].bits, words + (rounds % 2 ? n : 0), n);
    free(words);
    return CF_DONE;
}

extern const struct cf_kernel cf_kernels_vector_memory[];
const struct cf_kernel cf_kernels_vector_memory[] = {
    {.op = "memory", .name = "scalar", .backend = &cf_backend_vector, .run = run}, {.op = NULL}};
