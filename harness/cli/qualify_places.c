/* Where on a GPU wrong blocks ran. A block is CF_QUALIFY_BLOCK elements of a pass; what ran on
 * which multiprocessor was the device's choice and is what it said of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qualify_internal.h"

#define FEW 4 /* multiprocessors that are named */

int cf_qualify_has_places(const struct cf_qualify_test *test)
{
    return strstr(test->configuration, "kernel=burn") != NULL;
}

static int is_wrong(const struct cf_tensor *out, const struct cf_tensor *right, int64_t block)
{
    const int64_t n = out->dim[1];

    for (int64_t pass = 0; pass < out->dim[0]; ++pass)
        for (int64_t i = block * CF_QUALIFY_BLOCK; i < (block + 1) * CF_QUALIFY_BLOCK && i < n; ++i)
            if (cf_tensor_encoding(out, pass * n + i) != cf_tensor_encoding(right, pass * n + i))
                return 1;
    return 0;
}

void cf_qualify_places_add(struct cf_qualify_unit *unit, const struct cf_tensor out[],
                           const struct cf_tensor *right)
{
    if (!unit->places)
        unit->places = cf_alloc_zero(sizeof *unit->places);
    for (int64_t block = 0; block < cf_tensor_count(&out[1]); ++block) {
        const uint64_t sm = cf_tensor_encoding(&out[1], block);

        if (sm >= CF_QUALIFY_SMS)
            continue;
        ++unit->places->n[sm];
        unit->places->n_wrong[sm] += is_wrong(&out[0], right, block);
    }
}

struct tally {
    int n_sms, n_bad, bad[FEW];
    int64_t n_wrong;
};

static struct tally count(const struct cf_qualify_places *places)
{
    struct tally t = {0};

    for (int sm = 0; sm < CF_QUALIFY_SMS; ++sm) {
        t.n_sms += places->n[sm] > 0;
        t.n_wrong += places->n_wrong[sm];
        if (places->n_wrong[sm] > 0 && t.n_bad++ < FEW)
            t.bad[t.n_bad - 1] = sm;
    }
    return t;
}

/* "77, 78" or, with how much was wrong, "SM 77 (TPC 38; 3 of its 3 blocks), ...". */
static char *list(const struct cf_qualify_places *places, const struct tally *t, int in_words)
{
    char *text = cf_strdup("");

    for (int i = 0; i < t->n_bad && t->n_bad <= FEW; ++i) {
        const int sm = t->bad[i];
        char *longer =
            in_words
                ? cf_format("%s%sSM %d (TPC %d; %lld of its %lld blocks)", text, i ? ", " : "", sm,
                            sm / 2, (long long)places->n_wrong[sm], (long long)places->n[sm])
                : cf_format("%s%s%d", text, i ? ", " : "", sm);

        free(text);
        text = longer;
    }
    return text;
}

char *cf_qualify_places_sentence(const struct cf_qualify_places *places)
{
    const struct tally t = count(places);
    char *names = list(places, &t, 1), *text;

    if (t.n_bad == 0)
        text = cf_strdup("");
    else if (t.n_bad > FEW)
        text = cf_format(
            "; wrong blocks ran on %d of %d multiprocessors, so the fault is not of a few "
            "of them",
            t.n_bad, t.n_sms);
    else
        text = cf_format("; of %d multiprocessors all wrong blocks ran on %s", t.n_sms, names);
    free(names);
    return text;
}

char *cf_qualify_places_list(const struct cf_qualify_places *places)
{
    const struct tally t = count(places);

    return list(places, &t, 0);
}
