/* capture: what a worker wrote to its stdout and stderr: the first and the last 64 KiB. It is a log
 * for people and never parsed. */
#ifndef CF_CAPTURE_H
#define CF_CAPTURE_H

#include <stddef.h>

#define CF_CAPTURE_HALF 65536

struct cf_capture {
    size_t n;                    /* bytes that came, kept or not */
    size_t room_head, room_tail; /* what is allocated */
    char *head, *tail;           /* tail is a ring, used when head is full. Owned */
};

void cf_capture_add(struct cf_capture *capture, const char *bytes, size_t n);
void cf_capture_free(struct cf_capture *capture);

/* All that was kept: head, a line that says how much was cut out, tail. The caller frees. */
char *cf_capture_text(const struct cf_capture *capture, size_t *n);

/* The last lines, joined by " | ", at most n - 1 bytes of printable UTF-8; "" when nothing came. */
void cf_capture_last(const struct cf_capture *capture, char *text, size_t n);

/* Copies text (n_from bytes) as printable UTF-8: blanks for line ends, '?' for what is no UTF-8 or
 * a control character; cut where it does not fit, never within a character. */
void cf_printable(char *to, size_t n, const char *from, size_t n_from);
/* The same in memory of its own. The caller frees. */
char *cf_printable_copy(const char *text);
/* Is the text what cf_printable would make of it? */
int cf_is_printable(const char *text);

#endif
