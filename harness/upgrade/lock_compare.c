/* Two locks, tier by tier. */
#include <stdlib.h>
#include <string.h>

#include "lock.h"

/* Where a difference is told to. */
struct telling {
    struct cf_drifts *drifts;
    enum cf_tier tier;
    int is_note;
    const char *word; /* what an entry is: "variable"; with of_what: "level of LABEL" */
    const char *absent;
    int unknown_is_note; /* nobody here can say what it is now */
    const char *top;     /* of the working tree */
};

/* Sections whose entries are texts. */
static const struct {
    const char *section, *word, *absent;
    int is_note;
} values[] = {{"tool", "tool", "unknown", 0},
              {"container", "container", "not known", 0},
              {"variables", "variable", "unset", 0},
              {"platform", "platform", "unknown", 1},
              {"machine", "machine", "unknown", 1}};

/* Sections whose entries are files. */
static const struct {
    const char *section, *word;
} units[] = {{"matrix", "matrix"}, {"data", "data"}, {"files", "file"}};

/* Digests of 64 digits by their first twelve, for people. The caller frees. */
static char *shorten(const char *text)
{
    char *out = cf_strdup(text);
    size_t n = 0, run = 0;

    for (const char *at = text; *at; ++at) {
        out[n++] = *at;
        run = strchr("0123456789abcdef", *at) ? run + 1 : 0;
        if (run == 64) {
            n -= 52;
            memcpy(out + n, "...", 3);
            n += 3;
        }
    }
    out[n] = '\0';
    return out;
}

static void tell(const struct telling *to, const char *name, const char *was, const char *is,
                 const char *sentence)
{
    struct cf_drifts *drifts = to->drifts;
    struct cf_drift *one;

    drifts->drift = cf_realloc(drifts->drift, (size_t)(drifts->n + 1) * sizeof drifts->drift[0]);
    one = &drifts->drift[drifts->n++];
    *one = (struct cf_drift){.tier = to->tier,
                             .is_note = to->is_note,
                             .what = cf_format("%s %s", to->word, name),
                             .was = cf_strdup(was),
                             .is = cf_strdup(is)};
    if (sentence) {
        one->sentence = cf_format("%s %s: %s", to->word, name, sentence);
    } else {
        char *a = shorten(was), *b = shorten(is);

        one->sentence = cf_format("%s %s: was %s, is %s", to->word, name, a, b);
        free(a);
        free(b);
    }
}

/* The caller frees. */
static char *text_of(const json_t *value, const char *absent)
{
    char *dumped;

    if (!value)
        return cf_strdup(absent);
    if (json_is_string(value))
        return *json_string_value(value) ? cf_strdup(json_string_value(value)) : cf_strdup("\"\"");
    dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    CF_CHECK(dumped != NULL);
    return dumped;
}

typedef void each_pair(const struct telling *to, const char *name, const json_t *was,
                       const json_t *is);

/* Every key of the two objects once, in order; a missing object is an empty one. */
static void each_member(const struct telling *to, json_t *locked, json_t *now, each_pair *each)
{
    json_t *keys = json_object(), *unused, *copy;
    const char *key;

    json_object_update(keys, json_is_object(locked) ? locked : NULL);
    json_object_update(keys, json_is_object(now) ? now : NULL);
    copy = keys;
    json_object_foreach(copy, key, unused)
    {
        const json_t *was = json_object_get(locked, key), *is = json_object_get(now, key);

        if (!was || !is || !json_equal(was, is))
            each(to, key, was, is);
    }
    json_decref(keys);
}

static void tell_value(const struct telling *to, const char *name, const json_t *was,
                       const json_t *is)
{
    char *a = text_of(was, to->absent), *b = text_of(is, to->absent);
    struct telling one = *to;

    one.is_note |= to->unknown_is_note && !is;
    tell(&one, name, a, b, NULL);
    free(a);
    free(b);
}

static const char *member(const json_t *unit, const char *key)
{
    const char *text = json_string_value(json_object_get(unit, key));

    return text ? text : "";
}

/* An entry that has a SHA-256. What else it holds follows from its bytes. */
static void tell_unit(const struct telling *to, const char *name, const json_t *was,
                      const json_t *is)
{
    const char *a = member(was, "sha256"), *b = member(is, "sha256");
    char *sentence;

    if (!was || !is) {
        tell(to, name, was ? a : "absent", is ? b : "absent", was ? "is gone" : "is new");
    } else if (strcmp(a, b) != 0) {
        sentence = cf_format("other bytes (SHA-256 was %.12s..., is %.12s...)", a, b);
        tell(to, name, a, b, sentence);
        free(sentence);
    }
}

static void tell_package(const struct telling *to, const char *name, const json_t *was,
                         const json_t *is)
{
    if (was && is && strcmp(member(was, "version"), member(is, "version")) != 0)
        tell_value(to, name, json_object_get(was, "version"), json_object_get(is, "version"));
    else
        tell_unit(to, name, was, is);
}

/* Was this file told of as data, matrix or file already? */
static int is_told(const struct telling *to, const char *path)
{
    char *whole = cf_format(" %s/%s", to->top, path);
    const size_t n = strlen(whole);
    int told = 0;

    for (int i = 0; i < to->drifts->n && !told; ++i) {
        const char *what = to->drifts->drift[i].what;
        const size_t length = strlen(what);

        told = to->drifts->drift[i].tier == CF_TIER_FILES && length >= n &&
               strcmp(what + length - n, whole) == 0;
    }
    free(whole);
    return told;
}

static int is_untracked(const json_t *state)
{
    const char *text = json_string_value(state);

    return text && strncmp(text, "untracked", 9) == 0;
}

static void tell_uncommitted(const struct telling *to, const char *path, const json_t *was,
                             const json_t *is)
{
    struct telling one = *to;

    if (is_told(to, path))
        return;
    one.absent = is_untracked(was ? was : is) ? "not there" : "as committed";
    tell_value(&one, path, was, is);
}

static void compare_git(struct telling to, json_t *locked, json_t *now)
{
    json_t *was = json_object_get(locked, "git"), *is = json_object_get(now, "git");

    if (!was && !is)
        return;
    to.word = "git";
    to.absent = "no repository";
    to.is_note = was && is;
    if (!json_equal(json_object_get(was, "commit"), json_object_get(is, "commit")))
        tell_value(&to, "commit", json_object_get(was, "commit"), json_object_get(is, "commit"));
    to = (struct telling){
        .drifts = to.drifts, .tier = to.tier, .word = "working tree", .top = member(is, "top")};
    if (was && is)
        each_member(&to, json_object_get(was, "uncommitted"), json_object_get(is, "uncommitted"),
                    tell_uncommitted);
}

static void tell_python(const struct telling *to, const char *command, const json_t *was,
                        const json_t *is)
{
    struct telling one = {
        .drifts = to->drifts, .tier = to->tier, .word = "interpreter of", .absent = "unknown"};
    char *word = cf_format("package of `%s`:", command);
    json_t *a = json_object_get(was, "interpreter"), *b = json_object_get(is, "interpreter");

    if (!a || !b || !json_equal(a, b))
        tell_value(&one, command, a, b);
    one.word = word;
    each_member(&one, json_object_get(was, "packages"), json_object_get(is, "packages"),
                tell_package);
    free(word);
}

static void compare_files(struct telling to, json_t *locked, json_t *now)
{
    for (int i = 0; i < CF_COUNT(values); ++i) {
        to.word = values[i].word;
        to.absent = values[i].absent;
        to.is_note = values[i].is_note;
        to.unknown_is_note = strcmp(values[i].section, "container") == 0;
        each_member(&to, json_object_get(locked, values[i].section),
                    json_object_get(now, values[i].section), tell_value);
    }
    to = (struct telling){.drifts = to.drifts, .tier = to.tier, .absent = "absent"};
    for (int i = 0; i < CF_COUNT(units); ++i) {
        to.word = units[i].word;
        each_member(&to, json_object_get(locked, units[i].section),
                    json_object_get(now, units[i].section), tell_unit);
    }
    each_member(&to, json_object_get(locked, "python"), json_object_get(now, "python"),
                tell_python);
    compare_git(to, locked, now);
}

static void tell_load(const struct telling *to, const char *label, const json_t *was,
                      const json_t *is)
{
    const json_t *a = json_object_get(was, "fate"), *b = json_object_get(is, "fate");

    if (!a || !b || !json_equal(a, b))
        tell_value(to, label, a, b);
}

/* An array of {path, sha256} as an object of units. */
static json_t *by_path(const json_t *libraries)
{
    json_t *made = json_object(), *one;
    size_t i;

    json_array_foreach(libraries, i, one)
    {
        if (*member(one, "path"))
            json_object_set(made, member(one, "path"), one);
    }
    return made;
}

static void tell_state(const struct telling *to, const char *label, const json_t *was,
                       const json_t *is)
{
    struct telling one = {.drifts = to->drifts, .tier = to->tier, .absent = "absent"};
    char *state = cf_format("state of %s:", label), *mapped = cf_format("mapped by %s:", label);
    json_t *a = by_path(json_object_get(was, "libraries")),
           *b = by_path(json_object_get(is, "libraries"));

    one.word = state;
    each_member(&one, json_object_get(was, "effective"), json_object_get(is, "effective"),
                tell_value);
    one.word = mapped;
    each_member(&one, a, b, tell_unit);
    json_decref(a);
    json_decref(b);
    free(mapped);
    free(state);
}

static enum cf_level level_of(const json_t *text, int *wrong)
{
    const char *words = json_string_value(text), *comma = words ? strchr(words, ',') : NULL;
    enum cf_level level = CF_NONE;
    char name[32] = "";

    *wrong = comma != NULL;
    if (words)
        strncat(name, words, comma && comma - words < 31 ? (size_t)(comma - words) : 31);
    cf_level_parse(name, &level);
    return level;
}

/* Equal or better holds; a better one is noted. */
static void tell_level(const struct telling *to, const char *group, const json_t *was,
                       const json_t *is)
{
    struct telling one = *to;
    int was_wrong, is_wrong;
    const enum cf_level a = level_of(was, &was_wrong), b = level_of(is, &is_wrong);

    one.is_note = is && b >= a && is_wrong <= was_wrong;
    tell_value(&one, group, was, is);
}

static void tell_levels(const struct telling *to, const char *label, const json_t *was,
                        const json_t *is)
{
    char *word = cf_format("level of %s in", label);
    struct telling one = *to;

    one.word = word;
    each_member(&one, json_object_get(was, "levels"), json_object_get(is, "levels"), tell_level);
    free(word);
}

/* What varied from run to run has no bits to keep. */
static void tell_digest(const struct telling *to, const char *label, const json_t *was,
                        const json_t *is)
{
    struct telling one = *to;
    const char *text = json_string_value(was);

    one.is_note = text && strcmp(text, "varies") == 0;
    if (!one.is_note || !is)
        tell_value(&one, label, was, is);
}

static void tell_digests(const struct telling *to, const char *text, const json_t *was,
                         const json_t *is)
{
    char *word = cf_format("bits of `%s` in", text);
    struct telling one = *to;

    one.word = word;
    each_member(&one, json_object_get(was, "digests"), json_object_get(is, "digests"), tell_digest);
    free(word);
}

int cf_drifts_find(struct cf_drifts *drifts, const json_t *locked, const json_t *now,
                   enum cf_tier tier)
{
    static const struct {
        const char *section, *word;
        each_pair *each;
    } of_tier[] = {[CF_TIER_LOAD] = {"configurations", "first case of", tell_load},
                   [CF_TIER_STATE] = {"configurations", "state of", tell_state},
                   [CF_TIER_LEVELS] = {"configurations", "levels of", tell_levels},
                   [CF_TIER_DIGESTS] = {"cases", "bits of", tell_digests}};
    struct telling to = {.drifts = drifts, .tier = tier, .absent = "absent"};
    const int first = drifts->n;
    int n = 0;

    if (tier == CF_TIER_FILES) {
        compare_files(to, (json_t *)locked, (json_t *)now);
    } else if (tier == CF_TIER_DIGESTS &&
               !json_equal(json_object_get(locked, "platform"), json_object_get(now, "platform"))) {
        drifts->not_comparable = 1;
    } else {
        to.word = of_tier[tier].word;
        each_member(&to, json_object_get(locked, of_tier[tier].section),
                    json_object_get(now, of_tier[tier].section), of_tier[tier].each);
    }
    for (int i = first; i < drifts->n; ++i)
        n += !drifts->drift[i].is_note;
    return n;
}

void cf_drifts_free(struct cf_drifts *drifts)
{
    for (int i = 0; i < drifts->n; ++i) {
        free(drifts->drift[i].what);
        free(drifts->drift[i].was);
        free(drifts->drift[i].is);
        free(drifts->drift[i].sentence);
    }
    free(drifts->drift);
    *drifts = (struct cf_drifts){0};
}
