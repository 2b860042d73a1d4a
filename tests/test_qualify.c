/* qualify: an honest machine passes; a core with one bad multiplier is named, with its instructions
 * and its bit; a pack that was changed is refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "qualify_internal.h"

static struct cf_qualification qualify(const char *worker)
{
    struct cf_qualification found = {0};
    struct cf_golden pack;
    struct cf_error err = {0};
    const struct cf_qualify_options how = {.worker = worker, .timeout_ms = 60000, .budget_s = 0.5};

    cr_assert_eq(cf_golden_builtin(&pack, &err), 0, "%s", err.text);
    cr_assert_eq(cf_qualify(&found, &pack, &how, &err), 0, "%s", err.text);
    cf_golden_free(&pack);
    cr_assert(found.n_units > 0);
    return found;
}

static int offered(const struct cf_unit_finding *unit)
{
    return !strstr(unit->reason, "does not have these instructions");
}

Test(qualify, an_honest_machine_passes)
{
    struct cf_qualification found = qualify(CF_BINARY_DIR "/conform-worker");

    for (int i = 0; i < found.n_units; ++i) {
        const struct cf_unit_finding *unit = &found.unit[i];

        if (offered(unit))
            cr_expect_eq(unit->state, CF_UNIT_PASS, "%s %s: %s", unit->name, unit->kernel,
                         unit->reason);
        if (unit->state == CF_UNIT_PASS)
            cr_expect(unit->n_checked > 0, "%s %s passed unchecked", unit->name, unit->kernel);
    }
    cr_expect(strstr(found.coverage, "operations"));
    cf_qualification_free(&found);
}

/* The fault is in chains of doubles with AVX2, on CPU 0. */
static int is_planted(const struct cf_unit_finding *unit)
{
    return strstr(unit->name, "(cpu 0)") && strncmp(unit->kernel, "avx2 f64", 8) == 0;
}

/* Units that the honest worker passes and the faulty one has to fail. */
static int count_planted(void)
{
    struct cf_qualification honest = qualify(CF_BINARY_DIR "/conform-worker");
    int n = 0;

    for (int i = 0; i < honest.n_units; ++i)
        n += is_planted(&honest.unit[i]) && honest.unit[i].state == CF_UNIT_PASS;
    cf_qualification_free(&honest);
    return n;
}

Test(qualify, names_the_core_the_instructions_and_the_bit)
{
    struct cf_qualification found;
    const int n_planted = count_planted();
    int n_failed = 0;

    if (n_planted == 0)
        cr_skip_test("CPU 0 is not ours, or has no AVX2");
    found = qualify(CF_BINARY_DIR "/liars/conform-worker-faulty");
    for (int i = 0; i < found.n_units; ++i) {
        const struct cf_unit_finding *unit = &found.unit[i];

        if (unit->state == CF_UNIT_PASS || !offered(unit))
            continue;
        ++n_failed;
        cr_expect(is_planted(unit), "%s %s is blamed: %s", unit->name, unit->kernel, unit->reason);
        cr_expect_eq(unit->state, CF_UNIT_FAIL, "%s", unit->reason);
        cr_expect(strstr(unit->reason, "the wrong bits are 0x20000"), "%s", unit->reason);
        cr_expect_str_eq(unit->element, "output 0 element 5");
        cr_expect(unit->time_to_fail_s >= 0);
        cr_expect_str_neq(unit->expected, unit->got);
    }
    cr_expect_eq(n_failed, n_planted, "%d of %d planted units were found", n_failed, n_planted);
    cf_qualification_free(&found);
}

Test(qualify, a_changed_pack_is_refused)
{
    static const char *const lines[] = {"chain f64 n=128 rounds=3 passes=1 seed=1"};
    struct cf_error err = {0};
    struct cf_golden pack;
    char *text = cf_golden_make(lines, 1, 1, &err);

    cr_assert_not_null(text, "%s", err.text);
    cr_expect_eq(cf_golden_parse(&pack, text, strlen(text), "pack", &err), 0, "%s", err.text);
    cf_golden_free(&pack);
    for (size_t i = 0; i < strlen(text); i += 7) {
        text[i] ^= 1;
        cr_expect_neq(cf_golden_parse(&pack, text, strlen(text), "pack", &err), 0,
                      "byte %zu was changed and nobody saw it", i);
        text[i] ^= 1;
    }
    cr_expect_neq(cf_golden_parse(&pack, text, strlen(text) / 2, "pack", &err), 0);
    free(text);
}

/* ---- Where on a GPU wrong blocks ran ---- */

/* 40 blocks in two passes, block b on multiprocessor b mod 8 + 70. Wrong is one element of the
 * blocks of the mask's multiprocessors, in the second pass; twice is every other block of them
 * only. */
static struct cf_qualify_unit plant(unsigned mask, int twice)
{
    struct cf_qualify_unit unit = {0};
    struct cf_tensor out[2] = {{.dtype = CF_F64, .rank = 2, .dim = {2, 40 * CF_QUALIFY_BLOCK}},
                               {.dtype = CF_I32, .rank = 1, .dim = {40}}};
    struct cf_tensor right = out[0];

    for (int i = 0; i < 2; ++i)
        cf_tensor_alloc(&out[i]);
    cf_tensor_alloc(&right);
    for (int b = 0; b < 40; ++b) {
        ((int32_t *)out[1].bits)[b] = b % 8 + 70;
        if (mask >> b % 8 & 1 && !(twice && b / 8 % 2))
            ((uint64_t *)out[0].bits)[(40 + b) * CF_QUALIFY_BLOCK + 255] ^= 1;
    }
    cf_qualify_places_add(&unit, out, &right);
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&out[i]);
    cf_tensor_free(&right);
    return unit;
}

static const struct {
    unsigned mask;
    int twice;
    const char *sentence, *list;
} places[] = {
    {0, 0, "", ""},
    {0x80, 0, "; of 8 multiprocessors all wrong blocks ran on SM 77 (TPC 38; 5 of its 5 blocks)",
     "77"},
    {0x03, 1,
     "; of 8 multiprocessors all wrong blocks ran on SM 70 (TPC 35; 3 of its 5 blocks), SM 71 (TPC "
     "35; "
     "3 of its 5 blocks)",
     "70, 71"},
    {0xf8, 0, "; wrong blocks ran on 5 of 8 multiprocessors, so the fault is not of a few of them",
     ""},
};

Test(qualify, wrong_blocks_have_a_place)
{
    for (int i = 0; i < CF_COUNT(places); ++i) {
        struct cf_qualify_unit unit = plant(places[i].mask, places[i].twice);
        char *sentence = cf_qualify_places_sentence(unit.places);
        char *list = cf_qualify_places_list(unit.places);

        cr_expect_str_eq(sentence, places[i].sentence);
        cr_expect_str_eq(list, places[i].list);
        free(sentence);
        free(list);
        free(unit.places);
    }
}
