/* training_case: a training case read from its text, and its operands drawn. Part of reference.h:
 * the ops train_logreg, train_mlp, train_cnn and train_block share it. */
#ifndef CF_TRAINING_CASE_H
#define CF_TRAINING_CASE_H

#include "case.h"
#include "data_statistics.h"
#include "digits.h"
#include "loader.h"
#include "split.h"
#include "training.h"

#define CF_TRAINING_DIMS "steps batch"
/* lr, momentum, beta2, epsilon, decay and clip are decimal numbers, rounded once to the case's
 * type. data=HEX pins the data: the first digits of the SHA-256 of what fill=digits reads. train:
 * percent of records that train; salt: another split. The *_seed keys release one stream at a time;
 * without them it is the case's seed. twin=K, perturb=B: the initial weights moved a little: by at
 * most one unit in the last place, or by a relative 2^-B; K numbers the ways of doing so
 * (levels.md, section 2: twins and ladder). */
#define CF_TRAINING_OPTIONS                                                                        \
    "hidden=32 layers=1 optimizer=sgd lr=0.1 momentum=0.9 beta2=0.999 epsilon=1e-8 decay=0 "       \
    "clip=0 "                                                                                      \
    "schedule=constant accumulate=1 dropout=0 augment=0 sampling=shuffle preprocess=unit "         \
    "train=80 "                                                                                    \
    "salt=0 rows=4000 workers=1 seeding=purpose init_seed shuffle_seed dropout_seed augment_seed " \
    "sampling_seed data snapshots=0 detail=-1 capture=-1 twin=0 perturb=0"

struct cf_training_case {
    enum cf_model model;
    enum cf_dtype dtype;
    int64_t steps, batch, hidden, layers, accumulate, n_weights, rows;
    int64_t snapshots, detail, capture, twin, perturb;
    enum cf_optimizer optimizer;
    struct cf_loader loader;
    int train_percent;
    uint64_t salt, seed;
    const char *schedule, *preprocess, *fill, *lr, *momentum, *beta2, *epsilon, *decay, *clip;
};

/* -1 and a sentence for a value that makes no sense. Words point into the case. */
int cf_training_read(struct cf_training_case *t, enum cf_model model, const struct cf_case *c,
                     struct cf_error *err);

/* Types and dims of the operands (V is known only with the data: they are read for it). */
int cf_training_shape(enum cf_model model, const struct cf_case *c, struct cf_tensor in[],
                      struct cf_tensor out[], struct cf_error *err);

/* Bits of all inputs; on failure nothing is allocated. */
int cf_training_draw(enum cf_model model, const struct cf_case *c, struct cf_tensor in[],
                     struct cf_error *err);

/* Statistics of both sides of the case's split. */
int cf_training_statistics(enum cf_model model, const struct cf_case *c,
                           struct cf_data_statistics *train, struct cf_data_statistics *held,
                           struct cf_error *err);

/* The model of an op "train_<model>", or -1. */
int cf_training_model(const char *op);

/* Weights of a model, and units that dropout masks for each row. */
int64_t cf_training_weights(enum cf_model model, int64_t hidden, int64_t layers);
int64_t cf_training_masked(enum cf_model model, int64_t hidden, int64_t layers);

#endif
