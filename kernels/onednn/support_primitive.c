#include "onednn.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int type_of(enum cf_dtype dtype)
{
    static const int types[] = {
        [CF_F64] = 7, [CF_F32] = 3, [CF_F16] = 1, [CF_BF16] = 2}; /* dnnl_f64 exists from 3.0 */

    return types[dtype];
}

const void *cf_onednn_md_at(const struct cf_onednn_md *md)
{
    return md->made ? md->made : md->value;
}

int cf_onednn_md_make(struct cf_library *library, struct cf_onednn_md *md, enum cf_dtype dtype,
                      int rank, const int64_t *dims, const int64_t *strides)
{
    const struct cf_onednn_api *api = &library->api;
    const int type = type_of(dtype);

    memset(md, 0, sizeof *md);
    if (api->version()->major == 3)
        return strides ? api->md_create_strides(&md->made, rank, dims, type, strides)
                       : api->md_create_tag(&md->made, rank, dims, type, CF_ONEDNN_TAG_ANY);
    if (dtype == CF_F64)
        return -1;
    return strides ? api->md_init_strides(md->value, rank, dims, type, strides)
                   : api->md_init_tag(md->value, rank, dims, type, CF_ONEDNN_TAG_ANY);
}

void cf_onednn_md_free(struct cf_library *library, struct cf_onednn_md *md)
{
    if (md->made)
        library->api.md_destroy(md->made);
    md->made = NULL;
}

const char *cf_onednn_implementation(struct cf_library *library, const void *pd)
{
    const char *name = NULL;

    return library->api.pd_query(pd, CF_ONEDNN_QUERY_IMPLEMENTATION, 0, &name) == CF_ONEDNN_OK &&
                   name
               ? name
               : "";
}

static int accepts(struct cf_library *library, const struct cf_onednn_choice *choice,
                   const void *pd)
{
    const char *name = cf_onednn_implementation(library, pd), *at;

    if (!choice->word)
        return 1;
    at = strstr(name, choice->word);
    return at && (!choice->at_start || at == name);
}

static void *describe_2(struct cf_library *library, const struct cf_onednn_description *what)
{
    const struct cf_onednn_api *api = &library->api;
    char *op = cf_alloc_zero(CF_ONEDNN_OP_BYTES);
    void *iterator = NULL, *found = NULL;

    if (what->make(library, what->context, op, NULL) == CF_ONEDNN_OK &&
        api->iterator_create(&iterator, op, library->attributes, library->engine, what->hint) ==
            CF_ONEDNN_OK) {
        int status = CF_ONEDNN_OK;

        while (!found && status == CF_ONEDNN_OK) {
            found = api->iterator_fetch(iterator);
            if (found && !accepts(library, &what->choice, found)) {
                api->pd_destroy(found);
                found = NULL;
            }
            status = api->iterator_next(iterator);
        }
        api->iterator_destroy(iterator);
    }
    free(op);
    return found;
}

static void *describe_3(struct cf_library *library, const struct cf_onednn_description *what)
{
    void *pd = NULL;

    if (what->make(library, what->context, NULL, &pd) != CF_ONEDNN_OK || !pd)
        return NULL;
    while (!accepts(library, &what->choice, pd))
        if (library->api.pd_next(pd) != CF_ONEDNN_OK) {
            library->api.pd_destroy(pd);
            return NULL;
        }
    return pd;
}

void *cf_onednn_describe(struct cf_library *library, const struct cf_onednn_description *what)
{
    return library->api.version()->major == 2 ? describe_2(library, what)
                                              : describe_3(library, what);
}

cf_onednn_function *cf_onednn_find(struct cf_library *library, const char *name)
{
    cf_onednn_function *function;
    void *symbol = dlsym(library->file, name);

    memcpy(&function, &symbol, sizeof function);
    return function;
}

/* Executes one primitive of two memories or more; the primitive descriptor stays the caller's. */
static int execute(struct cf_library *library, const void *pd, int n,
                   const struct cf_onednn_argument *arguments)
{
    void *primitive = NULL;
    int status = library->api.primitive_create(&primitive, pd);

    if (status != CF_ONEDNN_OK)
        return status;
    status = library->api.primitive_execute(primitive, library->stream, n, arguments);
    if (status == CF_ONEDNN_OK)
        status = library->api.stream_wait(library->stream);
    library->api.primitive_destroy(primitive);
    return status;
}

static int reorder(struct cf_library *library, const void *from_md, void *from, const void *to_md,
                   void *to)
{
    const struct cf_onednn_argument arguments[] = {{CF_ONEDNN_SRC, from}, {CF_ONEDNN_DST, to}};
    void *pd = NULL;
    int status = library->api.reorder(&pd, from_md, library->engine, to_md, library->engine, NULL);

    if (status != CF_ONEDNN_OK)
        return status;
    status = execute(library, pd, 2, arguments);
    library->api.pd_destroy(pd);
    return status;
}

/* One operand while it is used: the user's memory, and the library's where its format is another.
 */
struct held {
    void *user, *own;
    const void *own_md;
};

static int hold(struct cf_library *library, struct held *held, const void *pd,
                const struct cf_onednn_operand *operand)
{
    const struct cf_onednn_api *api = &library->api;
    const void *md;
    int status;

    if (operand->memory)
        return CF_ONEDNN_OK;
    md = cf_onednn_md_at(operand->user);
    status = api->memory_create(&held->user, md, library->engine, operand->bits);
    held->own_md = operand->query ? api->pd_query_md(pd, operand->query, 0) : NULL;
    if (status != CF_ONEDNN_OK || !held->own_md || api->md_equal(md, held->own_md))
        return status;
    /* All ones, DNNL_MEMORY_ALLOCATE: the library owns the bits. */
    status = api->memory_create(&held->own, held->own_md, library->engine, (void *)UINTPTR_MAX);
    if (status == CF_ONEDNN_OK && !operand->is_output)
        status = reorder(library, md, held->user, held->own_md, held->own);
    return status;
}

static int run_held(struct cf_library *library, void *pd, int n,
                    const struct cf_onednn_operand operands[], struct held held[])
{
    struct cf_onednn_argument arguments[CF_ONEDNN_DIMS] = {{0}};
    int status = CF_ONEDNN_OK;

    for (int i = 0; i < n && status == CF_ONEDNN_OK; ++i) {
        status = hold(library, &held[i], pd, &operands[i]);
        void *own = held[i].own ? held[i].own : held[i].user;
        arguments[i] = (struct cf_onednn_argument){operands[i].arg,
                                                   operands[i].memory ? operands[i].memory : own};
    }
    if (status == CF_ONEDNN_OK)
        status = execute(library, pd, n, arguments);
    for (int i = 0; i < n && status == CF_ONEDNN_OK; ++i)
        if (operands[i].is_output && held[i].own)
            status = reorder(library, held[i].own_md, held[i].own,
                             cf_onednn_md_at(operands[i].user), held[i].user);
    return status;
}

enum cf_status cf_onednn_execute(struct cf_library *library, void *pd, int n,
                                 const struct cf_onednn_operand operands[])
{
    struct held held[CF_ONEDNN_DIMS] = {{0}};
    int status;

    CF_CHECK(n <= CF_ONEDNN_DIMS);
    cf_chose("implementation", "%s", cf_onednn_implementation(library, pd));
    status = run_held(library, pd, n, operands, held);
    for (int i = 0; i < n; ++i) {
        if (held[i].own)
            library->api.memory_destroy(held[i].own);
        if (held[i].user)
            library->api.memory_destroy(held[i].user);
    }
    return status == CF_ONEDNN_OK              ? CF_DONE
           : status == CF_ONEDNN_OUT_OF_MEMORY ? CF_NO_MEMORY
                                               : CF_BROKEN;
}

void cf_onednn_strides(int64_t strides[4], const int64_t dims[4], int nhwc)
{
    const int64_t b = dims[1], c = dims[2], d = dims[3];
    const int64_t nchw_strides[] = {b * c * d, c * d, d, 1};
    const int64_t nhwc_strides[] = {b * c * d, 1, d * b, b};

    memcpy(strides, nhwc ? nhwc_strides : nchw_strides, sizeof nchw_strides);
}

void *cf_onednn_memory(struct cf_library *library, const void *pd, int query)
{
    const void *md = library->api.pd_query_md(pd, query, 0);
    void *memory = NULL;

    if (!md || library->api.memory_create(&memory, md, library->engine, (void *)UINTPTR_MAX) !=
                   CF_ONEDNN_OK)
        return NULL;
    return memory;
}

int cf_onednn_takes(const struct cf_pairs *attributes, const struct cf_tensor in[], int n_in,
                    int *nhwc)
{
    const char *layout = cf_pairs_get(attributes, "layout");

    for (int i = 0; i < n_in; ++i)
        if (in[i].dtype != CF_F32)
            return 0;
    *nhwc = layout && strcmp(layout, "nhwc") == 0;
    return !layout || *nhwc || strcmp(layout, "nchw") == 0;
}

int cf_onednn_tensor_md(struct cf_library *library, struct cf_onednn_md *md,
                        const struct cf_tensor *tensor, int nhwc)
{
    int64_t strides[4] = {1, 1, 1, 1};

    if (tensor->rank == 4)
        cf_onednn_strides(strides, tensor->dim, nhwc);
    else if (tensor->rank == 2)
        strides[0] = tensor->dim[1];
    return cf_onednn_md_make(library, md, tensor->dtype, tensor->rank, tensor->dim, strides);
}

int cf_onednn_is_empty(const struct cf_tensor tensors[], int n)
{
    for (int i = 0; i < n; ++i)
        if (cf_tensor_count(&tensors[i]) == 0)
            return 1;
    return 0;
}

enum cf_status cf_onednn_zero(struct cf_tensor out[], int n)
{
    for (int i = 0; i < n; ++i)
        memset(out[i].bits, 0, cf_tensor_bytes(&out[i]));
    return CF_DONE;
}
