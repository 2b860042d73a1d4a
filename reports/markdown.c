/* markdown: the comment under a pull request: at most 60 lines, whatever was found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_markdown.h"
#include "support_view.h"

/* 3 of verdict, 4 + OUTLIERS + 2, 3 + ROWS + 2, 3 + FAMILIES + 2, 3 + WORST + 2: 60 lines at most.
 */
#define ROWS      16
#define FAMILIES  8
#define WORST     5
#define OUTLIERS  4
#define NAME_MAX_ 60

/* Configurations worth a row when not all have one: the baseline, then the worst. */
static int rank(const struct cf_configuration_finding *c)
{
    static const int by_verdict[CF_N_VERDICTS] = {
        [CF_FAIL] = 2, [CF_UNKNOWN] = 3, [CF_SKIP] = 4, [CF_PASS] = 5};

    return c->is_baseline ? 0 : c->wrong ? 1 : by_verdict[c->at_required];
}

static void configuration_row(FILE *out, const struct cf_configuration_finding *c)
{
    fprintf(out, "| %s", c->is_baseline ? "**baseline** " : "");
    cf_markdown_text(out, c->label, NAME_MAX_);
    fprintf(out, " | %s%s | %s | ", c->wrong ? "**wrong**, " : "", cf_level_name(c->level),
            c->at_required == CF_PASS ? "pass" : cf_verdict_name(c->at_required));
    if (isfinite(c->slowdown))
        fprintf(out, "%.2f", c->slowdown);
    fputs(" | ", out);
    cf_markdown_text(out, c->reason, 120);
    fputs(" |\n", out);
}

static void configurations(FILE *out, const struct cf_findings *f)
{
    int n = 0;

    fputs("\n| configuration | level | meets | slower | why not more |\n|---|---|---|--:|---|\n",
          out);
    for (int r = 0; r <= 5; ++r)
        for (int i = 0; i < f->n_configurations && n < ROWS; ++i)
            if (rank(&f->configurations[i]) == r) {
                configuration_row(out, &f->configurations[i]);
                ++n;
            }
    if (n < f->n_configurations)
        fprintf(out, "\n%d more configurations, none worse than these.\n", f->n_configurations - n);
}

static void invariance(FILE *out, const struct cf_findings *f)
{
    struct cf_view_names families = cf_view_families(f);
    const int n = families.n < FAMILIES ? families.n : FAMILIES;

    fputs(families.n ? "\n| only this changes |" : "", out);
    for (int s = 0; s < CF_N_SCOPES && families.n; ++s)
        if (cf_view_scope_used(f, (enum cf_scope)s))
            fprintf(out, " %s |", cf_scope_name((enum cf_scope)s));
    fputs(families.n ? "\n|---|" : "", out);
    for (int s = 0; s < CF_N_SCOPES && families.n; ++s)
        fputs(cf_view_scope_used(f, (enum cf_scope)s) ? "---|" : "", out);
    fputs(families.n ? "\n" : "", out);
    for (int i = 0; i < n; ++i) {
        fputs("| ", out);
        cf_markdown_text(out, families.name[i], NAME_MAX_);
        fputs(" |", out);
        for (int s = 0; s < CF_N_SCOPES; ++s) {
            const struct cf_view_cell cell =
                cf_view_invariance(f, families.name[i], (enum cf_scope)s);

            if (cf_view_scope_used(f, (enum cf_scope)s))
                fprintf(out, " %s |", cf_view_short(&cell));
        }
        putc('\n', out);
    }
    if (n < families.n)
        fprintf(out, "\n%d more families are in the other reports.\n", families.n - n);
    cf_view_names_free(&families, 0);
}

static void worst(FILE *out, const struct cf_findings *f)
{
    const struct cf_finding *list[WORST];
    int n_all;
    const int n = cf_view_worst(f, list, WORST, &n_all);

    fputs(n > 0 ? "\n**Worst findings**\n\n" : "", out);
    for (int i = 0; i < n; ++i) {
        char *head = cf_view_head(list[i]), *replay = cf_finding_replay(f, list[i]);

        fputs("- ", out);
        cf_markdown_text(out, head, 0);
        fputs(": ", out);
        cf_markdown_text(out, list[i]->reason, 240);
        fputs("<br>", out);
        cf_markdown_code(out, replay);
        putc('\n', out);
        free(head);
        free(replay);
    }
    if (n < n_all)
        fprintf(out, "\n%d more in the other reports.\n", n_all - n);
}

/* Machines that left their majority; a page has room for a few. */
static void outliers(FILE *out, const struct cf_findings *f)
{
    int n = 0;

    for (int i = 0; i < f->n_nodes; ++i) {
        if (f->nodes[i].state != CF_NODE_OUTLIER || n++ >= OUTLIERS)
            continue;
        fputs(n == 1 ? "\n**Outliers of the fleet**\n\n- " : "- ", out);
        cf_markdown_text(out, f->nodes[i].name, NAME_MAX_);
        fputs(": ", out);
        cf_markdown_text(out, f->nodes[i].reason, 240);
        putc('\n', out);
    }
    if (n > OUTLIERS)
        fprintf(out, "\n%d more outliers are in the other reports.\n", n - OUTLIERS);
}

static int write_markdown(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                          struct cf_error *err)
{
    static const char *const marks[] = {"Reproducible", "Not reproducible", "Not run",
                                        "Not measured", "Nothing selected"};
    const int known = f->exit_code >= 0 && f->exit_code < CF_COUNT(marks);

    (void)page;
    (void)err;
    if (f->n_units > 0 && f->n_configurations == 0)
        fprintf(out, "### conform: %s\n\n", f->exit_code == 0 ? "Qualified" : "Not qualified");
    else
        fprintf(out, "### conform: %s at the %s level\n\n",
                known ? marks[f->exit_code] : "interrupted", cf_level_name(f->required));
    cf_markdown_text(out, f->sentence, 600);
    putc('\n', out);
    outliers(out, f);
    if (f->n_configurations == 0)
        return 0;
    configurations(out, f);
    invariance(out, f);
    worst(out, f);
    return 0;
}

const struct cf_report cf_report_markdown = {.name = "markdown",
                                             .suffix = ".md",
                                             .why = "at most 60 lines for a pull request",
                                             .write = write_markdown};
