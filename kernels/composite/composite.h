/* composite: training steps, written once over the primitives of whatever backend the worker has
 * opened. A primitive is looked up in that backend, then in plain, and called on dense tensors;
 * elementwise arithmetic (the optimizer, sums of gradients) is here, one IEEE operation at a time.
 * Operands and outputs: training.h. */
#ifndef CF_COMPOSITE_H
#define CF_COMPOSITE_H

#include "kernel.h"

#define CF_PRIMITIVES_MAX 24

enum cf_phase { CF_FORWARD, CF_BACKWARD, CF_HELD_OUT_PASS };

/* One run of one training case. Tensors of a pass live until the pass ends. */
struct cf_training {
    const struct cf_tensor *in;
    struct cf_tensor *out;
    enum cf_dtype dtype;
    int64_t steps, batch, n_weights, hidden, layers, accumulate, mask_width, step;
    enum cf_phase phase;
    enum cf_status status; /* the first failure; everything after it does nothing */
    uint64_t stage[CF_N_STAGES];
    int64_t n_calls;
    const struct cf_kernel *kernel[CF_PRIMITIVES_MAX]; /* found so far */
    void **memory;                                     /* of the pass, owned */
    int n_memory, capacity;
};

/* Rows that enter the model together. masks is NULL without dropout. */
struct cf_batch {
    int64_t rows;
    struct cf_tensor x, target;    /* [rows,64]; [rows,10]: the row's weight in its class's place */
    const uint8_t *masks;          /* [rows,mask_width] */
    struct cf_tensor logits, loss; /* filled by cf_head */
};

/* A weight tensor and its place in the gradient (bits NULL when only the forward pass runs). */
struct cf_weight {
    struct cf_tensor value, gradient;
};

/* Where the next weight tensor starts. */
struct cf_weights {
    const struct cf_training *training;
    struct cf_tensor *gradient; /* [P], or NULL */
    int64_t at;
};

/* Forward and, when gradient is not NULL, backward: gradient [P] becomes that of the mean loss. */
typedef void cf_pass_function(struct cf_training *t, struct cf_batch *b,
                              struct cf_tensor *gradient);

enum cf_status cf_composite_train(cf_pass_function *pass, const struct cf_tensor in[],
                                  struct cf_tensor out[]);
cf_pass_function cf_logreg_pass, cf_mlp_pass;

/* The op with the bug of kernel=planted:NAME inside its passes, behind the digests of masks and
 * batches: a subject that was given the right data and does wrong with it. CF_UNSUPPORTED: no such
 * bug. */
enum cf_status cf_planted_train(const char *op, const char *kernel, const struct cf_tensor in[],
                                struct cf_tensor out[]);

/* Tensors of the pass; bits are zero. columns 0: a vector; more than two dims: cf_reshape. */
struct cf_tensor cf_new(struct cf_training *t, int64_t rows, int64_t columns);
struct cf_tensor cf_like(struct cf_training *t, const struct cf_tensor *x);
struct cf_tensor cf_reshape(struct cf_tensor x, int64_t a, int64_t b, int64_t c, int64_t d);
void cf_release(struct cf_training *t);
struct cf_weight cf_take_weight(struct cf_weights *w, int64_t rows, int64_t columns);

/* Calls a primitive by name; in the forward phase its outputs are folded into the activations. */
void cf_call(struct cf_training *t, const char *op, int n_in, const struct cf_tensor in[],
             int n_out, struct cf_tensor out[]);

/* Has the backend under test (or plain) this primitive? */
int cf_offers(const char *op);

/* y = x W (+ b when b is not NULL), and its backward: dW, db and, when asked for, dx. */
struct cf_tensor cf_multiply(struct cf_training *t, struct cf_tensor a, struct cf_tensor b);
struct cf_tensor cf_transpose(struct cf_training *t, struct cf_tensor x);
struct cf_tensor cf_linear(struct cf_training *t, struct cf_tensor x, const struct cf_weight *w,
                           const struct cf_weight *b);
struct cf_tensor cf_linear_back(struct cf_training *t, struct cf_tensor x, struct cf_weight *w,
                                struct cf_weight *b, struct cf_tensor dy, int wants_dx);
struct cf_tensor cf_bias(struct cf_training *t, struct cf_tensor x, const struct cf_weight *b);
void cf_bias_back(struct cf_training *t, struct cf_tensor dy, struct cf_weight *b);
struct cf_tensor cf_relu(struct cf_training *t, struct cf_tensor x);
struct cf_tensor cf_relu_back(struct cf_training *t, struct cf_tensor x, struct cf_tensor dy);
/* Units first .. of each row's masks, when there are masks. */
struct cf_tensor cf_dropout(struct cf_training *t, const struct cf_batch *b, struct cf_tensor x,
                            int64_t first);
/* logits = x W + b and the loss; then dx when a gradient is wanted. */
struct cf_tensor cf_head(struct cf_training *t, struct cf_batch *b, struct cf_tensor x,
                         struct cf_weights *weights);

/* Elementwise, in the type of the tensors. */
void cf_scale(struct cf_training *t, struct cf_tensor *x, double factor);
void cf_add(struct cf_training *t, struct cf_tensor *to, const struct cf_tensor *x);
void cf_mask(struct cf_training *t, struct cf_tensor *y, const struct cf_tensor *x,
             const uint8_t *mask, int64_t stride, double factor);
void cf_clip(struct cf_training *t, struct cf_tensor *gradient);
void cf_optimize(struct cf_training *t, const struct cf_tensor *gradient);

/* A number of an operand, widened. */
double cf_hyper(const struct cf_training *t, enum cf_hyper which);

/* Folds bytes into a stage of the step. */
void cf_fold(struct cf_training *t, enum cf_stage stage, const void *bytes, uint64_t n_bytes);
uint64_t cf_hash(const void *bytes, uint64_t n_bytes);

#endif
