#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static void grow(char **half, size_t *room, size_t wanted)
{
    if (wanted > CF_CAPTURE_HALF)
        wanted = CF_CAPTURE_HALF;
    if (wanted <= *room)
        return;
    *room = 2 * *room > wanted ? 2 * *room : wanted + 1024;
    if (*room > CF_CAPTURE_HALF)
        *room = CF_CAPTURE_HALF;
    *half = cf_realloc(*half, *room);
}

static void add_tail(struct cf_capture *capture, const char *bytes, size_t n)
{
    size_t at = capture->n - CF_CAPTURE_HALF; /* bytes of the tail that came before */

    capture->n += n;
    if (n > CF_CAPTURE_HALF) {
        at += n - CF_CAPTURE_HALF;
        bytes += n - CF_CAPTURE_HALF;
        n = CF_CAPTURE_HALF;
    }
    grow(&capture->tail, &capture->room_tail, at + n);
    while (n > 0) {
        const size_t to = at % CF_CAPTURE_HALF;
        const size_t part = n < CF_CAPTURE_HALF - to ? n : CF_CAPTURE_HALF - to;

        memcpy(capture->tail + to, bytes, part);
        at += part;
        bytes += part;
        n -= part;
    }
}

void cf_capture_add(struct cf_capture *capture, const char *bytes, size_t n)
{
    if (n > 0 && capture->n < CF_CAPTURE_HALF) {
        const size_t room = CF_CAPTURE_HALF - capture->n, part = n < room ? n : room;

        grow(&capture->head, &capture->room_head, capture->n + part);
        memcpy(capture->head + capture->n, bytes, part);
        capture->n += part;
        bytes += part;
        n -= part;
    }
    if (n > 0)
        add_tail(capture, bytes, n);
}

void cf_capture_free(struct cf_capture *capture)
{
    free(capture->head);
    free(capture->tail);
    *capture = (struct cf_capture){0};
}

char *cf_capture_text(const struct cf_capture *capture, size_t *n)
{
    const size_t half = CF_CAPTURE_HALF;
    const size_t n_head = capture->n < half ? capture->n : half, rest = capture->n - n_head;
    const size_t n_tail = rest < half ? rest : half, start = rest > half ? rest % half : 0;
    char note[80] = "", *text;
    size_t n_note;

    if (rest > half)
        snprintf(note, sizeof note, "\n[%zu bytes were cut out here]\n", rest - half);
    n_note = strlen(note);
    text = cf_alloc(n_head + n_note + n_tail + 1);
    *n = n_head + n_note + n_tail;
    if (n_head > 0)
        memcpy(text, capture->head, n_head);
    memcpy(text + n_head, note, n_note);
    if (n_tail > 0) {
        memcpy(text + n_head + n_note, capture->tail + start, n_tail - start);
        memcpy(text + n_head + n_note + n_tail - start, capture->tail, start);
    }
    text[*n] = '\0';
    return text;
}

/* Length of the well-formed UTF-8 character at s (RFC 3629), 0 when there is none. */
static size_t character(const unsigned char *s, size_t n)
{
    const size_t length = s[0] < 0x80                    ? 1
                          : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
                          : s[0] >= 0xe0 && s[0] <= 0xef ? 3
                          : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                         : 0;

    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; ++i)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

void cf_printable(char *to, size_t n, const char *from, size_t n_from)
{
    const unsigned char *s = (const unsigned char *)from;
    size_t at = 0;

    for (size_t i = 0; i < n_from;) {
        const size_t length = character(s + i, n_from - i), step = length > 0 ? length : 1;
        const int control = s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && s[i + step - 1] < 0xa0);

        if (at + step >= n)
            break;
        if (s[i] == '\n' || s[i] == '\t' || s[i] == '\r')
            to[at++] = ' ';
        else if (length == 0 || control)
            to[at++] = '?';
        else
            for (size_t k = 0; k < step; ++k)
                to[at++] = from[i + k];
        i += step;
    }
    to[at] = '\0';
}

char *cf_printable_copy(const char *text)
{
    const size_t n = strlen(text);
    char *copy = cf_alloc(n + 1);

    cf_printable(copy, n + 1, text, n);
    return copy;
}

int cf_is_printable(const char *text)
{
    char *copy = cf_printable_copy(text);
    const int same = strcmp(copy, text) == 0;

    free(copy);
    return same;
}

/* Words of at most three lines, from the end. */
void cf_capture_last(const struct cf_capture *capture, char *text, size_t n)
{
    size_t length, start;
    char *all = cf_capture_text(capture, &length), joined[1024];
    int lines = 0;

    while (length > 0 && strchr(" \r\n", all[length - 1]))
        --length;
    for (start = length; start > 0 && length - start < n; --start)
        if (all[start - 1] == '\n' && ++lines == 3)
            break;
    joined[0] = '\0';
    for (const char *at = all + start; at < all + length;) {
        const size_t line = strcspn(at, "\n"), left = (size_t)(all + length - at);
        const size_t used = strlen(joined);

        snprintf(joined + used, sizeof joined - used, "%s%.*s", used ? " | " : "",
                 (int)(line < left ? line : left), at);
        at += line + 1;
    }
    cf_printable(text, n, joined, strlen(joined));
    free(all);
}
