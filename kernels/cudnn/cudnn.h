/* cudnn: cuDNN 9 by path, on a GPU: convolutions through the legacy algorithms and through every
 * engine of the backend (graph) API, pooling, softmax and batch norm. Operands of four dims come as
 * nchw; with layout=nhwc of the case, or the switch nhwc:1, the worker puts the channels (of a
 * filter: c) last, describes that to cuDNN, and puts the answer back.
 *
 * Switches, flags=NAME:N joined by +:
 *   nhwc:1         every operand of four dims with its channels last
 *   math:0|1|2|3   legacy: cudnnMathType_t: 0 default (TF32 permitted), 3 FMA only; read back
 *   tf32:0         heuristic and deterministic: engines that narrow f32 or use tensor cores are
 *                  left out, as PyTorch does when TF32 is not allowed
 *   engine:N       the engine of kernel `engine`, by global index; with knob:TYPE and value:V
 *
 * Declarations follow cudnn_ops.h, cudnn_cnn.h and cudnn_graph.h of 9.19; values have not changed
 * within version 9. */
#ifndef CF_CUDNN_H
#define CF_CUDNN_H

#include "kernel.h"

extern const struct cf_backend cf_backend_cudnn;

/* cudnnDataType_t; statuses from CF_CUDNN_UNSUPPORTED up to CF_CUDNN_INTERNAL are "not supported".
 */
enum { CF_CUDNN_FLOAT = 0, CF_CUDNN_DOUBLE = 1, CF_CUDNN_HALF = 2, CF_CUDNN_BFLOAT16 = 9 };
enum { CF_CUDNN_OK = 0, CF_CUDNN_UNSUPPORTED = 3000, CF_CUDNN_INTERNAL = 4000 };

/* cudnnConvolution{Fwd,BwdData,BwdFilter}AlgoPerf_t */
struct cf_cudnn_perf {
    int algorithm, status;
    float time;
    size_t memory;
    int deterministic, math, reserved[3];
};

typedef int cf_cudnn_convolution(void *handle, const void *alpha, void *a_desc, const void *a,
                                 void *b_desc, const void *b, void *convolution, int algorithm,
                                 void *workspace, size_t n_bytes, const void *beta, void *c_desc,
                                 void *c);
typedef int cf_cudnn_workspace(void *handle, void *a_desc, void *b_desc, void *convolution,
                               void *c_desc, int algorithm, size_t *n_bytes);
typedef int cf_cudnn_algorithms(void *handle, void *a_desc, void *b_desc, void *convolution,
                                void *c_desc, int wanted, int *n, struct cf_cudnn_perf *results);

/* Names in backend.c, in this order. Arrays are by enum cf_way. */
struct cf_cudnn_api {
    size_t (*version)(void);
    const char *(*error)(int status);
    int (*create)(void **handle);
    int (*destroy)(void *handle);
    int (*tensor_create)(void **desc);
    int (*tensor_set)(void *desc, int format, int type, int n, int c, int h, int w);
    int (*tensor_destroy)(void *desc);
    int (*filter_create)(void **desc);
    int (*filter_set)(void *desc, int type, int format, int k, int c, int h, int w);
    int (*filter_destroy)(void *desc);
    int (*convolution_create)(void **desc);
    int (*convolution_set)(void *desc, int pad_h, int pad_w, int stride_h, int stride_w,
                           int dilation_h, int dilation_w, int mode, int compute);
    int (*convolution_groups)(void *desc, int n);
    int (*math_set)(void *desc, int math);
    int (*math_get)(void *desc, int *math);
    int (*convolution_destroy)(void *desc);
    cf_cudnn_convolution *convolve[3];
    cf_cudnn_workspace *workspace[3];
    cf_cudnn_algorithms *algorithms[3], *measured[3];
    int (*pooling_create)(void **desc);
    int (*pooling_set)(void *desc, int mode, int nan, int r, int s, int pad_h, int pad_w,
                       int stride_h, int stride_w);
    int (*pooling_destroy)(void *desc);
    int (*pool)(void *handle, void *pooling, const void *alpha, void *x_desc, const void *x,
                const void *beta, void *y_desc, void *y);
    int (*pool_back)(void *handle, void *pooling, const void *alpha, void *y_desc, const void *y,
                     void *dy_desc, const void *dy, void *x_desc, const void *x, const void *beta,
                     void *dx_desc, void *dx);
    int (*softmax)(void *handle, int algorithm, int mode, const void *alpha, void *x_desc,
                   const void *x, const void *beta, void *y_desc, void *y);
    int (*softmax_back)(void *handle, int algorithm, int mode, const void *alpha, void *y_desc,
                        const void *y, void *dy_desc, const void *dy, const void *beta,
                        void *dx_desc, void *dx);
    int (*norm)(void *handle, int mode, const void *alpha, const void *beta, void *x_desc,
                const void *x, void *y_desc, void *y, void *vector_desc, const void *scale,
                const void *bias, double factor, void *mean, void *variance, double epsilon,
                void *save_mean, void *save_inverse);
    int (*norm_back)(void *handle, int mode, const void *alpha_data, const void *beta_data,
                     const void *alpha_parameter, const void *beta_parameter, void *x_desc,
                     const void *x, void *dy_desc, const void *dy, void *dx_desc, void *dx,
                     void *vector_desc, const void *scale, void *d_scale, void *d_bias,
                     double epsilon, const void *mean, const void *inverse);
    int (*make)(int type, void **desc);
    int (*unmake)(void *desc);
    int (*set)(void *desc, int attribute, int type, int64_t n, const void *values);
    int (*get)(void *desc, int attribute, int type, int64_t wanted, int64_t *n, void *values);
    int (*finalize)(void *desc);
    int (*execute)(void *handle, void *plan, void *pack);
};

struct cf_library {
    struct cf_gpu gpu;
    void *file, *handle;
    struct cf_cudnn_api api;
    struct cf_pairs *keys; /* flags= alone */
};

/* An enum cf_status of a cudnnStatus_t; says on stderr which call failed, and how. */
int cf_cudnn_check(const struct cf_library *library, int status, const char *what);

static inline int cf_cudnn_type(enum cf_dtype dtype)
{
    return dtype == CF_F64   ? CF_CUDNN_DOUBLE
           : dtype == CF_F32 ? CF_CUDNN_FLOAT
           : dtype == CF_F16 ? CF_CUDNN_HALF
                             : CF_CUDNN_BFLOAT16;
}

/* 1 and 0 in the type that scales: double for f64, else float. */
const void *cf_cudnn_one(enum cf_dtype dtype);
const void *cf_cudnn_zero(enum cf_dtype dtype);

static inline void *cf_cudnn_pointer(const struct cf_gpu_buffer *buffer)
{
    return (void *)(uintptr_t)buffer->data;
}

/* A dense descriptor, nchw or nhwc; NULL: cuDNN refuses it. */
void *cf_cudnn_tensor(const struct cf_library *library, enum cf_dtype dtype, int nhwc, int64_t n,
                      int64_t c, int64_t h, int64_t w);

/* 0: nchw; 1: nhwc, by the case or by the switch; -1: the case asks for another. */
int cf_cudnn_layout(const struct cf_library *library, const struct cf_pairs *attributes);
/* cf_gpu_call, whose operands of four dims lie as nhwc on the device when that is asked for. */
int cf_cudnn_call(struct cf_library *library, int nhwc, const struct cf_tensor in[], int n_in,
                  struct cf_tensor out[], int n_out,
                  int (*body)(void *context, const struct cf_gpu_buffer *operand), void *context);

/* Which operand (two inputs, then the output) is x, w and y in each direction. */
extern const int cf_cudnn_role[3][3];

#endif
