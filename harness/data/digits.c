#include "digits.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"
#include "record.h"
#include "training.h"

/* The file as it stands, inside the program: a run depends on no path. */
__asm__(".section .rodata\n"
        ".globl cf_digits_text\n"
        "cf_digits_text: .incbin \"" CF_DIGITS_PATH "\"\n"
        ".globl cf_digits_end\n"
        "cf_digits_end: .byte 0\n"
        ".previous\n");
extern const char cf_digits_text[], cf_digits_end[];

static void take(struct cf_digits *digits, int64_t n)
{
    *digits = (struct cf_digits){.n = n};
    digits->pixels = cf_alloc_zero((size_t)n * CF_PIXELS + 1);
    digits->label = cf_alloc_zero((size_t)n + 1);
    digits->key = cf_alloc_zero((size_t)(n + 1) * sizeof digits->key[0]);
}

void cf_digits_free(struct cf_digits *digits)
{
    free(digits->pixels);
    free(digits->label);
    free(digits->key);
    *digits = (struct cf_digits){0};
}

/* Little-endian first half, so that the key is the same on every machine. */
static void name_records(struct cf_digits *digits)
{
    for (int64_t i = 0; i < digits->n; ++i) {
        uint8_t record[CF_PIXELS + 1];
        struct cf_digest digest;

        memcpy(record, digits->pixels + i * CF_PIXELS, CF_PIXELS);
        record[CF_PIXELS] = digits->label[i];
        cf_digest_of(&digest, record, sizeof record);
        for (int b = 0; b < 8; ++b)
            digits->key[i] |= (uint64_t)digest.byte[b] << 8 * b;
    }
}

/* One number 0..limit and the character behind it; -1: none. */
static int read_number(const char **at, const char *end, int limit, char behind)
{
    int value = 0, n_digits = 0;

    while (*at < end && **at >= '0' && **at <= '9' && n_digits < 3) {
        value = 10 * value + (*(*at)++ - '0');
        ++n_digits;
    }
    if (n_digits == 0 || value > limit || *at == end || *(*at)++ != behind)
        return -1;
    return value;
}

static int read_row(struct cf_digits *digits, int64_t i, const char **at, const char *end)
{
    int value;

    for (int p = 0; p < CF_PIXELS; ++p) {
        value = read_number(at, end, 16, ',');
        if (value < 0)
            return -1;
        digits->pixels[i * CF_PIXELS + p] = (uint8_t)value;
    }
    value = read_number(at, end, CF_CLASSES - 1, '\n');
    digits->label[i] = (uint8_t)value;
    return value < 0 ? -1 : 0;
}

static void digest_text(char hex[65], const char *text, uint64_t n_bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const unsigned char *)text, n_bytes);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
}

int cf_digits_parse(struct cf_digits *digits, const char *text, uint64_t n_bytes, const char *what,
                    const char *sha256, struct cf_error *err)
{
    const char *at = text, *end = text + n_bytes;
    int64_t n = 0;

    *digits = (struct cf_digits){0};
    digest_text(digits->sha256, text, n_bytes);
    if (sha256 && strcmp(sha256, digits->sha256) != 0)
        return cf_fail(err, "%s has the SHA-256 %.12s, not %.12s: it is another data set", what,
                       digits->sha256, sha256);
    for (const char *c = text; c < end; ++c)
        n += *c == '\n';
    take(digits, n);
    digest_text(digits->sha256, text, n_bytes);
    for (int64_t i = 0; i < n; ++i)
        if (read_row(digits, i, &at, end) != 0) {
            cf_digits_free(digits);
            return cf_fail(err, "%s, line %lld: a row is 64 pixels 0..16 and a class 0..9", what,
                           (long long)i + 1);
        }
    if (at != end) {
        cf_digits_free(digits);
        return cf_fail(err, "%s ends inside a line; it was cut off", what);
    }
    name_records(digits);
    return 0;
}

/* The text is read and its digest checked once; every case of training asks for the rows again. */
static struct cf_digits own;

static void load_own(void)
{
    const uint64_t n_bytes = (uint64_t)(cf_digits_end - cf_digits_text);

    CF_CHECK(cf_digits_parse(&own, cf_digits_text, n_bytes, "the program's digits",
                             CF_DIGITS_SHA256, NULL) == 0);
}

void cf_digits_load(struct cf_digits *digits)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load_own);
    take(digits, own.n);
    memcpy(digits->pixels, own.pixels, (size_t)own.n * CF_PIXELS);
    memcpy(digits->label, own.label, (size_t)own.n);
    memcpy(digits->key, own.key, (size_t)own.n * sizeof own.key[0]);
    memcpy(digits->sha256, own.sha256, sizeof digits->sha256);
}

static int clamp(int value)
{
    return value < 0 ? 0 : value > 16 ? 16 : value;
}

/* A class is a template of 64 levels; a record is the template plus noise -8 .. 8. */
void cf_digits_draw(struct cf_digits *digits, int64_t n, uint64_t seed)
{
    const struct cf_stream levels = {seed, 0x64726177}, noise = {seed, 0x64726178};

    take(digits, n);
    for (int64_t i = 0; i < n; ++i) {
        digits->label[i] = (uint8_t)(i % CF_CLASSES);
        for (int p = 0; p < CF_PIXELS; ++p) {
            const uint64_t e = (uint64_t)i * CF_PIXELS + (uint64_t)p;
            const uint64_t word = cf_stream_word(&noise, e);
            const int level = (int)(cf_stream_word(&levels, (uint64_t)(i % CF_CLASSES) * CF_PIXELS +
                                                                (uint64_t)p) >>
                                    60);
            int moved = 0;

            for (int part = 0; part < 4; ++part)
                moved += (int)(word >> 16 * part & 0xffff) % 5 - 2;
            digits->pixels[e] = (uint8_t)clamp(level + moved);
        }
    }
    name_records(digits);
}
