/* json: everything that the findings hold, as `conform-report/1`; docs/report.schema.json says what
 * each key means. Keys are only ever added within version 1. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "support_json.h"
#include "report.h"

/* Every s:o pair is a new reference; jansson sorts the keys when it writes. */
static json_t *packed(json_t *value)
{
    CF_CHECK(value != NULL);
    return value;
}

static json_t *fates(const int64_t n_fates[])
{
    json_t *object = json_object();

    for (int i = 0; i < CF_N_FATES; ++i)
        json_object_set_new(object, cf_fate_name((enum cf_fate)i), json_integer(n_fates[i]));
    return object;
}

static json_t *verdicts(const int64_t n_verdicts[])
{
    json_t *object = json_object();

    for (int i = 0; i < CF_N_VERDICTS; ++i)
        json_object_set_new(object, cf_verdict_name((enum cf_verdict)i),
                            json_integer(n_verdicts[i]));
    return object;
}

static json_t *run(const struct cf_findings *f)
{
    return packed(json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:b}", "tool_version",
                            cf_json_text(f->tool_version), "command_line",
                            cf_json_text(f->command_line), "started", cf_json_text(f->started),
                            "finished", cf_json_text(f->finished), "exit", f->exit_code, "sentence",
                            cf_json_text(f->sentence), "complete", f->complete));
}

static json_t *summary(const struct cf_findings *f)
{
    return packed(json_pack("{s:s, s:i, s:I, s:I, s:o, s:o}", "level_required",
                            cf_level_name(f->required), "n_order_anomalies", f->n_anomalies,
                            "n_planned", (json_int_t)f->n_planned, "n_recorded",
                            (json_int_t)f->n_recorded, "by_verdict", verdicts(f->n_verdicts),
                            "by_fate", fates(f->n_fates)));
}

static json_t *configuration(const struct cf_configuration_finding *c)
{
    return packed(json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:s, s:s, s:b, s:o, s:o, s:o}", "text",
                            cf_json_text(c->text), "label", cf_json_text(c->label), "requested",
                            cf_json_embed(c->requested), "effective", cf_json_embed(c->effective),
                            "is_baseline", c->is_baseline, "qualified", c->qualified, "level",
                            cf_level_name(c->level), "at_required", cf_verdict_name(c->at_required),
                            "wrong", c->wrong, "reason", cf_json_text(c->reason), "by_fate",
                            fates(c->n_fates), "slowdown", cf_json_real(c->slowdown)));
}

static json_t *cell(const struct cf_cell_finding *c)
{
    return packed(json_pack("{s:i, s:o, s:o, s:s, s:s, s:b, s:o}", "configuration",
                            c->configuration, "suite", cf_json_text(c->suite), "group",
                            cf_json_text(c->group), "level", cf_level_name(c->level), "verdict",
                            cf_verdict_name(c->verdict), "wrong", c->wrong, "reason",
                            cf_json_text(c->reason)));
}

static json_t *invariance(const struct cf_invariance_finding *v)
{
    return packed(json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:o}", "family", cf_json_text(v->family), "group",
        cf_json_text(v->group), "scope", cf_scope_name(v->scope), "level", cf_level_name(v->level),
        "verdict", cf_verdict_name(v->verdict), "n_compared", (json_int_t)v->n_compared,
        "n_different", (json_int_t)v->n_different, "reason", cf_json_text(v->reason)));
}

static json_t *classes(const struct cf_findings *f, const struct cf_class_finding *c)
{
    json_t *of = json_array();

    for (int i = 0; i < f->n_configurations; ++i)
        json_array_append_new(of, json_integer(c->class_of[i]));
    return packed(json_pack("{s:o, s:o, s:i, s:o}", "suite", cf_json_text(c->suite), "group",
                            cf_json_text(c->group), "n_classes", c->n_classes, "class_of", of));
}

static json_t *witness(const struct cf_witness *w)
{
    if (w->configuration < 0)
        return json_null();
    return packed(json_pack("{s:i, s:i, s:i, s:I, s:i, s:o, s:o}", "configuration",
                            w->configuration, "process", w->process, "repetition", w->repetition,
                            "element", (json_int_t)w->element, "output", w->output, "got",
                            cf_json_text(w->got), "error", cf_json_real(w->error)));
}

static json_t *evidence(const struct cf_finding *v)
{
    return packed(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:i}",
                            "p_pass", cf_json_real(v->p_pass), "p_fail", cf_json_real(v->p_fail),
                            "q", cf_json_real(v->q), "estimate", cf_json_real(v->estimate), "lower",
                            cf_json_real(v->lower), "upper", cf_json_real(v->upper), "margin",
                            cf_json_real(v->margin), "unit", cf_json_text(v->unit), "margin_source",
                            cf_json_text(v->margin_source), "n_compared", (json_int_t)v->n_compared,
                            "n_different", (json_int_t)v->n_different, "n_seeds", v->n_seeds,
                            "n_seeds_needed", v->n_seeds_needed));
}

static json_t *finding(const struct cf_findings *f, const struct cf_finding *v)
{
    char *replay = v->case_text ? cf_finding_replay(f, v) : NULL;
    json_t *value = json_pack(
        "{s:{s:s, s:s}, s:i, s:i, s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "demand", "level", cf_level_name(v->demand.level), "scope", cf_scope_name(v->demand.scope),
        "configuration", v->configuration, "other", v->other, "suite", cf_json_text(v->suite),
        "group", cf_json_text(v->group), "component", cf_json_text(v->component), "verdict",
        cf_verdict_name(v->verdict), "evidence", evidence(v), "wrong", v->wrong, "case",
        cf_json_text(v->case_text), "exact", *v->exact ? cf_json_text(v->exact) : json_null(), "a",
        witness(&v->a), "b", witness(&v->b), "reason", cf_json_text(v->reason), "replay",
        cf_json_text(replay), "documented",
        v->documented ? cf_json_text(v->documented->id) : json_null());

    free(replay);
    return packed(value);
}

static json_t *promise(const struct cf_promise_finding *p)
{
    const struct cf_promise *of = p->promise;

    return packed(json_pack(
        "{s:s, s:i, s:o, s:o, s:o, s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:o, s:s,"
        " s:{s:s, s:s, s:s, s:s}}",
        "id", of->id, "configuration", p->configuration, "family", cf_json_text(p->family), "suite",
        cf_json_text(p->suite), "group", cf_json_text(p->group), "scope", cf_scope_name(of->scope),
        "promised", cf_promised_name(of->promised), "state", cf_promise_state_name(p->state),
        "documented_difference", p->documented_difference, "n_compared", (json_int_t)p->n_compared,
        "n_different", (json_int_t)p->n_different, "case", cf_json_text(p->case_text), "reason",
        cf_json_text(p->reason), "says", of->says, "source", "document", of->document, "section",
        of->section, "version", of->version, "date", of->date));
}

static json_t *chosen(const struct cf_chosen_finding *c)
{
    return packed(json_pack("{s:i, s:o, s:o, s:o, s:o, s:i, s:I, s:o}", "configuration",
                            c->configuration, "family", cf_json_text(c->family), "suite",
                            cf_json_text(c->suite), "group", cf_json_text(c->group), "chosen",
                            cf_json_text(c->chosen), "n_cases", c->n_cases, "n_records",
                            (json_int_t)c->n_records, "case", cf_json_text(c->case_text)));
}

static json_t *price(const struct cf_price_finding *p)
{
    return packed(json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:i, s:i, s:I, s:I, s:o}",
                            "configuration", p->configuration, "other", p->other, "suite",
                            cf_json_text(p->suite), "ratio", cf_json_real(p->middle), "least",
                            cf_json_real(p->low), "greatest", cf_json_real(p->high), "n_rounds",
                            p->n_rounds, "n_cases", p->n_cases, "n_compared",
                            (json_int_t)p->n_compared, "n_different", (json_int_t)p->n_different,
                            "documented", cf_json_text(p->documented ? p->documented->id : NULL)));
}

static json_t *library(const struct cf_library_finding *l)
{
    return packed(json_pack("{s:o, s:o, s:o}", "path", cf_json_text(l->path), "sha256",
                            cf_json_text(l->sha256), "version", cf_json_text(l->version)));
}

static json_t *unit(const struct cf_unit_finding *u)
{
    json_t *where = packed(json_pack(
        "{s:i, s:i, s:i, s:i, s:i, s:o, s:i, s:o, s:o}", "cpu", u->cpu, "core", u->core, "package",
        u->package, "numa_node", u->numa_node, "thread", u->thread, "ppin", cf_json_text(u->ppin),
        "gpu", u->gpu, "uuid", cf_json_text(u->uuid), "sm", cf_json_text(u->sm)));

    return packed(json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, "
        "s:o}",
        "node", cf_json_text(u->node), "name", cf_json_text(u->name), "kernel",
        cf_json_text(u->kernel), "state", cf_unit_state_name(u->state), "n_checked",
        cf_json_real(u->n_checked), "seconds", cf_json_real(u->seconds), "n_requests",
        (json_int_t)u->n_requests, "n_different", (json_int_t)u->n_different, "time_to_fail_s",
        cf_json_real(u->time_to_fail_s), "case", cf_json_text(u->case_text), "element",
        cf_json_text(u->element), "expected", cf_json_text(u->expected), "got",
        cf_json_text(u->got), "reason", cf_json_text(u->reason), "where", where, "seed",
        (json_int_t)u->seed, "n_again", (json_int_t)u->n_again, "mhz", cf_json_real(u->mhz)));
}

static json_t *node(const struct cf_node_finding *n)
{
    return packed(json_pack(
        "{s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name", cf_json_text(n->name),
        "kind", cf_json_text(n->kind), "state", cf_node_state_name(n->state), "n_compared",
        (json_int_t)n->n_compared, "n_different", (json_int_t)n->n_different, "case",
        cf_json_text(n->case_text), "configuration", cf_json_text(n->configuration), "element",
        cf_json_text(n->element), "expected", cf_json_text(n->expected), "got",
        cf_json_text(n->got), "reason", cf_json_text(n->reason)));
}

static json_t *sight(const struct cf_flip_finding *f, enum cf_sight s)
{
    char always[20];

    snprintf(always, sizeof always, "0x%0*" PRIx64, f->n_bits / 4, f->always[s]);
    return packed(json_pack("{s:s, s:i, s:s, s:i, s:I}", "check", cf_sight_name(s), "judged",
                            f->judged[s], "always_caught", always, "lowest_bit",
                            cf_flip_lowest(f, s), "n_caught", (json_int_t)f->n_caught[s]));
}

static json_t *flip(const struct cf_flip_finding *f)
{
    json_t *checks = json_array();

    for (int s = 0; s < CF_N_SIGHTS; ++s)
        json_array_append_new(checks, sight(f, (enum cf_sight)s));
    return packed(json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:o}", "configuration",
                            cf_json_text(f->configuration), "case", cf_json_text(f->case_text),
                            "operand", cf_json_text(f->operand), "n_bits", f->n_bits, "n_mantissa",
                            f->n_mantissa, "n_positions", f->n_positions, "checks", checks));
}

static json_t *environment(const struct cf_findings *f)
{
    json_t *object = json_object();

    for (int i = 0; i < f->n_environment; ++i) {
        json_t *key = cf_json_text(f->environment[i].key);

        json_object_set_new(object, json_string_value(key), cf_json_text(f->environment[i].value));
        json_decref(key);
    }
    return object;
}

/* Appends one value an entry to a new array of the document. */
#define EACH(key, n, value)                                                                        \
    do {                                                                                           \
        json_t *array_ = json_array();                                                             \
        for (int64_t i = 0; i < (n); ++i)                                                          \
            json_array_append_new(array_, (value));                                                \
        json_object_set_new(document, key, array_);                                                \
    } while (0)

static int write_json(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                      struct cf_error *err)
{
    json_t *document = json_object();

    (void)page;
    (void)err;
    json_object_set_new(document, "schema", json_string("conform-report/1"));
    json_object_set_new(document, "run", run(f));
    json_object_set_new(document, "summary", summary(f));
    json_object_set_new(document, "environment", environment(f));
    EACH("configurations", f->n_configurations, configuration(&f->configurations[i]));
    EACH("cells", f->n_cells, cell(&f->cells[i]));
    EACH("findings", f->n_findings, finding(f, &f->findings[i]));
    EACH("invariances", f->n_invariances, invariance(&f->invariances[i]));
    EACH("equivalence_classes", f->n_classes, classes(f, &f->classes[i]));
    EACH("libraries", f->n_libraries, library(&f->libraries[i]));
    EACH("chosen", f->n_chosen, chosen(&f->chosen[i]));
    EACH("promises", f->n_promises, promise(&f->promises[i]));
    EACH("prices", f->n_prices, price(&f->prices[i]));
    EACH("units", f->n_units, unit(&f->units[i]));
    EACH("flips", f->n_flips, flip(&f->flips[i]));
    EACH("nodes", f->n_nodes, node(&f->nodes[i]));
    json_object_set_new(document, "coverage", cf_json_text(f->coverage));
    EACH("cases", f->n_cases, cf_json_text(f->cases[i]));
    cf_json_write(out, document);
    return 0;
}

const struct cf_report cf_report_json = {.name = "json",
                                         .suffix = ".json",
                                         .why = "for programs: conform-report/1, with a schema",
                                         .write = write_json};
