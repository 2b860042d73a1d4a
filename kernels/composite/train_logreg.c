/* train_logreg: logistic regression on pictures.  logits = x W + b; training.h. */
#include "composite.h"

void cf_logreg_pass(struct cf_training *t, struct cf_batch *b, struct cf_tensor *gradient)
{
    struct cf_weights weights = {t, gradient, 0};

    cf_head(t, b, b->x, &weights);
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return cf_composite_train(cf_logreg_pass, in, out);
}

extern const struct cf_kernel cf_kernels_composite_train_logreg[];
const struct cf_kernel cf_kernels_composite_train_logreg[] = {
    {.op = "train_logreg", .name = "step", .backend = NULL, .run = run}, {.op = NULL}};
