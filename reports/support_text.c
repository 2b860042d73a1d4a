#include "support_text.h"

#include <stdlib.h>
#include <string.h>

#include "support_utf8.h"

void cf_text_put(FILE *out, const char *text)
{
    char *clean = cf_utf8_clean(text);

    fputs(clean, out);
    free(clean);
}

/* Code points of clean text: continuation bytes do not count. */
static int columns(const char *clean)
{
    int n = 0;

    for (; *clean; ++clean)
        n += ((unsigned char)*clean & 0xC0) != 0x80;
    return n;
}

int cf_text_width(const char *text)
{
    char *clean = cf_utf8_clean(text);
    const int n = columns(clean);

    free(clean);
    return n;
}

/* Where column n of clean text starts. */
static const char *column(const char *clean, int n)
{
    for (; *clean; ++clean)
        if (((unsigned char)*clean & 0xC0) != 0x80 && n-- == 0)
            break;
    return clean;
}

static void shorten(FILE *out, const char *clean, int n, int width)
{
    const int tail = width > 8 ? (width - 3) * 2 / 3 : 0,
              head = width > 8 ? width - 3 - tail : width;

    fprintf(out, "%.*s", (int)(column(clean, head) - clean), clean);
    if (tail)
        fprintf(out, "...%s", column(clean, n - tail));
}

int cf_text_cell(FILE *out, const char *text, int width)
{
    char *clean = cf_utf8_clean(text);
    const int n = columns(clean), room = abs(width);

    if (n > room)
        shorten(out, clean, n, room);
    else
        fprintf(out, "%*s%s%*s", width < 0 ? room - n : 0, "", clean, width > 0 ? room - n : 0, "");
    free(clean);
    return n;
}

void cf_text_paint(FILE *out, const struct cf_page *page, enum cf_colour colour, const char *text,
                   int width)
{
    static const char *const codes[] = {"", "1", "1;31", "32", "33", "2"};
    const int painted = page->colour && colour != CF_PLAIN;

    if (painted)
        fprintf(out, "\033[%sm", codes[colour]);
    if (width == 0)
        cf_text_put(out, text);
    else
        cf_text_cell(out, text, width);
    if (painted)
        fputs("\033[0m", out);
}

void cf_text_wrap(FILE *out, const struct cf_page *page, const char *text, int at, int indent)
{
    char *clean = cf_utf8_clean(text), *rest = NULL;
    int first = 1;

    for (char *word = strtok_r(clean, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        const int n = columns(word);

        if (!first && at + 1 + n > page->width) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
            first = 1;
        }
        fprintf(out, "%s%s", first ? "" : " ", word);
        at += n + !first;
        first = 0;
    }
    putc('\n', out);
    free(clean);
}
