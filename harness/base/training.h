/* training: the words that both programs share about training cases: the order of operands, what
 * they hold, and the stages of a step. A training case is an op like any other whose inputs are
 * every number that a run needs: data, initial weights, indices, masks, rates; a kernel draws
 * nothing and knows no seed. */
#ifndef CF_TRAINING_H
#define CF_TRAINING_H

/* Models. Weights are one vector, matrices row-major, in this order (H hidden, L layers):
 * logreg  W [64,10] b [10]
 * mlp     L times: W [inputs,H] b [H]; then W [H,10] b [10]. Each layer: relu, dropout
 * cnn     F [H,1,3,3] b [H]; F [H,H,3,3] b [H]; W [16 H,10] b [10]. conv pad 1, relu, 2x2 max pool;
 *         conv pad 1, relu; dropout; flattened
 * block   E [65,H] P [16,H]; g o [H]; Q K V O [H,H]; g o [H]; W [H,2H] b [2H]; W [2H,H] b [H];
 *         W [H,10] b [10]. Tokens are the sums of the 2x2 patches of the picture (0..64); pre-norm
 *         attention of one head and an MLP (relu, dropout), both added to the stream; mean over the
 *         16 tokens. */
enum cf_model { CF_LOGREG, CF_MLP, CF_CNN, CF_BLOCK };

#define CF_PIXELS     64
#define CF_CLASSES    10
#define CF_TOKENS     16
#define CF_VOCABULARY 65

/* Inputs. M = steps * accumulate micro-batches of B rows; P weights; "real" is the case's type. */
enum cf_training_input {
    CF_IN_IMAGES,   /* real [N,64]: pixels after preprocessing */
    CF_IN_LABELS,   /* i32 [N] */
    CF_IN_BATCHES,  /* i32 [M,B]: rows of images */
    CF_IN_MASKS,    /* u8 [M,B,W]: 1 keeps a hidden unit; W = 0 without dropout */
    CF_IN_SHIFTS,   /* i32 [M,B] 0..8: the picture is moved by (k / 3 - 1, k % 3 - 1); or [M,0] */
    CF_IN_RATES,    /* real [steps,3]: learning rate, 1 - beta1^t, 1 - beta2^t; t counts from 1 */
    CF_IN_HYPER,    /* real [CF_N_HYPER] */
    CF_IN_WEIGHTS,  /* real [P] before step `start` */
    CF_IN_STATE,    /* real [2,P] before step `start`: m (momentum) and v */
    CF_IN_HELD_OUT, /* i32 [V]: rows of images that the metrics are taken on */
    CF_IN_PLAN,     /* i64 [CF_N_PLAN] */
    CF_N_TRAINING_INPUTS
};

enum cf_hyper {
    CF_BETA1, /* or momentum */
    CF_ONE_MINUS_BETA1,
    CF_BETA2,
    CF_ONE_MINUS_BETA2,
    CF_EPSILON,
    CF_DECAY,        /* weight decay */
    CF_CLIP,         /* largest 2-norm of a gradient; 0: any */
    CF_KEEP_SCALE,   /* 1 / (1 - dropout) */
    CF_ROW_WEIGHT,   /* 1 / (B * accumulate) */
    CF_QUERY_SCALE,  /* 1 / sqrt(H) */
    CF_TOKEN_WEIGHT, /* 1 / 16 */
    CF_HELD_WEIGHT,  /* 1 / V */
    CF_N_HYPER
};

enum cf_plan_number {
    CF_START, /* the first step to run; earlier rows of the outputs are zero */
    CF_OPTIMIZER,
    CF_HIDDEN,
    CF_LAYERS,
    CF_ACCUMULATE,
    CF_DETAIL,    /* the step whose calls are listed, or -1 */
    CF_CAPTURE,   /* the call of that step whose operands are given back, or -1 */
    CF_SNAPSHOTS, /* how many: after steps 1, 2, 4, 8, ... */
    CF_LINK,      /* the chain's link before step `start`; 0 at the beginning */
    CF_N_PLAN = 16
};

enum cf_optimizer { CF_SGD, CF_ADAM, CF_ADAMW, CF_N_OPTIMIZERS };

/* Outputs. */
enum cf_training_output {
    CF_OUT_HASHES,    /* i64 [steps,CF_N_STAGES] */
    CF_OUT_LOSS,      /* real [steps]: mean loss over the step's rows */
    CF_OUT_METRICS,   /* real [CF_N_METRICS] after the last step, on the held-out rows */
    CF_OUT_WEIGHTS,   /* real [P] */
    CF_OUT_STATE,     /* real [2,P] */
    CF_OUT_SNAPSHOTS, /* real [snapshots,P]: weights after steps 1, 2, 4, 8, ... */
    CF_OUT_CALLS,     /* i64 [CF_CALLS_MAX,CF_CALL_NUMBERS], or [0,..]; rows not used are zero */
    CF_OUT_CAPTURED,  /* real [CF_CAPTURE_MAX], or [0]: the call's operands, inputs then outputs */
    CF_N_TRAINING_OUTPUTS
};

/* Mean loss, share of right answers, and the recall of each class. */
enum { CF_METRIC_LOSS, CF_METRIC_ACCURACY, CF_METRIC_RECALL, CF_N_METRICS = 2 + CF_CLASSES };

/* Stages of a step, in the order in which they happen: each hash is the first half of the XXH3-128
 * of the stage's bytes; the link is that of (link of the step before, all the others). Stages
 * before CF_STAGE_ACTIVATIONS are data: where they differ, nothing is compared. */
enum cf_stage {
    CF_STAGE_RNG,   /* masks and shifts */
    CF_STAGE_BATCH, /* indices, labels and pictures as they enter the model */
    CF_STAGE_ACTIVATIONS,
    CF_STAGE_LOSS,
    CF_STAGE_GRADIENTS,
    CF_STAGE_OPTIMIZER,
    CF_STAGE_WEIGHTS,
    CF_STAGE_LINK,
    CF_N_STAGES
};

/* A call of a primitive: which op; how many inputs and outputs; then, for each of them, rank, four
 * dims and the hash of its bytes. */
#define CF_CALLS_MAX     1024
#define CF_CALL_OPERANDS 6
#define CF_CALL_NUMBERS  (3 + 6 * CF_CALL_OPERANDS)
#define CF_CAPTURE_MAX   (1 << 17)

const char *cf_model_name(int model);         /* "logreg", "mlp", "cnn", "block" */
const char *cf_stage_name(int stage);         /* "rng", "batch", ... */
const char *cf_optimizer_name(int optimizer); /* "sgd", "adam", "adamw" */
/* The op of a call by its number, or NULL past the last; and its number, or -1. */
const char *cf_primitive_name(int primitive);
int cf_primitive_number(const char *name);

#endif
