#include "onednn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which versions must have a function. */
enum need { ALWAYS, IN_2, IN_3, PERHAPS };

#define FUNCTION(member, symbol, need)                                                             \
    {                                                                                              \
        "dnnl_" symbol, offsetof(struct cf_onednn_api, member), need                               \
    }
static const struct {
    const char *symbol;
    size_t offset;
    enum need need;
} functions[] = {
    FUNCTION(version, "version", ALWAYS),
    FUNCTION(effective_isa, "get_effective_cpu_isa", ALWAYS),
    FUNCTION(engine_create, "engine_create", ALWAYS),
    FUNCTION(stream_create, "stream_create", ALWAYS),
    FUNCTION(stream_wait, "stream_wait", ALWAYS),
    FUNCTION(memory_create, "memory_create", ALWAYS),
    FUNCTION(memory_destroy, "memory_destroy", ALWAYS),
    FUNCTION(primitive_create, "primitive_create", ALWAYS),
    FUNCTION(primitive_execute, "primitive_execute", ALWAYS),
    FUNCTION(primitive_destroy, "primitive_destroy", ALWAYS),
    FUNCTION(pd_query, "primitive_desc_query", ALWAYS),
    FUNCTION(pd_query_md, "primitive_desc_query_md", ALWAYS),
    FUNCTION(pd_destroy, "primitive_desc_destroy", ALWAYS),
    FUNCTION(reorder, "reorder_primitive_desc_create", ALWAYS),
    FUNCTION(md_equal, "memory_desc_equal", ALWAYS),
    FUNCTION(attributes_create, "primitive_attr_create", ALWAYS),
    FUNCTION(set_deterministic, "primitive_attr_set_deterministic", PERHAPS),
    FUNCTION(get_deterministic, "primitive_attr_get_deterministic", PERHAPS),
    FUNCTION(md_init_strides, "memory_desc_init_by_strides", IN_2),
    FUNCTION(md_init_tag, "memory_desc_init_by_tag", IN_2),
    FUNCTION(iterator_create, "primitive_desc_iterator_create", IN_2),
    FUNCTION(iterator_next, "primitive_desc_iterator_next", IN_2),
    FUNCTION(iterator_fetch, "primitive_desc_iterator_fetch", IN_2),
    FUNCTION(iterator_destroy, "primitive_desc_iterator_destroy", IN_2),
    FUNCTION(md_create_strides, "memory_desc_create_with_strides", IN_3),
    FUNCTION(md_create_tag, "memory_desc_create_with_tag", IN_3),
    FUNCTION(md_destroy, "memory_desc_destroy", IN_3),
    FUNCTION(pd_next, "primitive_desc_next_impl", IN_3),
};

static const struct {
    unsigned value;
    const char *word; /* of ONEDNN_MAX_CPU_ISA */
} isas[] = {{0x1, "SSE41"},
            {0x3, "AVX"},
            {0x7, "AVX2"},
            {0xf, "AVX2_VNNI"},
            {0x1f, "AVX2_VNNI_2"},
            {0x27, "AVX512_CORE"},
            {0x67, "AVX512_CORE_VNNI"},
            {0xe7, "AVX512_CORE_BF16"},
            {0x1ef, "AVX512_CORE_FP16"},
            {0xfef, "AVX512_CORE_AMX"},
            {0x1fef, "AVX512_CORE_AMX_FP16"}};

/* -1 and a sentence when a function is missing, or the version is neither 2 nor 3. */
static int bind(struct cf_library *library, const char *path, struct cf_error *err)
{
    int major = 0;

    for (int i = 0; i < CF_COUNT(functions); ++i) {
        void *symbol = dlsym(library->file, functions[i].symbol);
        const enum need need = functions[i].need;

        if (!symbol &&
            (need == ALWAYS || (need == IN_2 && major == 2) || (need == IN_3 && major == 3)))
            return cf_fail(err, "%s has no %s: it is no oneDNN 2 or 3", path, functions[i].symbol);
        memcpy((char *)&library->api + functions[i].offset, &symbol, sizeof symbol);
        if (i == 0)
            major = library->api.version()->major;
        if (major != 2 && major != 3)
            return cf_fail(err, "%s is oneDNN %d; versions 2 and 3 are known", path, major);
    }
    return 0;
}

static int set_flags(struct cf_library *library, const char *flags, struct cf_error *err)
{
    const struct cf_onednn_version *v = library->api.version();

    if (!flags)
        return 0;
    if (strcmp(flags, "deterministic") != 0)
        return cf_fail_with(err, 3, "flags=%s: oneDNN knows only flags=deterministic", flags);
    if (!library->api.set_deterministic)
        return cf_fail_with(err, 3,
                            "oneDNN %d.%d has no deterministic attribute; it came with 3.5, so "
                            "leave out flags=deterministic",
                            v->major, v->minor);
    if (library->api.set_deterministic(library->attributes, 1) != CF_ONEDNN_OK ||
        library->api.get_deterministic(library->attributes, &library->deterministic) !=
            CF_ONEDNN_OK)
        return cf_fail_with(err, 3, "oneDNN refused its deterministic attribute");
    return 0;
}

static int start(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *path = cf_pairs_get(keys, "lib"), *kernel = cf_pairs_get(keys, "kernel");

    snprintf(library->kernel, sizeof library->kernel, "%s", kernel ? kernel : "");
    if (!path)
        return cf_fail(err, "onednn needs lib=, the path of a libdnnl.so");
    if (path[0] != '/')
        return cf_fail(err, "lib=%s is no absolute path; libraries are never searched for", path);
    library->file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library->file)
        return cf_fail(err, "%s", dlerror());
    if (bind(library, path, err) != 0)
        return -1;
    if (library->api.engine_create(&library->engine, CF_ONEDNN_CPU, 0) != CF_ONEDNN_OK ||
        library->api.stream_create(&library->stream, library->engine, 1) != CF_ONEDNN_OK ||
        library->api.attributes_create(&library->attributes) != CF_ONEDNN_OK)
        return cf_fail(err, "%s gives no CPU engine", path);
    return set_flags(library, cf_pairs_get(keys, "flags"), err);
}

static struct cf_library *open_onednn(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library = cf_alloc_zero(sizeof *library);

    if (start(library, keys, err) == 0)
        return library;
    free(library); /* the file stays mapped: a library that was started cannot be unloaded safely */
    return NULL;
}

static void close_onednn(struct cf_library *library)
{
    free(library);
}

/* The OpenMP that the library brought along answers for its threads. */
static void emit_threads(struct cf_library *library,
                         void (*emit)(void *, const char *, const char *), void *context)
{
    int (*threads)(void);
    char text[24];
    void *symbol = dlsym(library->file, "omp_get_max_threads");

    if (!symbol)
        return;
    memcpy(&threads, &symbol, sizeof threads);
    snprintf(text, sizeof text, "%d", threads());
    emit(context, "threads", text);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    const struct cf_onednn_version *v = library->api.version();
    const unsigned isa = (unsigned)library->api.effective_isa();
    char text[64];

    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    emit(context, "internal_api", "onednn");
    emit(context, "version", text);
    emit(context, "hash", v->hash);
    snprintf(text, sizeof text, "0x%x", isa);
    for (int i = 0; i < CF_COUNT(isas); ++i)
        if (isas[i].value == isa)
            snprintf(text, sizeof text, "%s", isas[i].word);
    emit(context, "isa", text);
    if (library->api.get_deterministic)
        emit(context, "deterministic", library->deterministic ? "1" : "0");
    if (library->deterministic)
        emit(context, "flags", "deterministic");
    emit_threads(library, emit, context);
    cf_onednn_emit_implementations(library, emit, context);
}

const struct cf_backend cf_backend_onednn = {.name = "onednn",
                                             .why = "oneDNN's primitives, by path",
                                             .kernel = "direct",
                                             .open = open_onednn,
                                             .close = close_onednn,
                                             .state = state};
