/* conform-engines LIBCUDNN DEVICE.json [all]: which engines cuDNN would offer for a device that is
 * described by a file; no GPU is needed. Reads cases from stdin, one a line,
 *
 *   fwd|bwd_data|bwd_filter f32|f64|f16|bf16 nchw|nhwc n c h w k r s p q stride pad dilation groups
 *
 * and answers each with one line of JSON: {"global": N, "heuristic": [ENGINE...], "engines":
 * [ENGINE...]} or {"error": "..."}. An engine is {"engine": I, "numerical": [...], "behaviour":
 * [...]}. heuristic: in the library's order of preference (mode A); engines: all that can be used,
 * when `all` is asked. The first line is {"version": N}. What the library prints goes to stderr.
 *
 * After the call sequence of the cuDNN documentation, 9.19, "cudnn_graph Library": device
 * properties by their JSON representation, operation graph without a handle, engines finalized one
 * by one: an engine that cannot be used is not finalized. */
#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cudnn_graph_api.h"

#define DESCRIPTORS_MAX 16
#define CONFIGS_MAX     64

static struct cf_cudnn_api api;

/* One case: its geometry, and the descriptors made for it. */
struct work {
    char way[16], dtype[8], layout[8];
    long long n, c, h, w, k, r, s, p, q, stride, pad, dilation, groups;
    void *made[DESCRIPTORS_MAX];
    int n_made, failed;
    char error[400];
};

static void fail(struct work *work, const char *what, int status)
{
    char said[256] = "";

    if (work->failed)
        return;
    work->failed = 1;
    if (api.last_error)
        api.last_error(said, sizeof said);
    snprintf(work->error, sizeof work->error, "%s: %s%s%s", what,
             api.status ? api.status(status) : "refused", *said ? "; " : "", said);
}

static void *make(struct work *work, int type, const char *what)
{
    void *descriptor = NULL;
    const int status = api.create(type, &descriptor);

    if (status != CF_CUDNN_SUCCESS || work->n_made == DESCRIPTORS_MAX) {
        fail(work, what, status);
        return NULL;
    }
    work->made[work->n_made++] = descriptor;
    return descriptor;
}

static void set(struct work *work, void *descriptor, int name, int type, int64_t n,
                const void *elements, const char *what)
{
    const int status =
        work->failed ? CF_CUDNN_SUCCESS : api.set(descriptor, name, type, n, elements);

    if (status != CF_CUDNN_SUCCESS)
        fail(work, what, status);
}

static void finish(struct work *work, void *descriptor, const char *what)
{
    const int status = work->failed ? CF_CUDNN_SUCCESS : api.finalize(descriptor);

    if (status != CF_CUDNN_SUCCESS)
        fail(work, what, status);
}

static int data_type(const char *name)
{
    return strcmp(name, "f64") == 0    ? CF_CUDNN_DOUBLE
           : strcmp(name, "f16") == 0  ? CF_CUDNN_HALF
           : strcmp(name, "bf16") == 0 ? CF_CUDNN_BFLOAT16
                                       : CF_CUDNN_FLOAT;
}

/* A tensor of four dims in the order n, c, h, w, dense in the layout. */
static void *tensor(struct work *work, int64_t id, long long n, long long c, long long h,
                    long long w)
{
    const int64_t dims[4] = {n, c, h, w}, alignment = 16;
    const int64_t nchw[4] = {c * h * w, h * w, w, 1}, nhwc[4] = {c * h * w, 1, w * c, c};
    const int type = data_type(work->dtype);
    void *t = make(work, CF_CUDNN_TENSOR, "a tensor");

    set(work, t, CF_CUDNN_TENSOR_DATA_TYPE, CF_CUDNN_TYPE_DATA_TYPE, 1, &type, "a tensor's type");
    set(work, t, CF_CUDNN_TENSOR_DIMENSIONS, CF_CUDNN_TYPE_INT64, 4, dims, "a tensor's dims");
    set(work, t, CF_CUDNN_TENSOR_STRIDES, CF_CUDNN_TYPE_INT64, 4,
        strcmp(work->layout, "nhwc") == 0 ? nhwc : nchw, "a tensor's strides");
    set(work, t, CF_CUDNN_TENSOR_UNIQUE_ID, CF_CUDNN_TYPE_INT64, 1, &id, "a tensor's id");
    set(work, t, CF_CUDNN_TENSOR_BYTE_ALIGNMENT, CF_CUDNN_TYPE_INT64, 1, &alignment,
        "a tensor's alignment");
    finish(work, t, "a tensor");
    return t;
}

static void *convolution(struct work *work)
{
    const int64_t two = 2, pad[2] = {work->pad, work->pad};
    const int64_t stride[2] = {work->stride, work->stride};
    const int64_t dilation[2] = {work->dilation, work->dilation};
    const int type = data_type(work->dtype) == CF_CUDNN_DOUBLE ? CF_CUDNN_DOUBLE : CF_CUDNN_FLOAT;
    const int mode = CF_CUDNN_CROSS_CORRELATION;
    void *d = make(work, CF_CUDNN_CONVOLUTION, "a convolution");

    set(work, d, CF_CUDNN_CONVOLUTION_SPATIAL_DIMS, CF_CUDNN_TYPE_INT64, 1, &two, "dims");
    set(work, d, CF_CUDNN_CONVOLUTION_COMP_TYPE, CF_CUDNN_TYPE_DATA_TYPE, 1, &type, "type");
    set(work, d, CF_CUDNN_CONVOLUTION_CONV_MODE, CF_CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode, "mode");
    set(work, d, CF_CUDNN_CONVOLUTION_PRE_PADDINGS, CF_CUDNN_TYPE_INT64, 2, pad, "padding");
    set(work, d, CF_CUDNN_CONVOLUTION_POST_PADDINGS, CF_CUDNN_TYPE_INT64, 2, pad, "padding");
    set(work, d, CF_CUDNN_CONVOLUTION_DILATIONS, CF_CUDNN_TYPE_INT64, 2, dilation, "dilation");
    set(work, d, CF_CUDNN_CONVOLUTION_FILTER_STRIDES, CF_CUDNN_TYPE_INT64, 2, stride, "stride");
    finish(work, d, "the convolution");
    return d;
}

/* The operation of the way; its three tensors are w, x, y in the order of the attributes. */
static void *operation(struct work *work)
{
    static const struct {
        const char *way;
        int type, first;
    } ways[] = {
        {"fwd", CF_CUDNN_CONVOLUTION_FORWARD, CF_CUDNN_FORWARD_FIRST},
        {"bwd_data", CF_CUDNN_CONVOLUTION_BACKWARD_DATA, CF_CUDNN_BACKWARD_DATA_FIRST},
        {"bwd_filter", CF_CUDNN_CONVOLUTION_BACKWARD_FILTER, CF_CUDNN_BACKWARD_FILTER_FIRST}};
    const float one = 1, zero = 0;
    const double one_f64 = 1, zero_f64 = 0;
    const int wide = data_type(work->dtype) == CF_CUDNN_DOUBLE;
    const int scalar = wide ? CF_CUDNN_TYPE_DOUBLE : CF_CUDNN_TYPE_FLOAT;
    void *part[4], *op;
    int i = 0;

    while (i < 2 && strcmp(ways[i].way, work->way) != 0)
        ++i;
    part[0] = convolution(work);
    part[1] = tensor(work, 'w', work->k, work->c / work->groups, work->r, work->s);
    part[2] = tensor(work, 'x', work->n, work->c, work->h, work->w);
    part[3] = tensor(work, 'y', work->n, work->k, work->p, work->q);
    op = make(work, ways[i].type, "the operation");
    set(work, op, ways[i].first, scalar, 1, wide ? (const void *)&one_f64 : &one, "alpha");
    set(work, op, ways[i].first + 1, scalar, 1, wide ? (const void *)&zero_f64 : &zero, "beta");
    for (int k = 0; k < 4; ++k)
        set(work, op, ways[i].first + 2 + k, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part[k],
            "an operand");
    finish(work, op, "the operation");
    return op;
}

static void *graph_of(struct work *work)
{
    void *op = operation(work), *graph = make(work, CF_CUDNN_OPERATIONGRAPH, "a graph");

    set(work, graph, CF_CUDNN_OPERATIONGRAPH_OPS, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &op,
        "the graph's operation");
    finish(work, graph, "the graph");
    return graph;
}

static json_t *notes(void *engine, int attribute, int type, const char *const names[], int n_names)
{
    int note[CF_CUDNN_NOTES_MAX] = {0};
    int64_t n = 0;
    json_t *list = json_array();

    if (api.get(engine, attribute, type, CF_CUDNN_NOTES_MAX, &n, note) != CF_CUDNN_SUCCESS)
        n = 0;
    for (int64_t i = 0; i < n && i < CF_CUDNN_NOTES_MAX; ++i)
        json_array_append_new(list, note[i] >= 0 && note[i] < n_names
                                        ? json_string(names[note[i]])
                                        : json_sprintf("NOTE_%d", note[i]));
    return list;
}

static json_t *describe(void *engine)
{
    static const char *const numerical[] = CF_CUDNN_NUMERICAL_NOTES;
    static const char *const behaviour[] = CF_CUDNN_BEHAVIOR_NOTES;
    int64_t index = -1, n = 0;

    api.get(engine, CF_CUDNN_ENGINE_GLOBAL_INDEX, CF_CUDNN_TYPE_INT64, 1, &n, &index);
    return json_pack("{s:I, s:o, s:o}", "engine", (json_int_t)index, "numerical",
                     notes(engine, CF_CUDNN_ENGINE_NUMERICAL_NOTE, CF_CUDNN_TYPE_NUMERICAL_NOTE,
                           numerical, (int)(sizeof numerical / sizeof numerical[0])),
                     "behaviour",
                     notes(engine, CF_CUDNN_ENGINE_BEHAVIOR_NOTE, CF_CUDNN_TYPE_BEHAVIOR_NOTE,
                           behaviour, (int)(sizeof behaviour / sizeof behaviour[0])));
}

/* The engines of the configurations that the heuristic returns, each engine once. */
static json_t *read_configs(void *heuristic)
{
    void *config[CONFIGS_MAX] = {NULL};
    json_t *list = json_array();
    int64_t n = 0, got, seen[CONFIGS_MAX];
    int n_seen = 0;

    for (int i = 0; i < CONFIGS_MAX; ++i)
        api.create(CF_CUDNN_ENGINECFG, &config[i]);
    if (api.get(heuristic, CF_CUDNN_ENGINEHEUR_RESULTS, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR,
                CONFIGS_MAX, &n, config) != CF_CUDNN_SUCCESS)
        n = 0;
    for (int64_t i = 0; i < n && i < CONFIGS_MAX; ++i) {
        void *engine = NULL;
        int64_t index = -1;
        int known = 0;

        api.create(CF_CUDNN_ENGINE, &engine);
        if (api.get(config[i], CF_CUDNN_ENGINECFG_ENGINE, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &got,
                    &engine) == CF_CUDNN_SUCCESS) {
            api.get(engine, CF_CUDNN_ENGINE_GLOBAL_INDEX, CF_CUDNN_TYPE_INT64, 1, &got, &index);
            for (int k = 0; k < n_seen; ++k)
                known |= seen[k] == index;
            seen[n_seen] = index;
            n_seen += !known;
            if (!known)
                json_array_append_new(list, describe(engine));
        }
        api.destroy(engine);
    }
    for (int i = 0; i < CONFIGS_MAX; ++i)
        api.destroy(config[i]);
    return list;
}

static json_t *heuristic_of(struct work *work, void *graph, void *device)
{
    const int mode = CF_CUDNN_HEUR_MODE_A;
    void *heuristic = make(work, CF_CUDNN_ENGINEHEUR, "the heuristic");

    set(work, heuristic, CF_CUDNN_ENGINEHEUR_OPERATION_GRAPH, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
        &graph, "the heuristic's graph");
    set(work, heuristic, CF_CUDNN_ENGINEHEUR_MODE, CF_CUDNN_TYPE_HEUR_MODE, 1, &mode,
        "the heuristic's mode");
    set(work, heuristic, CF_CUDNN_ENGINEHEUR_DEVICEPROP, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
        &device, "the heuristic's device");
    finish(work, heuristic, "the heuristic");
    return work->failed ? json_array() : read_configs(heuristic);
}

/* Every engine that can be finalized on this device. */
static json_t *usable(void *graph, void *device, int64_t global)
{
    json_t *list = json_array();

    for (int64_t i = 0; i < global; ++i) {
        void *engine = NULL;

        if (api.create(CF_CUDNN_ENGINE, &engine) != CF_CUDNN_SUCCESS)
            continue;
        if (api.set(engine, CF_CUDNN_ENGINE_OPERATION_GRAPH, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                    &graph) == CF_CUDNN_SUCCESS &&
            api.set(engine, CF_CUDNN_ENGINE_GLOBAL_INDEX, CF_CUDNN_TYPE_INT64, 1, &i) ==
                CF_CUDNN_SUCCESS &&
            api.set(engine, CF_CUDNN_ENGINE_DEVICEPROP, CF_CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                    &device) == CF_CUDNN_SUCCESS &&
            api.finalize(engine) == CF_CUDNN_SUCCESS)
            json_array_append_new(list, describe(engine));
        api.destroy(engine);
    }
    return list;
}

static json_t *answer(const char *line, void *device, int all)
{
    struct work work = {.n_made = 0};
    int64_t global = 0, n = 0;
    void *graph;
    json_t *heuristic, *answer;

    if (sscanf(line,
               "%15s %7s %7s %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld",
               work.way, work.dtype, work.layout, &work.n, &work.c, &work.h, &work.w, &work.k,
               &work.r, &work.s, &work.p, &work.q, &work.stride, &work.pad, &work.dilation,
               &work.groups) != 16 ||
        work.groups < 1)
        return json_pack("{s:s}", "error", "the line is no case");
    graph = graph_of(&work);
    if (!work.failed)
        api.get(graph, CF_CUDNN_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, CF_CUDNN_TYPE_INT64, 1, &n,
                &global);
    heuristic = work.failed ? json_array() : heuristic_of(&work, graph, device);
    if (work.failed) {
        answer = json_pack("{s:s}", "error", work.error);
        json_decref(heuristic);
    } else {
        answer = json_pack("{s:I, s:o}", "global", (json_int_t)global, "heuristic", heuristic);
    }
    if (all && !work.failed)
        json_object_set_new(answer, "engines", usable(graph, device, global));
    while (work.n_made > 0)
        api.destroy(work.made[--work.n_made]);
    return answer;
}

static void put(FILE *out, json_t *value)
{
    json_dumpf(value, out, JSON_COMPACT | JSON_SORT_KEYS);
    putc('\n', out);
    fflush(out);
    json_decref(value);
}

static int bind(void *library)
{
    static const struct {
        const char *name;
        size_t offset;
        int needed;
    } functions[] = {{"cudnnGetVersion", offsetof(struct cf_cudnn_api, version), 1},
                     {"cudnnBackendCreateDescriptor", offsetof(struct cf_cudnn_api, create), 1},
                     {"cudnnBackendDestroyDescriptor", offsetof(struct cf_cudnn_api, destroy), 1},
                     {"cudnnBackendFinalize", offsetof(struct cf_cudnn_api, finalize), 1},
                     {"cudnnBackendSetAttribute", offsetof(struct cf_cudnn_api, set), 1},
                     {"cudnnBackendGetAttribute", offsetof(struct cf_cudnn_api, get), 1},
                     {"cudnnGetErrorString", offsetof(struct cf_cudnn_api, status), 0},
                     {"cudnnGetLastErrorString", offsetof(struct cf_cudnn_api, last_error), 0}};

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
        void *symbol = dlsym(library, functions[i].name);

        if (!symbol && functions[i].needed)
            return -1;
        memcpy((char *)&api + functions[i].offset, &symbol, sizeof symbol);
    }
    return 0;
}

/* The file's text as one line without blanks between words; NULL: no JSON. The caller frees. */
static char *read_device(const char *path)
{
    json_t *device = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    char *text = device ? json_dumps(device, JSON_COMPACT) : NULL;

    json_decref(device);
    return text;
}

static void *make_device(const char *text, struct work *work)
{
    void *device = make(work, CF_CUDNN_DEVICEPROP, "device properties");

    set(work, device, CF_CUDNN_DEVICEPROP_JSON_REPRESENTATION, CF_CUDNN_TYPE_CHAR,
        (int64_t)strlen(text), text, "the device's description");
    finish(work, device, "the device's description");
    return device;
}

static int refuse(FILE *out, const char *why, const char *detail)
{
    put(out, json_pack("{s:o}", "error", json_sprintf("%s%s", why, detail)));
    return 3;
}

int main(int argc, char **argv)
{
    const int answers = dup(STDOUT_FILENO);
    FILE *out = answers >= 0 ? fdopen(answers, "w") : NULL;
    struct work work = {.n_made = 0};
    char line[512], *text;
    void *library, *device;

    if (!out || argc < 3 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return 2;
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return refuse(out, "", dlerror());
    if (bind(library) != 0)
        return refuse(out, argv[1], " is no cuDNN 9 with the graph API");
    text = read_device(argv[2]);
    if (!text)
        return refuse(out, argv[2], " is no JSON");
    device = make_device(text, &work);
    free(text);
    if (work.failed)
        return refuse(out, "cuDNN takes no description of a device: ", work.error);
    put(out, json_pack("{s:I}", "version", (json_int_t)api.version()));
    while (fgets(line, sizeof line, stdin))
        put(out, answer(line, device, argc > 3 && strcmp(argv[3], "all") == 0));
    return fclose(out) == 0 ? 0 : 3;
}
