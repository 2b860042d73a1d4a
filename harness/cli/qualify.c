#include "qualify_internal.h"

#include <hwloc.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

const struct cf_qualify_test cf_qualify_tests[] = {
    {"scalar f64", "vector kernel=scalar", "chain f64 n=128 rounds=20000 passes=10 fill=uniform",
     "scalar fused multiply-add", 0},
    {"sse2 f64", "vector kernel=sse2",
     "chain f64 n=128 rounds=20000 passes=10 fused=0 fill=uniform", "SSE2 multiply and add", 0},
    {"sse2 f32", "vector kernel=sse2",
     "chain f32 n=128 rounds=20000 passes=40 fused=0 fill=uniform", "SSE multiply and add", 0},
    {"fma f64", "vector kernel=fma", "chain f64 n=128 rounds=20000 passes=10 fill=uniform",
     "128-bit fused multiply-add", 0},
    {"avx2 f64 unfused", "vector kernel=avx2",
     "chain f64 n=128 rounds=20000 passes=40 fused=0 fill=uniform", "AVX multiply and add", 0},
    {"avx2 f64", "vector kernel=avx2", "chain f64 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX2 fused multiply-add", 0},
    {"avx2 f32", "vector kernel=avx2", "chain f32 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX2 fused multiply-add", 0},
    {"avx512 f64", "vector kernel=avx512", "chain f64 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX-512 fused multiply-add", 0},
    {"avx512 f32", "vector kernel=avx512", "chain f32 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX-512 fused multiply-add", 0},
    {"sse41 i32", "vector kernel=sse41", "mix i32 n=128 rounds=20000 passes=10 fill=uniform",
     "SSE4.1 integers", 0},
    {"avx2 i32", "vector kernel=avx2", "mix i32 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX2 integers", 0},
    {"avx512 i32", "vector kernel=avx512", "mix i32 n=128 rounds=20000 passes=100 fill=uniform",
     "AVX-512 integers", 0},
    {"memory i64", "vector kernel=scalar", "memory i64 n=2097152 rounds=8 fill=uniform",
     "caches and memory", 0},
    {"gemm f64", "plain kernel=lanes8", "gemm f64 m=128 n=128 k=512 fill=integer",
     "a matrix product of whole numbers", 0},
    {NULL, NULL, NULL, NULL, 0}};

int cf_qualify_budget(const char *word, double *seconds, struct cf_error *err)
{
    static const struct {
        const char *name;
        double seconds;
    } names[] = {{"quick", 10}, {"medium", 120}, {"long", 1800}};
    char *end;
    double unit = 1;

    for (int i = 0; i < CF_COUNT(names); ++i)
        if (strcmp(word, names[i].name) == 0) {
            *seconds = names[i].seconds;
            return 0;
        }
    *seconds = strtod(word, &end);
    if (end != word && *end && strchr("smh", *end) && !end[1])
        unit = *end == 's' ? 1 : *end == 'm' ? 60 : 3600, ++end;
    *seconds *= unit;
    if (end == word || *end || !(*seconds > 0 && *seconds <= 7 * 86400.0))
        return cf_fail(err, "--budget=%s is no time; write quick, medium, long, 90s, 5m or 1h",
                       word);
    return 0;
}

static int by_cpu(const void *a, const void *b)
{
    const struct cf_qualify_core *x = a, *y = b;

    return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static int index_of(hwloc_obj_t object)
{
    return object ? (int)object->logical_index : -1;
}

static int numa_of(hwloc_obj_t pu)
{
    return pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1;
}

static int add_cores(hwloc_topology_t topology, hwloc_const_bitmap_t wanted,
                     struct cf_qualify_core **cores)
{
    const int n = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    cpu_set_t allowed;
    int n_cores = 0;

    *cores = cf_alloc_zero((size_t)(n + 1) * sizeof **cores);
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int i = 0; i < n; ++i) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned)i);
        hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
        hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu);

        if (!CPU_ISSET(pu->os_index, &allowed) ||
            (wanted && !hwloc_bitmap_isset(wanted, pu->os_index)))
            continue;
        (*cores)[n_cores++] = (struct cf_qualify_core){.cpu = (int)pu->os_index,
                                                       .core = core ? (int)core->logical_index : i,
                                                       .package = index_of(package),
                                                       .numa_node = numa_of(pu),
                                                       .thread = core ? (int)pu->sibling_rank : -1};
    }
    qsort(*cores, (size_t)n_cores, sizeof **cores, by_cpu);
    return n_cores;
}

int cf_qualify_cores(const char *cpuset, struct cf_qualify_core **cores, int *n_machine,
                     struct cf_error *err)
{
    hwloc_bitmap_t wanted = NULL;
    hwloc_topology_t topology;
    int n;

    if (cpuset && (strspn(cpuset, "0123456789,-") != strlen(cpuset) ||
                   hwloc_bitmap_list_sscanf((wanted = hwloc_bitmap_alloc()), cpuset) != 0)) {
        if (wanted)
            hwloc_bitmap_free(wanted);
        return cf_fail(err, "--cpuset=%s is no set of CPUs; write for example 0-3,8", cpuset);
    }
    hwloc_topology_init(&topology);
    hwloc_topology_load(topology);
    *n_machine = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    n = add_cores(topology, wanted, cores);
    hwloc_topology_destroy(topology);
    if (wanted)
        hwloc_bitmap_free(wanted);
    if (n > 0 || (cpuset && !*cpuset))
        return n;
    free(*cores);
    return cf_fail_with(err, 4, "no CPU of --cpuset=%s may be used by this process",
                        cpuset ? cpuset : "all");
}

/* The terms of a sum, or the multiplications and additions of a sum of products. */
static double operations_of_sums(const struct cf_case *c)
{
    static const char *const keys[] = {"n", "k", "c", "r", "s"};
    const double m = (double)cf_case_int(c, "m", 0), n = (double)cf_case_int(c, "n", 0);
    double products = 2;

    if (strcmp(c->op, "sum") == 0 || strcmp(c->op, "dot") == 0)
        return (c->op[0] == 's' ? 1 : 2) * m * n;
    if (strcmp(c->op, "gemm") == 0)
        return 2 * m * n * (double)cf_case_int(c, "k", 0);
    for (int i = 0; i < CF_COUNT(keys); ++i) /* a convolution without padding, stride 1 */
        products *= (double)cf_case_int(c, keys[i], 0);
    return products * (double)(cf_case_int(c, "h", 0) - cf_case_int(c, "r", 0) + 1) *
           (double)(cf_case_int(c, "w", 0) - cf_case_int(c, "s", 0) + 1);
}

double cf_qualify_operations(const struct cf_case *c)
{
    const double n = (double)cf_case_int(c, "n", 0), rounds = (double)cf_case_int(c, "rounds", 0),
                 passes = (double)cf_case_int(c, "passes", 1);

    if (strcmp(c->op, "chain") == 0)
        return n * rounds * passes * (cf_case_int(c, "fused", 1) ? 3 : 5);
    if (strcmp(c->op, "mix") == 0)
        return n * rounds * passes * 8;
    if (strcmp(c->op, "memory") == 0)
        return n * (3 * rounds + 4);
    return operations_of_sums(c);
}

/* Cases of the pack, drawn; in the pack's order. The inputs must be those that it was made for. */
static int draw_all(struct cf_qualify_case cases[], const struct cf_golden *pack,
                    struct cf_error *err)
{
    for (int i = 0; i < pack->n; ++i) {
        const struct cf_golden_case *g = &pack->cases[i];
        struct cf_tensor out[CF_OPERANDS_MAX];
        struct cf_digest inputs;

        cases[i].golden = g;
        cases[i].n_operations = cf_qualify_operations(&g->c);
        if (cf_case_draw(&g->c, g->op, cases[i].in, out, err) != 0)
            return -1;
        cf_inputs_digest(&inputs, cases[i].in, g->op->n_inputs);
        if (!cf_digest_equal(&inputs, &g->inputs))
            return cf_fail_with(err, 3, "the inputs of `%s` are not those of the golden pack",
                                g->c.text);
    }
    return 0;
}

static int is_dead(const struct cf_qualify_core *core)
{
    return core->gpu && core->gpu->reason[0];
}

static int give_cases(struct cf_qualify_unit *unit, const struct cf_qualify_case cases[], int n,
                      struct cf_error *err)
{
    for (int i = 0; i < n && unit->n_cases < CF_QUALIFY_SEEDS; ++i) {
        char *cell = cf_case_cell(&cases[i].golden->c);

        if (cases[i].of ? cases[i].of == unit->test
                        : !unit->test->twin && strcmp(cell, unit->test->cell) == 0)
            unit->cases[unit->n_cases++] = &cases[i];
        free(cell);
    }
    if (unit->n_cases > 0)
        return 0;
    return cf_fail_with(err, 3, "the golden pack has no case `%s`", unit->test->cell);
}

/* One unit that says why the GPU cannot be asked. */
static void give_up(struct cf_qualify_core *core)
{
    static const struct cf_qualify_test none = {"cuda", "", "", "", 0};

    core->n_tests = 1;
    core->unit[0].test = &none;
    core->unit[0].n_asked = core->unit[0].n_lost = 1;
    snprintf(core->unit[0].lost, sizeof core->unit[0].lost, "%s", core->gpu->reason);
}

/* `cases` are the pack's, and behind them, where there are GPUs, those of their tests alone. */
static int prepare(struct cf_qualify_core *core, const struct cf_qualify_case cases[], int n_cases,
                   struct cf_error *err)
{
    int result = 0;

    core->tests = core->gpu ? cf_qualify_gpu_tests : cf_qualify_tests;
    while (core->tests[core->n_tests].name)
        ++core->n_tests;
    core->unit = cf_alloc_zero((size_t)core->n_tests * sizeof core->unit[0]);
    for (int t = 0; t < core->n_tests && result == 0; ++t) {
        core->unit[t] = (struct cf_qualify_unit){
            .where = core, .test = &core->tests[t], .seed = -1, .mhz = NAN, .time_to_fail_s = NAN};
        if (!is_dead(core))
            result = give_cases(&core->unit[t], cases, n_cases, err);
    }
    if (is_dead(core))
        give_up(core);
    return result;
}

struct clock {
    int64_t start_ns;
    double budget_s;
    volatile int *stopped;
};

static double elapsed(const struct clock *clock)
{
    return (double)(cf_terminal_clock() - clock->start_ns) * 1e-9;
}

static int time_is_up(const struct clock *clock)
{
    return (clock->stopped && *clock->stopped) || elapsed(clock) >= clock->budget_s;
}

/* One core through all tests; under load every core does this at once. */
struct turn {
    struct cf_qualify_core *core;
    const struct clock *clock;
    const char *worker;
    int64_t round;
    int under_load;
};

static void *take_turn(void *context)
{
    const struct turn *turn = context;

    for (int t = 0; t < turn->core->n_tests && !is_dead(turn->core); ++t)
        if (turn->round < 2 || !time_is_up(turn->clock))
            cf_qualify_ask(turn->core, t, turn->round, turn->under_load, elapsed(turn->clock),
                           turn->worker);
    return NULL;
}

static void take_turns(struct cf_qualify_core cores[], int n, struct turn turn)
{
    struct turn *turns = cf_alloc((size_t)n * sizeof turns[0]);

    for (int c = 0; c < n; ++c) {
        turns[c] = turn;
        turns[c].core = &cores[c];
        if (!turn.under_load)
            take_turn(&turns[c]);
        else
            CF_CHECK(pthread_create(&cores[c].runner, NULL, take_turn, &turns[c]) == 0);
    }
    for (int c = 0; turn.under_load && c < n; ++c)
        pthread_join(cores[c].runner, NULL);
    free(turns);
}

static void work(struct cf_qualify_core cores[], int n_cores,
                 const struct cf_qualify_options *options)
{
    const struct clock clock = {cf_terminal_clock(), options->budget_s, options->stopped};
    int n_alive = 0;

    for (int c = 0; c < n_cores; ++c)
        n_alive += !is_dead(&cores[c]);
    for (int64_t round = 0; n_alive > 0 && (round < 2 || !time_is_up(&clock)); ++round) {
        const int under_load = round % 2 == 1;

        take_turns(cores, n_cores,
                   (struct turn){.clock = &clock,
                                 .worker = options->worker,
                                 .round = round,
                                 .under_load = under_load});
        if (options->progress)
            options->progress(options->context, (int64_t)(elapsed(&clock) * 10),
                              (int64_t)(options->budget_s * 10), under_load ? "load" : "idle");
    }
}

/* The GPUs asked for, behind the CPUs. Returns how many places there are then. */
static int add_gpus(struct cf_qualify_core **cores, int n, struct cf_qualify_gpus *gpus)
{
    *cores = cf_realloc(*cores, (size_t)(n + gpus->n + 1) * sizeof **cores);
    for (int i = 0; i < gpus->n; ++i)
        if (gpus->gpu[i].wanted)
            (*cores)[n++] = (struct cf_qualify_core){.gpu = &gpus->gpu[i],
                                                     .cpu = -1,
                                                     .core = -1,
                                                     .package = -1,
                                                     .numa_node = -1,
                                                     .thread = -1};
    return n;
}

static int has_gpu(const struct cf_qualify_gpus *gpus)
{
    int n = 0;

    for (int i = 0; gpus && i < gpus->n; ++i)
        n += gpus->gpu[i].wanted && !gpus->gpu[i].reason[0];
    return n > 0;
}

/* The pack's cases, and the twins' behind them; drawn. */
static int collect(struct cf_qualify_case **cases, const struct cf_golden *pack,
                   struct cf_qualify_twins *twins, const struct cf_qualify_options *options,
                   struct cf_error *err)
{
    if (has_gpu(options->gpus) && cf_qualify_twins_make(twins, options->worker, err) != 0)
        return -1;
    *cases = cf_realloc(*cases, (size_t)(pack->n + twins->n + 1) * sizeof **cases);
    for (int i = 0; i < twins->n; ++i)
        (*cases)[pack->n + i] = twins->cases[i];
    return draw_all(*cases, pack, err);
}

int cf_qualify(struct cf_qualification *result, const struct cf_golden *pack,
               const struct cf_qualify_options *options, struct cf_error *err)
{
    struct cf_qualify_core *cores;
    struct cf_qualify_case *cases;
    struct cf_qualify_twins twins = {0};
    const int64_t start = cf_terminal_clock();
    int n_machine, n_cores = cf_qualify_cores(options->cpuset, &cores, &n_machine, err), code;

    *result = (struct cf_qualification){0};
    if (n_cores < 0)
        return -1;
    if (options->gpus)
        n_cores = add_gpus(&cores, n_cores, options->gpus);
    cases = cf_alloc_zero((size_t)(pack->n + 1) * sizeof cases[0]);
    code = collect(&cases, pack, &twins, options, err);
    for (int c = 0; c < n_cores && code == 0; ++c) {
        cores[c].timeout_ms = options->timeout_ms;
        code = prepare(&cores[c], cases, pack->n + twins.n, err);
    }
    if (code == 0) {
        work(cores, n_cores, options);
        result->seconds = (double)(cf_terminal_clock() - start) * 1e-9;
        cf_qualify_conclude(result, cores, n_cores, n_machine, options->gpus);
    }
    for (int i = 0; i < pack->n; ++i)
        for (int o = 0; o < CF_OPERANDS_MAX; ++o)
            cf_tensor_free(&cases[i].in[o]);
    free(cases);
    cf_qualify_twins_free(&twins);
    for (int c = 0; c < n_cores; ++c) {
        for (int t = 0; cores[c].unit && t < cores[c].n_tests; ++t)
            free(cores[c].unit[t].places);
        free(cores[c].unit);
    }
    free(cores);
    return code;
}

void cf_qualification_free(struct cf_qualification *result)
{
    for (int i = 0; i < result->n_text; ++i)
        free(result->text[i]);
    free(result->text);
    free(result->unit);
    free(result->coverage);
    *result = (struct cf_qualification){0};
}
