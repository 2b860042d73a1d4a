/* A core with one bad multiplier: the chain with AVX2 comes out with one wrong bit on CPU 0, and
 * nowhere else. Built into a worker of its own (conform-worker-faulty); qualify must name core,
 * instructions and bit. */
#define cf_kernels_vector_chain honest_chain
#include "../../kernels/vector/chain.c"
#undef cf_kernels_vector_chain

#include <sched.h>

static enum cf_status run_faulty(struct cf_library *library, const struct cf_pairs *attributes,
                                 const struct cf_tensor in[], struct cf_tensor out[])
{
    const enum cf_status status = honest_chain[3].run(library, attributes, in, out);

    if (status == CF_DONE && sched_getcpu() == 0 && out[0].dtype == CF_F64)
        ((uint64_t *)out[0].bits)[5] ^= (uint64_t)1 << 17;
    return status;
}

extern const struct cf_kernel cf_kernels_vector_chain[];
const struct cf_kernel cf_kernels_vector_chain[] = {
    {.op = "chain", .name = "scalar", .backend = &cf_backend_vector, .run = run_0},
    {.op = "chain", .name = "sse2", .backend = &cf_backend_vector, .run = run_1},
    {.op = "chain", .name = "fma", .backend = &cf_backend_vector, .run = run_2},
    {.op = "chain", .name = "avx2", .backend = &cf_backend_vector, .run = run_faulty},
    {.op = "chain", .name = "avx512", .backend = &cf_backend_vector, .run = run_4},
    {.op = NULL}};
