#include "support_xml.h"

#include <string.h>

#include "support_utf8.h"

static const char *entity(uint32_t point)
{
    switch (point) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void cf_xml_text(FILE *out, const char *text, int lines)
{
    uint32_t point;

    for (text = text ? text : ""; (point = cf_utf8_next(&text));)
        if (entity(point))
            fputs(entity(point), out);
        else if (lines && (point == '\n' || point == '\t'))
            putc((int)point, out);
        else
            cf_utf8_put(out, cf_utf8_is_control(point) ? CF_UTF8_REPLACEMENT : point);
}

void cf_xml_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    cf_xml_text(out, text, 0);
    putc('"', out);
}
