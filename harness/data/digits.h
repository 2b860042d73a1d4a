/* digits: the handwritten digits that the program carries (data/README.md), and pictures drawn when
 * more are wanted. The SHA-256 of the text is checked whenever it is read: training cases are about
 * these rows and no others. */
#ifndef CF_DIGITS_H
#define CF_DIGITS_H

#include <stdint.h>

#include "error.h"

#define CF_DIGITS_SHA256 "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"

/* n pictures: 64 pixels 0..16 each, row-major, and a class 0..9. `key` is the XXH3 of pixels and
 * class: it names a record wherever it stands in the file. */
struct cf_digits {
    int64_t n;
    uint8_t *pixels; /* [n,64], owned */
    uint8_t *label;  /* [n], owned */
    uint64_t *key;   /* [n], owned */
    char sha256[65]; /* of the text that was read; "" when drawn */
};

/* The data set of the program. Aborts when the program was built with another one. */
void cf_digits_load(struct cf_digits *digits);

/* Rows of text: 64 pixels and a class, separated by commas. `what` names it in the sentence. A row
 * that is none is refused with its line number; so is, when `sha256` is not NULL, a text with
 * another digest: the sentence names both. */
int cf_digits_parse(struct cf_digits *digits, const char *text, uint64_t n_bytes, const char *what,
                    const char *sha256, struct cf_error *err);

/* n pictures drawn from a seed by integer arithmetic: ten templates of strokes, each pixel moved by
 * a centred sum of four uniform integers. The same on every machine. */
void cf_digits_draw(struct cf_digits *digits, int64_t n, uint64_t seed);

void cf_digits_free(struct cf_digits *digits);

#endif
