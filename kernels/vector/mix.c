/* mix: see vector.h. */
#include "vector.h"

#include <string.h>

typedef uint32_t v1i __attribute__((vector_size(4)));
#define NAME   scalar
#define TARGET __attribute__((noinline))
#define V      v1i
#define W      1
#include "mix_body.h"
#ifdef CF_VECTOR_X86
typedef uint32_t v4i __attribute__((vector_size(16)));
typedef uint32_t v8i __attribute__((vector_size(32)));
typedef uint32_t v16i __attribute__((vector_size(64)));
#define NAME   sse41
#define TARGET __attribute__((noinline, target("sse4.1")))
#define V      v4i
#define W      4
#include "mix_body.h"
#define NAME   avx2
#define TARGET __attribute__((noinline, target("avx2")))
#define V      v8i
#define W      8
#include "mix_body.h"
#define NAME   avx512
#define TARGET __attribute__((noinline, target("avx512f,avx512dq")))
#define V      v16i
#define W      16
#include "mix_body.h"
#endif

static enum cf_status
run(const char *name, void (*one)(uint32_t *, const uint32_t *, const uint32_t *, int64_t, int64_t),
    const struct cf_pairs *attributes, const struct cf_tensor in[], struct cf_tensor out[])
{
    const int64_t n = in[0].dim[0], rounds = cf_attribute(attributes, "rounds", 1);

    if (!cf_vector_has(name) || !cf_vector_fits(in, &out[0], 128) || in[0].dtype != CF_I32)
        return CF_UNSUPPORTED;
    for (int64_t p = 0; p < out[0].dim[0]; ++p) {
        one((uint32_t *)out[0].bits + p * n, in[0].bits, in[1].bits, n, rounds);
        CF_VECTOR_BARRIER();
    }
    return CF_DONE;
}

#define RUN(name)                                                                                  \
    static enum cf_status run_##name(struct cf_library *library,                                   \
                                     const struct cf_pairs *attributes,                            \
                                     const struct cf_tensor in[], struct cf_tensor out[])          \
    {                                                                                              \
        (void)library;                                                                             \
        return run(#name, name, attributes, in, out);                                              \
    }
RUN(scalar)
#ifdef CF_VECTOR_X86
RUN(sse41)
RUN(avx2)
RUN(avx512)
#endif

extern const struct cf_kernel cf_kernels_vector_mix[];
const struct cf_kernel cf_kernels_vector_mix[] = {
    {.op = "mix", .name = "scalar", .backend = &cf_backend_vector, .run = run_scalar},
#ifdef CF_VECTOR_X86
    {.op = "mix", .name = "sse41", .backend = &cf_backend_vector, .run = run_sse41},
    {.op = "mix", .name = "avx2", .backend = &cf_backend_vector, .run = run_avx2},
    {.op = "mix", .name = "avx512", .backend = &cf_backend_vector, .run = run_avx512},
#endif
    {.op = NULL}};
