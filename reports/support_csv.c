#include "support_csv.h"

#include <stdlib.h>
#include <string.h>

#include "support_utf8.h"

static int is_number(const char *text)
{
    char *end;

    strtod(text, &end);
    return end != text && *end == '\0';
}

void cf_csv_cell(FILE *out, const char *text, int first)
{
    char *clean = cf_utf8_clean(text);
    const int formula = *clean && strchr("=+-@", *clean) && !is_number(clean);
    const int quoted = strpbrk(clean, ",\"") != NULL || formula;

    fputs(first ? "" : ",", out);
    fputs(quoted ? "\"" : "", out);
    fputs(formula ? "'" : "", out);
    for (const char *at = clean; *at; ++at) {
        if (*at == '"')
            putc('"', out);
        putc(*at, out);
    }
    fputs(quoted ? "\"" : "", out);
    free(clean);
}
