/* The sections of what is beside the levels: promises, training over its steps, attribution. */
#include <stdlib.h>
#include <string.h>

#include "support_figure.h"
#include "support_html.h"
#include "support_html_parts.h"
#include "support_promises.h"

static const char *kind_of(enum cf_promise_state state)
{
    static const char *const kinds[CF_N_PROMISE_STATES] = {[CF_PROMISE_VIOLATED] = "lw",
                                                           [CF_PROMISE_HOLDS] = "l4",
                                                           [CF_PROMISE_STRONGER] = "l4",
                                                           [CF_PROMISE_UNKNOWN] = "lu",
                                                           [CF_PROMISE_NOT_EXERCISED] = "ls"};

    return kinds[state];
}

static void cell(FILE *out, const char *kind, const char *words)
{
    fprintf(out, "<td><span class=\"cell %s\">", kind);
    cf_html_text(out, words);
    fputs("</span></td>", out);
}

static void promise(FILE *out, const struct cf_promise_row *row)
{
    const struct cf_promise *p = row->first->promise;
    char *source = cf_format("%s %s, %s, %s", p->document, p->version, p->section, p->date);
    char *count = cf_format("%d of %d", row->n_differ, row->n);

    fputs("<tr><th scope=\"row\">", out);
    cf_html_text(out, row->first->family);
    fputs("</th>", out);
    cf_html_element(out, "td", NULL, cf_scope_name(p->scope));
    cf_html_element(out, "td", NULL, cf_promised_name(p->promised));
    cell(out, kind_of(row->worst->state), cf_promise_seen(row));
    fputs("<td class=\"n\" data-n=\"differ\">", out);
    cf_html_text(out, count);
    fputs("</td><td>", out);
    cf_html_text(out, p->says);
    fputs(" <span class=\"why\">(", out);
    cf_html_text(out, source);
    fputs(")</span>", out);
    if (row->worst->state == CF_PROMISE_VIOLATED) {
        fputs("<br/>", out);
        cf_html_text(out, row->worst->group);
        fputs(": ", out);
        cf_html_text(out, row->worst->reason);
        fputs(row->worst->case_text ? "<br/><code>" : "", out);
        cf_html_text(out, row->worst->case_text);
        fputs(row->worst->case_text ? "</code>" : "", out);
    }
    fputs("</td></tr>\n", out);
    free(source);
    free(count);
}

int cf_html_has_promises(const struct cf_findings *f)
{
    struct cf_promise_row *rows = cf_alloc((size_t)(f->n_promises + 1) * sizeof rows[0]);
    const int n = cf_promise_rows(rows, f);

    free(rows);
    return n > 0;
}

void cf_html_promises(FILE *out, const struct cf_findings *f)
{
    struct cf_promise_row *rows = cf_alloc((size_t)(f->n_promises + 1) * sizeof rows[0]);
    const int n = cf_promise_rows(rows, f);

    fputs(
        "<p class=\"why\">What the vendor documents of equal bits when only one thing changes, "
        "next to what was seen (stronger: the same bits although less is promised); ops and types "
        "are counted once a configuration.</p>\n",
        out);
    cf_html_table(out, "list", "Promises and observations");
    fputs("<thead><tr><th scope=\"col\">library</th><th scope=\"col\">along</th>"
          "<th scope=\"col\">documented</th><th scope=\"col\">seen</th>"
          "<th class=\"n\" scope=\"col\">differ</th><th scope=\"col\">where it is written</th>"
          "</tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < n; ++i)
        promise(out, &rows[i]);
    fputs("</tbody>", out);
    cf_html_table_end(out);
    free(rows);
}

int cf_html_has_divergence(const struct cf_findings *f)
{
    return cf_figure_panels(f) > 0;
}

void cf_html_divergence(FILE *out, const struct cf_findings *f)
{
    const int n = cf_figure_panels(f);

    for (int i = 0; i < n; ++i) {
        char *caption = cf_figure_caption(f, i);

        fputs("<figure><div class=\"frame\" tabindex=\"0\" role=\"region\" aria-label=\"Distance "
              "from the true trajectory\">",
              out);
        cf_figure_panel(out, f, i);
        fputs("</div>\n<figcaption class=\"why\">", out);
        cf_html_text(out, caption);
        fputs("</figcaption></figure>\n", out);
        free(caption);
    }
}

/* An answer that was given: those against the configuration itself have none. */
static int is_attribution(const struct cf_finding *v)
{
    return strcmp(v->component, "attribution") == 0 && v->other >= 0 && v->verdict != CF_SKIP;
}

int cf_html_has_attribution(const struct cf_findings *f)
{
    for (int i = 0; i < f->n_findings; ++i)
        if (is_attribution(&f->findings[i]))
            return 1;
    return 0;
}

void cf_html_attribution(FILE *out, const struct cf_findings *f)
{
    fputs("<p class=\"why\">Beside the level, and no veto: is a training run's distance from the "
          "baseline's what rounding alone explains? Twins of the baseline that differ in one unit "
          "in the last place say how far rounding drives runs apart.</p>\n",
          out);
    cf_html_table(out, "list", "Attribution");
    fputs("<thead><tr><th scope=\"col\">configuration</th><th scope=\"col\">training</th>"
          "<th scope=\"col\">answer</th></tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_findings; ++i) {
        const struct cf_finding *v = &f->findings[i];

        if (!is_attribution(v))
            continue;
        fputs("<tr><th scope=\"row\">", out);
        cf_html_text(out, f->configurations[v->configuration].label);
        fputs("</th>", out);
        cf_html_element(out, "td", NULL, v->group);
        cf_html_element(out, "td", NULL, v->reason);
        fputs("</tr>\n", out);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}
