/* smoke: every judge of training on runs of milliseconds, against a bank that is kept with the
 * program (data/smoke): for every commit, of a baseline of its own; so it is not part of `all`. */
#include "suite.h"

#define STATISTICS (1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)
#define NUMERICAL  (1u << CF_NUMERICAL)
#define CELL       "train_logreg f32 steps=256 batch=32 fill=digits"

static const struct cf_case_list lists[] = {
    /* 20 seeds x 3 processes are 60 chains, as many as bits need; distributions need one each. */
    {CELL " lr=0.1 seed={1..20}", NUMERICAL, 3, 1},
    {CELL " lr={0.1,0.02} snapshots=9 seed={1..12}", STATISTICS, 1, 1},
    {CELL " lr={0.1,0.02} seed={13..20}", STATISTICS, 1, 1},
    {0}};

static const struct cf_suite_claim claims[] = {
    {"the larger rate is ahead after 256 steps", CELL " lr=0.1", CELL " lr=0.02"}, {0}};

static const struct cf_demand demands[] = {{CF_NUMERICAL, CF_ACROSS_RUN},
                                           {CF_NUMERICAL, CF_ACROSS_LIBRARY},
                                           {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_smoke = {
    .name = "smoke",
    .why = "small training runs end alike, and conclusions drawn from them hold again",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands),
    .claims = claims,
    .apart = 1};
