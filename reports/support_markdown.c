#include "support_markdown.h"

#include <string.h>

#include "support_utf8.h"

void cf_markdown_text(FILE *out, const char *text, int limit)
{
    uint32_t point;
    int n = 0;

    for (text = text ? text : ""; (point = cf_utf8_next(&text)); ++n) {
        if (limit > 0 && n == limit) {
            fputs("...", out);
            return;
        }
        if (cf_utf8_is_control(point))
            point = CF_UTF8_REPLACEMENT;
        if (point < 0x80 && strchr("\\`*_{}[]()#+!|~<>&@:$\"'", (int)point))
            putc('\\', out);
        cf_utf8_put(out, point);
    }
}

static int longest_run(const char *text)
{
    int longest = 0, run = 0;

    for (; *text; ++text) {
        run = *text == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void fence(FILE *out, int n)
{
    for (int i = 0; i < n; ++i)
        putc('`', out);
}

void cf_markdown_code(FILE *out, const char *text)
{
    const char *at = text ? text : "";
    const int ticks = longest_run(at) + 1;
    uint32_t point;

    fence(out, ticks);
    putc(' ', out);
    while ((point = cf_utf8_next(&at))) {
        if (point == '|')
            putc('\\', out);
        cf_utf8_put(out, cf_utf8_is_control(point) ? CF_UTF8_REPLACEMENT : point);
    }
    putc(' ', out);
    fence(out, ticks);
}
