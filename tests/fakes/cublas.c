/* A cuBLAS over the fake driver's memory, which is the host's: it multiplies in f32 or f64 by
 * ascending k. Compute types that may narrow their operands do so (TF32: 10 bits, truncated). Lies:
 *   math         GetMathMode says 0 whatever was set     atomics   GetAtomicsMode says 1
 *   no-emulation the bit count reads -1                  no-memory gemm finds none
 *   no-tf32      compute type 77 is not supported        fails     gemm fails on the device
 *   no-fp8       8-bit operands are not supported        symv      symv differs without atomics too
 * cublasLt: algorithms 1, 3 and 7; 3 is refused by the check; 7 splits k in two. With 8-bit
 * operands it wants what cuBLASLt wants: a transposed, dims that 16 divides, not e5m2 with e5m2;
 * with fast accumulation a sum keeps 13 fraction bits. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "fake.h"

enum { OK = 0, NO_MEMORY = 3, INVALID = 7, FAILED = 13, UNSUPPORTED = 15 };

struct handle {
    int math, atomics, sms, bits;
    int *used;
};

EXPORT int cublasCreate_v2(void **handle)
{
    *handle = calloc(1, sizeof(struct handle));
    return OK;
}

EXPORT int cublasDestroy_v2(void *handle)
{
    free(handle);
    return OK;
}

EXPORT int cublasGetProperty(int which, int *value)
{
    *value = which == 0 ? 13 : which == 1 ? 1 : 0;
    return OK;
}

EXPORT int cublasSetStream_v2(void *handle, void *stream)
{
    (void)stream;
    return handle ? OK : INVALID;
}

EXPORT int cublasSetWorkspace_v2(void *handle, void *memory, size_t n_bytes)
{
    return handle && memory && n_bytes % 256 == 0 ? OK : INVALID;
}

#define SWITCH(Name, member, lie, lies)                                                            \
    EXPORT int cublasSet##Name(void *handle, int value)                                            \
    {                                                                                              \
        ((struct handle *)handle)->member = value;                                                 \
        return OK;                                                                                 \
    }                                                                                              \
    EXPORT int cublasGet##Name(void *handle, int *value)                                           \
    {                                                                                              \
        *value = fake_lies(lie) ? lies : ((struct handle *)handle)->member;                        \
        return OK;                                                                                 \
    }
SWITCH(MathMode, math, "math", 0)
SWITCH(AtomicsMode, atomics, "atomics", 1)
SWITCH(SmCountTarget, sms, "sms", 132)
SWITCH(EmulationStrategy, bits, "-", 0)
SWITCH(FixedPointEmulationMantissaControl, bits, "-", 0)
SWITCH(FixedPointEmulationMaxMantissaBitCount, bits, "-", 0)

EXPORT int cublasSetFixedPointEmulationMantissaBitCountPointer(void *handle, int *used)
{
    ((struct handle *)handle)->used = used;
    return OK;
}

EXPORT const char *cublasGetStatusName(int status)
{
    return status == NO_MEMORY     ? "CUBLAS_STATUS_ALLOC_FAILED"
           : status == FAILED      ? "CUBLAS_STATUS_EXECUTION_FAILED"
           : status == UNSUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                   : "CUBLAS_STATUS_INVALID_VALUE";
}

/* Column-major, as cuBLAS is: c [m,n] = a [m,k] b [k,n]. */
struct product {
    int m, n, k, type_a, type_b, type_c, ld_a, ld_b, ld_c, compute;
    int transposed_a, fast;
    const void *a, *b;
    void *c;
};

static double element(const void *x, int type, int64_t i, int compute)
{
    double value;
    uint32_t bits;
    float narrow;

    if (type == 1)
        return ((const double *)x)[i];
    if (type == 14) {
        bits = (uint32_t)((const uint16_t *)x)[i] << 16;
        memcpy(&narrow, &bits, sizeof narrow);
        return narrow;
    }
    if (type >= 28) { /* e4m3 and e5m2 */
        const int fraction = type == 28 ? 3 : 2, bias = type == 28 ? 7 : 15;
        const unsigned h = ((const uint8_t *)x)[i], e = (h & 0x7f) >> fraction;
        const unsigned f = h & ((1u << fraction) - 1);

        value = ldexp(e == 0 ? f : f + (1u << fraction), (int)(e ? e : 1) - bias - fraction);
        if (type == 28 ? (h & 0x7f) == 0x7f : e == 31)
            value = type == 28 || f ? NAN : INFINITY;
        return h & 0x80 ? -value : value;
    }
    if (type == 2) {
        const unsigned h = ((const uint16_t *)x)[i], e = h >> 10 & 31, f = h & 1023;

        value = e == 0    ? ldexp(f, -24)
                : e == 31 ? (f ? NAN : INFINITY)
                          : ldexp(f + 1024., (int)e - 25);
        return h & 0x8000 ? -value : value;
    }
    memcpy(&bits, (const float *)x + i, sizeof bits);
    if (compute == 77 && (bits & 0x7f800000) != 0x7f800000)
        bits &= ~(uint32_t)0x1fff;
    memcpy(&narrow, &bits, sizeof narrow);
    return narrow;
}

static double sum_of(const struct product *p, int i, int j, int first, int last)
{
    double wide = 0;
    float narrow = 0;

    for (int l = first; l < last; ++l) {
        const int64_t at = p->transposed_a ? l + (int64_t)i * p->ld_a : i + (int64_t)l * p->ld_a;
        const double a = element(p->a, p->type_a, at, p->compute);
        const double b = element(p->b, p->type_b, l + (int64_t)j * p->ld_b, p->compute);

        wide = fma(a, b, wide);
        narrow = fmaf((float)a, (float)b, narrow);
        if (p->fast && narrow != 0)
            narrow = (float)ldexp(trunc(ldexp(narrow, 13 - ilogbf(narrow))), ilogbf(narrow) - 13);
    }
    return p->type_a == 1 ? wide : narrow;
}

/* bf16, to nearest even. */
static uint16_t narrowed(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static int multiply(const struct product *p, int splits)
{
    for (int i = 0; i < p->m; ++i)
        for (int j = 0; j < p->n; ++j) {
            double sum = sum_of(p, i, j, 0, p->k / splits);

            if (splits == 2)
                sum += sum_of(p, i, j, p->k / 2, p->k);
            if (p->type_c == 1)
                ((double *)p->c)[i + (int64_t)j * p->ld_c] = sum;
            else if (p->type_c == 0)
                ((float *)p->c)[i + (int64_t)j * p->ld_c] = (float)sum;
            else if (p->type_c == 14 && p->type_a >= 28)
                ((uint16_t *)p->c)[i + (int64_t)j * p->ld_c] = narrowed((float)sum);
            else
                return UNSUPPORTED;
        }
    return OK;
}

EXPORT int cublasGemmEx(void *handle, int trans_a, int trans_b, int m, int n, int k,
                        const void *alpha, const void *a, int type_a, int ld_a, const void *b,
                        int type_b, int ld_b, const void *beta, void *c, int type_c, int ld_c,
                        int compute, int algorithm)
{
    struct handle *h = handle;
    const struct product p = {.m = m,
                              .n = n,
                              .k = k,
                              .type_a = type_a,
                              .type_b = type_b,
                              .type_c = type_c,
                              .ld_a = ld_a,
                              .ld_b = ld_b,
                              .ld_c = ld_c,
                              .compute = compute,
                              .a = a,
                              .b = b,
                              .c = c};

    if (trans_a || trans_b || type_a != type_b || ld_a < m || ld_b < k || ld_c < m ||
        (type_a == 1 ? *(const double *)alpha != 1 || *(const double *)beta != 0
                     : *(const float *)alpha != 1 || *(const float *)beta != 0) ||
        (algorithm != -1 && algorithm != 999))
        return INVALID;
    if (fake_lies("no-memory"))
        return NO_MEMORY;
    if (fake_lies("fails"))
        return FAILED;
    if (compute == 78 || (compute == 77 && fake_lies("no-tf32")))
        return UNSUPPORTED;
    if (h->used && compute == 79)
        *h->used = fake_lies("no-emulation") ? -1 : h->bits;
    else if (h->used && type_a == 1) /* an ordinary product: the environment decides */
        *h->used = strcmp(getenv("CUBLAS_EMULATE_DOUBLE_PRECISION"), "1") == 0 ? 48 : -1;
    return multiply(&p, 1);
}

#define GEMV(name, real)                                                                           \
    EXPORT int name(void *handle, int trans, int m, int n, const real *alpha, const real *a,       \
                    int ld, const real *x, int inc_x, const real *beta, real *y, int inc_y)        \
    {                                                                                              \
        if (!handle || trans != 1 || ld < m || inc_x != 1 || inc_y != 1 || *alpha != 1 ||          \
            *beta != 0)                                                                            \
            return INVALID;                                                                        \
        for (int j = 0; j < n; ++j) {                                                              \
            real sum = 0;                                                                          \
                                                                                                   \
            for (int i = 0; i < m; ++i)                                                            \
                sum += a[i + (int64_t)j * ld] * x[i];                                              \
            y[j] = sum;                                                                            \
        }                                                                                          \
        return OK;                                                                                 \
    }
GEMV(cublasSgemv_v2, float)
GEMV(cublasDgemv_v2, double)

static int n_symv;

/* With atomics each call adds from another place on. The upper half alone is read. */
#define SYMV(name, real)                                                                           \
    EXPORT int name(void *handle, int uplo, int n, const real *alpha, const real *a, int ld,       \
                    const real *x, int inc_x, const real *beta, real *y, int inc_y)                \
    {                                                                                              \
        const int start = ((struct handle *)handle)->atomics ? n_symv++ : 0;                       \
                                                                                                   \
        if (uplo != 1 || ld < n || inc_x != 1 || inc_y != 1 || *alpha != 1 || *beta != 0)          \
            return INVALID;                                                                        \
        for (int i = 0; i < n; ++i) {                                                              \
            real sum = 0;                                                                          \
                                                                                                   \
            for (int l = 0; l < n; ++l) {                                                          \
                const int j = (l + start) % n, row = i < j ? i : j, column = i < j ? j : i;        \
                                                                                                   \
                sum += a[row + (int64_t)column * ld] * x[j];                                       \
            }                                                                                      \
            y[i] = sum;                                                                            \
        }                                                                                          \
        return fake_lies("symv") ? (n_symv++, y[0] += y[0] * n_symv * 0x1p-20f, OK) : OK;          \
    }
SYMV(cublasSsymv_v2, float)
SYMV(cublasDsymv_v2, double)

#define VECTORS(S, real, root)                                                                     \
    EXPORT int cublas##S##dot_v2(void *handle, int n, const real *x, int inc_x, const real *y,     \
                                 int inc_y, real *result)                                          \
    {                                                                                              \
        real sum = 0;                                                                              \
                                                                                                   \
        for (int i = 0; i < n; ++i)                                                                \
            sum += x[i] * y[i];                                                                    \
        *result = sum;                                                                             \
        return handle && inc_x == 1 && inc_y == 1 ? OK : INVALID;                                  \
    }                                                                                              \
    EXPORT int cublas##S##asum_v2(void *handle, int n, const real *x, int inc, real *result)       \
    {                                                                                              \
        real sum = 0;                                                                              \
                                                                                                   \
        for (int i = 0; i < n; ++i)                                                                \
            sum += x[i] < 0 ? -x[i] : x[i];                                                        \
        *result = sum;                                                                             \
        return handle && inc == 1 ? OK : INVALID;                                                  \
    }                                                                                              \
    EXPORT int cublas##S##nrm2_v2(void *handle, int n, const real *x, int inc, real *result)       \
    {                                                                                              \
        real sum = 0;                                                                              \
                                                                                                   \
        for (int i = 0; i < n; ++i)                                                                \
            sum += x[i] * x[i];                                                                    \
        *result = root(sum);                                                                       \
        return handle && inc == 1 ? OK : INVALID;                                                  \
    }
VECTORS(S, float, sqrtf)
VECTORS(D, double, sqrt)

/* ---- cublasLt: an algorithm is data[0] = id, data[1 + attribute] = value ---- */

struct layout {
    int type;
    uint64_t rows, columns;
    int64_t lead;
};

EXPORT int cublasLtCreate(void **handle)
{
    return cublasCreate_v2(handle);
}

EXPORT int cublasLtDestroy(void *handle)
{
    return cublasDestroy_v2(handle);
}

EXPORT int cublasLtMatmulDescCreate(void **desc, int compute, int scale)
{
    int *d = calloc(4, sizeof *d); /* compute, scale, a transposed, fast */

    d[0] = compute;
    d[1] = scale;
    *desc = d;
    return OK;
}

EXPORT int cublasLtMatmulDescSetAttribute(void *desc, int attribute, const void *value, size_t n)
{
    if (attribute == 3 && n == 4)
        ((int *)desc)[2] = *(const int32_t *)value;
    else if (attribute == 25 && n == 1)
        ((int *)desc)[3] = *(const int8_t *)value;
    else
        return INVALID;
    return OK;
}

EXPORT int cublasLtMatmulDescDestroy(void *desc)
{
    return cublasDestroy_v2(desc);
}

EXPORT int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns,
                                      int64_t lead)
{
    struct layout *l = malloc(sizeof *l);

    *l = (struct layout){type, rows, columns, lead};
    *layout = l;
    return lead >= (int64_t)rows ? OK : INVALID;
}

EXPORT int cublasLtMatrixLayoutDestroy(void *layout)
{
    return cublasDestroy_v2(layout);
}

EXPORT int cublasLtMatmulPreferenceCreate(void **preference)
{
    *preference = calloc(4, sizeof(int));
    ((int *)*preference)[3] = 7; /* schemes */
    return OK;
}

EXPORT int cublasLtMatmulPreferenceDestroy(void *preference)
{
    return cublasDestroy_v2(preference);
}

EXPORT int cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute, const void *value,
                                                size_t n_bytes)
{
    if (attribute == 3)
        memcpy((int *)preference + 3, value, sizeof(int));
    return n_bytes == (attribute == 3 ? 4u : 8u) ? OK : INVALID;
}

EXPORT int cublasLtMatmulAlgoInit(void *handle, int compute, int scale, int a, int b, int c, int d,
                                  int id, uint64_t *algorithm)
{
    memset(algorithm, 0, 64);
    algorithm[0] = (uint64_t)id;
    (void)compute;
    (void)scale;
    return handle && (a == b || a >= 28) && c == d && (id == 1 || id == 3 || id == 7) ? OK
                                                                                      : INVALID;
}

/* Does it take these types, dims and orders? */
static int supports(const int *desc, const struct layout *a, const struct layout *b,
                    const struct layout *c)
{
    if (a->type < 28)
        return desc[2] == 0 && desc[3] == 0 && a->type == b->type;
    return !fake_lies("no-fp8") && desc[2] == 1 && b->type >= 28 &&
           (a->type == 28 || b->type == 28) && a->rows % 16 == 0 && a->columns % 16 == 0 &&
           b->columns % 16 == 0 && (c->type == 0 || c->type == 14);
}

/* The result: the algorithm, the workspace's size, the state, waves. */
EXPORT int cublasLtMatmulAlgoCheck(void *handle, void *desc, void *a, void *b, void *c, void *d,
                                   const uint64_t *algorithm, uint64_t *result)
{
    memcpy(result, algorithm, 64);
    result[8] = 4096;
    result[9] = 0;
    if (handle && desc && a && b && c == d && !supports(desc, a, b, c))
        return UNSUPPORTED;
    return handle && desc && a && b && c == d ? (algorithm[0] == 3 ? INVALID : OK) : FAILED;
}

EXPORT int cublasLtMatmulAlgoGetHeuristic(void *handle, void *desc, void *a, void *b, void *c,
                                          void *d, void *preference, int wanted, uint64_t *results,
                                          int *n)
{
    uint64_t algorithm[8];

    *n = wanted;
    cublasLtMatmulAlgoInit(handle, 0, 0, 0, 0, 0, 0, ((int *)preference)[3] ? 7 : 1, algorithm);
    return cublasLtMatmulAlgoCheck(handle, desc, a, b, c, d, algorithm, results);
}

EXPORT int cublasLtMatmulAlgoGetIds(void *handle, int compute, int scale, int a, int b, int c,
                                    int d, int wanted, int *ids, int *n)
{
    static const int all[] = {1, 3, 7};

    memcpy(ids, all, sizeof all);
    *n = 3;
    (void)scale;
    return handle && a == b && c == d && wanted >= 3 && compute != 77 ? OK : UNSUPPORTED;
}

EXPORT int cublasLtMatmulAlgoConfigSetAttribute(uint64_t *algorithm, int attribute,
                                                const void *value, size_t n)
{
    memcpy(&algorithm[attribute], value, n);
    return n == 4 ? OK : INVALID;
}

EXPORT int cublasLtMatmulAlgoConfigGetAttribute(const uint64_t *algorithm, int attribute,
                                                void *value, size_t n, size_t *written)
{
    memcpy(value, &algorithm[attribute], n);
    *written = n;
    return OK;
}

EXPORT int cublasLtMatmulAlgoCapGetAttribute(const uint64_t *algorithm, int attribute, void *value,
                                             size_t n, size_t *written)
{
    memset(value, 0, n);
    *written = n;
    (void)algorithm;
    (void)attribute;
    return OK;
}

EXPORT int cublasLtMatmul(void *handle, void *desc, const void *alpha, const void *a,
                          void *a_layout, const void *b, void *b_layout, const void *beta,
                          const void *c, void *c_layout, void *d, void *d_layout,
                          const uint64_t *algorithm, void *workspace, size_t n_bytes, void *stream)
{
    const struct layout *la = a_layout, *lb = b_layout, *ld = d_layout;
    const int *description = desc;
    const int transposed = description[2];
    const struct product p = {.m = (int)(transposed ? la->columns : la->rows),
                              .n = (int)lb->columns,
                              .k = (int)lb->rows,
                              .type_a = la->type,
                              .type_b = lb->type,
                              .transposed_a = transposed,
                              .fast = description[3],
                              .type_c = ld->type,
                              .ld_a = (int)la->lead,
                              .ld_b = (int)lb->lead,
                              .ld_c = (int)ld->lead,
                              .compute = description[0],
                              .a = a,
                              .b = b,
                              .c = d};

    if (!handle || !alpha || !beta || c != d || c_layout != d_layout || stream || !workspace ||
        n_bytes < 4096 || (int)(transposed ? la->rows : la->columns) != p.k || (int)ld->rows != p.m)
        return INVALID;
    return multiply(&p, algorithm[0] == 7 || algorithm[2] == 2 ? 2 : 1);
}
