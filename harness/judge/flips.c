#include "flips.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct cf_flip_finding *flip)
{
    json_t *sights = json_object(), *object;
    char *text, mask[20];

    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        snprintf(mask, sizeof mask, "%016" PRIx64, flip->always[s]);
        json_object_set_new(sights, cf_sight_name((enum cf_sight)s),
                            json_pack("{s:i, s:s, s:I}", "judged", flip->judged[s], "always", mask,
                                      "n_caught", (json_int_t)flip->n_caught[s]));
    }
    object = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "configuration", flip->configuration,
                       "case", flip->case_text, "operand", flip->operand, "n_bits", flip->n_bits,
                       "n_mantissa", flip->n_mantissa, "n_positions", flip->n_positions, "sights",
                       sights);
    CF_CHECK(object != NULL);
    text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    return text;
}

int cf_flips_put(struct cf_store *store, const struct cf_flip_finding flips[], int64_t n,
                 struct cf_error *err)
{
    int result = 0;

    for (int64_t i = 0; i < n && result == 0; ++i) {
        char *key = cf_format("flips.%05" PRId64, i), *text = print(&flips[i]);

        result = cf_store_put_meta(store, key, text, err);
        free(key);
        free(text);
    }
    return result;
}

static const char *keep(struct cf_flips *flips, const char *text)
{
    flips->memory =
        cf_realloc(flips->memory, (size_t)(flips->n_memory + 1) * sizeof flips->memory[0]);
    flips->memory[flips->n_memory] = cf_strdup(text ? text : "");
    return flips->memory[flips->n_memory++];
}

static int number(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

static void take_sights(struct cf_flip_finding *flip, const json_t *sights)
{
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        const json_t *one = json_object_get(sights, cf_sight_name((enum cf_sight)s));
        const char *mask = json_string_value(json_object_get(one, "always"));

        flip->judged[s] = number(one, "judged");
        flip->always[s] = mask ? strtoull(mask, NULL, 16) : 0;
        flip->n_caught[s] = json_integer_value(json_object_get(one, "n_caught"));
    }
}

/* 0 when what it says makes no sense. */
static int take(struct cf_flips *flips, const json_t *object)
{
    struct cf_flip_finding flip = {.n_bits = number(object, "n_bits"),
                                   .n_mantissa = number(object, "n_mantissa"),
                                   .n_positions = number(object, "n_positions")};

    flip.configuration = keep(flips, json_string_value(json_object_get(object, "configuration")));
    flip.case_text = keep(flips, json_string_value(json_object_get(object, "case")));
    flip.operand = keep(flips, json_string_value(json_object_get(object, "operand")));
    take_sights(&flip, json_object_get(object, "sights"));
    flips->flip = cf_realloc(flips->flip, (size_t)(flips->n + 1) * sizeof flips->flip[0]);
    flips->flip[flips->n++] = flip;
    return flip.n_bits >= 8 && flip.n_bits <= 64 && flip.n_mantissa > 0 &&
           flip.n_mantissa <= flip.n_bits && flip.n_positions > 0;
}

int cf_flips_get(struct cf_flips *flips, struct cf_store *store, struct cf_error *err)
{
    *flips = (struct cf_flips){0};
    for (;;) {
        char *key = cf_format("flips.%05" PRId64, flips->n), *text = cf_store_get_meta(store, key);
        json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const int damaged = text && (!json_is_object(object) || !take(flips, object));

        json_decref(object);
        free(key);
        free(text);
        if (damaged)
            return cf_fail_with(err, 3, "entry %" PRId64 " of the flipped bits cannot be read",
                                flips->n);
        if (!text)
            return 0;
    }
}

void cf_flips_free(struct cf_flips *flips)
{
    for (int64_t i = 0; i < flips->n_memory; ++i)
        free(flips->memory[i]);
    free(flips->memory);
    free(flips->flip);
    *flips = (struct cf_flips){0};
}
