/* flips: what is said of flipped bits survives a store, and a reader's table gathers it right. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "flips.h"
#include "report.h"
#include "store_support.h"
#include "support_findings.h"
#include "support_print.h"

/* One number for each kernel's best and worst; a missed sign; what was not judged. */
Test(flips, are_gathered_over_kernels)
{
    static const char *const formats[] = {"text", "html"};
    static const char *const words[][CF_N_SIGHTS] = {
        {" 0 ", " - ", " none* ", " 3 ", " 4 ", " 43-44*\n"},
        {">0<", ">-<", ">none*<", ">3<", ">4<", ">43-44*<"}};
    const struct cf_findings f = sample();

    for (int k = 0; k < CF_COUNT(formats); ++k) {
        char *text = print(formats[k], &f),
             *from = strstr(text, k ? "<th scope=\"row\">output 0" : "    outputs ");

        cr_assert(from != NULL, "%s", text);
        for (int s = 0; s < CF_N_SIGHTS; ++s) {
            const char *found = strstr(from, words[k][s]);

            cr_expect(found && found < strchr(from, '\n'), "%s has no `%s` in %.200s", formats[k],
                      words[k][s], from);
        }
        cr_expect(strstr(text, "S3 95.3 % of 64"), "%s", text);
        free(text);
    }
}

Test(flips, none_are_no_section)
{
    struct cf_findings f = sample();
    char *text;

    f.n_flips = 0;
    text = print("text", &f);
    cr_expect(!strstr(text, "sensitivity"));
    free(text);
    text = print("html", &f);
    cr_expect(!strstr(text, "id=\"flips\""));
    free(text);
}

Test(flips, a_store_keeps_them)
{
    struct cf_error err = {0};
    struct cf_store *store;
    struct cf_flips flips;

    make_folder();
    store = open_or_fail(CF_STORE_CREATE);
    cr_assert_eq(cf_flips_put(store, sample_flips, CF_COUNT(sample_flips), &err), 0, "%s",
                 err.text);
    cr_assert_eq(cf_flips_get(&flips, store, &err), 0, "%s", err.text);
    cr_assert_eq(flips.n, CF_COUNT(sample_flips));
    for (int i = 0; i < flips.n; ++i) {
        const struct cf_flip_finding *a = &flips.flip[i], *b = &sample_flips[i];

        cr_expect_str_eq(a->configuration, b->configuration);
        cr_expect_str_eq(a->case_text, b->case_text);
        cr_expect_str_eq(a->operand, b->operand);
        for (int s = 0; s < CF_N_SIGHTS; ++s)
            cr_expect(a->judged[s] == b->judged[s] && a->always[s] == b->always[s] &&
                          a->n_caught[s] == b->n_caught[s],
                      "%s of entry %d changed", cf_sight_name((enum cf_sight)s), i);
    }
    cf_flips_free(&flips);
    cr_expect_eq(cf_store_put_meta(store, "flips.00002", "{\"n_bits\":99}", &err), 0);
    cr_expect_neq(cf_flips_get(&flips, store, &err), 0, "99 bits are accepted");
    cf_flips_free(&flips);
    cf_store_close(store);
    remove_folder();
}
