/* training: toy training runs, where rounding meets chaos. Every input is a byte of the case: data,
 * weights, order, masks, rates; so a difference is the configuration's. The judged outputs are the
 * hash chain, losses, metrics, weights and optimizer state. */
#include "suite.h"

#define NUMERICAL  (1u << CF_NUMERICAL)
#define STATISTICS (1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)

#define LOGREG "train_logreg f32 steps=320 batch=32 lr=0.05 fill=digits"
#define MLP    "train_mlp f32 steps=384 batch=32 hidden=32 lr=0.003 fill=digits"

static const struct cf_case_list lists[] = {
    /* Evidence: 20 seeds x 3 repeats of a fresh process are 60 comparisons of chains, as many as a
     * mismatch rate below 5 % needs (levels.md, section 3), for each model and type; on the digits
     * for the perceptron, on few drawn pictures elsewhere. */
    {"train_mlp f32 steps=20 batch=32 hidden=32 optimizer=adam lr=0.003 dropout=30 fill=digits "
     "seed={1..20}",
     NUMERICAL, 4, 1},
    {"train_mlp f64 steps=12 batch=16 hidden=16 optimizer=adamw lr=0.003 decay=0.01 "
     "schedule=cosine dropout=30 rows=200 fill=drawn seed={1..20}",
     NUMERICAL, 4, 1},
    {"train_logreg {f32,f64} steps=16 batch=16 optimizer=adam lr=0.02 rows=200 fill=drawn "
     "seed={1..20}",
     NUMERICAL, 4, 1},
    {"train_cnn f32 steps=6 batch=8 hidden=4 optimizer=adam lr=0.01 rows=200 fill=drawn "
     "seed={1..20}",
     NUMERICAL, 4, 1},
    {"train_block {f32,f64} steps=4 batch=2 hidden=8 optimizer=adamw lr=0.005 decay=0.01 "
     "dropout=10 rows=200 fill=drawn seed={1..20}",
     NUMERICAL, 4, 1},
    /* Breadth: each of momentum, schedule, decay, clipping, accumulation, augmentation, sampling;
     * and sizes at which libraries block and share products among threads. */
    {"train_logreg {f32,f64} steps=48 batch=32 lr=0.02 fill=digits seed=1", NUMERICAL, 3, 1},
    {"train_mlp f32 steps=12 batch=16 hidden=48 layers=3 lr=0.035 clip=1 decay=0.0001 "
     "schedule=step accumulate=2 augment=1 fill=digits seed=1",
     NUMERICAL, 3, 1},
    {"train_mlp f32 steps=4 batch=128 hidden=256 lr=0.05 fill=digits seed=1", NUMERICAL, 3, 1},
    {"train_cnn f32 steps=8 batch=16 hidden=8 lr=0.01 schedule=warmup fill=digits seed=1",
     NUMERICAL, 3, 1},
    {"train_block f32 steps=3 batch=4 hidden=16 optimizer=adam lr=0.005 clip=1 fill=digits seed=1",
     NUMERICAL, 3, 1},
    {"train_block f64 steps=2 batch=4 hidden=16 lr=0.02 sampling=replace fill=digits seed=1",
     NUMERICAL, 3, 1},
    /* Distributions. A seed is the unit of evidence: 20 at the first look. The claims that a claim
     * set registers (levels.md, section 7) need both arms: Adam against SGD, dropout against none,
     * the perceptron against logistic regression. Snapshots are what attribution reads, of 12
     * seeds. */
    {LOGREG " snapshots=9 seed={1..12}", STATISTICS, 1, 1},
    {LOGREG " seed={13..20}", STATISTICS, 1, 1},
    {MLP " optimizer={sgd,adam} dropout={0,30} snapshots=9 seed={1..12}", STATISTICS, 1, 1},
    {MLP " optimizer={sgd,adam} dropout={0,30} seed={13..20}", STATISTICS, 1, 1},
    {0}};

static const struct cf_suite_claim claims[] = {
    {"without dropout the loss is lower, by SGD", MLP " optimizer=sgd dropout=0",
     MLP " optimizer=sgd dropout=30"},
    {"Adam beats SGD", MLP " optimizer=adam dropout=0", MLP " optimizer=sgd dropout=0"},
    {"Adam beats SGD, with dropout", MLP " optimizer=adam dropout=30",
     MLP " optimizer=sgd dropout=30"},
    {"the perceptron beats logistic regression", MLP " optimizer=adam dropout=0", LOGREG},
    {0}};

static const struct cf_demand demands[] = {
    {CF_NUMERICAL, CF_ACROSS_RUN},       {CF_NUMERICAL, CF_ACROSS_THREAD},
    {CF_NUMERICAL, CF_ACROSS_ALIGNMENT}, {CF_NUMERICAL, CF_ACROSS_ISA},
    {CF_NUMERICAL, CF_ACROSS_VERSION},   {CF_NUMERICAL, CF_ACROSS_LIBRARY},
    {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_training = {
    .name = "training",
    .why =
        "a training run keeps its bits, or at least its outcome, wherever its steps are computed",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands),
    .claims = claims};
