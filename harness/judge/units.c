#include "units.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} texts[] = {{"node", offsetof(struct cf_unit_finding, node)},
             {"name", offsetof(struct cf_unit_finding, name)},
             {"kernel", offsetof(struct cf_unit_finding, kernel)},
             {"case", offsetof(struct cf_unit_finding, case_text)},
             {"element", offsetof(struct cf_unit_finding, element)},
             {"expected", offsetof(struct cf_unit_finding, expected)},
             {"got", offsetof(struct cf_unit_finding, got)},
             {"reason", offsetof(struct cf_unit_finding, reason)},
             {"ppin", offsetof(struct cf_unit_finding, ppin)},
             {"uuid", offsetof(struct cf_unit_finding, uuid)},
             {"sm", offsetof(struct cf_unit_finding, sm)}};

static const struct {
    const char *name;
    size_t offset;
} places[] = {{"cpu", offsetof(struct cf_unit_finding, cpu)},
              {"core", offsetof(struct cf_unit_finding, core)},
              {"package", offsetof(struct cf_unit_finding, package)},
              {"numa_node", offsetof(struct cf_unit_finding, numa_node)},
              {"thread", offsetof(struct cf_unit_finding, thread)},
              {"gpu", offsetof(struct cf_unit_finding, gpu)}};

static char *print(const struct cf_unit_finding *unit)
{
    json_t *object = json_pack(
        "{s:s, s:f, s:f, s:I, s:I, s:o}", "state", cf_unit_state_name(unit->state), "n_checked",
        unit->n_checked, "seconds", unit->seconds, "n_requests", (json_int_t)unit->n_requests,
        "n_different", (json_int_t)unit->n_different, "time_to_fail_s",
        isfinite(unit->time_to_fail_s) ? json_real(unit->time_to_fail_s) : json_null());
    char *text;

    json_object_set_new(object, "seed", json_integer(unit->seed));
    json_object_set_new(object, "n_again", json_integer(unit->n_again));
    json_object_set_new(object, "mhz", isfinite(unit->mhz) ? json_real(unit->mhz) : json_null());
    for (int i = 0; i < CF_COUNT(places); ++i)
        json_object_set_new(object, places[i].name,
                            json_integer(*(const int *)((const char *)unit + places[i].offset)));

    for (int i = 0; i < CF_COUNT(texts); ++i)
        json_object_set_new(
            object, texts[i].name,
            json_string(*(const char *const *)((const char *)unit + texts[i].offset)));
    text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(object);
    return text;
}

int cf_units_put(struct cf_store *store, const struct cf_unit_finding units[], int n,
                 const char *coverage, struct cf_error *err)
{
    int result = cf_store_put_meta(store, "qualify.coverage", coverage, err);

    for (int i = 0; i < n && result == 0; ++i) {
        char *key = cf_format("qualify.%05d", i), *text = print(&units[i]);

        result = cf_store_put_meta(store, key, text, err);
        free(key);
        free(text);
    }
    return result;
}

static const char *keep(struct cf_units *units, const char *text)
{
    units->memory =
        cf_realloc(units->memory, (size_t)(units->n_memory + 1) * sizeof units->memory[0]);
    units->memory[units->n_memory] = cf_strdup(text ? text : "");
    return units->memory[units->n_memory++];
}

static enum cf_unit_state state_of(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "state"));

    for (int i = 0; i < CF_N_UNIT_STATES; ++i)
        if (name && strcmp(name, cf_unit_state_name((enum cf_unit_state)i)) == 0)
            return (enum cf_unit_state)i;
    return CF_UNIT_NOT_MEASURED;
}

/* A store of an earlier version does not say where a unit is. */
static int64_t integer_or(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static double real_or_nan(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void take(struct cf_units *units, const json_t *object)
{
    struct cf_unit_finding *unit;

    units->unit = cf_realloc(units->unit, (size_t)(units->n + 1) * sizeof units->unit[0]);
    unit = &units->unit[units->n++];
    *unit = (struct cf_unit_finding){
        .state = state_of(object),
        .n_checked = json_number_value(json_object_get(object, "n_checked")),
        .seconds = json_number_value(json_object_get(object, "seconds")),
        .n_requests = json_integer_value(json_object_get(object, "n_requests")),
        .n_different = json_integer_value(json_object_get(object, "n_different")),
        .seed = integer_or(object, "seed", -1),
        .n_again = integer_or(object, "n_again", 0),
        .mhz = real_or_nan(object, "mhz"),
        .time_to_fail_s = real_or_nan(object, "time_to_fail_s")};
    for (int i = 0; i < CF_COUNT(places); ++i)
        *(int *)((char *)unit + places[i].offset) = (int)integer_or(object, places[i].name, -1);
    for (int i = 0; i < CF_COUNT(texts); ++i)
        *(const char **)((char *)unit + texts[i].offset) =
            keep(units, json_string_value(json_object_get(object, texts[i].name)));
}

int cf_units_get(struct cf_units *units, struct cf_store *store, struct cf_error *err)
{
    *units = (struct cf_units){0};
    units->coverage = cf_store_get_meta(store, "qualify.coverage");
    for (;;) {
        char *key = cf_format("qualify.%05d", units->n), *text = cf_store_get_meta(store, key);
        json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const int damaged = text && !json_is_object(object);

        if (object && !damaged)
            take(units, object);
        json_decref(object);
        free(key);
        free(text);
        if (damaged)
            return cf_fail_with(err, 3, "unit %d of the qualification cannot be read", units->n);
        if (!text)
            return 0;
    }
}

void cf_units_free(struct cf_units *units)
{
    for (int i = 0; i < units->n_memory; ++i)
        free(units->memory[i]);
    free(units->memory);
    free(units->unit);
    free(units->coverage);
    *units = (struct cf_units){0};
}

static int count(const struct cf_units *units, enum cf_unit_state state)
{
    int n = 0;

    for (int i = 0; i < units->n; ++i)
        n += units->unit[i].state == state;
    return n;
}

int cf_units_exit_code(const struct cf_units *units)
{
    if (count(units, CF_UNIT_FAIL) > 0)
        return 1;
    for (int i = 0; i < units->n; ++i) /* asked, and no answer */
        if (units->unit[i].state == CF_UNIT_NOT_MEASURED && units->unit[i].n_requests > 0)
            return 3;
    return count(units, CF_UNIT_RETEST) > 0 || count(units, CF_UNIT_PASS) == 0 ? 3 : 0;
}

char *cf_units_sentence(const struct cf_units *units)
{
    double checked = 0;
    char *bad = cf_strdup("");
    char *sentence;

    for (int i = 0; i < units->n; ++i) {
        const struct cf_unit_finding *u = &units->unit[i];

        checked += u->n_checked;
        if (u->state == CF_UNIT_FAIL && strlen(bad) < 300) {
            char *longer = cf_format("%s%s%s%s%s with %s", bad, *bad ? ", " : " (", u->node,
                                     *u->node ? " " : "", u->name, u->kernel);

            free(bad);
            bad = longer;
        }
    }
    sentence = cf_format(
        "%d of %d units pass, %d fail%s%s, %d need a retest, %d were not measured; "
        "%.3g operations were checked bit for bit",
        count(units, CF_UNIT_PASS), units->n, count(units, CF_UNIT_FAIL), bad, *bad ? ")" : "",
        count(units, CF_UNIT_RETEST), count(units, CF_UNIT_NOT_MEASURED), checked);
    free(bad);
    return sentence;
}
