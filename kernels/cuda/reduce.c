/* sum, asum, nrm2: x [m,n] -> y [m]; dot: x, y [m,n] -> [m]; the orders are those of reduce.cu. A
 * row is shared by max(1, min(16, n / 1024)) blocks, of the order wide by max(1, min(1024, n /
 * 2048)), so that the order depends on n alone. nrm2:
 * rows are scaled by an exact power of two, and the root taken, by IEEE operations of the host; the
 * sum of squares is the kernel's. f16 and bf16: sums are in float, and the result is rounded once
 * (fixed: twice); not nrm2, not wide, and nothing that adds to the result itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuda.h"

enum order { TREE, SHUFFLE, LAST, GRID, ATOMIC, ATOMIC_DOUBLE, FIXED, WIDE, N_ORDERS };

static const struct {
    const char *name, *first, *end; /* first, end: kernels */
    int cooperative, zero;          /* zero: out is added to */
    int share, most;                /* terms a block at least, and blocks at most */
} orders[N_ORDERS] = {
    [TREE] = {"tree", "cf_cuda_tree", "cf_cuda_tree_end", 0, 0, 1024, 16},
    [SHUFFLE] = {"shuffle", "cf_cuda_shuffle", "cf_cuda_shuffle_end", 0, 0, 1024, 16},
    [LAST] = {"last", "cf_cuda_last", NULL, 0, 0, 1024, 16},
    [GRID] = {"grid", "cf_cuda_grid", NULL, 1, 0, 1024, 16},
    [ATOMIC] = {"atomic", "cf_cuda_atomic", NULL, 0, 1, 1024, 16},
    [ATOMIC_DOUBLE] = {"atomic-double", "cf_cuda_atomic_double", "cf_cuda_atomic_double_end", 0, 0,
                       1024, 16},
    [FIXED] = {"fixed", "cf_cuda_fixed", "cf_cuda_fixed_end", 0, 0, 1024, 16},
    [WIDE] = {"wide", "cf_cuda_wide", "cf_cuda_tree_end", 0, 0, 2048, 1024},
};

int cf_cuda_order(const char *name)
{
    for (int i = 0; i < N_ORDERS; ++i)
        if (strcmp(orders[i].name, name) == 0)
            return i;
    return -1;
}

static int launch(const struct cf_cuda_sums *sums, const char *name, int blocks, long long rows,
                  const struct cf_cuda_reduce *p)
{
    return cf_cuda_run(sums->library,
                       &(struct cf_cuda_launch){.name = name,
                                                .variant = sums->variant,
                                                .dtype = sums->dtype,
                                                .grid_x = blocks,
                                                .grid_y = rows,
                                                .shared_bytes = CF_CUDA_THREADS * 8,
                                                .cooperative = orders[sums->order].cooperative},
                       p);
}

/* Bits that a term may fill so that n of them fit into 62. */
static int width_of(long long n)
{
    int width = 62;

    while (width > 1 && (1ll << (62 - width)) < n)
        --width;
    return width;
}

int cf_cuda_sums_launch(struct cf_cuda_sums *sums)
{
    struct cf_cuda_reduce p = sums->p;
    int status = CF_DONE;

    if (orders[sums->order].zero)
        status = cf_cuda_zero(sums->library, sums->dtype, p.out, sums->m);
    if (status == CF_DONE && sums->order == FIXED)
        status = launch(sums, "cf_cuda_fixed_range", p.blocks, sums->m, &p);
    if (sums->order == GRID) /* one launch a row: all its blocks have to be resident */
        for (; p.row < sums->m && status == CF_DONE; ++p.row)
            status = launch(sums, orders[GRID].first, p.blocks, 1, &p);
    else if (status == CF_DONE)
        status = launch(sums, orders[sums->order].first, p.blocks, sums->m, &p);
    if (status == CF_DONE && orders[sums->order].end)
        status = launch(sums, orders[sums->order].end, 1, sums->m, &p);
    return status;
}

int cf_cuda_sums_begin(struct cf_cuda_sums *sums)
{
    struct cf_cuda_reduce *p = &sums->p;
    const long long share = p->n / orders[sums->order].share;
    const int most = orders[sums->order].most;
    const size_t m = (size_t)sums->m;
    int status = CF_DONE;

    p->blocks = share < 1 ? 1 : share > most ? most : (int)share;
    p->width = width_of(p->n);
    const size_t n_bytes[] = {m * (size_t)p->blocks * 8, m * 4, m * CF_CUDA_LIMBS * 8, m * 8};
    for (int i = 0; i < 4 && status == CF_DONE; ++i)
        status = cf_cuda_scratch(sums->library, &sums->scratch[i], n_bytes[i]);
    p->partial = cf_cuda_pointer(&sums->scratch[0]);
    p->counter = cf_cuda_pointer(&sums->scratch[1]);
    p->limb = cf_cuda_pointer(&sums->scratch[2]);
    p->range = cf_cuda_pointer(&sums->scratch[3]);
    return status;
}

int cf_cuda_sums_again(struct cf_cuda_sums *sums)
{
    const struct cf_gpu *gpu = &sums->library->gpu;
    int status = CF_DONE;

    for (int i = 0; i < 4 && status == CF_DONE; ++i)
        status = cf_gpu_check(
            gpu, gpu->driver.set_bytes(sums->scratch[i].data, 0, sums->scratch[i].n_bytes + 1),
            "zeroing");
    return status;
}

void cf_cuda_sums_end(struct cf_cuda_sums *sums)
{
    for (int i = 0; i < 4; ++i)
        cf_gpu_free(&sums->library->gpu, &sums->scratch[i]);
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct cf_cuda_sums *sums = context;
    const struct cf_gpu *gpu = &sums->library->gpu;
    const int two = sums->p.y != sums->p.x;
    int status;

    sums->p.x = cf_cuda_pointer(&operand[0]);
    sums->p.y = cf_cuda_pointer(&operand[two]);
    sums->p.out = cf_cuda_pointer(&operand[1 + two]);
    status = cf_cuda_sums_begin(sums);
    if (status == CF_DONE)
        status = cf_cuda_sums_launch(sums);
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), "a sum");
    cf_cuda_sums_end(sums);
    return status;
}

static enum cf_status reduce(struct cf_library *library, const struct cf_tensor in[],
                             struct cf_tensor *out, int op, enum order order,
                             enum cf_cuda_variant variant)
{
    /* On the host for now: whether there are one or two. */
    const void *x = in[0].bits, *y = op == CF_CUDA_DOT ? in[1].bits : x;
    struct cf_cuda_sums sums = {.library = library,
                                .order = (int)order,
                                .variant = variant,
                                .dtype = in[0].dtype,
                                .m = in[0].dim[0],
                                .p = {.x = x, .y = y, .n = in[0].dim[1], .op = op}};

    if (order == ATOMIC_DOUBLE && sums.dtype != CF_F32)
        return CF_UNSUPPORTED;
    if (sums.m == 0)
        return CF_DONE;
    return (enum cf_status)cf_gpu_call(&library->gpu, in, x == y ? 1 : 2, out, 1, body, &sums);
}

/* The exponent of the largest finite element of a row, 0 for a row of zeros. */
static int exponent_of(const struct cf_tensor *x, int64_t row)
{
    double largest = 0;

    for (int64_t j = 0; j < x->dim[1]; ++j) {
        const double a = fabs(cf_tensor_get(x, row * x->dim[1] + j));

        largest = a > largest && !isinf(a) ? a : largest;
    }
    return largest > 0 ? ilogb(largest) : 0;
}

/* Two factors, for 2^1074 is no double. */
static void scale(struct cf_tensor *to, const struct cf_tensor *x, int64_t row)
{
    const int e = -exponent_of(x, row);
    const double first = ldexp(1, e / 2), second = ldexp(1, e - e / 2);

    for (int64_t i = row * x->dim[1]; i < (row + 1) * x->dim[1]; ++i)
        cf_tensor_set(to, i, cf_tensor_get(x, i) * first * second);
}

static enum cf_status nrm2(struct cf_library *library, const struct cf_tensor *x,
                           struct cf_tensor *out, enum order order, enum cf_cuda_variant variant)
{
    const int64_t m = x->dim[0];
    struct cf_tensor scaled = *x, both[2];
    enum cf_status status;

    cf_tensor_alloc(&scaled);
    for (int64_t i = 0; i < m; ++i)
        scale(&scaled, x, i);
    both[0] = both[1] = scaled;
    status = reduce(library, both, out, CF_CUDA_DOT, order, variant);
    for (int64_t i = 0; i < m && status == CF_DONE; ++i) {
        const double sum = cf_tensor_get(out, i);
        const double root = out->dtype == CF_F32 ? (double)sqrtf((float)sum) : sqrt(sum);

        cf_tensor_set(out, i, ldexp(root, exponent_of(x, i)));
    }
    cf_tensor_free(&scaled);
    return status;
}

/* op: what is reduced; nrm2 is -1. */
static enum cf_status run(struct cf_library *library, const struct cf_tensor in[],
                          struct cf_tensor out[], int op, enum order order,
                          enum cf_cuda_variant variant)
{
    const int two = op == CF_CUDA_DOT;

    if (!cf_cuda_takes_narrow(in, 1 + two, &out[0]) || in[0].rank != 2 || out[0].rank != 1 ||
        (!cf_cuda_takes(in, 0, &out[0]) && (op < 0 || orders[order].zero || order == WIDE)) ||
        (two && (in[1].rank != 2 || in[1].dim[0] != in[0].dim[0] || in[1].dim[1] != in[0].dim[1])))
        return CF_UNSUPPORTED;
    return op < 0 ? nrm2(library, in, out, order, variant)
                  : reduce(library, in, out, op, order, variant);
}

#define RUN(op, OP, order, ORDER, VARIANT)                                                         \
    static enum cf_status run_##op##_##order(struct cf_library *library,                           \
                                             const struct cf_pairs *attributes,                    \
                                             const struct cf_tensor in[], struct cf_tensor out[])  \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run(library, in, out, OP, ORDER, VARIANT);                                          \
    }
#define FOUR(order, ORDER, VARIANT)                                                                \
    RUN(sum, CF_CUDA_SUM, order, ORDER, VARIANT)                                                   \
    RUN(asum, CF_CUDA_ASUM, order, ORDER, VARIANT)                                                 \
    RUN(dot, CF_CUDA_DOT, order, ORDER, VARIANT)                                                   \
    RUN(nrm2, -1, order, ORDER, VARIANT)
FOUR(tree, TREE, CF_CUDA_PLAIN)
FOUR(tree_fma, TREE, CF_CUDA_FMA)
FOUR(tree_fast, TREE, CF_CUDA_FAST)
FOUR(shuffle, SHUFFLE, CF_CUDA_PLAIN)
FOUR(last, LAST, CF_CUDA_PLAIN)
FOUR(grid, GRID, CF_CUDA_PLAIN)
FOUR(atomic, ATOMIC, CF_CUDA_PLAIN)
FOUR(atomic_double, ATOMIC_DOUBLE, CF_CUDA_PLAIN)
FOUR(fixed, FIXED, CF_CUDA_PLAIN)
FOUR(wide, WIDE, CF_CUDA_PLAIN)

#define ENTRY(op_, name_, order)                                                                   \
    {                                                                                              \
        .op = #op_, .name = name_, .backend = &cf_backend_cuda, .run = run_##op_##_##order         \
    }
#define ENTRIES(name, order)                                                                       \
    ENTRY(sum, name, order), ENTRY(asum, name, order), ENTRY(dot, name, order),                    \
        ENTRY(nrm2, name, order)

extern const struct cf_kernel cf_kernels_cuda_reduce[];
const struct cf_kernel cf_kernels_cuda_reduce[] = {ENTRIES("tree", tree),
                                                   ENTRIES("tree-fma", tree_fma),
                                                   ENTRIES("tree-fast", tree_fast),
                                                   ENTRIES("shuffle", shuffle),
                                                   ENTRIES("last", last),
                                                   ENTRIES("grid", grid),
                                                   ENTRIES("atomic", atomic),
                                                   ENTRIES("atomic-double", atomic_double),
                                                   ENTRIES("fixed", fixed),
                                                   ENTRIES("wide", wide),
                                                   {.op = NULL}};
