#include "fleet.h"
#include "judgement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cf_finding *cf_judgement_slot(const struct cf_judgement *j, int configuration, int group,
                                     int slot)
{
    return &j->slot[(configuration * j->ledger.n_groups + group) * CF_N_SLOTS + slot];
}

struct cf_coverage *cf_judgement_coverage(const struct cf_judgement *j, int configuration,
                                          int group)
{
    return &j->coverage[configuration * j->ledger.n_groups + group];
}

enum cf_group_kind cf_judgement_kind(const struct cf_judgement *j, int group)
{
    const char *name = j->ledger.group[group].name;
    char op[32];

    snprintf(op, sizeof op, "%.*s", (int)strcspn(name, " "), name);
    return cf_training_model(op) >= 0 ? CF_GROUP_TRAINING
           : cf_system_is(op)         ? CF_GROUP_SOLVER
                                      : CF_GROUP_SUMS;
}

/* Gates that have a meaning for the group, and the use where a level that needs it is asked for. */
static int demands_gate(const struct cf_judgement *j, int group, int slot)
{
    const enum cf_group_kind kind = cf_judgement_kind(j, group);

    if (slot == CF_SLOT_EQUIVALENCE || slot == CF_SLOT_ATTRIBUTION)
        return kind == CF_GROUP_TRAINING && j->options.required < CF_NUMERICAL;
    if (slot == CF_SLOT_USE || (slot == CF_SLOT_D && kind == CF_GROUP_TRAINING))
        return j->options.required < CF_STATISTICAL;
    return slot == CF_SLOT_F || kind == CF_GROUP_SUMS ||
           (kind == CF_GROUP_SOLVER && (slot == CF_SLOT_S5 || slot == CF_SLOT_D));
}

int cf_judgement_demands(const struct cf_judgement *j, int group, int slot)
{
    const struct cf_suite *suite = j->ledger.group[group].rules;
    const int scope = slot - CF_SLOT_SCOPES;

    if (scope < 0)
        return demands_gate(j, group, slot);
    if (!suite || scope == CF_ACROSS_RUN || scope == CF_TO_BASELINE ||
        scope == (int)j->options.scope)
        return 1;
    for (int i = 0; i < suite->n_demands; ++i)
        if ((int)suite->demands[i].scope == scope)
            return 1;
    return 0;
}

static void start_slots(struct cf_judgement *j)
{
    const int n_groups = j->ledger.n_groups, n = j->ledger.n_configurations * n_groups;

    j->slot = cf_arena_alloc(&j->arena, (size_t)(n * CF_N_SLOTS + 1) * sizeof j->slot[0]);
    j->coverage = cf_arena_alloc(&j->arena, (size_t)(n + 1) * sizeof j->coverage[0]);
    for (int i = 0; i < n * CF_N_SLOTS; ++i) {
        const int group = i / CF_N_SLOTS % n_groups;

        j->slot[i] = (struct cf_finding){.demand = {CF_STATISTICAL, CF_TO_REFERENCE},
                                         .configuration = i / CF_N_SLOTS / n_groups,
                                         .other = -1,
                                         .component = "",
                                         .suite = j->ledger.group[group].suite,
                                         .group = j->ledger.group[group].name,
                                         .verdict = CF_UNKNOWN,
                                         .estimate = NAN,
                                         .lower = NAN,
                                         .upper = NAN,
                                         .margin = NAN,
                                         .p_pass = NAN,
                                         .p_fail = NAN,
                                         .q = NAN,
                                         .unit = "",
                                         .margin_source = "",
                                         .a = {.configuration = -1, .error = NAN},
                                         .b = {.configuration = -1, .error = NAN},
                                         .reason = ""};
    }
}

static int rank(const struct cf_finding *finding)
{
    static const int gravity[CF_N_VERDICTS] = {
        [CF_FAIL] = 1, [CF_UNKNOWN] = 2, [CF_SKIP] = 3, [CF_PASS] = 4};

    return finding->wrong ? 0 : gravity[finding->verdict];
}

/* Worst first; then by suite, group, scope and configuration, and the gates in their order. */
static int by_gravity(const void *a, const void *b)
{
    const struct cf_finding *x = a, *y = b;
    int order = rank(x) - rank(y);

    if (order == 0)
        order = strcmp(x->suite, y->suite);
    if (order == 0)
        order = strcmp(x->group, y->group);
    if (order == 0)
        order = (int)x->demand.scope - (int)y->demand.scope;
    if (order == 0)
        order = x->configuration - y->configuration;
    return order ? order : strcmp(x->component, y->component);
}

/* The books balance: every configuration has one finding for each slot that its group demands. */
static void collect(struct cf_judgement *j)
{
    struct cf_findings *f = &j->findings;
    const int n_all = j->ledger.n_configurations * j->ledger.n_groups * CF_N_SLOTS;
    int n_demanded = 0;

    f->findings = cf_arena_alloc(&j->arena, (size_t)(n_all + 1) * sizeof f->findings[0]);
    for (int i = 0; i < n_all; ++i) {
        const int group = i / CF_N_SLOTS % j->ledger.n_groups;

        if (!cf_judgement_demands(j, group, i % CF_N_SLOTS))
            continue;
        f->findings[f->n_findings++] = j->slot[i];
        ++f->n_verdicts[j->slot[i].verdict];
    }
    for (int g = 0; g < j->ledger.n_groups; ++g)
        for (int slot = 0; slot < CF_N_SLOTS; ++slot)
            n_demanded += cf_judgement_demands(j, g, slot);
    CF_CHECK(f->n_findings == n_demanded * j->ledger.n_configurations);
    qsort(f->findings, (size_t)f->n_findings, sizeof f->findings[0], by_gravity);
}

static void balance(struct cf_judgement *j)
{
    struct cf_findings *f = &j->findings;
    int64_t n = 0;

    f->n_planned = j->ledger.n_planned;
    f->n_recorded = j->ledger.n_records;
    for (int i = 0; i < f->n_configurations; ++i)
        for (int fate = 0; fate < CF_N_FATES; ++fate) {
            f->n_fates[fate] += f->configurations[i].n_fates[fate];
            n += f->configurations[i].n_fates[fate];
        }
    CF_CHECK(n == f->n_recorded);
    CF_CHECK(f->n_recorded <= f->n_planned);
    f->complete = f->n_recorded == f->n_planned;
}

static int add_library(void *context, int64_t configuration, const struct cf_mapped *mapped)
{
    struct cf_judgement *j = context;
    struct cf_findings *f = &j->findings;

    (void)configuration;
    for (int i = 0; i < f->n_libraries; ++i)
        if (strcmp(f->libraries[i].path, mapped->path) == 0 &&
            strcmp(f->libraries[i].sha256, mapped->sha256) == 0)
            return 0;
    f->libraries = cf_realloc(f->libraries, (size_t)(f->n_libraries + 1) * sizeof f->libraries[0]);
    f->libraries[f->n_libraries++] =
        (struct cf_library_finding){.path = cf_arena_text(&j->arena, mapped->path),
                                    .sha256 = cf_arena_text(&j->arena, mapped->sha256),
                                    .version = cf_arena_text(&j->arena, mapped->version)};
    return 0;
}

static int add_environment(void *context, const char *key, const char *value)
{
    struct cf_judgement *j = context;
    struct cf_findings *f = &j->findings;

    if (strncmp(key, "env.", 4) != 0)
        return 0;
    f->environment =
        cf_realloc(f->environment, (size_t)(f->n_environment + 1) * sizeof f->environment[0]);
    f->environment[f->n_environment++] = (struct cf_key_value){
        .key = cf_arena_text(&j->arena, key + 4), .value = cf_arena_text(&j->arena, value)};
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct cf_library_finding *x = a, *y = b;
    const int order = strcmp(x->path, y->path);

    return order ? order : strcmp(x->sha256, y->sha256);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct cf_key_value *)a)->key, ((const struct cf_key_value *)b)->key);
}

static const char *meta(struct cf_judgement *j, const char *key)
{
    char *value = cf_store_get_meta(j->store, key);

    return value ? cf_arena_own(&j->arena, value) : "";
}

static void describe(struct cf_judgement *j)
{
    struct cf_findings *f = &j->findings;

    f->tool_version = meta(j, "tool");
    f->command_line = meta(j, "command");
    f->started = meta(j, "started");
    f->finished = meta(j, "finished");
    cf_store_each_library(j->store, add_library, j);
    cf_store_each_meta(j->store, add_environment, j);
    if (f->n_libraries > 0)
        qsort(f->libraries, (size_t)f->n_libraries, sizeof f->libraries[0], by_path);
    if (f->n_environment > 0)
        qsort(f->environment, (size_t)f->n_environment, sizeof f->environment[0], by_key);
    f->n_cases = j->ledger.n_cases;
    f->cases = cf_arena_alloc(&j->arena, (size_t)(f->n_cases + 1) * sizeof f->cases[0]);
    for (int i = 0; i < f->n_cases; ++i)
        f->cases[i] = j->ledger.cases[i].c.text;
}

static void list_records(struct cf_judgement *j)
{
    const struct cf_ledger *ledger = &j->ledger;
    struct cf_record_finding *list =
        cf_arena_alloc(&j->arena, (size_t)(ledger->n_records + 1) * sizeof list[0]);

    j->findings.records = list;
    for (int c = 0; c < ledger->n_cases; ++c)
        for (int i = 0; i < ledger->n_configurations; ++i) {
            int64_t n;
            const struct cf_ledger_record *r = cf_ledger_records(ledger, c, i, &n);

            for (int64_t k = 0; k < n; ++k, ++r)
                list[j->findings.n_records++] = (struct cf_record_finding){
                    .configuration = i,
                    .process = r->process,
                    .repetition = r->repetition,
                    .suite = ledger->group[ledger->cases[c].group].suite,
                    .case_text = ledger->cases[c].c.text,
                    .fate = r->fate,
                    .digest = r->output >= 0 ? &ledger->cases[c].output[r->output] : NULL,
                    .wall_ns = r->wall_ns,
                    .reason = r->reason,
                    .chosen = r->chosen};
        }
}

/* The level that the run was made for, when the caller names none. */
static void take_level(struct cf_judgement *j)
{
    char *name = cf_store_get_meta(j->store, "level");

    if (j->options.required == CF_NONE &&
        (!name || cf_level_parse(name, &j->options.required) != 0 ||
         j->options.required == CF_NONE))
        j->options.required = CF_NUMERICAL;
    j->findings.required = j->options.required;
    free(name);
}

/* A store of a qualification holds no plan: then what its units say is what the run says. */
static int add_units(struct cf_judgement *j, struct cf_error *err)
{
    static const enum cf_verdict verdicts[CF_N_UNIT_STATES] = {[CF_UNIT_PASS] = CF_PASS,
                                                               [CF_UNIT_FAIL] = CF_FAIL,
                                                               [CF_UNIT_RETEST] = CF_UNKNOWN,
                                                               [CF_UNIT_NOT_MEASURED] = CF_SKIP};
    struct cf_findings *f = &j->findings;

    if (cf_units_get(&j->units, j->store, err) != 0)
        return -1;
    f->units = j->units.unit;
    f->n_units = j->units.n;
    f->coverage = j->units.coverage;
    if (cf_flips_get(&j->flips, j->store, err) != 0)
        return -1;
    f->flips = j->flips.flip;
    f->n_flips = j->flips.n;
    if (f->n_units == 0 || f->n_configurations > 0)
        return 0;
    for (int i = 0; i < f->n_units; ++i)
        ++f->n_verdicts[verdicts[f->units[i].state]];
    f->exit_code = cf_units_exit_code(&j->units);
    f->complete = 1;
    f->sentence = cf_arena_own(&j->arena, cf_units_sentence(&j->units));
    return 0;
}

static int judge(struct cf_judgement *j, struct cf_error *err)
{
    if (cf_ledger_read(&j->ledger, j->store, &j->arena, err) != 0)
        return -1;
    if (cf_measure_all(&j->measure, &j->ledger, j->store, &j->options, err) != 0)
        return -1;
    take_level(j);
    describe(j);
    list_records(j);
    start_slots(j);
    cf_judge_gates(j);
    cf_judge_noise(j);
    if (cf_judge_solvers(j, err) != 0 || cf_judge_use(j, err) != 0 ||
        cf_judge_training(j, err) != 0)
        return -1;
    if (cf_judge_bits(j, err) != 0 || cf_witness_all(j, err) != 0)
        return -1;
    cf_judge_levels(j);
    cf_judge_invariances(j);
    cf_judge_classes(j);
    cf_judge_chosen(j);
    if (cf_judge_promises(j, err) != 0)
        return -1;
    cf_judge_prices(j);
    collect(j);
    balance(j);
    if (j->options.curves && cf_judge_curves(j, err) != 0)
        return -1;
    return cf_judge_fleet(j, err) != 0 ? -1 : add_units(j, err);
}

struct cf_findings *cf_judge(struct cf_store *store, const struct cf_judge_options *options,
                             struct cf_error *err)
{
    struct cf_judgement *j = cf_alloc_zero(sizeof *j);

    j->store = store;
    j->options = *options;
    j->findings.owner = j;
    if (judge(j, err) == 0)
        return &j->findings;
    cf_findings_free(&j->findings);
    return NULL;
}

void cf_findings_free(struct cf_findings *findings)
{
    struct cf_judgement *j = findings ? findings->owner : NULL;

    if (!j)
        return;
    cf_units_free(&j->units);
    cf_flips_free(&j->flips);
    cf_measure_free(&j->measure, &j->ledger);
    cf_ledger_free(&j->ledger);
    free(j->findings.libraries);
    free(j->findings.environment);
    free(j->pending);
    cf_promises_free(&j->promises);
    cf_arena_free(&j->arena);
    free(j);
}
