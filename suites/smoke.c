/* smoke: every judge of training on runs of milliseconds, against a bank that is kept with the
 * program (data/smoke): for every commit. */
#include "suite.h"

#define STATISTICS (1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)
#define ANY        (1u << CF_NUMERICAL | STATISTICS)
#define CELL       "train_logreg f32 steps=256 batch=32 fill=digits"

static const struct cf_case_list lists[] = {
    {CELL " lr={0.1,0.02} snapshots=9 seed={1..12}", ANY, 3, 1},
    {CELL " lr={0.1,0.02} seed={13..20}", ANY, 3, 1},
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
    .claims = claims};
