/* capture: the first and the last 64 KiB of a log, and its last words as text that anything can
 * print. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"

#define HALF CF_CAPTURE_HALF

/* Byte i of the flood. */
static char byte_at(size_t i)
{
    return (char)('a' + i % 23);
}

/* n bytes in pieces of `piece`. */
static struct cf_capture flood(size_t n, size_t piece)
{
    struct cf_capture capture = {0};
    char *bytes = malloc(piece);

    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;

        for (size_t i = 0; i < part; ++i)
            bytes[i] = byte_at(at + i);
        cf_capture_add(&capture, bytes, part);
    }
    free(bytes);
    return capture;
}

Test(capture, keeps_head_and_tail_of_any_flood)
{
    static const size_t lengths[] = {
        0, 1, HALF - 1, HALF, HALF + 1, 2 * HALF, 2 * HALF + 1, 3 * HALF + 5, 10 * HALF + 77};
    static const size_t pieces[] = {1000, 4096, HALF - 1, HALF, HALF + 1, 5 * HALF};

    for (size_t a = 0; a < sizeof lengths / sizeof lengths[0]; ++a)
        for (size_t b = 0; b < sizeof pieces / sizeof pieces[0]; ++b) {
            struct cf_capture capture = flood(lengths[a], pieces[b]);
            const size_t length = lengths[a], tail = length < 2 * HALF ? length : HALF;
            size_t n;
            char *text = cf_capture_text(&capture, &n);

            for (size_t i = 0; i < HALF && i < length; ++i)
                cr_assert_eq(text[i], byte_at(i), "head of %zu at %zu", length, i);
            for (size_t i = 1; i <= tail; ++i)
                cr_assert_eq(text[n - i], byte_at(length - i), "tail of %zu at %zu", length, i);
            cr_expect_eq(strstr(text, "bytes were cut out here") != NULL, length > 2 * HALF);
            cr_expect(length > 2 * HALF || n == length);
            free(text);
            cf_capture_free(&capture);
        }
}

struct words {
    char log[80], last[80];
};

Test(capture, last_words_are_the_last_three_lines)
{
    static const struct words rows[] = {
        {"", ""},         {"one", "one"},
        {"one\n", "one"}, {"one\ntwo\nthree\nfour\n\n", "two | three | four"},
        {"\n\n", ""},     {"a\tb\x1b[31m\n", "a b?[31m"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        struct cf_capture capture = {0};
        char last[60];

        cf_capture_add(&capture, rows[i].log, strlen(rows[i].log));
        cf_capture_last(&capture, last, sizeof last);
        cr_expect_str_eq(last, rows[i].last);
        cf_capture_free(&capture);
    }
}

Test(capture, printable_text_is_utf8_and_cut_between_characters)
{
    static const struct words rows[] = {{"caf\xc3\xa9", "caf\xc3\xa9"},
                                        {"\xff\xfe", "??"},
                                        {"\xc3", "?"},
                                        {"\xc0\xaf", "??"},
                                        {"\xed\xa0\x80", "???"},
                                        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                                        {"\xf4\x90\x80\x80", "????"},
                                        {"\xc2\x85", "?"},
                                        {"x\x7fy\r\n", "x?y  "},
                                        {"1234567\xc3\xa9", "1234567"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        char text[9];

        cf_printable(text, sizeof text, rows[i].log, strlen(rows[i].log));
        cr_expect_str_eq(text, rows[i].last, "row %zu: %s", i, text);
    }
}
