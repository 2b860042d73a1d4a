/* bugs: sum x [m,n] -> [m], dot x, y [m,n] -> [m], gemv a [m,n], x [n] -> [m], gemm a [m,k], b
 * [k,n] -> [m,n], f32, one reduction after the other with the bug that the kernel is named after
 * (levels.md, section 14). A reduction takes n products x[l] y[l]. */
#include "planted.h"

#include <math.h>
#include <string.h>

typedef float reduce_function(const float *x, const float *y, int64_t step_y, int64_t n);

/* keep significant bits, to nearest even. */
static float keep(float x, int n_bits)
{
    const uint32_t away = (uint32_t)(24 - n_bits);
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000) != 0x7f800000)
        bits = (bits + ((UINT32_C(1) << (away - 1)) - 1) + (bits >> away & 1)) >> away << away;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float forward(const float *x, const float *y, int64_t step_y, int64_t n)
{
    float sum = 0;

    for (int64_t l = 0; l < n; ++l)
        sum += x[l] * y[l * step_y];
    return sum;
}

/* The loop ends one too early. */
static float last_dropped(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return forward(x, y, step_y, n - 1);
}

/* Two threads share the middle term. */
static float one_twice(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return n < 1 ? 0 : forward(x, y, step_y, n) + x[n / 2] * y[n / 2 * step_y];
}

static float reduced(const float *x, const float *y, int64_t step_y, int64_t n, int bits)
{
    float sum = 0;

    for (int64_t l = 0; l < n; ++l)
        sum += keep(x[l], bits) * keep(y[l * step_y], bits);
    return sum;
}

static float tf32_inputs(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return reduced(x, y, step_y, n, 11);
}

static float bf16_inputs(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return reduced(x, y, step_y, n, 8);
}

/* Towards zero. */
static float towards_zero(double x)
{
    const float nearest = (float)x;

    return fabs((double)nearest) > fabs(x) ? nextafterf(nearest, 0) : nearest;
}

static float truncating(const float *x, const float *y, int64_t step_y, int64_t n)
{
    float sum = 0;

    for (int64_t l = 0; l < n; ++l)
        sum = towards_zero((double)sum + (double)(x[l] * y[l * step_y]));
    return sum;
}

/* Blocks of products are added exactly and truncated once, as tensor cores do (Fasi, Higham,
 * Mikaitis and Pranesh, 2021): four on the first ones, later ones take more. */
static float truncating_blocks(const float *x, const float *y, int64_t step_y, int64_t n,
                               int64_t size)
{
    float sum = 0;

    for (int64_t l = 0; l < n; l += size) {
        double block = sum;

        for (int64_t k = l; k < l + size && k < n; ++k)
            block += (double)x[k] * (double)y[k * step_y];
        sum = towards_zero(block);
    }
    return sum;
}

static float block_truncating(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return truncating_blocks(x, y, step_y, n, 4);
}

static float block32_truncating(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return truncating_blocks(x, y, step_y, n, 32);
}

static float scaled_8u(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return forward(x, y, step_y, n) * (1 + 0x1p-20F);
}

static float scaled_2u(const float *x, const float *y, int64_t step_y, int64_t n)
{
    return forward(x, y, step_y, n) * (1 + 0x1p-22F);
}

/* The running sum goes through memory of a narrower type every 1024 terms. */
static float spilled(const float *x, const float *y, int64_t step_y, int64_t n)
{
    float sum = 0;

    for (int64_t l = 0; l < n; ++l) {
        sum += x[l] * y[l * step_y];
        if (l % 1024 == 1023)
            sum = keep(sum, 11);
    }
    return sum;
}

static float bf16_accumulator(const float *x, const float *y, int64_t step_y, int64_t n)
{
    float sum = 0;

    for (int64_t l = 0; l < n; ++l)
        sum = keep(sum + x[l] * y[l * step_y], 8);
    return sum;
}

static enum cf_status run_all(reduce_function *reduce, int is_dot, const struct cf_tensor in[],
                              struct cf_tensor out[])
{
    static const float one = 1;
    const int64_t m = in[0].dim[0], n = in[0].dim[1];
    const int64_t columns = out[0].rank == 2 ? out[0].dim[1] : 1;
    const float *x = in[0].bits, *y = in[1].bits;

    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < columns; ++j)
            ((float *)out[0].bits)[i * columns + j] =
                reduce(x + i * n, y ? y + (is_dot ? i * n : j) : &one,
                       !y       ? 0
                       : is_dot ? 1
                                : columns,
                       n);
    return CF_DONE;
}

static enum cf_status run_sum(reduce_function *reduce, const struct cf_tensor in[],
                              struct cf_tensor out[])
{
    const struct cf_tensor operands[2] = {in[0], {.bits = NULL}};

    return in[0].dtype == CF_F32 && in[0].rank == 2 ? run_all(reduce, 0, operands, out)
                                                    : CF_UNSUPPORTED;
}

static enum cf_status run_products(reduce_function *reduce, int is_dot, const struct cf_tensor in[],
                                   struct cf_tensor out[])
{
    if (in[0].dtype != CF_F32 || in[1].dtype != CF_F32 || in[0].rank != 2)
        return CF_UNSUPPORTED;
    return run_all(reduce, is_dot, in, out);
}

#define ARGUMENTS                                                                                  \
    struct cf_library *library, const struct cf_pairs *attributes, const struct cf_tensor in[],    \
        struct cf_tensor out[]
#define UNUSED (void)library, (void)attributes
#define BUG(function)                                                                              \
    static enum cf_status sum_##function(ARGUMENTS)                                                \
    {                                                                                              \
        UNUSED;                                                                                    \
        return run_sum(function, in, out);                                                         \
    }                                                                                              \
    static enum cf_status dot_##function(ARGUMENTS)                                                \
    {                                                                                              \
        UNUSED;                                                                                    \
        return run_products(function, 1, in, out);                                                 \
    }                                                                                              \
    static enum cf_status gemm_##function(ARGUMENTS)                                               \
    {                                                                                              \
        UNUSED;                                                                                    \
        return run_products(function, 0, in, out);                                                 \
    }
#define ENTRY(op_, name_, function)                                                                \
    {                                                                                              \
        .op = #op_, .name = name_, .backend = &cf_backend_planted, .run = function                 \
    }
#define ENTRIES(name, function)                                                                    \
    ENTRY(sum, name, sum_##function), ENTRY(dot, name, dot_##function),                            \
        ENTRY(gemv, name, gemm_##function), ENTRY(gemm, name, gemm_##function)

BUG(last_dropped)
BUG(one_twice)
BUG(tf32_inputs)
BUG(bf16_inputs)
BUG(truncating)
BUG(block_truncating)
BUG(block32_truncating)
BUG(scaled_8u)
BUG(scaled_2u)
BUG(spilled)
BUG(bf16_accumulator)

extern const struct cf_kernel cf_kernels_planted_bugs[];
const struct cf_kernel cf_kernels_planted_bugs[] = {
    ENTRIES("last-dropped", last_dropped),
    ENTRIES("one-twice", one_twice),
    ENTRIES("tf32-inputs", tf32_inputs),
    ENTRIES("bf16-inputs", bf16_inputs),
    ENTRIES("truncating", truncating),
    ENTRIES("block-truncating", block_truncating),
    ENTRIES("block32-truncating", block32_truncating),
    ENTRIES("scaled-8u", scaled_8u),
    ENTRIES("scaled-2u", scaled_2u),
    ENTRIES("spilled", spilled),
    ENTRIES("bf16-accumulator", bf16_accumulator),
    {.op = NULL}};
