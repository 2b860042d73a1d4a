#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "gating.h"
#include "judge.h"
#include "listing.h"
#include "task.h"

/* The first version in which something of a kind happened, and where it shows best. */
enum kind { ANSWERS, BITS, LEVEL, ACCURACY, N_KINDS };

static const char *const kinds[N_KINDS] = {"first that could not be measured", "first other bits",
                                           "first other level", "first other accuracy"};

struct first {
    int version, n_cases; /* version 0: none */
    int worst;            /* case */
    double badness;
};

struct sweep {
    const struct cf_versions *v;
    const struct cf_findings *findings;
    struct first first[N_KINDS];
    json_t *steps;
};

static void note(struct sweep *s, enum kind kind, int version, int i, double badness)
{
    struct first *f = &s->first[kind];

    if (f->version != 0 && f->version != version)
        return;
    f->version = version;
    ++f->n_cases;
    if (f->n_cases == 1 || badness > f->badness) {
        f->worst = i;
        f->badness = badness;
    }
}

/* Farther than twice, closer than half, wrong when it was not, or the other way round. */
static int accuracy_moved(const struct cf_moved *m, const struct cf_standing *a,
                          const struct cf_standing *b)
{
    if ((a->n_wrong > 0) != (b->n_wrong > 0))
        return 1;
    return a->n_elements >= 8 && (m->ratio >= 2 || m->ratio <= 0.5);
}

/* Does the judge say that a version fails the level against the first one? Too little evidence is
 * no failure. */
static int fails_level(const struct sweep *s, int end, int i)
{
    const struct cf_ledger *ledger = &s->v->history.ledger;
    const struct cf_ledger_group *group = &ledger->group[ledger->cases[i].group];

    for (int k = 0; k < s->findings->n_cells; ++k) {
        const struct cf_cell_finding *cell = &s->findings->cells[k];

        if (cell->configuration == end && strcmp(cell->suite, group->suite) == 0 &&
            strcmp(cell->group, group->name) == 0)
            return cell->verdict == CF_FAIL;
    }
    return 0;
}

static void step_case(struct sweep *s, int end, int i, int n[CF_N_MOVES])
{
    struct cf_standing a, b;
    struct cf_moved m;

    cf_move_decide(&m, &s->v->history, i, end - 1, end, NULL);
    cf_standing_read(&a, &s->v->history, end - 1, i);
    cf_standing_read(&b, &s->v->history, end, i);
    ++n[m.move];
    if (m.move == CF_MOVE_ERROR || (a.n_ran > 0) != (b.n_ran > 0))
        note(s, ANSWERS, end, i, 0);
    else if (m.move != CF_MOVE_SAME && m.move != CF_MOVE_NONE) {
        const double far = m.ratio > 0 ? fabs(log(m.ratio)) : 0;

        note(s, BITS, end, i, far);
        if (accuracy_moved(&m, &a, &b))
            note(s, ACCURACY, end, i, b.n_wrong > 0 ? INFINITY : far);
    }
    if ((b.n_answers > 1) != (a.n_answers > 1) ||
        fails_level(s, end, i) > fails_level(s, end - 1, i))
        note(s, LEVEL, end, i, b.n_answers);
}

static void step(struct sweep *s, struct cf_listing *rows, int end)
{
    int n[CF_N_MOVES] = {0};
    char text[160] = "";

    for (int i = 0; i < s->v->plan.n_cases; ++i)
        step_case(s, end, i, n);
    for (int m = 0; m < CF_N_MOVES; ++m)
        if (n[m] > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d %s", *text ? ", " : "",
                     n[m], cf_move_name((enum cf_move)m));
    cf_listing_add(rows, s->v->end[end].label, text);
    json_array_append_new(s->steps, json_pack("{s:s,s:s,s:s}", "from", s->v->end[end - 1].line,
                                              "to", s->v->end[end].line, "cases", text));
}

static void print_first(FILE *out, const struct sweep *s, enum kind kind)
{
    const struct first *f = &s->first[kind];
    struct cf_moved m;

    if (f->version == 0) {
        if (kind != ANSWERS)
            fprintf(out, "%-34s none of these versions\n", kinds[kind]);
        return;
    }
    cf_move_decide(&m, &s->v->history, f->worst, f->version - 1, f->version, NULL);
    fprintf(out, "%-34s %s (%d cases)\n  %s\n  %s\n  replay  conform replay \"%s\" \"%s\" \"%s\"\n",
            kinds[kind], s->v->end[f->version].label, f->n_cases, s->v->plan.cases[f->worst].c.text,
            m.reason, s->v->plan.cases[f->worst].c.text, s->v->end[f->version - 1].line,
            s->v->end[f->version].line);
}

static json_t *as_json(const struct sweep *s)
{
    json_t *object = json_pack("{s:s,s:O}", "schema", "conform-sweep/1", "steps", s->steps);

    for (int k = 0; k < N_KINDS; ++k)
        json_object_set_new(object, kinds[k],
                            s->first[k].version
                                ? json_pack("{s:s,s:i,s:s}", "version",
                                            s->v->end[s->first[k].version].line, "cases",
                                            s->first[k].n_cases, "case",
                                            s->v->plan.cases[s->first[k].worst].c.text)
                                : json_null());
    return object;
}

static int print(struct sweep *s, const struct cf_listing *rows, const struct cf_options *options,
                 struct cf_error *err)
{
    const char *json = options->document[cf_report_index("json")];
    char *text = NULL;
    size_t size;
    FILE *out;
    int result;

    if (json)
        return cf_listing_put_json(json, as_json(s), err);
    if (cf_listing_print(rows, options, 0, err) != 0)
        return -1;
    out = open_memstream(&text, &size);
    CF_CHECK(out != NULL);
    fputc('\n', out);
    for (int k = 0; k < N_KINDS; ++k)
        print_first(out, s, (enum kind)k);
    CF_CHECK(fclose(out) == 0);
    result = cf_document_put("-", text, size, err);
    free(text);
    return result;
}

/* 1: something became worse in one of the versions; 3: one could not be measured. */
static int sweep(const struct cf_options *options, struct cf_versions *v, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"version", "against the one before"}};
    struct cf_options choice = *options; /* bits are told apart from levels */
    struct cf_findings *findings;
    struct sweep s = {.v = v};
    int result;

    choice.level = options->level_name ? options->level : CF_STATISTICAL;
    s.findings = findings = cf_task_judge(&choice, v->store, err);
    result = findings ? 0 : -1;
    if (result == 0) {
        s.steps = json_array();
        cf_listing_add(&rows, v->end[0].label, "the first one");
        for (int end = 1; end < v->n; ++end)
            step(&s, &rows, end);
        result = print(&s, &rows, options, err);
        json_decref(s.steps);
    }
    cf_listing_free(&rows);
    if (findings)
        cf_findings_free(findings);
    if (result != 0)
        return result;
    return s.first[ACCURACY].version || s.first[LEVEL].version ? 1
           : s.first[ANSWERS].version                          ? 3
                                                               : 0;
}

int cf_command_sweep(struct cf_options *options, struct cf_error *err)
{
    struct cf_versions *v;
    int result = 0;

    if (options->rest.n < 2)
        return cf_fail(err, "sweep needs the libraries in the order of their versions, as in "
                            "`conform sweep openblas-0.3.27 openblas-0.3.28 openblas-0.3.29`");
    v = cf_alloc_zero(sizeof *v);
    for (int i = 0; i < options->rest.n && result == 0; ++i)
        result = cf_versions_add(v, options->rest.word[i], options->backend, err);
    if (result == 0)
        result = cf_versions_run(v, options, err);
    if (result == 0)
        result = sweep(options, v, err);
    cf_versions_free(v);
    free(v);
    return result;
}
