/* hostile: forty strings that have broken one renderer or another are shown as the text that they
 * are, on the page and in JSON; what is no text (control characters, broken bytes) as U+FFFD. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "report.h"
#include "support_print.h"
#include "support_hostile.h"
#include "support_utf8.h"

/* The text of the element that starts at `at` behind `tag`, as a reader of HTML sees it: an element
 * inside it, or a reference that is none of five, is an error. The caller frees. */
static char *text_of(const char *at, const char *tag)
{
    static const char *const references[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    const char *from = strstr(at, tag);
    char *text, *to;

    cr_assert(from != NULL, "no %s", tag);
    from += strlen(tag);
    text = to = cf_alloc_zero(strlen(from) + 1);
    while (*from != '<') {
        int known = *from != '&';

        for (int i = 0; i < CF_COUNT(references) && *from == '&'; ++i)
            if (strncmp(from, references[i][0], strlen(references[i][0])) == 0) {
                *to++ = *references[i][1];
                from += strlen(references[i][0]);
                known = 2;
                break;
            }
        cr_assert(known, "a reference of its own: %.20s", from);
        if (known == 1)
            *to++ = *from++;
    }
    cr_assert(strncmp(from, "</", 2) == 0, "an element inside a text: %.40s", from);
    return text;
}

Test(hostile, is_text_on_the_page)
{
    static const char *const places[] = {"\n<p><strong>", "Compared with the baseline <strong>",
                                         "</p><p><code>"};
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    cr_assert(CF_COUNT(hostile) >= 40, "%d strings", CF_COUNT(hostile));
    for (int i = 0; i < CF_COUNT(hostile); ++i) {
        const struct cf_findings bad = poison(hostile[i], c, v);
        char *page = print("html", &bad), *clean = cf_utf8_clean(hostile[i]);

        for (int k = 0; k < CF_COUNT(places); ++k) {
            char *shown = text_of(page, places[k]);

            cr_expect_str_eq(shown, clean, "string %d behind %s is shown as `%s`", i, places[k],
                             shown);
            free(shown);
        }
        free(page);
        free(clean);
    }
}

Test(hostile, is_a_value_in_json)
{
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    for (int i = 0; i < CF_COUNT(hostile); ++i) {
        const struct cf_findings bad = poison(hostile[i], c, v);
        char *text = print("json", &bad);
        json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        const char *shown =
            json_string_value(json_object_get(json_object_get(root, "run"), "sentence"));

        cr_assert(shown != NULL, "string %d breaks the document", i);
        for (const char *a = shown, *b = hostile[i];;) {
            const uint32_t x = cf_utf8_next(&a), y = cf_utf8_next(&b);

            cr_assert(x == y, "string %d reads back as `%s`", i, shown);
            if (!x)
                break;
        }
        json_decref(root);
        free(text);
    }
}
