/* One unit: asked, compared, asked again when it failed, and what is said of it in the end. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qualify_internal.h"
#include "sensors.h"

/* Where the bits leave the right answer first. The answer is a twin's, or worked out by integers,
 * and only now: what was found does not depend on it, only where. */
static void locate(struct cf_qualify_unit *unit, const struct cf_qualify_case *qc,
                   const struct cf_tensor out[])
{
    const struct cf_golden_case *g = qc->golden;
    struct cf_tensor exact[CF_OPERANDS_MAX] = {0};
    const struct cf_tensor *right = qc->right[0].bits ? qc->right : exact;
    struct cf_error err;

    unit->output = -1;
    if (right == exact && cf_golden_answer(&g->c, g->op, exact, 1, &err) != 0)
        return;
    for (int o = 0; o < g->op->n_outputs && unit->output < 0; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&right[o]); ++i)
            if (cf_tensor_encoding(&right[o], i) != cf_tensor_encoding(&out[o], i)) {
                unit->output = o;
                unit->element = i;
                unit->expected = cf_tensor_encoding(&right[o], i);
                unit->got = cf_tensor_encoding(&out[o], i);
                break;
            }
    for (int o = 0; o < g->op->n_outputs; ++o)
        cf_tensor_free(&exact[o]);
}

/* The op that is asked, and one output more where blocks have places. Returns how many outputs. */
static int ask_op(struct cf_qualify_unit *unit, const struct cf_qualify_case *qc, char op[64],
                  struct cf_tensor out[])
{
    const struct cf_golden_case *g = qc->golden;
    const int n = g->op->n_outputs, has_places = cf_qualify_has_places(unit->test);

    snprintf(op, 64, "%s%s", g->c.op, has_places ? "_where" : "");
    if (has_places)
        out[n] = (struct cf_tensor){
            .dtype = CF_I32,
            .rank = 1,
            .dim = {(qc->in[0].dim[0] + CF_QUALIFY_BLOCK - 1) / CF_QUALIFY_BLOCK}};
    return n + has_places;
}

/* 1: the golden bits, 0: others (located when it is the first time), -1: no answer. */
static int compare_once(struct cf_talk *talk, struct cf_qualify_unit *unit,
                        const struct cf_qualify_case *qc)
{
    const struct cf_golden_case *g = qc->golden;
    struct cf_tensor in[CF_OPERANDS_MAX] = {0}, out[CF_OPERANDS_MAX] = {0};
    struct cf_digest digest;
    struct cf_told told;
    struct cf_error err;
    char op[64];
    int same, n_out;

    CF_CHECK(cf_case_shape(&g->c, g->op, in, out, &err) == 0);
    n_out = ask_op(unit, qc, op, out);
    cf_talk_run(talk, op, &g->c.keys, qc->in, g->op->n_inputs, out, n_out, &told);
    if (told.fate == CF_NOT_OFFERED) {
        ++unit->n_not_offered;
        return -1;
    }
    if (told.fate != CF_RAN) {
        unit->timed_out |= told.fate == CF_TIMED_OUT;
        if (unit->n_lost++ == 0)
            snprintf(unit->lost, sizeof unit->lost, "%s: %.150s", cf_fate_name(told.fate),
                     told.reason);
        return -1;
    }
    cf_golden_digest(&digest, out, g->op->n_outputs);
    same = cf_digest_equal(&digest, &g->outputs);
    unit->n_checked += qc->n_operations;
    unit->seconds += told.wall_ns > 0 ? (double)told.wall_ns * 1e-9 : 0;
    if (!same && !unit->failed) {
        unit->failed = qc;
        locate(unit, qc, out);
    }
    if (!same && n_out > g->op->n_outputs)
        cf_qualify_places_add(unit, out, qc->right);
    for (int o = 0; o < n_out; ++o)
        cf_tensor_free(&out[o]);
    return same;
}

static struct cf_talk *open_talk(const struct cf_qualify_unit *unit, const char *worker)
{
    const struct cf_qualify_gpu *gpu = unit->where->gpu;
    char *configuration =
        gpu ? cf_format("cuda device=%s %s", gpu->uuid, unit->test->configuration)
            : cf_format("%s cpus=%d", unit->test->configuration, unit->where->cpu);
    struct cf_error err;
    struct cf_talk *talk = cf_talk_start(configuration, worker, unit->where->timeout_ms, &err);

    CF_CHECK(talk != NULL); /* the texts are ours */
    free(configuration);
    return talk;
}

/* A GPU that has not answered in time: each further request could take as long. */
static int is_hung(const struct cf_qualify_unit *unit)
{
    return unit->where->gpu && unit->timed_out;
}

/* The same case again, in a process of its own: does the unit fail again? */
static void ask_again(struct cf_qualify_unit *unit, const char *worker)
{
    struct cf_talk *talk = open_talk(unit, worker);

    for (; unit->n_again < CF_QUALIFY_AGAIN && !is_hung(unit); ++unit->n_again)
        unit->n_again_different += compare_once(talk, unit, unit->failed) == 0;
    cf_talk_stop(talk);
}

/* One request of a unit; the first that fails is asked again. */
static void ask_case(struct cf_qualify_unit *unit, struct cf_talk *talk,
                     const struct cf_qualify_case *qc, int under_load, double since_start_s,
                     const char *worker)
{
    const int first = !unit->failed;
    int same;

    ++unit->n_asked;
    unit->seed = (int64_t)qc->golden->c.seed;
    same = compare_once(talk, unit, qc);
    unit->n_different += same == 0;
    if (same == 0 && first) {
        unit->time_to_fail_s = since_start_s;
        unit->under_load = under_load;
        ask_again(unit, worker);
    }
}

void cf_qualify_ask(struct cf_qualify_core *core, int test, int64_t round, int under_load,
                    double since_start_s, const char *worker)
{
    struct cf_qualify_unit *unit = &core->unit[test];
    struct cf_talk *talk;

    if (core->gpu && core->gpu->hung && !unit->failed && !unit->timed_out) {
        ++unit->n_lost;
        snprintf(unit->lost, sizeof unit->lost,
                 "not asked%s: the GPU had not answered in `%s`, and nothing more was asked of it",
                 unit->n_asked > 0 ? " again" : "", core->gpu->hung);
    }
    if (unit->n_not_offered > 0 || (core->gpu && (unit->n_lost > 0 || core->gpu->hung)))
        return;
    talk = open_talk(unit, worker);
    for (int i = 0; i < (core->gpu ? CF_QUALIFY_TWIN_SEEDS : 1) && !is_hung(unit); ++i)
        ask_case(unit, talk, unit->cases[(round / 2 + i) % unit->n_cases], under_load,
                 since_start_s, worker);
    unit->mhz =
        core->gpu ? cf_qualify_gpu_mhz(cf_talk_effective(talk)) : cf_sensors_mhz(unit->where->cpu);
    if (is_hung(unit))
        core->gpu->hung = unit->test->name;
    cf_talk_stop(talk); /* a worker dies with the thread that started it */
}

static const char *keep(struct cf_qualification *result, char *text)
{
    result->text = cf_realloc(result->text, (size_t)(result->n_text + 1) * sizeof result->text[0]);
    result->text[result->n_text++] = text;
    return text;
}

static enum cf_unit_state state_of(const struct cf_qualify_unit *unit)
{
    if (unit->failed)
        return unit->n_different > 1 || unit->n_again_different > 0 ? CF_UNIT_FAIL : CF_UNIT_RETEST;
    return unit->n_not_offered > 0 || unit->n_lost > 0 || unit->n_asked == 0 ? CF_UNIT_NOT_MEASURED
                                                                             : CF_UNIT_PASS;
}

static char *reason_of_failure(const struct cf_qualify_unit *unit)
{
    char *place = unit->places ? cf_qualify_places_sentence(unit->places) : cf_strdup("");
    char *text = cf_format(
        "%lld of %lld requests gave other bits, first %s, after %.1f s; %d of %d again; the wrong "
        "bits are 0x%" PRIx64 "%s",
        (long long)unit->n_different, (long long)unit->n_asked,
        unit->under_load ? "under load" : "idle", unit->time_to_fail_s, unit->n_again_different,
        unit->n_again, unit->expected ^ unit->got, place);

    free(place);
    return text;
}

static char *reason_of(const struct cf_qualify_unit *unit)
{
    if (unit->failed)
        return reason_of_failure(unit);
    if (unit->n_not_offered > 0)
        return cf_strdup(unit->where->gpu ? "this kernel is not offered there"
                                          : "the processor does not have these instructions");
    if (unit->n_lost > 0 && strncmp(unit->lost, "not asked", 9) == 0)
        return cf_strdup(unit->lost);
    if (unit->n_lost > 0)
        return cf_format("%lld of %lld requests had no answer: %s", (long long)unit->n_lost,
                         (long long)unit->n_asked, unit->lost);
    return cf_format("all %lld requests gave the golden bits", (long long)unit->n_asked);
}

static char *name_of(const struct cf_qualify_core *where)
{
    const struct cf_qualify_gpu *gpu = where->gpu;

    if (!gpu)
        return cf_format("core %d (cpu %d)", where->core, where->cpu);
    if (gpu->index < 0)
        return cf_strdup("any GPU");
    return cf_format("%s %d", strncmp(gpu->uuid, "MIG-", 4) == 0 ? "mig" : "gpu", gpu->index);
}

static void conclude(struct cf_qualification *result, const struct cf_qualify_unit *unit)
{
    const struct cf_qualify_gpu *gpu = unit->where->gpu;
    const int located = unit->failed && unit->output >= 0;
    const int digits = located && cf_dtype_size(unit->failed->golden->c.dtype) == 4 ? 8 : 16;

    result->unit[result->n_units++] = (struct cf_unit_finding){
        .node = "",
        .name = keep(result, name_of(unit->where)),
        .kernel = unit->test->name,
        .state = state_of(unit),
        .n_checked = unit->n_checked,
        .seconds = unit->seconds,
        .n_requests = unit->n_not_offered > 0 ? 0 : unit->n_asked,
        .n_different = unit->n_different,
        .time_to_fail_s = unit->time_to_fail_s,
        .case_text = unit->failed ? keep(result, cf_strdup(unit->failed->golden->c.text)) : "",
        .element = located ? keep(result, cf_format("output %d element %" PRId64, unit->output,
                                                    unit->element))
                           : "",
        .expected = located ? keep(result, cf_format("0x%0*" PRIx64, digits, unit->expected)) : "",
        .got = located ? keep(result, cf_format("0x%0*" PRIx64, digits, unit->got)) : "",
        .reason = keep(result, reason_of(unit)),
        .cpu = unit->where->cpu,
        .core = unit->where->core,
        .package = unit->where->package,
        .numa_node = unit->where->numa_node,
        .thread = unit->where->thread,
        .seed = unit->failed ? (int64_t)unit->failed->golden->c.seed : unit->seed,
        .n_again = unit->n_again,
        .mhz = unit->mhz,
        .ppin = gpu ? "" : keep(result, cf_sensors_ppin(unit->where->cpu)),
        .gpu = gpu ? gpu->index : -1,
        .uuid = gpu ? keep(result, cf_strdup(gpu->uuid)) : "",
        .sm = unit->places ? keep(result, cf_qualify_places_list(unit->places)) : ""};
}

static int is_exercised(const struct cf_qualify_gpu *gpu, const struct cf_qualify_core cores[],
                        int n_cores)
{
    double checked = 0;

    for (int c = 0; c < n_cores; ++c)
        for (int t = 0; cores[c].gpu == gpu && t < cores[c].n_tests; ++t)
            checked += cores[c].unit[t].n_checked;
    return checked > 0;
}

/* Which GPUs were exercised and which were not: a sentence. The caller frees. */
static char *coverage_of(const struct cf_qualify_gpus *gpus, const struct cf_qualify_core cores[],
                         int n_cores)
{
    char *text[2] = {cf_strdup(""), cf_strdup("")}, *all;

    for (int i = 0; gpus && i < gpus->n; ++i) {
        struct cf_qualify_gpu *gpu = &gpus->gpu[i];
        char **to = &text[!is_exercised(gpu, cores, n_cores)],
             *name = name_of(&(struct cf_qualify_core){.gpu = gpu});
        char *longer = cf_format("%s%s%s (%s%s%s)", *to, **to ? ", " : "", name,
                                 gpu->reason[0] ? gpu->reason : gpu->model,
                                 gpu->reason[0] ? "" : ", ", gpu->reason[0] ? "" : gpu->uuid);

        free(*to);
        free(name);
        *to = longer;
    }
    all = !gpus ? cf_strdup("GPUs were not asked (--gpu=all asks them)")
                : cf_format("GPUs exercised: %s; not exercised: %s", *text[0] ? text[0] : "none",
                            *text[1] ? text[1] : "none");
    free(text[0]);
    free(text[1]);
    return all;
}

struct tally {
    double checked;
    int n_exercised, n_offered, n_cpus;
};

/* All units to findings. */
static void conclude_all(struct cf_qualification *result, const struct cf_qualify_core cores[],
                         int n_cores, struct tally *tally)
{
    int n = 0;

    for (int c = 0; c < n_cores; ++c)
        n += cores[c].n_tests;
    result->unit = cf_alloc((size_t)(n + 1) * sizeof result->unit[0]);
    for (int c = 0; c < n_cores; ++c) {
        tally->n_cpus += !cores[c].gpu;
        for (int t = 0; t < cores[c].n_tests; ++t) {
            conclude(result, &cores[c].unit[t]);
            tally->checked += cores[c].unit[t].n_checked;
            tally->n_offered += cores[c].unit[t].n_not_offered == 0;
            tally->n_exercised += cores[c].unit[t].n_checked > 0;
        }
    }
}

void cf_qualify_conclude(struct cf_qualification *result, const struct cf_qualify_core cores[],
                         int n_cores, int n_machine, const struct cf_qualify_gpus *gpus)
{
    struct tally tally = {0};
    char *of_gpus = coverage_of(gpus, cores, n_cores);

    conclude_all(result, cores, n_cores, &tally);
    result->coverage = cf_format(
        "%d of the machine's %d CPUs were exercised, each pinned, alone and with all others busy. "
        "%s. %d of %d units answered (%d are not offered). %.3g operations were checked bit for "
        "bit in %.1f s, %.3g a second: every multiplication, addition, shift and move of the "
        "chains feeds the digest that is compared. Not exercised: other CPUs and accelerators, "
        "input and output, instructions other than those named.",
        tally.n_cpus, n_machine, of_gpus, tally.n_exercised, result->n_units,
        result->n_units - tally.n_offered, tally.checked, result->seconds,
        tally.checked / result->seconds);
    free(of_gpus);
}
