/* The section of what the libraries chose to run. */
#include <stdlib.h>

#include "support_chosen.h"
#include "support_html.h"
#include "support_html_parts.h"

int cf_html_has_chosen(const struct cf_findings *f)
{
    return f->n_chosen > 0;
}

void cf_html_chosen(FILE *out, const struct cf_findings *f)
{
    struct cf_chosen_row *rows = cf_alloc((size_t)(f->n_chosen + 1) * sizeof rows[0]);
    const int n = cf_chosen_rows(rows, f);

    fputs("<p class=\"why\">The engine, algorithm or implementation that a library took by its own "
          "choice, as it said after the call; cases are counted once a configuration.</p>\n",
          out);
    cf_html_table(out, "list", "What the libraries chose to run");
    fputs("<thead><tr><th scope=\"col\">library</th><th scope=\"col\">operation and type</th>"
          "<th scope=\"col\">chosen</th><th class=\"n\" scope=\"col\">cases</th></tr></thead>\n"
          "<tbody>\n",
          out);
    for (int i = 0; i < n; ++i) {
        fputs("<tr><th scope=\"row\">", out);
        cf_html_text(out, rows[i].first->family);
        fputs("</th>", out);
        cf_html_element(out, "td", NULL, rows[i].first->group);
        fputs("<td><code>", out);
        cf_html_text(out, rows[i].first->chosen);
        fprintf(out, "</code></td><td class=\"n\" data-n=\"cases\">%d</td></tr>\n",
                rows[i].n_cases);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
    free(rows);
}
