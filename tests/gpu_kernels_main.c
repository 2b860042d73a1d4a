/* gpu_kernels [CONFIGURATION]: runs every kernel of kernels/cuda on a device (default `cuda
 * device=0`) in this process, and compares those that fix their order with their twins on the
 * host, bit for bit: what compute-sanitizer is to look at, and the first thing to know of a device.
 * One line a kernel. Exit 0: as expected; 1: not; 77: there is no device. */
#include "cuda_problems.h"

/* Exponentials, logarithms and erf are the library's of the side. */
static int has_own_functions(const char *op)
{
    return strncmp(op, "softmax_fwd", 11) == 0 || strncmp(op, "crossentropy", 12) == 0 ||
           strncmp(op, "gelu", 4) == 0;
}

static const char *compare(const struct answer *device, const struct answer *host)
{
    if (device->status == CF_UNSUPPORTED || host->status == CF_UNSUPPORTED)
        return "not offered";
    if (device->status != CF_DONE || host->status != CF_DONE)
        return "BROKE";
    return same_bits(device, host) ? "the host's bits" : "other bits";
}

/* The twin's matrix unit is that of an H100: another architecture adds otherwise. */
static int has_own_unit(const struct cf_library *device, const struct cf_kernel *kernel)
{
    return is_of_units(kernel) && device->gpu.architecture != 90 &&
           strcmp(kernel->name, "mma-f64") != 0;
}

/* 1: not as expected. */
static int run(struct cf_library *device, struct cf_library *host, const struct cf_kernel *kernel,
               enum cf_dtype dtype)
{
    const struct problem *problem = problem_of(kernel->op);
    const int may_differ = strstr(kernel->name, "atomic") || has_own_functions(kernel->op) ||
                           has_own_unit(device, kernel);
    struct answer got = ask(device, kernel, problem, dtype, 0);
    struct answer wanted = ask(host, kernel, problem, dtype, 0);
    const char *word = compare(&got, &wanted);
    const int bad = strcmp(word, "BROKE") == 0 || (!may_differ && strcmp(word, "other bits") == 0);

    printf("%-18s %-14s %s  %s%s\n", kernel->op, kernel->name, cf_dtype_name(dtype), word,
           bad ? "  <- not as expected" : "");
    discard(&got);
    discard(&wanted);
    return bad;
}

int main(int argc, char **argv)
{
    struct cf_library *device = open_here(argc > 1 ? argv[1] : "cuda device=0"), *host;
    int n = 0, n_bad = 0;

    if (!device) {
        printf("SKIP: no device\n");
        return 77;
    }
    host = open_here("cuda device=cpu");
    for (int t = 0; cf_kernel_tables[t]; ++t)
        for (const struct cf_kernel *k = cf_kernel_tables[t]; k->op; ++k)
            for (int d = CF_F64; d <= CF_BF16; ++d)
                if (k->backend == &cf_backend_cuda && !is_for_devices(k) && problem_of(k->op)) {
                    n_bad += run(device, host, k, (enum cf_dtype)d);
                    ++n;
                }
    printf("%d kernels and types, %d not as expected\n", n, n_bad);
    cf_backend_cuda.close(device);
    cf_backend_cuda.close(host);
    return n_bad > 0 || n < 60;
}
