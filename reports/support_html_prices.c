/* The section of the price of determinism. */
#include "support_html.h"
#include "support_html_parts.h"

int cf_html_has_prices(const struct cf_findings *f)
{
    return f->n_prices > 0;
}

void cf_html_prices(FILE *out, const struct cf_findings *f)
{
    fputs("<p class=\"why\">Time of a configuration that kept its bits at every run, over that of "
          "the fastest one of the same library, device and threads that did not, or is documented "
          "not to: the median, least and greatest ratio of the rounds. In a round one process of "
          "each goes through the cases; all configurations take turns.</p>\n",
          out);
    cf_html_table(out, "list", "Price of determinism");
    fputs("<thead><tr><th scope=\"col\">the same bits</th><th scope=\"col\">over</th>"
          "<th scope=\"col\">suite</th><th class=\"n\" scope=\"col\">time ratio</th>"
          "<th class=\"n\" scope=\"col\">least</th><th class=\"n\" scope=\"col\">greatest</th>"
          "<th class=\"n\" scope=\"col\">rounds</th><th scope=\"col\">the other's bits</th>"
          "</tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_prices; ++i) {
        const struct cf_price_finding *p = &f->prices[i];

        fputs("<tr><th scope=\"row\">", out);
        cf_html_text(out, f->configurations[p->configuration].label);
        fputs("</th>", out);
        cf_html_element(out, "td", NULL, f->configurations[p->other].label);
        cf_html_element(out, "td", NULL, p->suite);
        fprintf(out,
                "<td class=\"n\" data-n=\"time ratio\">%.2f</td><td class=\"n\" "
                "data-n=\"least\">%.2f</td><td class=\"n\" data-n=\"greatest\">%.2f</td>"
                "<td class=\"n\" data-n=\"rounds\">%d</td><td>%s</td></tr>\n",
                p->middle, p->low, p->high, p->n_rounds,
                p->n_different > 0 ? "were seen to differ" : "are documented to differ");
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}
