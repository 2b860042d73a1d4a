#include "qualify_gpu.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "qualify_internal.h"

#define MOST_GPUS    64
#define TWIN_TIMEOUT 60000 /* of the host, which may be busy */

#define SUM "sum f32 m=256 n=2048 fill=normal"
#define DOT "dot f64 m=256 n=2048 fill=normal"
/* More blocks than a GPU of today has multiprocessors. */
#define GEMM "m=208 n=208 k=128 fill=normal"

#define BURN(type) "chain " type " n=40960 rounds=64 passes=1 fill=uniform" /* 160 blocks */

const struct cf_qualify_test cf_qualify_gpu_tests[] = {
    {"tree f32", "kernel=tree", SUM, "a tree in shared memory", 1},
    {"tree f64", "kernel=tree", DOT, "a tree in shared memory", 1},
    {"shuffle f64", "kernel=shuffle", DOT, "shuffles of a warp", 1},
    {"last f32", "kernel=last", SUM, "the last block, by a counter", 1},
    {"grid f32", "kernel=grid", "sum f32 m=16 n=16384 fill=normal", "a barrier of all blocks", 1},
    {"fixed f64", "kernel=fixed", DOT, "integer atomics", 1},
    {"serial f32", "kernel=serial", "gemm f32 " GEMM, "multiply and add", 1},
    {"serial-fma f32", "kernel=serial-fma", "gemm f32 " GEMM, "fused multiply-add", 1},
    {"serial-fma f64", "kernel=serial-fma", "gemm f64 " GEMM, "fused multiply-add", 1},
    {"tiled f64", "kernel=tiled", "gemm f64 " GEMM, "shared memory", 1},
    {"split f32", "kernel=split", "gemm f32 m=144 n=144 k=512 fill=normal", "slices of k", 1},
    {"direct f32", "kernel=direct", "conv2d_fwd f32 n=10 c=8 h=18 w=18 k=16 r=3 s=3 fill=normal",
     "windows", 1},
    {"burn f64", "kernel=burn", BURN("f64"), "fused multiply-add, with its place", 1},
    {"burn f32", "kernel=burn", BURN("f32"), "fused multiply-add, with its place", 1},
    {"exact f32", "kernel=tiled", "gemm f32 m=128 n=128 k=512 fill=integer",
     "a matrix product of whole numbers", 0},
    {"exact f64", "kernel=tiled", "gemm f64 m=128 n=128 k=512 fill=integer",
     "a matrix product of whole numbers", 0},
    {NULL, NULL, NULL, NULL, 0}};

/* Opens a GPU with the smallest of requests. *state: what is said of it, or NULL; the caller frees.
 */
static void probe(const char *device, const char *worker, int timeout_ms, struct cf_told *told,
                  char **state)
{
    char *configuration = cf_format("cuda device=%s kernel=serial", device);
    uint32_t bits[2] = {0x3f800000, 0x40000000}; /* 1 times 2 */
    const struct cf_tensor in[2] = {{.dtype = CF_F32, .rank = 2, .dim = {1, 1}, .bits = &bits[0]},
                                    {.dtype = CF_F32, .rank = 2, .dim = {1, 1}, .bits = &bits[1]}};
    struct cf_tensor out = {.dtype = CF_F32, .rank = 2, .dim = {1, 1}};
    struct cf_error err;
    struct cf_talk *talk = cf_talk_start(configuration, worker, timeout_ms, &err);

    free(configuration);
    *state = NULL;
    if (!talk) {
        *told = (struct cf_told){.fate = CF_NOT_OPENED};
        snprintf(told->reason, sizeof told->reason, "%.390s", err.text);
        return;
    }
    cf_talk_run(talk, "gemm", NULL, in, 2, &out, 1, told);
    *state = cf_strdup(cf_talk_effective(talk));
    cf_tensor_free(&out);
    cf_talk_stop(talk);
}

static void say(char *text, size_t size, const json_t *state, const char *key)
{
    const char *value = json_string_value(json_object_get(state, key));

    snprintf(text, size, "%s", value ? value : "");
}

static struct cf_qualify_gpu *add(struct cf_qualify_gpus *gpus, int index, char *state,
                                  const char *reason)
{
    struct cf_qualify_gpu *gpu;
    json_t *object = json_loads(state ? state : "{}", 0, NULL);

    gpus->gpu = cf_realloc(gpus->gpu, (size_t)(gpus->n + 1) * sizeof gpus->gpu[0]);
    gpu = &gpus->gpu[gpus->n++];
    *gpu = (struct cf_qualify_gpu){.index = index, .state = state};
    say(gpu->uuid, sizeof gpu->uuid, object, "device_uuid");
    say(gpu->model, sizeof gpu->model, object, "device_name");
    snprintf(gpu->reason, sizeof gpu->reason, "%.190s", reason);
    json_decref(object);
    return gpu;
}

/* All that the driver lists. Where the second cannot be opened for word for word the reason of the
 * first, the reason is the machine's: no driver, no device, no device code. */
static void list_all(struct cf_qualify_gpus *gpus, const char *worker)
{
    for (int i = 0; i < MOST_GPUS; ++i) {
        char device[16], *state, *reason;
        struct cf_told told;

        snprintf(device, sizeof device, "%d", i);
        probe(device, worker, gpus->timeout_ms, &told, &state);
        if (told.fate == CF_STATE_MISMATCH || /* the driver has fewer */
            (i == 1 && told.fate != CF_RAN && gpus->gpu[0].reason[0] &&
             strstr(gpus->gpu[0].reason, told.reason))) {
            free(state);
            if (told.fate != CF_STATE_MISMATCH)
                gpus->gpu[0].index = CF_QUALIFY_ANY_GPU;
            return;
        }
        reason = cf_format("%s: %s", cf_fate_name(told.fate), told.reason);
        add(gpus, i, state, told.fate == CF_RAN ? "" : reason);
        free(reason);
    }
}

static int is_listed(const struct cf_qualify_gpus *gpus, const char *uuid)
{
    for (int i = 0; i < gpus->n; ++i)
        if (strcasecmp(gpus->gpu[i].uuid, uuid) == 0)
            return 1;
    return 0;
}

/* A process sees one MIG instance of the machine; NVML, asked by the first GPU's worker, knows all.
 */
static void list_instances(struct cf_qualify_gpus *gpus, const char *worker)
{
    json_t *object = json_loads(gpus->n && gpus->gpu[0].state ? gpus->gpu[0].state : "{}", 0, NULL);
    const char *all = json_string_value(json_object_get(object, "mig_instances"));
    char *words = cf_strdup(all ? all : ""), *next = NULL;

    for (char *uuid = strtok_r(words, " ", &next); uuid; uuid = strtok_r(NULL, " ", &next)) {
        struct cf_told told;
        char *state, *reason;

        if (is_listed(gpus, uuid) || gpus->n >= MOST_GPUS)
            continue;
        probe(uuid, worker, gpus->timeout_ms, &told, &state);
        reason = cf_format("%s: %s", cf_fate_name(told.fate), told.reason);
        add(gpus, gpus->n, state, told.fate == CF_RAN ? "" : reason);
        free(reason);
    }
    free(words);
    json_decref(object);
}

static int is_wanted(const struct cf_qualify_gpu *gpu, const char *wanted)
{
    char *end;
    const long index = strtol(wanted, &end, 10);

    if (strcmp(wanted, "all") == 0 || gpu->index < 0)
        return 1;
    return end != wanted && !*end ? index == gpu->index : strcasecmp(wanted, gpu->uuid) == 0;
}

static int refuse(const struct cf_qualify_gpus *gpus, const char *wanted, struct cf_error *err)
{
    char *list = cf_strdup("");

    for (int i = 0; i < gpus->n; ++i) {
        const struct cf_qualify_gpu *gpu = &gpus->gpu[i];
        char *longer = cf_format("%s%s%d (%s)", list, i ? ", " : "", gpu->index,
                                 gpu->uuid[0] ? gpu->uuid : gpu->reason);

        free(list);
        list = longer;
    }
    cf_fail(err, "--gpu=%s is no GPU of this machine; write all, or one of: %s", wanted, list);
    free(list);
    return -1;
}

int cf_qualify_gpus_find(struct cf_qualify_gpus *gpus, const char *wanted, const char *worker,
                         int timeout_ms, struct cf_error *err)
{
    int n_wanted = 0;

    *gpus = (struct cf_qualify_gpus){.timeout_ms = timeout_ms};
    if (strcmp(wanted, "all") != 0 && strncasecmp(wanted, "GPU-", 4) != 0 &&
        strncasecmp(wanted, "MIG-", 4) != 0 &&
        (!*wanted || strspn(wanted, "0123456789") != strlen(wanted)))
        return cf_fail(
            err, "--gpu=%s is neither all, nor an index, nor a UUID (GPU-... or MIG-...)", wanted);
    list_all(gpus, worker);
    list_instances(gpus, worker);
    for (int i = 0; i < gpus->n; ++i)
        n_wanted += gpus->gpu[i].wanted = is_wanted(&gpus->gpu[i], wanted);
    if (n_wanted > 0)
        return 0;
    refuse(gpus, wanted, err);
    cf_qualify_gpus_free(gpus);
    return -1;
}

void cf_qualify_gpus_free(struct cf_qualify_gpus *gpus)
{
    for (int i = 0; i < gpus->n; ++i)
        free(gpus->gpu[i].state);
    free(gpus->gpu);
    *gpus = (struct cf_qualify_gpus){0};
}

double cf_qualify_gpu_mhz(const char *state)
{
    json_t *object = json_loads(state, 0, NULL);
    char text[32];
    double mhz;

    say(text, sizeof text, object, "clock_sm_mhz");
    mhz = strtod(text, NULL);
    json_decref(object);
    return mhz > 0 ? mhz : NAN;
}

/* What else is in effect is of the worker's own process. */
static void read_one(const struct cf_qualify_gpu *gpu, const char *state,
                     void (*emit)(void *, const char *, const char *), void *context)
{
    static const char *const keys[] = {"device_name",
                                       "architecture",
                                       "multiprocessors",
                                       "memory_mb",
                                       "driver_api",
                                       "driver",
                                       "nvml",
                                       "vbios",
                                       "serial",
                                       "ecc",
                                       "mig",
                                       "mig_parent",
                                       "gpu_instance",
                                       "compute_instance",
                                       "persistence",
                                       "pending",
                                       "clock_sm_mhz",
                                       "clock_memory_mhz",
                                       "clock_sm_max_mhz",
                                       "temperature_c",
                                       "throttle",
                                       "ecc_corrected",
                                       "ecc_uncorrected"};
    json_t *object = json_loads(state, 0, NULL);

    for (int i = 0; i < CF_COUNT(keys); ++i) {
        const char *value = json_string_value(json_object_get(object, keys[i]));
        char *full = cf_format("gpu.%s.%s", gpu->uuid, keys[i]);

        if (value)
            emit(context, full, value);
        free(full);
    }
    json_decref(object);
}

void cf_qualify_gpus_read(const struct cf_qualify_gpus *gpus, int again, const char *worker,
                          void (*emit)(void *, const char *, const char *), void *context)
{
    for (int i = 0; i < gpus->n; ++i) {
        const struct cf_qualify_gpu *gpu = &gpus->gpu[i];
        char *now = NULL, *key = gpu->index < 0 ? cf_strdup("gpu") : cf_format("gpu.%d", i);
        struct cf_told told = {.fate = CF_RAN};

        if (gpu->wanted && !gpu->reason[0] && again && !gpu->hung)
            probe(gpu->uuid, worker, gpus->timeout_ms, &told, &now);
        if (gpu->wanted && again && gpu->hung)
            emit(context, key, "not asked again: it had hung");
        else if (gpu->wanted && (gpu->reason[0] || told.fate != CF_RAN))
            emit(context, key, gpu->reason[0] ? gpu->reason : told.reason);
        else if (gpu->wanted)
            read_one(gpu, now ? now : gpu->state, emit, context);
        free(now);
        free(key);
    }
}

/* ---- The right answers of the orders of kernels/cuda: their twins on the host ---- */

static int ask_twin(struct cf_qualify_case *qc, struct cf_golden_case *g, const char *worker,
                    struct cf_error *err)
{
    char *configuration = cf_format("cuda device=cpu %s", qc->of->configuration);
    struct cf_talk *talk = cf_talk_start(configuration, worker, TWIN_TIMEOUT, err);
    struct cf_tensor in[CF_OPERANDS_MAX] = {0};
    struct cf_told told;

    CF_CHECK(talk != NULL); /* the texts are ours */
    CF_CHECK(cf_case_shape(&g->c, g->op, in, qc->right, err) == 0);
    cf_talk_run(talk, g->c.op, &g->c.keys, qc->in, g->op->n_inputs, qc->right, g->op->n_outputs,
                &told);
    cf_talk_stop(talk);
    free(configuration);
    if (told.fate != CF_RAN)
        return cf_fail_with(err, 3, "the twin on the host of `%s` has no answer: %s", g->c.text,
                            told.reason);
    cf_golden_digest(&g->outputs, qc->right, g->op->n_outputs);
    return 0;
}

static int make_case(struct cf_qualify_twins *twins, const struct cf_qualify_test *test, int seed,
                     const char *worker, struct cf_error *err)
{
    struct cf_qualify_case *qc = &twins->cases[twins->n];
    struct cf_golden_case *g = &twins->golden[twins->n];
    struct cf_tensor out[CF_OPERANDS_MAX];
    char *text = cf_format("%s seed=%d", test->cell, seed);

    CF_CHECK(cf_case_parse(&g->c, text, cf_op_grammar, err) == 0);
    free(text);
    g->op = cf_op_find(g->c.op);
    *qc = (struct cf_qualify_case){.golden = g, .of = test};
    qc->n_operations = cf_qualify_operations(&g->c);
    ++twins->n;
    if (cf_case_draw(&g->c, g->op, qc->in, out, err) != 0)
        return -1;
    return ask_twin(qc, g, worker, err);
}

int cf_qualify_twins_make(struct cf_qualify_twins *twins, const char *worker, struct cf_error *err)
{
    int n_tests = 0, result = 0;

    while (cf_qualify_gpu_tests[n_tests].name)
        ++n_tests;
    *twins = (struct cf_qualify_twins){
        .golden = cf_alloc_zero((size_t)n_tests * CF_QUALIFY_TWIN_SEEDS * sizeof twins->golden[0]),
        .cases = cf_alloc_zero((size_t)n_tests * CF_QUALIFY_TWIN_SEEDS * sizeof twins->cases[0])};
    for (int t = 0; t < n_tests; ++t)
        for (int s = 1; s <= CF_QUALIFY_TWIN_SEEDS && result == 0; ++s)
            if (cf_qualify_gpu_tests[t].twin)
                result = make_case(twins, &cf_qualify_gpu_tests[t], s, worker, err);
    return result;
}

void cf_qualify_twins_free(struct cf_qualify_twins *twins)
{
    for (int i = 0; i < twins->n; ++i) {
        for (int o = 0; o < CF_OPERANDS_MAX; ++o) {
            cf_tensor_free(&twins->cases[i].in[o]);
            cf_tensor_free(&twins->cases[i].right[o]);
        }
        cf_case_free(&twins->golden[i].c);
    }
    free(twins->cases);
    free(twins->golden);
}
