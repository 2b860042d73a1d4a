/* checkpoint: everything a training run needs to go on in a new process with the same bits. Two
 * files: step-00000020.safetensors (weights, state) and step-00000020.json, the manifest, which is
 * written last, after the tensors have reached the disk, and renamed into place: a checkpoint
 * exists when its manifest does. The manifest holds the SHA-256 of the tensors and of itself. */
#ifndef CF_CHECKPOINT_H
#define CF_CHECKPOINT_H

#include "seeds.h"
#include "tensor.h"
#include "training_case.h"

#define CF_CHECKPOINT_VERSION 1

/* Where a stream stands: what the next number drawn from it would be. */
struct cf_stream_place {
    uint64_t seed, counter;
    int64_t epoch;
};

struct cf_checkpoint {
    char *case_text, *configuration; /* owned */
    int64_t step;                    /* steps done; the next one is step `step`, from 0 */
    int64_t epoch, position;         /* of the next row within the order of its epoch */
    uint64_t link;                   /* of the hash chain after the steps done */
    double rate;                     /* of the next step; 0 after the last */
    struct cf_stream_place place[CF_N_PURPOSES];
    char *train, *held;              /* statistics of the splits, as printed. Owned */
    struct cf_tensor weights, state; /* [P]; [2,P]. Owned */
};

void cf_checkpoint_free(struct cf_checkpoint *checkpoint);

/* What the case says of a checkpoint after `step` steps: all but weights, state and link, which are
 * taken (copied) from the arguments. */
int cf_checkpoint_make(struct cf_checkpoint *checkpoint, const struct cf_case *c,
                       const char *configuration, int64_t step, uint64_t link,
                       const struct cf_tensor *weights, const struct cf_tensor *state,
                       struct cf_error *err);

/* Writes it into a folder, which is made if it is not there; older checkpoints but the last are
 * then removed. -1 and a sentence (exit 3); what was there before still is. */
int cf_checkpoint_write(const struct cf_checkpoint *checkpoint, const char *folder,
                        struct cf_error *err);

/* Reads the newest one of a folder. 1: found; 0: there is none; -1 and a sentence: it is truncated,
 * altered, of another version, or a component is missing: the sentence names it and what going on
 * without it would cost, and the step of the checkpoint before. */
int cf_checkpoint_read(struct cf_checkpoint *checkpoint, const char *folder, struct cf_error *err);

/* Makes the drawn operands of the case go on from the checkpoint. Refuses with a sentence a
 * checkpoint of another case, other data, or whose streams or schedule stand elsewhere than the
 * case's would after so many steps. A configuration is allowed to differ (it is then another
 * trajectory; *same_configuration says so). */
int cf_checkpoint_resume(const struct cf_checkpoint *checkpoint, const struct cf_case *c,
                         const char *configuration, struct cf_tensor in[], int *same_configuration,
                         struct cf_error *err);

/* The components, what they are called in a manifest, and what leaving one out costs. */
enum cf_component {
    CF_PART_WEIGHTS,
    CF_PART_MOMENTUM,
    CF_PART_VARIANCE,
    CF_PART_STEP,
    CF_PART_SCHEDULE,
    CF_PART_SHUFFLING,
    CF_PART_DROPOUT,
    CF_PART_AUGMENTATION,
    CF_PART_SAMPLING,
    CF_PART_INITIALISATION,
    CF_PART_LINK,
    CF_N_COMPONENTS
};
const char *cf_component_name(int component); /* "weights", "state.m", "rng.dropout", ... */
const char *cf_component_cost(int component); /* "Adam's second moment starts over at 0: ..." */

/* Makes resumed operands (cf_checkpoint_resume) those of a program that had not saved the
 * component: for measuring what it costs. `initial` are the operands as drawn. */
void cf_checkpoint_forget(enum cf_component component, const struct cf_tensor initial[],
                          struct cf_tensor in[]);

#endif
