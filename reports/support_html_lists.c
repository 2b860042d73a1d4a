/* The sections that are lists: classes, worst findings, machines and units, and what is folded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support_html.h"
#include "support_html_parts.h"
#include "support_view.h"

#define WORST 12

static void members(FILE *out, const struct cf_findings *f, const struct cf_class_finding *c, int k)
{
    int n = 0, first = 1;

    for (int i = 0; i < f->n_configurations; ++i)
        n += c->class_of[i] == k;
    fprintf(out, "<li><strong>%d</strong>: ", n);
    for (int i = 0; i < f->n_configurations; ++i)
        if (c->class_of[i] == k) {
            fputs(first ? "" : ", ", out);
            cf_html_short(out, f->configurations[i].label, 60);
            first = 0;
        }
    fputs("</li>\n", out);
}

static void one_class(FILE *out, const struct cf_findings *f, const struct cf_class_finding *c)
{
    int number, n_members, n_measured;

    cf_view_largest(f, c, &number, &n_members, &n_measured);
    fputs("<div class=\"class\"><h3>", out);
    cf_html_text(out, c->group);
    fputs(" <span class=\"base\">", out);
    cf_html_text(out, c->suite);
    fputs("</span></h3>", out);
    if (n_measured == 0)
        fputs("None has a complete record.", out);
    else if (n_members == n_measured && n_measured > 1)
        fprintf(out, "All %d agree bit for bit.", n_measured);
    else if (n_members > 1)
        fprintf(out, "These %d of %d configurations agree bit for bit; %d different answers.",
                n_members, n_measured, c->n_classes);
    else
        fprintf(out, "%d configurations, %d different answers.", n_measured, c->n_classes);
    fputs("<ul>\n", out);
    if (n_measured > 0)
        members(out, f, c, number);
    for (int k = 0; k < c->n_classes; ++k)
        if (k != number)
            members(out, f, c, k);
    fputs("</ul></div>\n", out);
}

void cf_html_classes(FILE *out, const struct cf_findings *f)
{
    fputs("<p class=\"why\">Configurations in one line gave the same bits in every case of the "
          "group.</p>\n<div class=\"classes\">\n",
          out);
    for (int pass = 0; pass < 2; ++pass)
        for (int i = 0; i < f->n_classes; ++i)
            if ((f->classes[i].n_classes > 1) == (pass == 0))
                one_class(out, f, &f->classes[i]);
    fputs("</div>\n", out);
}

static void term(FILE *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    fprintf(out, "<dt>%s</dt><dd><code>", name);
    cf_html_text(out, value);
    fputs("</code></dd>\n", out);
}

static void witness(FILE *out, const struct cf_findings *f, const char *name,
                    const struct cf_witness *w)
{
    if (w->configuration < 0)
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    cf_html_text(out, f->configurations[w->configuration].label);
    if (w->process || w->repetition)
        fprintf(out, " (process %d, repetition %d)", w->process + 1, w->repetition + 1);
    if (*w->got) {
        fprintf(out, ", element %lld: <code>", (long long)w->element);
        cf_html_text(out, w->got);
        fputs("</code>", out);
    }
    if (isfinite(w->error))
        fprintf(out, ", errs by %.3g u\xc2\xb7scale", w->error);
    fputs("</dd>\n", out);
}

static void bad(FILE *out, const struct cf_findings *f, const struct cf_finding *v)
{
    char *head = cf_view_head(v), *replay = v->case_text ? cf_finding_replay(f, v) : NULL;
    char *rest = strchr(head, ' ');

    fprintf(out, "<article><h3><span class=\"tag %s\">%.*s</span>", v->wrong ? "lw" : "l0",
            (int)(rest - head), head);
    cf_html_text(out, rest + 1);
    fputs(" <span class=\"base\">", out);
    cf_html_text(out, v->group);
    fputs("</span></h3>\n<p>", out);
    cf_html_text(out, v->reason);
    fputs("</p>\n<dl class=\"bits\">\n", out);
    term(out, "case", v->case_text);
    term(out, "exact", v->exact);
    witness(out, f, "a", &v->a);
    witness(out, f, "b", &v->b);
    fputs("</dl>\n", out);
    if (replay)
        cf_html_element(out, "pre", NULL, replay);
    fputs("</article>\n", out);
    free(head);
    free(replay);
}

void cf_html_worst(FILE *out, const struct cf_findings *f)
{
    const struct cf_finding *list[WORST];
    int n_all;
    const int n = cf_view_worst(f, list, WORST, &n_all);

    fputs("<p class=\"why\">Each can be seen again by pasting its last line.</p>\n", out);
    for (int i = 0; i < n; ++i)
        bad(out, f, list[i]);
    if (n < n_all)
        fprintf(out, "<p class=\"why\">%d more are in the JSON report.</p>\n", n_all - n);
}

static void state(FILE *out, const char *kind, const char *word)
{
    fprintf(out, "<td><span class=\"cell %s\">%s</span></td>", kind, word);
}

static void where(FILE *out, const char *reason, const char *case_text, const char *element,
                  const char *expected, const char *got)
{
    fputs("<td>", out);
    cf_html_text(out, reason);
    if (case_text && *case_text) {
        fputs("<br/><code>", out);
        cf_html_text(out, case_text);
        fputs("</code>", out);
    }
    if (got && *got) {
        fputs("<br/><code>", out);
        cf_html_text(out, element);
        fputs(" expected ", out);
        cf_html_text(out, expected);
        fputs(" got ", out);
        cf_html_text(out, got);
        fputs("</code>", out);
    }
    fputs("</td></tr>\n", out);
}

void cf_html_nodes(FILE *out, const struct cf_findings *f)
{
    static const char *const kinds[CF_N_NODE_STATES] = {"l4", "lw", "lu", "ls"};

    fputs(
        "<p class=\"why\">Each machine next to the majority of the machines of its kind; where no "
        "more than half agree, no side is taken.</p>\n",
        out);
    cf_html_table(out, "list", "Machines of the fleet");
    fputs("<thead><tr><th scope=\"col\">machine</th><th scope=\"col\">verdict</th><th class=\"n\" "
          "scope=\"col\">compared</th><th class=\"n\" scope=\"col\">different</th><th "
          "scope=\"col\">kind</th><th scope=\"col\">what was found</th></tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_nodes; ++i) {
        const struct cf_node_finding *n = &f->nodes[i];

        fputs("<tr><th scope=\"row\">", out);
        cf_html_text(out, n->name);
        fputs("</th>", out);
        state(out, kinds[n->state], cf_node_state_name(n->state));
        fprintf(out,
                "<td class=\"n\" data-n=\"compared\">%lld</td>"
                "<td class=\"n\" data-n=\"different\">%lld</td><td>",
                (long long)n->n_compared, (long long)n->n_different);
        cf_html_text(out, n->kind);
        fputs("</td>", out);
        where(out, n->reason, n->case_text, n->element, n->expected, n->got);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}

void cf_html_units(FILE *out, const struct cf_findings *f)
{
    static const char *const kinds[CF_N_UNIT_STATES] = {"l4", "lw", "l1", "lu"};

    if (f->coverage) {
        fputs("<p class=\"why\">", out);
        cf_html_text(out, f->coverage);
        fputs("</p>\n", out);
    }
    cf_html_table(out, "list", "Units that were qualified");
    fputs("<thead><tr><th scope=\"col\">unit</th><th scope=\"col\">instructions</th><th "
          "scope=\"col\">verdict</th><th class=\"n\" scope=\"col\">operations checked</th><th "
          "class=\"n\" scope=\"col\">per second</th><th scope=\"col\">what was found</th></tr>"
          "</thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_units; ++i) {
        const struct cf_unit_finding *u = &f->units[i];

        fputs("<tr><th scope=\"row\">", out);
        cf_html_text(out, u->node);
        fputs(u->node && *u->node ? " " : "", out);
        cf_html_text(out, u->name);
        fputs("</th>", out);
        cf_html_element(out, "td", NULL, u->kernel);
        state(out, kinds[u->state], cf_unit_state_name(u->state));
        fprintf(out,
                "<td class=\"n\" data-n=\"checked\">%.3g</td>"
                "<td class=\"n\" data-n=\"a second\">%.3g</td>",
                u->n_checked, u->seconds > 0 ? u->n_checked / u->seconds : 0);
        where(out, u->reason, u->case_text, u->element, u->expected, u->got);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}

void cf_html_environment(FILE *out, const struct cf_findings *f)
{
    fputs("<dl class=\"bits\">\n", out);
    for (int i = 0; i < f->n_environment; ++i) {
        cf_html_element(out, "dt", NULL, f->environment[i].key);
        cf_html_element(out, "dd", NULL, f->environment[i].value);
        putc('\n', out);
    }
    fputs("</dl>\n", out);
}

void cf_html_libraries(FILE *out, const struct cf_findings *f)
{
    cf_html_table(out, "list", "Library files with version and digest");
    fputs("<thead><tr><th scope=\"col\">file</th><th scope=\"col\">version</th><th "
          "scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_libraries; ++i) {
        fputs("<tr>", out);
        cf_html_element(out, "td", NULL, f->libraries[i].path);
        cf_html_element(out, "td", NULL, f->libraries[i].version);
        fputs("<td><code>", out);
        cf_html_text(out, f->libraries[i].sha256);
        fputs("</code></td></tr>\n", out);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}

void cf_html_cases(FILE *out, const struct cf_findings *f)
{
    fputs("<pre>", out);
    for (int i = 0; i < f->n_cases; ++i) {
        cf_html_text(out, f->cases[i]);
        putc('\n', out);
    }
    fputs("</pre>\n", out);
}
