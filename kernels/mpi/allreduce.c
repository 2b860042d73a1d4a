/* allreduce: y[j] = sum over p of x[p,j].  x: [parts,n]; y: [n]. Rank r of R holds parts r*P/R ..
 * (r+1)*P/R - 1 and adds them forward; then MPI_Allreduce. CF_BROKEN when the ranks do not end with
 * the same bits, or are gone. */
#include "mpi.h"

static enum cf_status reduce(struct cf_library *library, int algorithm, const struct cf_tensor in[],
                             struct cf_tensor out[])
{
    const int64_t request[3] = {in[0].dtype == CF_F64 ? 8 : 4, in[0].dim[0], in[0].dim[1]};
    int64_t agree = 0;

    if ((in[0].dtype != CF_F32 && in[0].dtype != CF_F64) || in[0].rank != 2 ||
        out[0].dim[0] != in[0].dim[1] || algorithm != library->algorithm)
        return CF_UNSUPPORTED;
    if (cf_mpi_write(library, request, sizeof request) != 0 ||
        cf_mpi_write(library, in[0].bits, cf_tensor_bytes(&in[0])) != 0 ||
        cf_mpi_read(library, &agree, sizeof agree) != 0 ||
        cf_mpi_read(library, out[0].bits, cf_tensor_bytes(&out[0])) != 0)
        return CF_BROKEN;
    return agree == 1 ? CF_DONE : CF_BROKEN;
}

#define KERNEL(number)                                                                             \
    static enum cf_status run_##number(struct cf_library *library,                                 \
                                       const struct cf_pairs *attributes,                          \
                                       const struct cf_tensor in[], struct cf_tensor out[])        \
    {                                                                                              \
        (void)attributes;                                                                          \
        return reduce(library, number, in, out);                                                   \
    }
#define ENTRY(number, name_)                                                                       \
    {                                                                                              \
        .op = "allreduce", .name = name_, .backend = &cf_backend_mpi, .run = run_##number          \
    }
KERNEL(0)
KERNEL(1)
KERNEL(2)
KERNEL(3)
KERNEL(4)
KERNEL(5)
KERNEL(6)

extern const struct cf_kernel cf_kernels_mpi_allreduce[];
const struct cf_kernel cf_kernels_mpi_allreduce[] = {
    ENTRY(0, "default"),        ENTRY(1, "linear"),
    ENTRY(2, "nonoverlapping"), ENTRY(3, "recursive_doubling"),
    ENTRY(4, "ring"),           ENTRY(5, "segmented_ring"),
    ENTRY(6, "rabenseifner"),   {.op = NULL}};
