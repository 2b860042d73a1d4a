/* html: one file for people: it can be mailed, printed, read on a phone and without colours, and
 * asks nobody for anything. The order is the reader's: the verdict, where it fails, why, who agrees
 * with whom, how large the errors are, then what a doubter wants to know. */
#include <stdlib.h>

#include "report.h"
#include "support_html.h"
#include "support_html_parts.h"
#include "support_view.h"

static const char *const names[] = {"pass", "fail", "unknown", "unknown", "unknown"};
static const char *const marks[] = {"\xe2\x9c\x93", "\xe2\x9c\x97", "?", "?", "?"};
static const char *const words[] = {"Reproducible", "Not reproducible", "Not run", "Not measured",
                                    "Nothing selected"};
static const char *const unit_words[] = {"Qualified", "Not qualified", "Not run",
                                         "Not qualified: to be asked again", "Nothing selected"};

static void fact(FILE *out, const char *name, long long value)
{
    fprintf(out, "<div><dt>%s</dt><dd>%lld</dd></div>\n", name, value);
}

static void facts(FILE *out, const struct cf_findings *f)
{
    int64_t lost = 0;

    for (int i = 0; i < CF_N_FATES; ++i)
        if (i != CF_RAN && i != CF_NOT_OFFERED)
            lost += f->n_fates[i];
    fputs("<dl class=\"facts\">\n", out);
    fact(out, "configurations", f->n_configurations);
    fact(out, "cases", f->n_cases);
    fact(out, "records", (long long)f->n_recorded);
    fact(out, "findings passed", (long long)f->n_verdicts[CF_PASS]);
    fact(out, "failed", (long long)f->n_verdicts[CF_FAIL]);
    fact(out, "undecided", (long long)f->n_verdicts[CF_UNKNOWN]);
    fact(out, "requests not measured", (long long)lost);
    fputs("</dl>\n", out);
}

/* Against what, and why not: the second and third sentence of the banner. */
static void against(FILE *out, const struct cf_findings *f)
{
    for (int i = 0; i < f->n_configurations; ++i)
        if (f->configurations[i].is_baseline) {
            fputs("<p>Compared with the baseline <strong>", out);
            cf_html_text(out, f->configurations[i].label);
            fprintf(out, "</strong>, at the %s level, and with the exact answer.</p>\n",
                    cf_level_name(f->required));
        }
    for (int i = 0; i < f->n_configurations; ++i)
        if (f->configurations[i].at_required == CF_FAIL || f->configurations[i].wrong) {
            fputs("<p>First reason: ", out);
            cf_html_text(out, f->configurations[i].label);
            fputs(": ", out);
            cf_html_text(out, f->configurations[i].reason);
            fputs("</p>\n", out);
            return;
        }
}

static void banner(FILE *out, const struct cf_findings *f)
{
    const int known = f->exit_code >= 0 && f->exit_code < CF_COUNT(names);
    const int units = f->n_units > 0 && f->n_configurations == 0;
    char *level = cf_format("%s level", cf_level_name(f->required));

    fprintf(out,
            "<a class=\"skip\" href=\"#main\">To the findings</a>\n<header><div class=\"banner "
            "%s\">\n<h1><span class=\"mark\" aria-hidden=\"true\">%s</span>%s%s%s</h1>"
            "\n<p><strong>",
            known ? names[f->exit_code] : "unknown", known ? marks[f->exit_code] : "?",
            known ? (units ? unit_words : words)[f->exit_code] : "Interrupted",
            units ? "" : " at the ", units ? "" : level);
    cf_html_text(out, f->sentence);
    fputs("</strong></p>\n", out);
    free(level);
    against(out, f);
    if (!f->complete)
        fprintf(out, "<p>The run is not complete: %lld of %lld requests have a record.</p>\n",
                (long long)f->n_recorded, (long long)f->n_planned);
    if (!units)
        facts(out, f);
    fputs("</div></header>\n", out);
}

static void contents(FILE *out, const struct cf_findings *f)
{
    fputs("<nav aria-label=\"Sections\"><ul>\n", out);
    for (const struct cf_html_part *part = cf_html_parts; part->id; ++part)
        if (part->has(f))
            fprintf(out, "<li><a href=\"#%s\">%s</a></li>\n", part->id, part->short_name);
    fputs("</ul></nav>\n", out);
}

static int write_html(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                      struct cf_error *err)
{
    (void)page;
    (void)err;
    cf_html_begin(out, "conform: does it reproduce?");
    banner(out, f);
    contents(out, f);
    fputs("<main id=\"main\">\n", out);
    for (const struct cf_html_part *part = cf_html_parts; part->id; ++part) {
        if (!part->has(f))
            continue;
        cf_html_section(out, part->id, part->heading, part->folded);
        part->write(out, f);
        cf_html_section_end(out, part->folded);
    }
    fputs("</main>\n<footer><p>conform ", out);
    cf_html_text(out, f->tool_version);
    fputs(" \xc2\xb7 begun ", out);
    cf_html_text(out, f->started);
    fputs(", ended ", out);
    cf_html_text(out, f->finished);
    fputs("</p><p><code>", out);
    cf_html_text(out, f->command_line);
    fputs("</code></p></footer>\n", out);
    cf_html_end(out);
    return 0;
}

const struct cf_report cf_report_html = {.name = "html",
                                         .suffix = ".html",
                                         .why = "one file for people: no network, no script",
                                         .write = write_html};
