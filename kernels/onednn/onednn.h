/* onednn: the primitives of one libdnnl.so, versions 2 and 3, opened by path (lib=). The
 * declarations are this file's own, after the C API of oneDNN 2.6 (op descriptors, memory
 * descriptors by value) and 3.2 (opaque memory descriptors, primitive descriptors made directly);
 * what both have is bound once.
 *
 * Configuration: threads= by OMP_NUM_THREADS, isa= by ONEDNN_MAX_CPU_ISA, flags=deterministic by
 * the attribute of that name (3.5 and later). All three are read back. */
#ifndef CF_ONEDNN_H
#define CF_ONEDNN_H

#include "kernel.h"

extern const struct cf_backend cf_backend_onednn;

#define CF_ONEDNN_DIMS 12 /* DNNL_MAX_NDIMS */

/* Values of the C API, equal in all versions. */
enum {
    CF_ONEDNN_OK = 0,
    CF_ONEDNN_OUT_OF_MEMORY = 1,
    CF_ONEDNN_CPU = 1,
    CF_ONEDNN_TAG_ANY = 1,
    CF_ONEDNN_FORWARD_TRAINING = 64,
    CF_ONEDNN_FORWARD_INFERENCE = 96,
    CF_ONEDNN_BACKWARD = 128,
    CF_ONEDNN_BACKWARD_DATA = 160,
    CF_ONEDNN_SRC = 1,
    CF_ONEDNN_DST = 17,
    CF_ONEDNN_WEIGHTS = 33,
    CF_ONEDNN_MEAN = 49,
    CF_ONEDNN_VARIANCE = 50,
    CF_ONEDNN_WORKSPACE = 64,
    CF_ONEDNN_DIFF_SRC = 129,
    CF_ONEDNN_DIFF_DST = 145,
    CF_ONEDNN_DIFF_WEIGHTS = 161,
    CF_ONEDNN_QUERY_IMPLEMENTATION = 8,
    CF_ONEDNN_QUERY_SRC = 129,
    CF_ONEDNN_QUERY_DIFF_SRC = 130,
    CF_ONEDNN_QUERY_WEIGHTS = 131,
    CF_ONEDNN_QUERY_DIFF_WEIGHTS = 132,
    CF_ONEDNN_QUERY_DST = 133,
    CF_ONEDNN_QUERY_DIFF_DST = 134,
    CF_ONEDNN_QUERY_WORKSPACE = 135
};

struct cf_onednn_version {
    int major, minor, patch;
    const char *hash;
    unsigned cpu_runtime, gpu_runtime;
};

struct cf_onednn_argument {
    int arg;
    void *memory;
};

typedef void cf_onednn_function(void); /* cast to the signature at the call */

/* Objects of the library are void *; every function but version and the queries returns a status.
 */
struct cf_onednn_api {
    const struct cf_onednn_version *(*version)(void);
    int (*effective_isa)(void);
    int (*engine_create)(void **engine, int kind, size_t index);
    int (*stream_create)(void **stream, void *engine, unsigned flags);
    int (*stream_wait)(void *stream);
    int (*memory_create)(void **memory, const void *md, void *engine, void *handle);
    int (*memory_destroy)(void *memory);
    int (*primitive_create)(void **primitive, const void *pd);
    int (*primitive_execute)(const void *primitive, void *stream, int n,
                             const struct cf_onednn_argument *arguments);
    int (*primitive_destroy)(void *primitive);
    int (*pd_query)(const void *pd, int what, int index, void *result);
    const void *(*pd_query_md)(const void *pd, int what, int index);
    int (*pd_destroy)(void *pd);
    int (*reorder)(void **pd, const void *from, void *from_engine, const void *to, void *to_engine,
                   const void *attributes);
    int (*md_equal)(const void *a, const void *b);
    int (*attributes_create)(void **attributes);
    /* 3.5 and later, else NULL. */
    int (*set_deterministic)(void *attributes, int value);
    int (*get_deterministic)(const void *attributes, int *value);
    /* Version 2 only. */
    int (*md_init_strides)(void *md, int n, const int64_t *dims, int type, const int64_t *strides);
    int (*md_init_tag)(void *md, int n, const int64_t *dims, int type, int tag);
    int (*iterator_create)(void **iterator, const void *op, const void *attributes, void *engine,
                           const void *hint);
    int (*iterator_next)(void *iterator);
    void *(*iterator_fetch)(const void *iterator);
    int (*iterator_destroy)(void *iterator);
    /* Version 3 only. */
    int (*md_create_strides)(void **md, int n, const int64_t *dims, int type,
                             const int64_t *strides);
    int (*md_create_tag)(void **md, int n, const int64_t *dims, int type, int tag);
    int (*md_destroy)(void *md);
    int (*pd_next)(void *pd);
};

struct cf_library {
    void *file;
    struct cf_onednn_api api;
    void *engine, *stream, *attributes;
    int deterministic;
    char kernel[16]; /* the configuration's kernel=, or "" */
};

/* A memory descriptor of either version. at() is what the library takes. */
struct cf_onednn_md {
    void *made;                    /* version 3; owned */
    _Alignas(16) char value[1024]; /* version 2: 696 bytes in 2.6 */
};
const void *cf_onednn_md_at(const struct cf_onednn_md *md);
/* 0, or a status. strides NULL: the library chooses the format. */
int cf_onednn_md_make(struct cf_library *library, struct cf_onednn_md *md, enum cf_dtype dtype,
                      int rank, const int64_t *dims, const int64_t *strides);
void cf_onednn_md_free(struct cf_library *library, struct cf_onednn_md *md);

/* What is still to be decided about a primitive: which implementation is taken. */
struct cf_onednn_choice {
    const char *word; /* a part of the implementation's name, or NULL: the library's first choice */
    int at_start;     /* the name must start with it */
};

/* A primitive being described: make() asks the library for the descriptor. Version 2 fills `op` and
 * returns a status; version 3 makes *pd. */
struct cf_onednn_description {
    int (*make)(struct cf_library *library, const void *context, char op[], void **pd);
    const void *context;
    struct cf_onednn_choice choice;
    const void *hint; /* the forward primitive descriptor, for backward ones, or NULL */
};
#define CF_ONEDNN_OP_BYTES 16384 /* 5976 are used by a convolution of 2.6 */

/* NULL when the library has no implementation that the choice accepts. */
void *cf_onednn_describe(struct cf_library *library, const struct cf_onednn_description *what);
const char *cf_onednn_implementation(struct cf_library *library, const void *pd);

/* One operand of an execution: the user's bits under the user's descriptor. The library's own
 * format is asked by `query` (0: the user's is used as it is) and reordered to and from. */
struct cf_onednn_operand {
    int arg, query, is_output;
    const struct cf_onednn_md *user;
    void *bits;
    void *memory; /* not NULL: a memory object of the caller's, used as it is; the rest unused */
};
enum cf_status cf_onednn_execute(struct cf_library *library, void *pd, int n,
                                 const struct cf_onednn_operand operands[]);

/* A memory object in the format that a primitive wants for `query`, owned by the library's
 * allocator and freed by api.memory_destroy; NULL: no memory, or the primitive has no such operand.
 */
void *cf_onednn_memory(struct cf_library *library, const void *pd, int query);

/* f32 or a type that the library computes norms and pooling in; and the layouts nchw and nhwc. */
int cf_onednn_takes(const struct cf_pairs *attributes, const struct cf_tensor in[], int n_in,
                    int *nhwc);

/* The descriptor of a tensor of rank 1, 2 or 4: dense in nchw, or nhwc. 0, or a status. */
int cf_onednn_tensor_md(struct cf_library *library, struct cf_onednn_md *md,
                        const struct cf_tensor *tensor, int nhwc);

/* A function of the library, or NULL. */
cf_onednn_function *cf_onednn_find(struct cf_library *library, const char *name);

/* Dense strides of [a, b, c, d] in the layout asked for. */
void cf_onednn_strides(int64_t strides[4], const int64_t dims[4], int nhwc);

/* "implementation.<op>": what the library takes for a common shape and the configuration's kernel.
 */
void cf_onednn_emit_implementations(struct cf_library *library,
                                    void (*emit)(void *, const char *, const char *),
                                    void *context);

/* Fills every output with +0. */
enum cf_status cf_onednn_zero(struct cf_tensor out[], int n);
int cf_onednn_is_empty(const struct cf_tensor tensors[], int n);

#endif
