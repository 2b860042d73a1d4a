/* cublas: cuBLAS and cuBLASLt by path, on a GPU. lib= is a libcublas; its libcublasLt comes with
 * it.
 *
 * Shapes are those of the ops, rows contiguous: cuBLAS counts columns, so a product is asked for as
 * its transpose. 16-bit operands are summed in f32 (compute type 32F); the output has the type of
 * the case.
 *
 * Switches, flags=NAME:N joined by +, each read back where the library can say it:
 *   workspace:BYTES  cublasSetWorkspace with memory of the worker's
 *   streams:N        N copies of the product, each on a stream of its own with one handle; the
 *                    answer is that of copy (call number mod N)
 *   handles:1        with streams: a handle for each
 *   atomics:0|1      cublasSetAtomicsMode
 *   sms:N            cublasSetSmCountTarget
 *   algo:ID tile:ID stages:ID splitk:N scheme:N swizzle:N custom:N   for the kernel lt
 *
 * Declarations follow cublas_api.h and cublasLt.h of CUDA 13.0; functions that came later than CUDA
 * 12.0 are asked for by name and may be missing. */
#ifndef CF_CUBLAS_H
#define CF_CUBLAS_H

#include "kernel.h"

extern const struct cf_backend cf_backend_cublas;

/* cudaDataType_t, cublasComputeType_t, cublasMath_t, cublasStatus_t: the values of CUDA 13.0. */
enum { CF_R_32F = 0, CF_R_64F = 1, CF_R_16F = 2, CF_R_16BF = 14, CF_R_E4M3 = 28, CF_R_E5M2 = 29 };
enum {
    CF_COMPUTE_32F = 68,
    CF_COMPUTE_32F_PEDANTIC = 69,
    CF_COMPUTE_64F = 70,
    CF_COMPUTE_64F_PEDANTIC = 71,
    CF_COMPUTE_32F_FAST_16F = 74,
    CF_COMPUTE_32F_FAST_16BF = 75,
    CF_COMPUTE_32F_FAST_TF32 = 77,
    CF_COMPUTE_32F_EMULATED_16BFX9 = 78,
    CF_COMPUTE_64F_EMULATED = 79
};
enum { CF_MATH_DEFAULT = 0, CF_MATH_PEDANTIC = 2, CF_MATH_TF32 = 3, CF_MATH_NARROW = 16 };
enum { CF_CUBLAS_OK = 0, CF_CUBLAS_NO_MEMORY = 3, CF_CUBLAS_ARCH = 8, CF_CUBLAS_UNSUPPORTED = 15 };

/* Names in backend.c, in this order. */
struct cf_cublas_api {
    int (*create)(void **handle);
    int (*destroy)(void *handle);
    int (*property)(int which, int *value);
    int (*set_stream)(void *handle, void *stream);
    int (*set_workspace)(void *handle, void *memory, size_t n_bytes);
    int (*set_math)(void *handle, int mode);
    int (*get_math)(void *handle, int *mode);
    int (*set_atomics)(void *handle, int mode);
    int (*get_atomics)(void *handle, int *mode);
    int (*set_sms)(void *handle, int n);
    int (*get_sms)(void *handle, int *n);
    const char *(*status_name)(int status);
    int (*gemm)(void *handle, int trans_a, int trans_b, int m, int n, int k, const void *alpha,
                const void *a, int type_a, int ld_a, const void *b, int type_b, int ld_b,
                const void *beta, void *c, int type_c, int ld_c, int compute, int algorithm);
    int (*sgemv)(void *, int, int, int, const float *, const float *, int, const float *, int,
                 const float *, float *, int);
    int (*dgemv)(void *, int, int, int, const double *, const double *, int, const double *, int,
                 const double *, double *, int);
    int (*sdot)(void *, int, const float *, int, const float *, int, float *);
    int (*ddot)(void *, int, const double *, int, const double *, int, double *);
    int (*sasum)(void *, int, const float *, int, float *);
    int (*dasum)(void *, int, const double *, int, double *);
    int (*snrm2)(void *, int, const float *, int, float *);
    int (*dnrm2)(void *, int, const double *, int, double *);
};

#define CF_CUBLAS_STREAMS 16

struct cf_library {
    struct cf_gpu gpu;
    void *file; /* dlopen's */
    struct cf_cublas_api api;
    void *handle[CF_CUBLAS_STREAMS], *stream[CF_CUBLAS_STREAMS]; /* stream[0] NULL: the default */
    int n_streams, n_handles;
    struct cf_gpu_buffer workspace; /* whole 0: cuBLAS has its own */
    long long n_calls;
    struct cf_pairs *keys; /* a copy of flags=, for cublasLt */
};

/* An enum cf_status of a cublasStatus_t; says on stderr which call failed, and how. */
int cf_cublas_check(const struct cf_library *library, int status, const char *what);

static inline int cf_cublas_type(enum cf_dtype dtype)
{
    return dtype == CF_F64   ? CF_R_64F
           : dtype == CF_F32 ? CF_R_32F
           : dtype == CF_F16 ? CF_R_16F
                             : CF_R_16BF;
}

/* a [m,k], b [k,n], c [m,n], of types that a product may have; every dim fits an int. */
int cf_cublas_is_product(const struct cf_tensor in[], const struct cf_tensor *out);

/* A number rounded as the model of tensor cores rounds its operands (cf_tc_take), as a byte of e4m3
 * or e5m2. */
unsigned char cf_cublas_fp8(double x, enum cf_tc_type type);
/* A matrix in that form, u8 of the same shape or transposed; the bits are the caller's to free. An
 * enum cf_status. */
int cf_cublas_fp8_take(struct cf_tensor *to, const struct cf_tensor *from, int transposed,
                       enum cf_tc_type type);

/* What cublasLt offers for the type, as "0 1 6 20": emitted as lt_algorithms.<type>. */
void cf_cublas_lt_state(struct cf_library *library,
                        void (*emit)(void *, const char *, const char *), void *context);

#endif
