/* verify: is this still the locked environment? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "listing.h"
#include "locking.h"

enum state { HELD, DRIFTED, NOT_COMPARABLE, NOT_LOOKED_AT };
static const char *const state_names[] = {"held", "drifted", "not comparable", "not looked at"};

struct verifying {
    const char *path;
    json_t *locked, *now;
    enum cf_tier last;
    enum state state[CF_N_TIERS];
    struct cf_drifts drifts;
};

static int choose_tier(const struct cf_options *options, enum cf_tier *tier, struct cf_error *err)
{
    *tier = options->strict ? CF_TIER_DIGESTS : CF_TIER_LEVELS;
    if (options->tier && options->strict)
        return cf_fail(err, "--strict is --tier=digests; give one of the two");
    if (options->tier && cf_tier_parse(options->tier, tier) != 0)
        return cf_fail(err,
                       "`%s` is no tier; write files, load, state, levels or digests (T0 .. T4)",
                       options->tier);
    return 0;
}

/* Compares one tier; returns whether the next one is worth a look. */
static int look(struct verifying *v, enum cf_tier tier)
{
    if (tier > v->last)
        return 0;
    if (cf_drifts_find(&v->drifts, v->locked, v->now, tier) > 0)
        v->state[tier] = DRIFTED;
    else
        v->state[tier] =
            tier == CF_TIER_DIGESTS && v->drifts.not_comparable ? NOT_COMPARABLE : HELD;
    return v->state[tier] != DRIFTED && tier < v->last;
}

/* What was measured takes the place of what was measured before. */
static int measure(struct verifying *v, const struct cf_options *options, int only_first,
                   struct cf_error *err)
{
    struct cf_plan plan;
    int result = cf_locking_plan(v->locked, only_first, &plan, err);

    if (result != 0)
        return result;
    json_object_del(v->now, "configurations");
    result = cf_locking_measure(options, &plan, v->now, !only_first, err);
    cf_plan_free(&plan);
    return result;
}

static int work(struct verifying *v, const struct cf_options *options, struct cf_error *err)
{
    const char *matrix =
        json_object_iter_key(json_object_iter(json_object_get(v->locked, "matrix")));
    int result = 0;

    v->now = cf_locking_surroundings(options, v->path, matrix, v->locked, err);
    if (!v->now)
        return -1;
    if (!look(v, CF_TIER_FILES) || (result = measure(v, options, 1, err)) != 0 ||
        !look(v, CF_TIER_LOAD) || !look(v, CF_TIER_STATE) ||
        (result = measure(v, options, 0, err)) != 0 || !look(v, CF_TIER_LEVELS))
        return result;
    look(v, CF_TIER_DIGESTS);
    return 0;
}

static int exit_code(const struct verifying *v)
{
    for (int t = 0; t < CF_N_TIERS; ++t)
        if (v->state[t] == DRIFTED)
            return t <= CF_TIER_STATE ? 3 : 1;
    return 0;
}

/* The caller frees. */
static char *verdict(const struct verifying *v)
{
    const int code = exit_code(v);
    int n = 0, tier = 0;

    for (int i = 0; i < v->drifts.n; ++i)
        n += !v->drifts.drift[i].is_note;
    while (tier < CF_N_TIERS - 1 && v->state[tier] != DRIFTED)
        ++tier;
    if (code == 3)
        return cf_format("not the locked environment: %d difference%s in its %s", n,
                         n == 1 ? "" : "s",
                         tier == CF_TIER_FILES  ? "files and settings"
                         : tier == CF_TIER_LOAD ? "ability to run"
                                                : "state");
    if (code == 1)
        return cf_format("the locked environment, with other results: %d %s", n,
                         tier == CF_TIER_LEVELS ? "of lower level" : "with other bits");
    return cf_format("the locked environment, as far as the tier %s%s", cf_tier_name(v->last),
                     v->drifts.not_comparable
                         ? "; digests were not compared, because the platform is another one"
                         : "");
}

static void print(const struct verifying *v)
{
    char *text = verdict(v);

    printf("verdict  %s\n", text);
    for (int t = 0; t < CF_N_TIERS; ++t) {
        if (v->state[t] == NOT_LOOKED_AT)
            continue;
        printf("%-8s %s\n", cf_tier_name((enum cf_tier)t), state_names[v->state[t]]);
        cf_locking_print(&v->drifts, (enum cf_tier)t, 0);
        cf_locking_print(&v->drifts, (enum cf_tier)t, 1);
    }
    free(text);
}

static int put_json(const struct verifying *v, const char *path, struct cf_error *err)
{
    json_t *tiers = json_array(), *drifts = json_array(), *notes = json_array();
    char *text = verdict(v);
    json_t *object;

    for (int t = 0; t < CF_N_TIERS; ++t)
        json_array_append_new(tiers, json_pack("{s:s,s:s}", "tier", cf_tier_name((enum cf_tier)t),
                                               "state", state_names[v->state[t]]));
    for (int i = 0; i < v->drifts.n; ++i) {
        const struct cf_drift *one = &v->drifts.drift[i];

        json_array_append_new(one->is_note ? notes : drifts,
                              json_pack("{s:s,s:s,s:s,s:s,s:s}", "tier", cf_tier_name(one->tier),
                                        "what", one->what, "was", one->was, "is", one->is,
                                        "sentence", one->sentence));
    }
    object = json_pack("{s:s,s:s,s:i,s:s,s:o,s:o,s:o}", "schema", "conform-verify/1", "lock",
                       v->path, "exit", exit_code(v), "verdict", text, "tiers", tiers, "drifts",
                       drifts, "notes", notes);
    free(text);
    CF_CHECK(object != NULL);
    return cf_listing_put_json(path, object, err);
}

int cf_command_verify(struct cf_options *options, struct cf_error *err)
{
    struct verifying v = {.path = cf_locking_path(options, "verify", err)};
    const char *json = options->document[cf_report_index("json")];
    int result = v.path ? choose_tier(options, &v.last, err) : -1;

    for (int t = 0; t < CF_N_TIERS; ++t)
        v.state[t] = NOT_LOOKED_AT;
    if (result == 0 && !(v.locked = cf_locking_read(v.path, err)))
        result = -1;
    if (result == 0)
        result = work(&v, options, err);
    if (result > 0 && !options->quiet)
        fputs("conform: interrupted; nothing can be said of the tiers that are left\n", stderr);
    if (result == 0 && json)
        result = put_json(&v, json, err);
    if (result == 0 && !options->quiet && !(json && strcmp(json, "-") == 0))
        print(&v);
    if (result == 0)
        result = exit_code(&v);
    cf_drifts_free(&v.drifts);
    json_decref(v.now);
    json_decref(v.locked);
    return result;
}
