/* tensor: a dense row-major array of one type. The bits are what is compared; values are for
 * accuracy. */
#ifndef CF_TENSOR_H
#define CF_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define CF_RANK_MAX 6

/* The order is part of the store's format: append only. */
enum cf_dtype { CF_F64, CF_F32, CF_F16, CF_BF16, CF_I64, CF_I32, CF_U8, CF_N_DTYPES };

/* dim[0] is the slowest; rank 0 is a scalar of one element. bits holds n * size bytes, owned by
 * whoever made the tensor (cf_tensor_alloc / cf_tensor_free), or NULL when only the shape is meant.
 */
struct cf_tensor {
    enum cf_dtype dtype;
    int rank;
    int64_t dim[CF_RANK_MAX];
    void *bits;
};

const char *
cf_dtype_name(enum cf_dtype dtype); /* "f64", "f32", "f16", "bf16", "i64", "i32", "u8" */
int cf_dtype_parse(const char *name, enum cf_dtype *); /* 0, or -1 when unknown */
size_t cf_dtype_size(enum cf_dtype dtype);             /* bytes an element */
int cf_dtype_digits(enum cf_dtype dtype); /* significand bits p: 53, 24, 11, 8; 0 for integers */

/* Unit roundoff u = 2^-p (Higham, Accuracy and Stability, 2002, section 2.1), and eta, the smallest
 * positive subnormal: 2^-1074, 2^-149, 2^-24, 2^-133. 0 for integers. */
double cf_dtype_u(enum cf_dtype dtype);
double cf_dtype_eta(enum cf_dtype dtype);

int64_t
cf_tensor_count(const struct cf_tensor *tensor); /* elements; 1 for a scalar; 0 if a dim is 0 */
size_t cf_tensor_bytes(const struct cf_tensor *tensor);

/* Gives bits of their own (64-byte aligned, zeroed). */
void cf_tensor_alloc(struct cf_tensor *tensor);
void cf_tensor_free(struct cf_tensor *tensor);

/* Element i widened to double (exact for every floating type and for integers up to 2^53). */
double cf_tensor_get(const struct cf_tensor *tensor, int64_t i);

/* Rounds to the tensor's type, to nearest even, once. */
void cf_tensor_set(struct cf_tensor *tensor, int64_t i, double value);

/* The encoding of element i, zero-extended: what "same" means. */
uint64_t cf_tensor_encoding(const struct cf_tensor *tensor, int64_t i);

#endif
