/* ocp: OCP Test and Validation 2.0 records as JSON Lines: one step a group of cases with one
 * diagnosis a configuration; one step a unit of a qualification. Time stamps are the run's own, so
 * that the same store gives the same bytes. pass and fail are said as such, "not enough evidence"
 * as UNKNOWN, and what could not be measured is an error of the step, never a pass. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_json.h"

struct writer {
    FILE *out;
    const struct cf_findings *f;
    int sequence, step;
};

/* Takes the value. One line a record, keys sorted. */
static void put(struct writer *w, const char *key, json_t *value, const char *when)
{
    json_t *line = json_pack("{s:o, s:i, s:o}", key, value, "sequenceNumber", w->sequence++,
                             "timestamp", cf_json_text(when));
    char *text;

    CF_CHECK(line != NULL);
    text = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    fprintf(w->out, "%s\n", text);
    free(text);
    json_decref(line);
}

static void put_step(struct writer *w, const char *key, json_t *value)
{
    char *id = cf_format("%d", w->step);
    json_t *step = json_pack("{s:s, s:o}", "testStepId", id, key, value);

    put(w, "testStepArtifact", step, w->f->finished);
    free(id);
}

static const char *environment(const struct cf_findings *f, const char *key)
{
    for (int i = 0; i < f->n_environment; ++i)
        if (strcmp(f->environment[i].key, key) == 0)
            return f->environment[i].value;
    return "";
}

static json_t *software(const struct cf_findings *f)
{
    json_t *list = json_array();

    for (int i = 0; i < f->n_configurations; ++i) {
        char *id = cf_format("configuration-%d", i);

        json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:o}", "softwareInfoId", id, "name",
                                              cf_json_text(f->configurations[i].label),
                                              "softwareType", "APPLICATION", "version",
                                              cf_json_text(f->configurations[i].text)));
        free(id);
    }
    return list;
}

static json_t *hardware(const struct cf_findings *f)
{
    json_t *list = json_array();

    for (int i = 0; i < f->n_units; ++i) {
        char *id = cf_format("unit-%d", i);

        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "hardwareInfoId", id, "name",
                                              cf_json_text(f->units[i].name), "location",
                                              cf_json_text(f->units[i].node), "manufacturer",
                                              cf_json_text(environment(f, "cpu.vendor"))));
        free(id);
    }
    return list;
}

static void start(struct writer *w)
{
    const struct cf_findings *f = w->f;
    json_t *dut =
        json_pack("{s:s, s:s, s:[{s:o}], s:o, s:o}", "dutInfoId", "machine", "name", "machine",
                  "platformInfos", "info", cf_json_text(environment(f, "cpu.name")),
                  "softwareInfos", software(f), "hardwareInfos", hardware(f));

    put(w, "schemaVersion", json_pack("{s:i, s:i}", "major", 2, "minor", 0), f->started);
    put(w, "testRunArtifact",
        json_pack("{s:{s:s, s:o, s:o, s:{s:s}, s:o}}", "testRunStart", "name", "conform", "version",
                  cf_json_text(f->tool_version), "commandLine", cf_json_text(f->command_line),
                  "parameters", "level", cf_level_name(f->required), "dutInfo", dut),
        f->started);
}

static void begin_step(struct writer *w, const char *name)
{
    put_step(w, "testStepStart", json_pack("{s:o}", "name", cf_json_text(name)));
}

static void end_step(struct writer *w, const char *status)
{
    put_step(w, "testStepEnd", json_pack("{s:s}", "status", status));
    ++w->step;
}

static json_t *diagnosis(const char *verdict, const char *type, const char *message)
{
    return json_pack("{s:s, s:s, s:o}", "verdict", verdict, "type", type, "message",
                     cf_json_text(message));
}

static void cell(struct writer *w, const struct cf_cell_finding *c)
{
    static const char *const types[CF_N_VERDICTS] = {"PASS", "FAIL", "UNKNOWN", NULL};
    char *id = cf_format("configuration-%d", c->configuration), *verdict;
    json_t *value;

    if (types[c->verdict]) {
        verdict = cf_format("%s%s", c->wrong ? "wrong, " : "", cf_level_name(c->level));
        value = diagnosis(verdict, c->wrong ? "FAIL" : types[c->verdict], c->reason);
        json_object_set_new(value, "softwareInfoId", json_string(id));
        put_step(w, "diagnosis", value);
        free(verdict);
    }
    free(id);
}

static int same(const struct cf_cell_finding *a, const struct cf_cell_finding *b)
{
    return strcmp(a->suite, b->suite) == 0 && strcmp(a->group, b->group) == 0;
}

static void groups(struct writer *w)
{
    const struct cf_findings *f = w->f;

    for (int i = 0; i < f->n_cells; ++i) {
        int done = 0, judged = 0;
        char *name;

        for (int k = 0; k < i && !done; ++k)
            done = same(&f->cells[k], &f->cells[i]);
        if (done)
            continue;
        name = cf_format("%s: %s", f->cells[i].suite, f->cells[i].group);
        begin_step(w, name);
        for (int k = i; k < f->n_cells; ++k)
            if (same(&f->cells[k], &f->cells[i])) {
                cell(w, &f->cells[k]);
                judged |= f->cells[k].verdict != CF_SKIP;
            }
        end_step(w, judged ? "COMPLETE" : "SKIP");
        free(name);
    }
}

static void measure(struct writer *w, const char *name, double value, const char *unit, int i)
{
    char *id = cf_format("unit-%d", i);

    if (isfinite(value))
        put_step(w, "measurement",
                 json_pack("{s:s, s:f, s:s, s:s}", "name", name, "value", value, "unit", unit,
                           "hardwareInfoId", id));
    free(id);
}

static void unit(struct writer *w, int i)
{
    static const char *const types[CF_N_UNIT_STATES] = {"PASS", "FAIL", "UNKNOWN", NULL};
    const struct cf_unit_finding *u = &w->f->units[i];
    char *name = cf_format("%s%s%s, %s", u->node, *u->node ? " " : "", u->name, u->kernel),
         *id = cf_format("unit-%d", i);

    begin_step(w, name);
    measure(w, "operations checked", u->n_checked, "1", i);
    measure(w, "requests that differed", (double)u->n_different, "1", i);
    measure(w, "time to fail", u->time_to_fail_s, "s", i);
    if (types[u->state]) {
        json_t *value = diagnosis(cf_unit_state_name(u->state), types[u->state], u->reason);

        json_object_set_new(value, "hardwareInfoId", json_string(id));
        put_step(w, "diagnosis", value);
    } else if (u->n_requests > 0) {
        put_step(
            w, "error",
            json_pack("{s:s, s:o}", "symptom", "not-measured", "message", cf_json_text(u->reason)));
    }
    end_step(w, types[u->state] ? "COMPLETE" : u->n_requests > 0 ? "ERROR" : "SKIP");
    free(name);
    free(id);
}

static int write_ocp(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                     struct cf_error *err)
{
    static const char *const ends[][2] = {{"COMPLETE", "PASS"},
                                          {"COMPLETE", "FAIL"},
                                          {"ERROR", "NOT_APPLICABLE"},
                                          {"ERROR", "NOT_APPLICABLE"},
                                          {"SKIP", "NOT_APPLICABLE"}};
    const int end = f->exit_code >= 0 && f->exit_code < CF_COUNT(ends) ? f->exit_code : 2;
    struct writer w = {.out = out, .f = f};

    (void)page;
    (void)err;
    start(&w);
    groups(&w);
    for (int i = 0; i < f->n_units; ++i)
        unit(&w, i);
    put(&w, "testRunArtifact",
        json_pack("{s:{s:s, s:s}}", "testRunEnd", "status", ends[end][0], "result", ends[end][1]),
        f->finished);
    return 0;
}

const struct cf_report cf_report_ocp = {.name = "ocp",
                                        .suffix = ".jsonl",
                                        .why = "OCP Test and Validation 2.0 records",
                                        .write = write_ocp};
