/* Why each configuration has no higher level: one line each, with the reason of every step down. */
#include <stdlib.h>
#include <string.h>

#include "support_text.h"
#include "support_view.h"

#define STEP_MAX 420 /* of a reason; the other formats have all of it */

static void heading(FILE *out, const struct cf_page *page, const char *text)
{
    putc('\n', out);
    cf_text_paint(out, page, CF_BOLD, text, 0);
    putc('\n', out);
}

/* The next " (numerical|statistical|scientific|functional) (fail|unknown|skip): " in a reason, or
 * its end. */
static const char *next_step(const char *at)
{
    static const char *const levels[] = {"; statistical ", "; scientific ", "; functional ",
                                         "; Statistical: "};
    const char *least = at + strlen(at);

    for (int i = 0; i < CF_COUNT(levels); ++i) {
        const char *found = strstr(at, levels[i]);

        least = found && found < least ? found : least;
    }
    return least;
}

/* Each step on a line of its own; the attribution has a section of its own. */
static void steps(FILE *out, const struct cf_page *page, const char *reason)
{
    while (*reason) {
        const char *end = next_step(reason);
        const int n = (int)(end - reason);
        char *line =
            cf_format("%.*s%s", n > STEP_MAX ? STEP_MAX : n, reason, n > STEP_MAX ? " ..." : "");

        if (strncmp(reason, "Statistical: ", 13) != 0) {
            fputs("      ", out);
            cf_text_wrap(out, page, line, 6, 8);
        }
        free(line);
        reason = *end ? end + 2 : end;
    }
}

void cf_text_steps(FILE *out, const struct cf_page *page, const struct cf_findings *findings)
{
    int n = 0;

    for (int i = 0; i < findings->n_configurations && findings->required < CF_NUMERICAL; ++i) {
        const struct cf_configuration_finding *one = &findings->configurations[i];

        if (one->is_baseline || !*one->reason || cf_view_unmeasured(one) > 0)
            continue;
        if (n++ == 0)
            heading(out, page, "Why no higher level: the reason of each step down");
        fputs("  ", out);
        cf_text_put(out, one->label);
        fprintf(out, ": %s%s\n", cf_level_name(one->level), one->wrong ? ", proven wrong" : "");
        steps(out, page, one->reason);
    }
    if (findings->n_anomalies > 0)
        fprintf(
            out,
            "\n%d order anomal%s: a level passes while the next weaker one fails (about 1 in 20 "
            "may, by chance)\n",
            findings->n_anomalies, findings->n_anomalies == 1 ? "y" : "ies");
}
