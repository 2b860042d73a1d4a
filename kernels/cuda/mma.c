/* mma: out[i] = c[i] + sum over l of a[i,l] * b[i,l], a, b [rows,k], c [rows]; gemm: c [m,n] = a
 * [m,k] b [k,n]. Both by mma.sync (mma.cu). Operands are rounded to the kernel's type and packed
 * here, by cf_tc_take, on the host for a device too: what is compared between them is the matrix
 * unit alone. tf32 goes as the bits of f32, whose low 13 the unit is to ignore. Of the products of
 * mma only the diagonal of each tile is wanted: row i of a meets column i of b.
 *
 * Kernels of mma have the name of their type, as the model's do; f16-f16 accumulates in f16. Those
 * of gemm are called mma-f16 and so on. */
#include <stdlib.h>
#include <string.h>

#include "cuda.h"

struct unit {
    const char *kernel; /* without its type's suffix */
    enum cf_tc_type type;
    enum cf_dtype sums;
    int per_word; /* operands in 32 bits; 0: doubles, as they are */
};

static const struct unit units[] = {
    [CF_CUDA_MMA_F16] = {"cf_cuda_mma_f16", CF_TC_F16, CF_F32, 2},
    [CF_CUDA_MMA_BF16] = {"cf_cuda_mma_bf16", CF_TC_BF16, CF_F32, 2},
    [CF_CUDA_MMA_TF32] = {"cf_cuda_mma_tf32", CF_TC_TF32, CF_F32, 1},
    [CF_CUDA_MMA_E4M3] = {"cf_cuda_mma_e4m3", CF_TC_E4M3, CF_F32, 4},
    [CF_CUDA_MMA_E5M2] = {"cf_cuda_mma_e5m2", CF_TC_E5M2, CF_F32, 4},
    [CF_CUDA_MMA_F16_F16] = {"cf_cuda_mma_f16", CF_TC_F16, CF_F16, 2},
    [CF_CUDA_MMA_F64] = {"cf_cuda_mma", CF_TC_F64, CF_F64, 0},
};

/* Fraction bits of the packed types, and the encodings of infinity and NaN. */
static const struct {
    int fraction;
    unsigned infinite, nan, sign;
} encodings[] = {[CF_TC_F16] = {10, 0x7c00, 0x7fff, 0x8000},
                 [CF_TC_BF16] = {7, 0x7f80, 0x7fff, 0x8000},
                 [CF_TC_E4M3] = {3, 0x7e, 0x7f, 0x80}, /* it has no infinity: the largest */
                 [CF_TC_E5M2] = {2, 0x7c, 0x7f, 0x80}};

static unsigned encode(enum cf_tc_type type, float x)
{
    const struct cf_tc_operand t = cf_tc_take(x, type, 0);
    const unsigned magnitude = (unsigned)(t.significand < 0 ? -t.significand : t.significand);
    const unsigned sign = t.significand < 0 ? encodings[type].sign : 0;
    int biased;

    if (t.exponent == CF_TC_NAN)
        return encodings[type].nan;
    if (t.exponent == CF_TC_INFINITE)
        return sign | encodings[type].infinite;
    if (!(magnitude >> encodings[type].fraction)) /* subnormal */
        return sign | magnitude;
    biased = t.exponent - cf_tc_e_min(type); /* less one: the significand adds it */
    return sign | (((unsigned)biased << encodings[type].fraction) + magnitude);
}

/* Operands of one side while they are packed: rows of x (or, transposed, columns), k operands
 * each. */
struct side {
    const struct cf_tensor *x;
    int64_t rows, k;
    int transposed;
};

/* [n_rows, words] of them; what is beyond the rows and k is zero. */
static void pack(struct cf_tensor *to, const struct side *from, const struct unit *unit,
                 int64_t n_rows)
{
    const int64_t step = unit->per_word ? 8 * unit->per_word : 4,
                  n_steps = (from->k + step - 1) / step;
    const int64_t words = n_steps * (unit->per_word ? 8 : 4);

    *to = (struct cf_tensor){
        .dtype = unit->per_word ? CF_I32 : CF_F64, .rank = 2, .dim = {n_rows, words}};
    cf_tensor_alloc(to);
    for (int64_t i = 0; i < from->rows; ++i)
        for (int64_t l = 0; l < from->k; ++l) {
            const int64_t e = from->transposed ? l * from->rows + i : i * from->k + l;
            const float *narrow = from->x->bits;
            unsigned bits, *word;

            if (!unit->per_word) {
                ((double *)to->bits)[i * words + l] = ((const double *)from->x->bits)[e];
                continue;
            }
            memcpy(&bits, &narrow[e], sizeof bits);
            if (unit->type != CF_TC_TF32)
                bits = encode(unit->type, narrow[e]);
            word = (unsigned *)to->bits + i * words + l / unit->per_word;
            *word |= bits << l % unit->per_word * (32 / unit->per_word);
        }
}

struct job {
    struct cf_library *library;
    const struct unit *unit;
    struct cf_cuda_mma p;
    int n_in;
};

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    struct cf_cuda_mma *p = &job->p;
    const int64_t height = job->unit->per_word ? 16 : 8;
    const int64_t tiles =
        p->diagonal ? (p->m + 7) / 8 : (p->m + height - 1) / height * ((p->n + 7) / 8);

    p->a = cf_cuda_pointer(&operand[0]);
    p->b = cf_cuda_pointer(&operand[1]);
    p->c = job->n_in > 2 ? cf_cuda_pointer(&operand[2]) : NULL;
    p->d = cf_cuda_pointer(&operand[job->n_in]);
    return cf_cuda_run(job->library,
                       &(struct cf_cuda_launch){.name = job->unit->kernel,
                                                .dtype = job->unit->sums,
                                                .grid_x = cf_cuda_blocks(tiles * CF_CUDA_WARP),
                                                .grid_y = 1},
                       p);
}

/* c NULL: +0. */
static enum cf_status multiply(struct job *job, const struct side *a, const struct side *b,
                               const struct cf_tensor *c, struct cf_tensor *out)
{
    struct cf_tensor in[3];
    enum cf_status status;

    pack(&in[0], a, job->unit, (a->rows + 31) / 16 * 16); /* a diagonal tile starts at any 8 */
    pack(&in[1], b, job->unit, (b->rows + 7) / 8 * 8);
    job->p.k = in[0].dim[1];
    job->n_in = c ? 3 : 2;
    if (c)
        in[2] = *c;
    status = (enum cf_status)cf_gpu_call(&job->library->gpu, in, job->n_in, out, 1, body, job);
    cf_tensor_free(&in[0]);
    cf_tensor_free(&in[1]);
    return status;
}

/* Are a and b matrices, and all operands of the type that the unit's are given as? */
static int fits(const struct unit *unit, const struct cf_tensor in[], int n_in,
                const struct cf_tensor *out)
{
    const enum cf_dtype dtype = unit->type == CF_TC_F64 ? CF_F64 : CF_F32;
    int same = out->dtype == dtype;

    for (int i = 0; i < n_in; ++i)
        same &= in[i].dtype == dtype && in[i].rank == (i < 2 ? 2 : 1);
    return same;
}

static enum cf_status run_mma(struct cf_library *library, const struct cf_pairs *attributes,
                              const struct cf_tensor in[], struct cf_tensor out[], int u)
{
    const struct unit *unit = &units[u];
    const char *asked = cf_pairs_get(attributes, "type");
    const int64_t rows = in[0].dim[0], k = in[0].dim[1];
    struct job job = {library, unit, {.m = rows, .n = rows, .diagonal = 1}, 0};
    struct cf_tensor c = in[2];
    enum cf_status status;

    if (strcmp(asked ? asked : "f16", cf_tc_type_name(unit->type)) != 0 ||
        !fits(unit, in, 3, &out[0]) || in[1].dim[0] != rows || in[1].dim[1] != k ||
        in[2].dim[0] != rows || out[0].rank != 1 || out[0].dim[0] != rows)
        return CF_UNSUPPORTED;
    if (unit->sums == CF_F16) { /* rounded here, as the operands are */
        cf_tensor_alloc(&c);
        for (int64_t i = 0; i < rows; ++i) {
            struct cf_tensor half = {.dtype = CF_F16, .bits = &(uint16_t){0}};

            cf_tensor_set(&half, 0, cf_tensor_get(&in[2], i));
            cf_tensor_set(&c, i, cf_tensor_get(&half, 0));
        }
    }
    status = multiply(&job, &(struct side){&in[0], rows, k, 0}, &(struct side){&in[1], rows, k, 0},
                      &c, &out[0]);
    if (unit->sums == CF_F16)
        cf_tensor_free(&c);
    return status;
}

static enum cf_status run_gemm(struct cf_library *library, const struct cf_tensor in[],
                               struct cf_tensor out[], int u)
{
    const int64_t m = in[0].dim[0], k = in[0].dim[1], n = in[1].dim[1];
    struct job job = {library, &units[u], {.m = m, .n = n}, 0};

    if (!fits(&units[u], in, 2, &out[0]) || in[1].dim[0] != k || out[0].rank != 2 ||
        out[0].dim[0] != m || out[0].dim[1] != n)
        return CF_UNSUPPORTED;
    return multiply(&job, &(struct side){&in[0], m, k, 0}, &(struct side){&in[1], n, k, 1}, NULL,
                    &out[0]);
}

#define UNITS(x)                                                                                   \
    x(f16, "f16", CF_CUDA_MMA_F16) x(bf16, "bf16", CF_CUDA_MMA_BF16)                               \
        x(tf32, "tf32", CF_CUDA_MMA_TF32) x(e4m3, "e4m3", CF_CUDA_MMA_E4M3)                        \
            x(e5m2, "e5m2", CF_CUDA_MMA_E5M2) x(half, "f16-f16", CF_CUDA_MMA_F16_F16)              \
                x(f64, "f64", CF_CUDA_MMA_F64)
#define RUN(function, name, UNIT)                                                                  \
    static enum cf_status mma_##function(struct cf_library *library,                               \
                                         const struct cf_pairs *attributes,                        \
                                         const struct cf_tensor in[], struct cf_tensor out[])      \
    {                                                                                              \
        return run_mma(library, attributes, in, out, UNIT);                                        \
    }                                                                                              \
    static enum cf_status gemm_##function(struct cf_library *library,                              \
                                          const struct cf_pairs *attributes,                       \
                                          const struct cf_tensor in[], struct cf_tensor out[])     \
    {                                                                                              \
        (void)attributes;                                                                          \
        return run_gemm(library, in, out, UNIT);                                                   \
    }
UNITS(RUN)

#define ENTRIES(function, name_, UNIT)                                                             \
    {.op = "mma", .name = name_, .backend = &cf_backend_cuda, .run = mma_##function},              \
        {.op = "gemm", .name = "mma-" name_, .backend = &cf_backend_cuda, .run = gemm_##function},

extern const struct cf_kernel cf_kernels_cuda_mma[];
const struct cf_kernel cf_kernels_cuda_mma[] = {UNITS(ENTRIES){.op = NULL}};
