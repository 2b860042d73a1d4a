/* The line that shows a finding again, as the reader's shell takes it. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "finding.h"

/* In double quotes, or in single ones where the shell would look into double ones. */
static char *quote(const char *text)
{
    char *quoted, *at;

    if (!strpbrk(text, "\"$`\\!"))
        return cf_format("\"%s\"", text);
    quoted = cf_alloc(4 * strlen(text) + 3);
    at = quoted;
    *at++ = '\'';
    for (; *text; ++text) {
        if (*text == '\'')
            at = stpcpy(at, "'\\'");
        *at++ = *text;
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}

static void append(char **line, const char *text)
{
    char *quoted = quote(text), *longer = cf_format("%s %s", *line, quoted);

    free(quoted);
    free(*line);
    *line = longer;
}

char *cf_finding_replay(const struct cf_findings *findings, const struct cf_finding *finding)
{
    char *line = cf_strdup("conform replay");

    append(&line, finding->case_text ? finding->case_text : "");
    append(&line, findings->configurations[finding->configuration].text);
    if (finding->other >= 0 && finding->other != finding->configuration)
        append(&line, findings->configurations[finding->other].text);
    return line;
}
