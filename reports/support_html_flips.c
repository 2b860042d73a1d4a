/* The section that says which flipped bits the checks saw. */
#include <stdlib.h>
#include <string.h>

#include "support_flips.h"
#include "support_html.h"
#include "support_html_parts.h"

static void row(FILE *out, const struct cf_flip_finding flips[], int64_t n)
{
    fputs("<tr><th scope=\"row\">", out);
    cf_html_text(out, flips[0].operand);
    fputs("</th>", out);
    fprintf(out, "<td class=\"n\" data-n=\"kernels\">%lld</td>", (long long)n);
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        char *word = cf_flips_word(flips, n, (enum cf_sight)s);

        fprintf(out, "<td class=\"n\" data-n=\"%s\">", cf_sight_name((enum cf_sight)s));
        cf_html_text(out, word);
        fputs("</td>", out);
        free(word);
    }
    fputs("</tr>\n", out);
}

/* The case stands above the operands that were flipped in it. */
static void case_row(FILE *out, const char *case_text)
{
    fprintf(out, "<tr><th scope=\"rowgroup\" colspan=\"%d\"><code>", 2 + CF_N_SIGHTS);
    cf_html_text(out, case_text);
    fputs("</code></th></tr>\n", out);
}

void cf_html_flips(FILE *out, const struct cf_findings *f)
{
    char *summary = cf_flips_summary(f);
    const char *before = "";

    cf_html_element(out, "p", NULL, summary);
    cf_html_element(out, "p", "why", cf_flips_legend);
    cf_html_table(out, "list", "The lowest flipped bit that each check sees");
    fputs("<thead><tr><th scope=\"col\">flipped in</th>"
          "<th class=\"n\" scope=\"col\">kernels</th>",
          out);
    for (int s = 0; s < CF_N_SIGHTS; ++s)
        fprintf(out, "<th class=\"n\" scope=\"col\">%s</th>", cf_sight_name((enum cf_sight)s));
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int64_t i = 0, n; i < f->n_flips; i += n) {
        if (strcmp(before, f->flips[i].case_text) != 0)
            case_row(out, f->flips[i].case_text);
        before = f->flips[i].case_text;
        n = cf_flips_alike(f, i, 1);
        row(out, &f->flips[i], n);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
    free(summary);
}
