/* cudnn_graph_api: the part of cuDNN's backend (graph) API that lists engines: our own
 * declarations, so that nothing of NVIDIA's is needed to build. Values: NVIDIA cuDNN documentation,
 * version 9.19, "cudnn_graph Library", sections on data types; unchanged within version 9.
 * Functions are found by name in the library that is opened at run time. */
#ifndef CF_CUDNN_GRAPH_API_H
#define CF_CUDNN_GRAPH_API_H

#include <stddef.h>
#include <stdint.h>

enum { CF_CUDNN_SUCCESS = 0, CF_CUDNN_NOT_SUPPORTED = 3000, CF_CUDNN_NOT_SUPPORTED_END = 4000 };

/* cudnnDataType_t, cudnnConvolutionMode_t, cudnnBackendHeurMode_t */
enum { CF_CUDNN_FLOAT = 0, CF_CUDNN_DOUBLE = 1, CF_CUDNN_HALF = 2, CF_CUDNN_BFLOAT16 = 9 };
enum { CF_CUDNN_CROSS_CORRELATION = 1 };
enum { CF_CUDNN_HEUR_MODE_A = 3 };

/* cudnnBackendAttributeType_t */
enum {
    CF_CUDNN_TYPE_DATA_TYPE = 1,
    CF_CUDNN_TYPE_INT64 = 3,
    CF_CUDNN_TYPE_FLOAT = 4,
    CF_CUDNN_TYPE_DOUBLE = 5,
    CF_CUDNN_TYPE_CONVOLUTION_MODE = 7,
    CF_CUDNN_TYPE_HEUR_MODE = 8,
    CF_CUDNN_TYPE_NUMERICAL_NOTE = 11,
    CF_CUDNN_TYPE_BACKEND_DESCRIPTOR = 15,
    CF_CUDNN_TYPE_BEHAVIOR_NOTE = 19,
    CF_CUDNN_TYPE_CHAR = 24
};

/* cudnnBackendDescriptorType_t */
enum {
    CF_CUDNN_CONVOLUTION = 1,
    CF_CUDNN_ENGINE = 2,
    CF_CUDNN_ENGINECFG = 3,
    CF_CUDNN_ENGINEHEUR = 4,
    CF_CUDNN_CONVOLUTION_FORWARD = 10,
    CF_CUDNN_CONVOLUTION_BACKWARD_FILTER = 11,
    CF_CUDNN_CONVOLUTION_BACKWARD_DATA = 12,
    CF_CUDNN_OPERATIONGRAPH = 15,
    CF_CUDNN_TENSOR = 17,
    CF_CUDNN_DEVICEPROP = 38
};

/* cudnnBackendAttributeName_t. An operation's attributes are first + 0 alpha, 1 beta, 2 convolution
 * descriptor, then its three tensors. */
enum {
    CF_CUDNN_CONVOLUTION_COMP_TYPE = 100,
    CF_CUDNN_CONVOLUTION_CONV_MODE = 101,
    CF_CUDNN_CONVOLUTION_DILATIONS = 102,
    CF_CUDNN_CONVOLUTION_FILTER_STRIDES = 103,
    CF_CUDNN_CONVOLUTION_POST_PADDINGS = 104,
    CF_CUDNN_CONVOLUTION_PRE_PADDINGS = 105,
    CF_CUDNN_CONVOLUTION_SPATIAL_DIMS = 106,
    CF_CUDNN_ENGINEHEUR_MODE = 200,
    CF_CUDNN_ENGINEHEUR_OPERATION_GRAPH = 201,
    CF_CUDNN_ENGINEHEUR_RESULTS = 202,
    CF_CUDNN_ENGINEHEUR_DEVICEPROP = 204,
    CF_CUDNN_ENGINECFG_ENGINE = 300,
    CF_CUDNN_FORWARD_FIRST = 700,         /* 703 w, 704 x, 705 y */
    CF_CUDNN_BACKWARD_DATA_FIRST = 706,   /* 709 w, 710 dx, 711 dy */
    CF_CUDNN_BACKWARD_FILTER_FIRST = 712, /* 715 dw, 716 x, 717 dy */
    CF_CUDNN_OPERATIONGRAPH_OPS = 801,
    CF_CUDNN_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT = 802,
    CF_CUDNN_TENSOR_BYTE_ALIGNMENT = 900,
    CF_CUDNN_TENSOR_DATA_TYPE = 901,
    CF_CUDNN_TENSOR_DIMENSIONS = 902,
    CF_CUDNN_TENSOR_STRIDES = 903,
    CF_CUDNN_TENSOR_UNIQUE_ID = 906,
    CF_CUDNN_ENGINE_OPERATION_GRAPH = 1300,
    CF_CUDNN_ENGINE_GLOBAL_INDEX = 1301,
    CF_CUDNN_ENGINE_NUMERICAL_NOTE = 1303,
    CF_CUDNN_ENGINE_BEHAVIOR_NOTE = 1305,
    CF_CUDNN_ENGINE_DEVICEPROP = 1307,
    CF_CUDNN_DEVICEPROP_JSON_REPRESENTATION = 2702
};

/* cudnnBackendNumericalNote_t and cudnnBackendBehaviorNote_t, by value */
#define CF_CUDNN_NUMERICAL_NOTES                                                                   \
    {                                                                                              \
        "TENSOR_CORE", "DOWN_CONVERT_INPUTS", "REDUCED_PRECISION_REDUCTION", "FFT",                \
            "NONDETERMINISTIC", "WINOGRAD", "WINOGRAD_TILE_4x4", "WINOGRAD_TILE_6x6",              \
            "WINOGRAD_TILE_13x13", "STRICT_NAN_PROP"                                               \
    }
#define CF_CUDNN_BEHAVIOR_NOTES                                                                    \
    {                                                                                              \
        "RUNTIME_COMPILATION", "REQUIRES_FILTER_INT8x32_REORDER", "REQUIRES_BIAS_INT8x32_REORDER", \
            "SUPPORTS_CUDA_GRAPH_NATIVE_API", "CUBLASLT_DEPENDENCY"                                \
    }
#define CF_CUDNN_NOTES_MAX 32 /* room for notes of later versions */

/* A descriptor is opaque; every function but the version returns a status. */
struct cf_cudnn_api {
    size_t (*version)(void);
    int (*create)(int type, void **descriptor);
    int (*destroy)(void *descriptor);
    int (*finalize)(void *descriptor);
    int (*set)(void *descriptor, int name, int type, int64_t n, const void *elements);
    int (*get)(void *descriptor, int name, int type, int64_t n, int64_t *n_got, void *elements);
    const char *(*status)(int status);
    void (*last_error)(char *text, size_t size);
};

#endif
