/* text: the report for people at a terminal: the verdict, the configurations, the scopes, who
 * agrees with whom, and the worst findings with the words that show them again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support_text.h"
#include "support_view.h"

#define WORST_MAX 12
#define CELL      5
#define FIXED     26 /* columns of a row beside the label and the cells */

struct table {
    FILE *out;
    const struct cf_findings *findings;
    const struct cf_page *page;
    int label; /* columns of the first column */
};

static enum cf_colour colour_of(enum cf_verdict verdict, int wrong)
{
    static const enum cf_colour colours[CF_N_VERDICTS] = {
        [CF_PASS] = CF_GREEN, [CF_FAIL] = CF_RED, [CF_UNKNOWN] = CF_YELLOW, [CF_SKIP] = CF_DIM};

    return wrong ? CF_RED : colours[verdict];
}

static void heading(const struct table *t, const char *text)
{
    putc('\n', t->out);
    cf_text_paint(t->out, t->page, CF_BOLD, text, 0);
    putc('\n', t->out);
}

static void verdict(const struct table *t)
{
    static const enum cf_colour colours[] = {CF_GREEN, CF_RED, CF_RED, CF_YELLOW, CF_YELLOW};
    const struct cf_findings *f = t->findings;
    const int known = f->exit_code >= 0 && f->exit_code < CF_COUNT(colours);
    char *books;

    if (t->page->colour) /* coloured text is one word to the wrapping, so it is not wrapped */
        cf_text_paint(t->out, t->page, known ? colours[f->exit_code] : CF_BOLD, f->sentence, 0);
    else
        cf_text_wrap(t->out, t->page, f->sentence, 0, 0);
    if (t->page->colour)
        putc('\n', t->out);
    if (f->n_units > 0 && f->n_configurations == 0)
        return; /* no plan, no books */
    books = cf_format("%d configurations, %d cases, %lld of %lld requests recorded%s; required: %s",
                      f->n_configurations, f->n_cases, (long long)f->n_recorded,
                      (long long)f->n_planned, f->complete ? "" : " (incomplete)",
                      cf_level_name(f->required));
    cf_text_wrap(t->out, t->page, books, 0, 0);
    free(books);
}

/* The widest label, as far as `columns` further columns leave room for it; on a wide page a table
 * may run over the edge rather than cut what tells its rows apart. */
static int label_width(const struct table *t, const char *(*label)(const struct table *, int),
                       int n, int columns)
{
    const int least = t->page->width < 100 ? 20 : 46;
    int width = 8, room = t->page->width - columns;

    for (int i = 0; i < n; ++i)
        if (cf_text_width(label(t, i)) > width)
            width = cf_text_width(label(t, i));
    room = room < least ? least : room;
    return width < room ? width : room;
}

static const char *configuration_label(const struct table *t, int i)
{
    return t->findings->configurations[i].label;
}

/* Ops and suites head the columns by name where names fit, else by number, and a legend says which
 * is which. */
static int names_fit(const struct cf_view_names *names)
{
    for (int k = 0; k < names->n; ++k)
        if (cf_text_width(names->name[k]) > CELL)
            return 0;
    return 1;
}

static void legend(const struct table *t, const struct cf_view_names *names)
{
    char *text = cf_strdup("Columns:");

    for (int k = 0; k < names->n; ++k) {
        char *longer = cf_format("%s%s %d %s", text, k > 0 ? "," : "", k + 1, names->name[k]);

        free(text);
        text = longer;
    }
    cf_text_wrap(t->out, t->page, text, 0, 2);
    free(text);
}

static void configuration_head(const struct table *t, const struct cf_view_names *names)
{
    const int fit = names_fit(names);

    if (!fit)
        legend(t, names);
    cf_text_cell(t->out, "", t->label + 3);
    fputs("level  meets    slower", t->out);
    for (int k = 0; k < names->n; ++k) {
        char number[16];

        snprintf(number, sizeof number, "%d", k + 1);
        fputs("  ", t->out);
        cf_text_cell(t->out, fit ? names->name[k] : number, CELL);
    }
    putc('\n', t->out);
}

static void slowdown(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%8.2f", value);
    else
        fputs("       -", out);
}

static void configuration_row(const struct table *t, int i, const struct cf_view_names *names,
                              int by_op)
{
    const struct cf_configuration_finding *c = &t->findings->configurations[i];
    const struct cf_view_cell overall = cf_view_configuration(t->findings, i, NULL, NULL);

    fputs(c->is_baseline ? "* " : "  ", t->out);
    cf_text_cell(t->out, c->label, t->label);
    putc(' ', t->out);
    cf_text_cell(t->out, overall.n ? cf_view_short(&overall) : "-", 7);
    cf_text_paint(t->out, t->page, colour_of(c->at_required, c->wrong),
                  cf_verdict_name(c->at_required), 7);
    slowdown(t->out, c->slowdown);
    for (int k = 0; k < names->n; ++k) {
        const struct cf_view_cell cell = cf_view_configuration(
            t->findings, i, by_op ? NULL : names->name[k], by_op ? names->name[k] : NULL);

        fputs("  ", t->out);
        cf_text_paint(t->out, t->page, cell.n ? colour_of(cell.verdict, cell.wrong) : CF_DIM,
                      cf_view_short(&cell), CELL);
    }
    putc('\n', t->out);
}

static void configurations(struct table *t)
{
    struct cf_view_names suites = cf_view_suites(t->findings), ops = cf_view_ops(t->findings);
    const int by_op = suites.n < 2;
    struct cf_view_names *names = by_op ? &ops : &suites;
    const int room = (t->page->width - FIXED - 24) / (CELL + 2), all = names->n;

    names->n = names->n > room ? (room > 0 ? room : 0) : names->n;
    t->label = label_width(t, configuration_label, t->findings->n_configurations,
                           FIXED + names->n * (CELL + 2));
    heading(t, by_op ? "Configurations and ops, by level against the baseline (*)"
                     : "Configurations and suites, by level against the baseline (*)");
    configuration_head(t, names);
    for (int i = 0; i < t->findings->n_configurations; ++i)
        configuration_row(t, i, names, by_op);
    cf_text_wrap(
        t->out, t->page,
        "num: the same bits; <num: other bits, how far was not measured; stat: the same error "
        "distribution; sci, func: weaker; !: proven wrong; ?: unknown; num?: no other bits so far, "
        "in too few comparisons; slower: time / the baseline's",
        0, 0);
    if (names->n < all)
        fprintf(t->out, "%d more columns do not fit; the other formats have them\n",
                all - names->n);
    ops.n = by_op ? all : ops.n;
    cf_view_names_free(&suites, 0);
    cf_view_names_free(&ops, 1);
}

static void not_measured(const struct table *t)
{
    int any = 0;

    for (int i = 0; i < t->findings->n_configurations; ++i) {
        const struct cf_configuration_finding *c = &t->findings->configurations[i];

        if (cf_view_unmeasured(c) == 0)
            continue;
        if (!any++)
            heading(t, "Not measured");
        fputs("  ", t->out);
        cf_text_put(t->out, c->label);
        putc(':', t->out);
        for (int k = CF_NOT_OPENED; k < CF_N_FATES; ++k)
            if (c->n_fates[k] > 0)
                fprintf(t->out, " %lld %s", (long long)c->n_fates[k],
                        cf_fate_name((enum cf_fate)k));
        fputs("\n      ", t->out);
        cf_text_wrap(t->out, t->page, c->reason, 6, 6);
    }
}

static int scope_width(int scope)
{
    const int n = (int)strlen(cf_scope_name((enum cf_scope)scope));

    return n > CELL ? n : CELL;
}

static void invariance_row(const struct table *t, const char *family)
{
    fputs("  ", t->out);
    cf_text_cell(t->out, family, t->label);
    for (int scope = 0; scope < CF_N_SCOPES; ++scope) {
        const struct cf_view_cell cell =
            cf_view_invariance(t->findings, family, (enum cf_scope)scope);

        if (!cf_view_scope_used(t->findings, (enum cf_scope)scope))
            continue;
        fputs("  ", t->out);
        cf_text_paint(t->out, t->page,
                      cell.n == 0                  ? CF_DIM
                      : cell.level == CF_NUMERICAL ? CF_GREEN
                                                   : CF_YELLOW,
                      cf_view_short(&cell), scope_width(scope));
    }
    putc('\n', t->out);
}

/* What is missing to a `num?`: the first of them, and how many there are. */
static void too_few(const struct table *t)
{
    const struct cf_invariance_finding *first = NULL;
    int n = 0;

    for (int i = 0; i < t->findings->n_invariances; ++i) {
        const struct cf_invariance_finding *one = &t->findings->invariances[i];

        if (one->verdict == CF_UNKNOWN && one->n_different == 0 && one->n_compared > 0 && n++ == 0)
            first = one;
    }
    if (!first)
        return;
    char *text =
        cf_format("num? in %d place%s, for example %s across %s in %s: %s", n, n == 1 ? "" : "s",
                  first->group, cf_scope_name(first->scope), first->family, first->reason);

    cf_text_wrap(t->out, t->page, text, 0, 0);
    free(text);
}

static void invariance(struct table *t)
{
    struct cf_view_names families = cf_view_families(t->findings);
    int columns = 2;

    if (families.n == 0)
        return;
    heading(t, "Invariance: the level that is kept when only this changes");
    for (int scope = 0; scope < CF_N_SCOPES; ++scope)
        if (cf_view_scope_used(t->findings, (enum cf_scope)scope))
            columns += 2 + scope_width(scope);
    t->label = 8;
    for (int i = 0; i < families.n; ++i)
        if (cf_text_width(families.name[i]) > t->label)
            t->label = cf_text_width(families.name[i]);
    if (t->label > t->page->width - columns)
        t->label = t->page->width - columns < 16 ? 16 : t->page->width - columns;
    cf_text_cell(t->out, "", t->label + 2);
    for (int scope = 0; scope < CF_N_SCOPES; ++scope)
        if (cf_view_scope_used(t->findings, (enum cf_scope)scope))
            fprintf(t->out, "  %-*s", scope_width(scope), cf_scope_name((enum cf_scope)scope));
    putc('\n', t->out);
    for (int i = 0; i < families.n; ++i)
        invariance_row(t, families.name[i]);
    too_few(t);
    cf_view_names_free(&families, 0);
}

static int same_classes(const struct cf_findings *f, int a, int b)
{
    return memcmp(f->classes[a].class_of, f->classes[b].class_of,
                  (size_t)f->n_configurations * sizeof f->classes[a].class_of[0]) == 0;
}

/* "dot f32, dot f64": the groups from this one on that are divided in the same way. NULL when an
 * earlier line has told it. The caller frees. */
static char *groups(const struct cf_findings *f, int k)
{
    char *list = NULL;

    for (int i = 0; i < k; ++i)
        if (same_classes(f, i, k))
            return NULL;
    for (int i = k; i < f->n_classes; ++i)
        if (same_classes(f, i, k)) {
            char *longer =
                cf_format("%s%s%s", list ? list : "", list ? ", " : "", f->classes[i].group);

            free(list);
            list = longer;
        }
    return list;
}

static void class_line(const struct table *t, int k)
{
    const struct cf_class_finding *c = &t->findings->classes[k];
    int number, n_members, n_measured;
    char *names = groups(t->findings, k), *list, *line;

    if (!names)
        return;
    cf_view_largest(t->findings, c, &number, &n_members, &n_measured);
    list = cf_view_members(t->findings, c, number);
    if (n_members < 2)
        line = cf_format("%s: no two of %d agree bit for bit", names, n_measured);
    else if (n_members == n_measured)
        line = cf_format("%s: all %d agree bit for bit", names, n_measured);
    else
        line = cf_format("%s: these %d of %d agree bit for bit (%d different answers in all): %s",
                         names, n_members, n_measured, c->n_classes, list);
    fputs("  ", t->out);
    cf_text_wrap(t->out, t->page, line, 2, 6);
    free(names);
    free(list);
    free(line);
}

/* Of fewer than two there is nothing to say. */
static int is_shared(const struct table *t, int k)
{
    int number, n_members, n_measured;

    cf_view_largest(t->findings, &t->findings->classes[k], &number, &n_members, &n_measured);
    return n_measured >= 2;
}

static void classes(const struct table *t)
{
    int n = 0;

    for (int i = 0; i < t->findings->n_classes; ++i) {
        if (!is_shared(t, i))
            continue;
        if (n++ == 0)
            heading(t, "Who agrees with whom");
        class_line(t, i);
    }
}

/* Is a divergence of training explained by rounding: an answer beside the level, one line a
 * configuration and group. */
static void attribution(const struct table *t)
{
    int n = 0;

    for (int i = 0; i < t->findings->n_findings; ++i) {
        const struct cf_finding *one = &t->findings->findings[i];
        const char *end = strstr(one->reason, " Effective bits");
        char *line;

        if (strcmp(one->component, "attribution") != 0 || one->other < 0 || !end)
            continue;
        if (n++ == 0)
            heading(t, "Attribution: is it rounding? (beside the level)");
        line = cf_format("%s, %s: %.*s", t->findings->configurations[one->configuration].label,
                         one->group, (int)(end - one->reason), one->reason);
        fputs("  ", t->out);
        cf_text_wrap(t->out, t->page, line, 2, 6);
        free(line);
    }
}

static void witness(const struct table *t, const char *name, const struct cf_witness *w)
{
    if (w->configuration < 0)
        return;
    fprintf(t->out, "  %-7s ", name);
    cf_text_put(t->out, t->findings->configurations[w->configuration].text);
    fputs("   got ", t->out);
    cf_text_put(t->out, w->got);
    if (w->process > 0 || w->repetition > 0)
        fprintf(t->out, " (process %d, repetition %d)", w->process + 1, w->repetition + 1);
    putc('\n', t->out);
}

static void one_finding(const struct table *t, const struct cf_finding *finding)
{
    char *head = cf_view_head(finding), *replay = cf_finding_replay(t->findings, finding);

    putc('\n', t->out);
    cf_text_paint(t->out, t->page, colour_of(finding->verdict, finding->wrong), head, 0);
    fputs(": ", t->out);
    cf_text_wrap(t->out, t->page, finding->reason, cf_text_width(head) + 2, 2);
    if (finding->case_text) {
        fputs("  case    ", t->out);
        cf_text_put(t->out, finding->case_text);
        if (*finding->exact) {
            fprintf(t->out, "   element %lld exact ", (long long)finding->a.element);
            cf_text_put(t->out, finding->exact);
        }
        putc('\n', t->out);
    }
    witness(t, "a", &finding->a);
    witness(t, "b", &finding->b);
    fputs("  replay  ", t->out);
    cf_text_put(t->out, replay);
    putc('\n', t->out);
    free(head);
    free(replay);
}

static void worst(const struct table *t)
{
    const struct cf_finding *list[WORST_MAX];
    int n_all;
    const int n = cf_view_worst(t->findings, list, WORST_MAX, &n_all);

    if (n > 0)
        heading(t, "Worst findings");
    for (int i = 0; i < n; ++i)
        one_finding(t, list[i]);
    if (n < n_all)
        fprintf(t->out, "\n%d more of this kind are in the other formats (--json, --junit)\n",
                n_all - n);
}

static int write_text(FILE *out, const struct cf_findings *findings, const struct cf_page *page,
                      struct cf_error *err)
{
    struct table t = {.out = out, .findings = findings, .page = page};

    (void)err;
    verdict(&t);
    cf_text_machines(out, findings, page);
    if (findings->n_units > 0 && findings->n_configurations == 0)
        return 0; /* a qualification alone */
    configurations(&t);
    not_measured(&t);
    cf_text_steps(out, page, findings);
    invariance(&t);
    classes(&t);
    attribution(&t);
    cf_text_promises(out, page, findings);
    cf_text_prices(out, page, findings);
    cf_text_chosen(out, page, findings);
    worst(&t);
    return 0;
}

const struct cf_report cf_report_text = {
    .name = "text", .suffix = ".txt", .why = "for people at a terminal", .write = write_text};
