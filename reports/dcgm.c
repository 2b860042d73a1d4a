/* dcgm: a qualification in the shape of `dcgmi diag -j` (NVIDIA DCGM 4, Diagnostics): categories of
 * tests, a result for each entity with status, info and warnings that carry an error id, category
 * and severity. The severities are DCGM's own words; ids and the entity group CPU are ours. That
 * shape has no stable schema; conform-report/1 has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_json.h"
#include "support_tests.h"

static const char *status_of(const struct cf_unit_finding *u)
{
    static const char *const words[CF_N_UNIT_STATES] = {[CF_UNIT_PASS] = "Pass",
                                                        [CF_UNIT_FAIL] = "Fail",
                                                        [CF_UNIT_RETEST] = "Warn",
                                                        [CF_UNIT_NOT_MEASURED] = "Skip"};

    return u->state == CF_UNIT_NOT_MEASURED && u->n_requests > 0 ? "Not Run" : words[u->state];
}

/* What should be done with the unit: a core that fails again is taken out of service. */
static json_t *warning(const struct cf_unit_finding *u)
{
    static const struct {
        const char *severity;
        int id;
    } rows[CF_N_UNIT_STATES] = {[CF_UNIT_FAIL] = {"ISOLATE", 1},
                                [CF_UNIT_RETEST] = {"TRIAGE", 2},
                                [CF_UNIT_NOT_MEASURED] = {"UNKNOWN", 3}};
    char *text = *u->got ? cf_format("%s: %s, %s expected %s got %s", u->reason, u->case_text,
                                     u->element, u->expected, u->got)
                         : cf_strdup(u->reason);
    json_t *value = json_pack("{s:o, s:i, s:s, s:s}", "warning", cf_json_text(text), "error_id",
                              rows[u->state].id, "error_category", "HARDWARE", "error_severity",
                              rows[u->state].severity);

    CF_CHECK(value != NULL);
    free(text);
    return value;
}

static const char *group_of(const struct cf_unit_finding *u)
{
    return u->gpu != -1 ? "GPU" : "CPU";
}

static int entity_of(const struct cf_unit_finding *u)
{
    return u->gpu == -1 ? u->cpu : u->gpu < 0 ? -1 : u->gpu;
}

static json_t *result(const struct cf_unit_finding *u)
{
    const int bad = u->state == CF_UNIT_FAIL || u->state == CF_UNIT_RETEST ||
                    (u->state == CF_UNIT_NOT_MEASURED && u->n_requests > 0);
    json_t *warnings = json_array();
    json_t *value = json_pack(
        "{s:s, s:i, s:s, s:o, s:[o], s:I, s:o, s:o}", "entity_group", group_of(u), "entity_id",
        entity_of(u), "status", status_of(u), "warnings", warnings, "info", cf_json_text(u->reason),
        "seed", (json_int_t)u->seed, "time_to_fail_s", cf_json_real(u->time_to_fail_s),
        "operations_checked", cf_json_real(u->n_checked));

    CF_CHECK(value != NULL);
    if (bad)
        json_array_append_new(warnings, warning(u));
    return value;
}

static int graver(const char *a, const char *b)
{
    static const char *const order[] = {"Skip", "Pass", "Not Run", "Warn", "Fail"};
    int at_a = 0, at_b = 0;

    for (int i = 0; i < CF_COUNT(order); ++i) {
        at_a = strcmp(a, order[i]) == 0 ? i : at_a;
        at_b = strcmp(b, order[i]) == 0 ? i : at_b;
    }
    return at_a > at_b;
}

static json_t *test(const struct cf_findings *f, int first)
{
    char *name = cf_tests_name(&f->units[first]);
    const char *summary = status_of(&f->units[first]);
    json_t *results = json_array(), *value;

    for (int i = first; i >= 0; i = cf_tests_next(f, i)) {
        json_array_append_new(results, result(&f->units[i]));
        if (graver(status_of(&f->units[i]), summary))
            summary = status_of(&f->units[i]);
    }
    value = json_pack("{s:o, s:o, s:{s:s}}", "name", cf_json_text(name), "results", results,
                      "test_summary", "status", summary);
    CF_CHECK(value != NULL);
    free(name);
    return value;
}

/* Each CPU once, with the serial number of its processor where the kernel shows it; or each GPU,
 * with its UUID. */
static json_t *entities(const struct cf_findings *f, const char *group)
{
    json_t *list = json_array();

    for (int i = 0; i < f->n_units; ++i) {
        const struct cf_unit_finding *u = &f->units[i];
        int known = strcmp(group_of(u), group) != 0;

        for (int k = 0; k < i && !known; ++k)
            known = strcmp(group_of(&f->units[k]), group) == 0 &&
                    entity_of(&f->units[k]) == entity_of(u) &&
                    strcmp(f->units[k].node, u->node) == 0;
        if (!known)
            json_array_append_new(
                list, json_pack("{s:i, s:o, s:o, s:o}", "entity_id", entity_of(u), "serial_num",
                                cf_json_text(u->gpu != -1 ? u->uuid : u->ppin), "name",
                                cf_json_text(u->name), "node", cf_json_text(u->node)));
    }
    return list;
}

static int write_dcgm(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                      struct cf_error *err)
{
    json_t *tests = json_array(), *gpus = entities(f, "GPU"), *groups, *document;

    (void)page;
    (void)err;
    for (int i = 0; i < f->n_units; ++i)
        if (cf_tests_first(f, i))
            json_array_append_new(tests, test(f, i));
    groups = json_pack("[{s:s, s:o, s:o}]", "entity_group", "CPU", "model",
                       cf_json_text(cf_tests_environment(f, "cpu.name")), "entities",
                       entities(f, "CPU"));
    CF_CHECK(groups != NULL);
    if (json_array_size(gpus) > 0)
        json_array_append_new(groups,
                              json_pack("{s:s, s:O}", "entity_group", "GPU", "entities", gpus));
    json_decref(gpus);
    document =
        json_pack("{s:o, s:o, s:o, s:o, s:[{s:s, s:o}]}", "version", cf_json_text(f->tool_version),
                  "driver_version", cf_json_text(cf_tests_environment(f, "gpu.driver")), "coverage",
                  cf_json_text(f->coverage), "entity_groups", groups, "test_categories", "category",
                  "Hardware", "tests", tests);
    CF_CHECK(document != NULL);
    cf_json_write(out, document);
    return 0;
}

const struct cf_report cf_report_dcgm = {.name = "dcgm",
                                         .suffix = ".dcgm.json",
                                         .why = "a qualification in the shape of dcgmi diag -j",
                                         .write = write_dcgm};
