/* chosen: sets of words, what finds no room, and what is another choice. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chosen.h"
#include "error.h"

Test(chosen, a_key_has_each_member_once_in_order_of_appearance)
{
    static const struct {
        const char *key, *value, *text;
    } steps[] = {
        {"engine", "40", "engine=40"},
        {"notes", "B|A", "engine=40 notes=B|A"},
        {"engine", "40", "engine=40 notes=B|A"},
        {"engine", "4", "engine=40|4 notes=B|A"}, /* no member by being the start of one */
        {"notes", "A|C|", "engine=40|4 notes=B|A|C"},
        {"gine", "1", "engine=40|4 notes=B|A|C gine=1"}, /* no key by being the end of one */
        {"name", "a b\n\x9b", "engine=40|4 notes=B|A|C gine=1 name=a_b__"},
        {"none", "", "engine=40|4 notes=B|A|C gine=1 name=a_b__"},
    };
    char text[CF_CHOSEN_MAX] = "", value[CF_CHOSEN_MAX];

    for (int i = 0; i < CF_COUNT(steps); ++i) {
        cf_chosen_add(text, steps[i].key, steps[i].value);
        cr_expect_str_eq(text, steps[i].text);
    }
    cr_expect_str_eq(cf_chosen_get(text, "notes", value), "B|A|C");
    cr_expect_null(cf_chosen_get(text, "note", value));
}

Test(chosen, what_finds_no_room_is_told_to_be_missing)
{
    char text[CF_CHOSEN_MAX] = "", value[16];

    for (int i = 0; i < 1000; ++i) {
        snprintf(value, sizeof value, "member%d", i);
        cf_chosen_add(text, i % 2 ? "odd" : "even", value);
        cr_assert_lt(strlen(text), CF_CHOSEN_MAX);
    }
    cr_expect_gt(strlen(text), CF_CHOSEN_MAX - 30);
    cr_expect_str_eq(text + strlen(text) - 4, " ...");
    cr_expect(strstr(text, "even=member0|member2|"));
}

Test(chosen, another_choice_is_told_key_by_key)
{
    static const struct {
        const char *a, *b, *change;
    } rows[] = {
        {"engine=40 notes=A", "engine=20 notes=A", "engine from 40 to 20"},
        {"engine=40", "engine=40", NULL},
        {"engine=40 knobs=1:2", "notes=B engine=4",
         "engine from 40 to 4, knobs from 1:2 to -, "
         "notes from - to B"},
        {"engine=40", "implementation=jit:avx2", NULL}, /* of other libraries */
        {"", "engine=40", NULL},
        {"", "", NULL},
    };

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char *change = cf_chosen_change(rows[i].a, rows[i].b);

        cr_expect(rows[i].change ? change && strcmp(change, rows[i].change) == 0 : !change,
                  "row %d: %s", i, change ? change : "nothing");
        free(change);
    }
}
