/* model: tensor cores by their parameters (tensorcore.h), on the CPU and bit for bit:
 * `model device=h100 kernel=f16` adds as an H100 does. device= is one of v100, a100, h100, h200,
 * b200, ieee; the kernel is the type in which operands are held: f16, bf16, tf32, e4m3, e5m2, f32,
 * f64, or f16-f16, which accumulates in f16 too (gemm, gemv, dot and mma). Operands of other types
 * are rounded to it first. Sums start from +0 and go along k in the blocks of one instruction, as a
 * kernel without split-K does. */
#ifndef CF_MODEL_H
#define CF_MODEL_H

#include "kernel.h"

extern const struct cf_backend cf_backend_model;

struct cf_library {
    char device[16];
    enum cf_tc_type type; /* of kernel=, or f16 */
    int half;             /* kernel=f16-f16 */
};

/* The three ways of one type, each a cf_kernel run. */
#define CF_MODEL_TYPES(x)                                                                          \
    x(f16, CF_TC_F16) x(bf16, CF_TC_BF16) x(tf32, CF_TC_TF32) x(e4m3, CF_TC_E4M3)                  \
        x(e5m2, CF_TC_E5M2) x(f32, CF_TC_F32) x(f64, CF_TC_F64)

/* Rows taken apart, [rows,k] dense; free it. NULL: no memory. */
struct cf_tc_operand *cf_model_take(const float *x, int64_t rows, int64_t columns, int transposed,
                                    enum cf_tc_type type, int flush);

#endif
