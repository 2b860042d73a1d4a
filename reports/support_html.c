#include "support_html.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_utf8.h"

static void put_point(FILE *out, uint32_t point)
{
    switch (point) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        cf_utf8_put(out, cf_utf8_is_control(point) ? CF_UTF8_REPLACEMENT : point);
    }
}

void cf_html_text(FILE *out, const char *text)
{
    uint32_t point;

    for (text = text ? text : ""; (point = cf_utf8_next(&text));)
        put_point(out, point);
}

static int count_points(const char *text)
{
    int n = 0;

    while (cf_utf8_next(&text))
        ++n;
    return n;
}

void cf_html_short(FILE *out, const char *text, int limit)
{
    const int n = text ? count_points(text) : 0, head = (limit - 1) / 2, tail = limit - 1 - head;
    uint32_t point;

    if (n <= limit) {
        cf_html_text(out, text);
        return;
    }
    for (int i = 0; (point = cf_utf8_next(&text)); ++i)
        if (i < head || i >= n - tail)
            put_point(out, point);
        else if (i == head)
            cf_utf8_put(out, 0x2026);
}

void cf_html_element(FILE *out, const char *tag, const char *kind, const char *text)
{
    fprintf(out, "<%s", tag);
    if (kind)
        fprintf(out, " class=\"%s\"", kind);
    putc('>', out);
    cf_html_text(out, text);
    fprintf(out, "</%s>", tag);
}

void cf_html_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n"
          "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" xml:lang=\"en\">\n<head>\n"
          "<meta charset=\"utf-8\"/>\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
          "<link rel=\"icon\" href=\"data:,\"/>\n",
          out);
    cf_html_element(out, "title", NULL, title);
    fputs("\n<style>\n", out);
    for (int i = 0; cf_html_style[i]; ++i)
        fprintf(out, "%s\n", cf_html_style[i]);
    fputs("</style>\n</head>\n<body>\n", out);
}

void cf_html_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}

void cf_html_section(FILE *out, const char *id, const char *heading, int folded)
{
    fprintf(out, "\n<section id=\"%s\">\n%s<h2>", id, folded ? "<details><summary>" : "");
    cf_html_text(out, heading);
    fprintf(out, "</h2>%s\n", folded ? "</summary>" : "");
}

void cf_html_section_end(FILE *out, int folded)
{
    fprintf(out, "%s</section>\n", folded ? "</details>" : "");
}

void cf_html_table(FILE *out, const char *kind, const char *caption)
{
    fputs("<div class=\"frame\" tabindex=\"0\" role=\"region\" aria-label=\"", out);
    cf_html_text(out, caption);
    fprintf(out, "\"><table class=\"%s\">\n<caption>", kind);
    cf_html_text(out, caption);
    fputs("</caption>\n", out);
}

void cf_html_table_end(FILE *out)
{
    fputs("</table></div>\n", out);
}
