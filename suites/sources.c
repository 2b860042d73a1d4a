/* sources: one training run with everything fixed, and the same run with one of its inputs released
 * at a time. A configuration must keep the bits of each; what the releases change among themselves
 * is the table of `conform sources`. */
#include "suite.h"

#define BASE                                                                                       \
    "train_mlp f32 steps=96 batch=32 hidden=32 optimizer=adam lr=0.003 dropout=30 augment=1 "      \
    "accumulate=4 fill=digits seed=1 "
#define NUMERICAL (1u << CF_NUMERICAL)

static const struct cf_case_list lists[] = {
    /* A seed for each purpose, the loader, the split, preprocessing, sampling. */
    {BASE "{init_seed=2,shuffle_seed=2,dropout_seed=2,augment_seed=2,workers=4,salt=1,"
          "preprocess=centre,sampling=replace}",
     NUMERICAL, 2, 1},
    {BASE "seeding=worker workers={1,4}", NUMERICAL, 2, 1},
    /* Precision. */
    {"train_mlp {f32,f64} steps=96 batch=32 hidden=32 optimizer=adam lr=0.003 dropout=30 augment=1 "
     "accumulate=4 fill=digits seed=1",
     NUMERICAL, 2, 1},
    {0}};

static const struct cf_demand demands[] = {
    {CF_NUMERICAL, CF_ACROSS_RUN},     {CF_NUMERICAL, CF_ACROSS_THREAD},
    {CF_NUMERICAL, CF_ACROSS_ISA},     {CF_NUMERICAL, CF_ACROSS_VERSION},
    {CF_NUMERICAL, CF_ACROSS_LIBRARY}, {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_sources = {
    .name = "sources",
    .why = "a training run with all its inputs given keeps its bits, whatever the inputs are",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
