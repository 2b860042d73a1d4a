#include "support_utf8.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Bytes that a sequence has by its first one; 0 when no sequence starts so. */
static int length_of(unsigned char first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

uint32_t cf_utf8_next(const char **text)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)*text;
    const int length = length_of(*at);
    uint32_t point = length == 1 ? *at : *at & (0xFFu >> (length + 1));

    if (!*at)
        return 0;
    *text += 1;
    if (length == 0)
        return CF_UTF8_REPLACEMENT;
    for (int i = 1; i < length; ++i) {
        if ((at[i] & 0xC0) != 0x80)
            return CF_UTF8_REPLACEMENT;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    if (point < smallest[length] || (point >= 0xD800 && point < 0xE000) || point > 0x10FFFF)
        return CF_UTF8_REPLACEMENT;
    *text += length - 1;
    return point;
}

int cf_utf8_is_control(uint32_t point)
{
    static const uint32_t ranges[][2] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x200B, 0x200F},
                                         {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
                                         {0xFFFE, 0xFFFF}};

    for (int i = 0; i < CF_COUNT(ranges); ++i)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return 1;
    return 0;
}

void cf_utf8_put(FILE *out, uint32_t point)
{
    const int length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[5] = {0, 0, 0xC0, 0xE0, 0xF0};

    putc((int)(first[length] | point >> 6 * (length - 1)), out);
    for (int i = length - 2; i >= 0; --i)
        putc((int)(0x80 | (point >> 6 * i & 0x3F)), out);
}

char *cf_utf8_clean(const char *text)
{
    char *clean = NULL;
    size_t size;
    FILE *out = open_memstream(&clean, &size);
    uint32_t point;

    CF_CHECK(out != NULL);
    for (text = text ? text : ""; (point = cf_utf8_next(&text));)
        cf_utf8_put(out, cf_utf8_is_control(point) ? CF_UTF8_REPLACEMENT : point);
    CF_CHECK(fclose(out) == 0);
    return clean;
}
