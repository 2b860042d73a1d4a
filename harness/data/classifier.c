/* The frozen classifier's weights: a text of hexadecimal numbers, one a line, inside the program.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

__asm__(".section .rodata\n"
        ".globl cf_classifier_text\n"
        "cf_classifier_text: .incbin \"" CF_CLASSIFIER_PATH "\"\n"
        ".globl cf_classifier_end\n"
        "cf_classifier_end: .byte 0\n"
        ".previous\n");
extern const char cf_classifier_text[], cf_classifier_end[];

static void check(void)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];

    crypto_hash_sha256(digest, (const unsigned char *)cf_classifier_text,
                       (unsigned long long)(cf_classifier_end - cf_classifier_text));
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    CF_CHECK(strcmp(hex, CF_CLASSIFIER_SHA256) == 0);
}

void cf_classifier_weights(float weights[CF_CLASSIFIER_WEIGHTS])
{
    const char *at = cf_classifier_text;

    check();
    for (int i = 0; i < CF_CLASSIFIER_WEIGHTS; ++i) {
        char *end;

        weights[i] = strtof(at, &end);
        CF_CHECK(end != at && *end == '\n');
        at = end + 1;
    }
    CF_CHECK(at == cf_classifier_end);
}

int64_t cf_classifier_picture(const struct cf_case *c, int64_t i, int64_t n_pictures)
{
    const int64_t rows = cf_case_int(c, "rows", 1);

    return (int64_t)((c->seed - 1) * (uint64_t)rows + (uint64_t)i) % n_pictures;
}
