/* train: a training case in one configuration, with checkpoints: killed at any moment, started
 * again, it ends with the same bits. */
#ifndef CF_TRAIN_H
#define CF_TRAIN_H

#include "case.h"
#include "tensor.h"
#include "training.h"

struct cf_train_options {
    const char *worker; /* path of conform-worker */
    const char *folder; /* of the checkpoints; NULL: none are written or read */
    int64_t every;      /* a checkpoint after each so many steps; 0: only at the end */
    int timeout_ms;     /* of one request; 0: a minute */
    /* Called after each checkpoint. May be NULL. */
    void (*progress)(void *context, int64_t step, int64_t steps);
    void *context;
};

/* The outputs of training.h for the whole run; hashes and losses of steps that an earlier process
 * ran are 0 (they are in its output). `from` is the step that this one began at. */
struct cf_train_result {
    struct cf_tensor out[CF_N_TRAINING_OUTPUTS]; /* owned */
    int64_t from;
    int same_configuration; /* 0: the checkpoint is another configuration's */
};

/* -1 and a sentence: the case is none, the checkpoint cannot be resumed, or the worker's fate is
 * not `ran` (exit 3). */
int cf_train(const char *case_line, const char *configuration,
             const struct cf_train_options *options, struct cf_train_result *result,
             struct cf_error *err);
void cf_train_result_free(struct cf_train_result *result);

#endif
