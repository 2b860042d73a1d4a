/* The names of the enumerations, in the order that the headers fix. */
#include "demand.h"
#include "finding.h"
#include "record.h"

#include <string.h>

#include "error.h"

static const char *const levels[CF_N_LEVELS] = {"none", "functional", "scientific", "statistical",
                                                "numerical"};
static const char *const verdicts[CF_N_VERDICTS] = {"pass", "fail", "unknown", "skip"};
static const char *const scopes[CF_N_SCOPES] = {"run",       "thread", "batch",    "position",
                                                "alignment", "isa",    "layout",   "version",
                                                "library",   "device", "baseline", "reference"};
static const char *const fates[CF_N_FATES] = {"ran",           "not-offered", "not-opened",
                                              "broke",         "timed-out",   "crashed",
                                              "out-of-memory", "protocol",    "state-mismatch"};

static const char *const unit_states[CF_N_UNIT_STATES] = {"pass", "fail", "retest", "not-measured"};
static const char *const node_states[CF_N_NODE_STATES] = {"agrees", "outlier", "no-majority",
                                                          "not-compared"};

static const char *const promise_states[CF_N_PROMISE_STATES] = {"holds", "violated", "stronger",
                                                                "unknown", "not-exercised"};

static int find(const char *const names[], int n, const char *name)
{
    for (int i = 0; i < n; ++i)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

const char *cf_level_name(enum cf_level level)
{
    return levels[level];
}

int cf_level_parse(const char *name, enum cf_level *level)
{
    const int i = find(levels, CF_N_LEVELS, name);

    if (i >= 0)
        *level = (enum cf_level)i;
    return i >= 0 ? 0 : -1;
}

const char *cf_verdict_name(enum cf_verdict verdict)
{
    return verdicts[verdict];
}

const char *cf_scope_name(enum cf_scope scope)
{
    return scopes[scope];
}

int cf_scope_parse(const char *name, enum cf_scope *scope)
{
    const int i = find(scopes, CF_N_SCOPES, name);

    if (i >= 0)
        *scope = (enum cf_scope)i;
    return i >= 0 ? 0 : -1;
}

const char *cf_fate_name(enum cf_fate fate)
{
    return fates[fate];
}

const char *cf_unit_state_name(enum cf_unit_state state)
{
    return unit_states[state];
}

const char *cf_promise_state_name(enum cf_promise_state state)
{
    return promise_states[state];
}

const char *cf_node_state_name(enum cf_node_state state)
{
    return node_states[state];
}

const char *cf_sight_name(enum cf_sight sight)
{
    static const char *const names[CF_N_SIGHTS] = {"bits", "S1", "S2", "S3", "S4", "1e-3"};

    return names[sight];
}

static int has_sign(const struct cf_flip_finding *flip)
{
    return flip->n_mantissa < flip->n_bits;
}

int cf_flip_lowest(const struct cf_flip_finding *flip, enum cf_sight sight)
{
    int bit = flip->n_bits - has_sign(flip);

    if (flip->judged[sight] != 1)
        return -1;
    if (!(flip->always[sight] >> (bit - 1) & 1))
        return flip->n_bits;
    while (bit > 0 && flip->always[sight] >> (bit - 1) & 1)
        --bit;
    return bit;
}

int cf_flip_sign(const struct cf_flip_finding *flip, enum cf_sight sight)
{
    return !has_sign(flip) || (flip->always[sight] >> (flip->n_bits - 1) & 1);
}
