/* conv2d by the backend (graph) API. Kernels:
 *   heuristic      what the heuristic of mode A names first
 *   deterministic  its first engine without the note NONDETERMINISTIC: PyTorch's rule for
 *                  deterministic algorithms (aten/src/ATen/native/cudnn/Conv_v8.cpp)
 *   engine         the engine of flags=engine:N, by global index
 * The engine, its numerical notes and its knobs are in the record. What does not finalize is not
 * offered: cudnnBackendFinalize is cuDNN's own check for support. */
#include <string.h>

#include "cudnn.h"

/* cudnnBackendAttributeType_t, ...DescriptorType_t, ...AttributeName_t of cudnn_graph.h 9.19. */
enum {
    HANDLE,
    DATA_TYPE,
    INT64 = 3,
    FLOAT = 4,
    DOUBLE = 5,
    POINTER = 6,
    CONV_MODE = 7,
    HEUR_MODE = 8,
    KNOB_TYPE = 9,
    NOTE = 11,
    DESCRIPTOR = 15,
    CHARS = 24
};
enum {
    CONVOLUTION = 1,
    ENGINE = 2,
    CONFIG = 3,
    HEURISTIC = 4,
    PLAN = 5,
    KNOB = 7,
    OPERATION_FWD = 10,
    OPERATION_FILTER = 11,
    OPERATION_DATA = 12,
    GRAPH = 15,
    PACK = 16,
    TENSOR = 17
};
enum { MODE_A = 3, NONDETERMINISTIC = 4, TENSOR_CORE = 0, DOWN_CONVERT = 1, NOTES = 10 };

static const char *const note_names[NOTES] = {"TENSOR_CORE",
                                              "DOWN_CONVERT_INPUTS",
                                              "REDUCED_PRECISION_REDUCTION",
                                              "FFT",
                                              "NONDETERMINISTIC",
                                              "WINOGRAD",
                                              "WINOGRAD_TILE_4x4",
                                              "WINOGRAD_TILE_6x6",
                                              "WINOGRAD_TILE_13x13",
                                              "STRICT_NAN_PROP"};

enum choice { BEST, DETERMINISTIC, BY_INDEX };

#define KNOBS   32
#define MADE    200 /* descriptors of one call */
#define CONFIGS 40  /* results of the heuristic that are looked at */

struct job {
    struct cf_library *library;
    enum cf_way way;
    struct cf_window g;
    enum cf_dtype in, out;
    enum choice choice;
    void *made[MADE];
    int n_made, status; /* the first failure; everything after it does nothing */
};

static void *make(struct job *job, int type)
{
    void *desc = NULL;

    if (job->status != 0)
        return NULL;
    CF_CHECK(job->n_made < MADE);
    job->status = job->library->api.make(type, &desc);
    if (job->status == 0)
        job->made[job->n_made++] = desc;
    return desc;
}

static void set(struct job *job, void *desc, int attribute, int type, int64_t n, const void *values)
{
    if (job->status == 0)
        job->status = job->library->api.set(desc, attribute, type, n, values);
}

static void set_desc(struct job *job, void *desc, int attribute, void *value)
{
    set(job, desc, attribute, DESCRIPTOR, 1, &value);
}

static void finalize(struct job *job, void *desc)
{
    if (job->status == 0)
        job->status = job->library->api.finalize(desc);
}

static void forget(struct job *job)
{
    while (job->n_made > 0)
        job->library->api.unmake(job->made[--job->n_made]);
}

/* Dense tensor number `id` (its operand: 0 x, 1 w, 2 y). */
static void *tensor(struct job *job, int64_t id, const int64_t dim[4])
{
    const enum cf_dtype dtype = id == cf_cudnn_role[job->way][2] ? job->out : job->in;
    const int type = cf_cudnn_type(dtype);
    const int64_t plain[4] = {dim[1] * dim[2] * dim[3], dim[2] * dim[3], dim[3], 1};
    const int64_t last[4] = {dim[1] * dim[2] * dim[3], 1, dim[3] * dim[1], dim[1]};
    const int64_t *const stride = job->g.nhwc ? last : plain;
    const int64_t alignment = job->library->gpu.align % 16 == 0 ? 16 : 4;
    void *desc = make(job, TENSOR);

    set(job, desc, 901, DATA_TYPE, 1, &type);
    set(job, desc, 902, INT64, 4, dim);
    set(job, desc, 903, INT64, 4, stride);
    set(job, desc, 906, INT64, 1, &id);
    set(job, desc, 900, INT64, 1, &alignment);
    finalize(job, desc);
    return desc;
}

static void *convolution(struct job *job)
{
    const struct cf_window *g = &job->g;
    const int64_t two = 2, pad[2] = {g->pad, g->pad}, stride[2] = {g->stride, g->stride};
    const int64_t dilation[2] = {g->dilation, g->dilation};
    const int compute = job->in == CF_F64 ? CF_CUDNN_DOUBLE : CF_CUDNN_FLOAT, cross = 1;
    void *desc = make(job, CONVOLUTION);

    set(job, desc, 100, DATA_TYPE, 1, &compute);
    set(job, desc, 101, CONV_MODE, 1, &cross);
    set(job, desc, 102, INT64, 2, dilation);
    set(job, desc, 103, INT64, 2, stride);
    set(job, desc, 104, INT64, 2, pad);
    set(job, desc, 105, INT64, 2, pad);
    set(job, desc, 106, INT64, 1, &two);
    finalize(job, desc);
    return desc;
}

/* The operation graph: one convolution. */
static void *graph(struct job *job)
{
    static const int types[3] = {OPERATION_FWD, OPERATION_DATA, OPERATION_FILTER};
    /* The attribute of x, w, y; alpha, beta and the convolution come before them. */
    static const int first[3] = {700, 706, 712};
    static const int role[3][3] = {{704, 703, 705}, {710, 709, 711}, {716, 715, 717}};
    const struct cf_window *g = &job->g;
    const int64_t x[4] = {g->n, g->c, g->h, g->w}, y[4] = {g->n, g->k, g->p, g->q};
    const int64_t w[4] = {g->k, g->c / g->groups, g->r, g->s};
    const int64_t *const dims[3] = {x, w, y};
    const int scale = job->in == CF_F64 ? DOUBLE : FLOAT;
    void *operation, *desc, *conv = convolution(job), *operand[3];

    for (int i = 0; i < 3; ++i)
        operand[i] = tensor(job, i, dims[i]);
    operation = make(job, types[job->way]);
    set(job, operation, first[job->way], scale, 1, cf_cudnn_one(job->in));
    set(job, operation, first[job->way] + 1, scale, 1, cf_cudnn_zero(job->in));
    set_desc(job, operation, first[job->way] + 2, conv);
    for (int i = 0; i < 3; ++i)
        set_desc(job, operation, role[job->way][i], operand[i]);
    finalize(job, operation);
    desc = make(job, GRAPH);
    set(job, desc, 800, HANDLE, 1, &job->library->handle);
    set_desc(job, desc, 801, operation);
    finalize(job, desc);
    return desc;
}

/* The numerical notes of an engine, as bits. */
static unsigned notes_of(struct job *job, void *engine)
{
    int note[NOTES];
    int64_t n = 0;
    unsigned bits = 0;

    if (job->status == 0)
        job->status = job->library->api.get(engine, 1303, NOTE, NOTES, &n, note);
    for (int64_t i = 0; job->status == 0 && i < n && i < NOTES; ++i)
        if (note[i] >= 0 && note[i] < NOTES)
            bits |= 1u << note[i];
    return bits;
}

/* The knobs that a configuration of an engine sets; an answer that is none leaves them unsaid. */
static void tell_knobs(struct job *job, void *config)
{
    const struct cf_cudnn_api *api = &job->library->api;
    void *knob[KNOBS];
    int64_t n = 0;

    for (int i = 0; i < KNOBS; ++i)
        knob[i] = make(job, KNOB);
    if (job->status != 0 || api->get(config, 302, DESCRIPTOR, KNOBS, &n, knob) != 0)
        return;
    for (int64_t i = 0; i < n && i < KNOBS; ++i) {
        int64_t one, value = 0;
        int type = -1;

        if (api->get(knob[i], 600, KNOB_TYPE, 1, &one, &type) == 0 &&
            api->get(knob[i], 601, INT64, 1, &one, &value) == 0)
            cf_chose("knobs", "%d:%lld", type, (long long)value);
    }
}

static void tell(struct job *job, void *config, void *engine, unsigned notes)
{
    int64_t index = -1, n;

    job->library->api.get(engine, 1301, INT64, 1, &n, &index);
    cf_chose("engine", "%lld", (long long)index);
    for (int i = 0; i < NOTES; ++i)
        if (notes & 1u << i)
            cf_chose("numerical_notes", "%s", note_names[i]);
    if (notes == 0)
        cf_chose("numerical_notes", "none");
    tell_knobs(job, config);
}

static int is_wanted(const struct job *job, unsigned notes)
{
    const unsigned narrow = 1u << TENSOR_CORE | 1u << DOWN_CONVERT;

    if (job->choice == DETERMINISTIC && notes & 1u << NONDETERMINISTIC)
        return 0;
    return !(job->in == CF_F32 && cf_gpu_flag(job->library->keys, "tf32", 1) == 0 &&
             notes & narrow);
}

/* A plan of an engine configuration; NULL where it does not finalize. */
static void *plan_of(struct job *job, void *config)
{
    void *plan = make(job, PLAN);

    set(job, plan, 400, HANDLE, 1, &job->library->handle);
    set_desc(job, plan, 401, config);
    finalize(job, plan);
    return job->status == 0 ? plan : NULL;
}

/* The first configuration of the heuristic that is wanted and can be planned. */
static void *plan_by_heuristic(struct job *job, void *op_graph)
{
    const struct cf_cudnn_api *api = &job->library->api;
    const int mode = MODE_A;
    void *heuristic = make(job, HEURISTIC), *config[CONFIGS], *plan = NULL;
    int64_t n = 0, one;

    set_desc(job, heuristic, 201, op_graph);
    set(job, heuristic, 200, HEUR_MODE, 1, &mode);
    finalize(job, heuristic);
    for (int i = 0; i < CONFIGS; ++i)
        config[i] = make(job, CONFIG);
    if (job->status == 0)
        job->status = api->get(heuristic, 202, DESCRIPTOR, CONFIGS, &n, config);
    for (int64_t i = 0; job->status == 0 && !plan && i < n && i < CONFIGS; ++i) {
        void *engine = make(job, ENGINE);
        unsigned notes;

        if (job->status != 0)
            break;
        job->status = api->get(config[i], 300, DESCRIPTOR, 1, &one, &engine);
        notes = notes_of(job, engine);
        if (job->status != 0 || !is_wanted(job, notes))
            continue;
        plan = plan_of(job, config[i]);
        if (plan)
            tell(job, config[i], engine, notes);
        else if (job->status >= CF_CUDNN_UNSUPPORTED && job->status < CF_CUDNN_INTERNAL)
            job->status = 0; /* the next one may be supported */
    }
    if (job->status == 0 && !plan)
        job->status = CF_CUDNN_UNSUPPORTED;
    return plan;
}

static void *plan_by_index(struct job *job, void *op_graph)
{
    const struct cf_pairs *keys = job->library->keys;
    const int64_t index = cf_gpu_flag(keys, "engine", -1), value = cf_gpu_flag(keys, "value", 0);
    const int64_t knob_type = cf_gpu_flag(keys, "knob", -1);
    const int type = (int)knob_type;
    void *engine = make(job, ENGINE), *config, *knob, *plan;

    if (index < 0)
        job->status = CF_CUDNN_UNSUPPORTED;
    set_desc(job, engine, 1300, op_graph);
    set(job, engine, 1301, INT64, 1, &index);
    finalize(job, engine);
    config = make(job, CONFIG);
    set_desc(job, config, 300, engine);
    if (knob_type >= 0) {
        knob = make(job, KNOB);
        set(job, knob, 600, KNOB_TYPE, 1, &type);
        set(job, knob, 601, INT64, 1, &value);
        finalize(job, knob);
        set_desc(job, config, 302, knob);
    }
    finalize(job, config);
    plan = plan_of(job, config);
    if (plan)
        tell(job, config, engine, notes_of(job, engine));
    return plan;
}

static void execute(struct job *job, void *plan, const struct cf_gpu_buffer *operand)
{
    const struct cf_gpu *gpu = &job->library->gpu;
    int64_t n_bytes = 0, n, ids[3] = {0, 1, 2};
    unsigned long long workspace = 0;
    void *pack = make(job, PACK), *data[3], *memory;

    for (int i = 0; i < 3; ++i)
        data[cf_cudnn_role[job->way][i]] = cf_cudnn_pointer(&operand[i]);
    if (job->status == 0)
        job->status = job->library->api.get(plan, 402, INT64, 1, &n, &n_bytes);
    if (job->status != 0 || gpu->driver.allocate(&workspace, (size_t)n_bytes + 1) != 0) {
        job->status = job->status ? job->status : CF_CUDNN_UNSUPPORTED;
        return;
    }
    memory = (void *)(uintptr_t)workspace;
    set(job, pack, 1000, INT64, 3, ids);
    set(job, pack, 1001, POINTER, 3, data);
    set(job, pack, 1003, POINTER, 1, &memory);
    finalize(job, pack);
    if (job->status == 0)
        job->status = job->library->api.execute(job->library->handle, plan, pack);
    cf_gpu_check(gpu, gpu->driver.synchronize(), "a plan");
    gpu->driver.release(workspace);
}

static int body(void *context, const struct cf_gpu_buffer *operand)
{
    struct job *job = context;
    void *op_graph = graph(job), *plan = NULL;

    if (job->status == 0)
        plan = (job->choice == BY_INDEX ? plan_by_index : plan_by_heuristic)(job, op_graph);
    if (job->status == 0)
        execute(job, plan, operand);
    forget(job);
    return cf_cudnn_check(job->library, job->status, "a plan of the backend API");
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[], enum cf_way way,
                          enum choice choice)
{
    struct job job = {
        .library = library, .way = way, .in = in[0].dtype, .out = out[0].dtype, .choice = choice};

    if (cf_window_read(&job.g, way, attributes, in, out) != CF_DONE || job.g.n == 0)
        return CF_UNSUPPORTED;
    job.g.nhwc = cf_cudnn_layout(library, attributes);
    return (enum cf_status)cf_cudnn_call(library, job.g.nhwc, in, 2, out, 1, body, &job);
}

#define RUN(op, WAY, name, CHOICE)                                                                 \
    static enum cf_status run_##op##_##name(struct cf_library *library,                            \
                                            const struct cf_pairs *attributes,                     \
                                            const struct cf_tensor in[], struct cf_tensor out[])   \
    {                                                                                              \
        return run(library, attributes, in, out, WAY, CHOICE);                                     \
    }
#define THREE(name, CHOICE)                                                                        \
    RUN(fwd, CF_FWD, name, CHOICE)                                                                 \
    RUN(bwd_data, CF_BWD_DATA, name, CHOICE)                                                       \
    RUN(bwd_filter, CF_BWD_FILTER, name, CHOICE)
THREE(heuristic, BEST)
THREE(deterministic, DETERMINISTIC)
THREE(engine, BY_INDEX)

#define ENTRY(op_, name_)                                                                          \
    {                                                                                              \
        .op = "conv2d_" #op_, .name = #name_, .backend = &cf_backend_cudnn,                        \
        .run = run_##op_##_##name_                                                                 \
    }
#define ENTRIES(name) ENTRY(fwd, name), ENTRY(bwd_data, name), ENTRY(bwd_filter, name)

extern const struct cf_kernel cf_kernels_cudnn_engines[];
const struct cf_kernel cf_kernels_cudnn_engines[] = {
    ENTRIES(heuristic), ENTRIES(deterministic), ENTRIES(engine), {.op = NULL}};
