#include "training.h"

#include <stddef.h>
#include <string.h>

/* The order is part of the format of CF_OUT_CALLS: append only. */
static const char *const primitives[] = {"gemm",
                                         "gemv",
                                         "dot",
                                         "sum",
                                         "nrm2",
                                         "bias_fwd",
                                         "bias_bwd",
                                         "relu_fwd",
                                         "relu_bwd",
                                         "softmax_fwd",
                                         "softmax_bwd",
                                         "layernorm_fwd",
                                         "layernorm_bwd",
                                         "crossentropy_fwd",
                                         "crossentropy_bwd",
                                         "conv2d_fwd",
                                         "conv2d_bwd_data",
                                         "conv2d_bwd_filter",
                                         "maxpool_fwd",
                                         "maxpool_bwd",
                                         "allreduce",
                                         "embedding_bwd",
                                         NULL};

const char *cf_model_name(int model)
{
    static const char *const names[] = {"logreg", "mlp", "cnn", "block"};

    return names[model];
}

const char *cf_stage_name(int stage)
{
    static const char *const names[] = {"rng",       "batch",     "activations", "loss",
                                        "gradients", "optimizer", "weights",     "link"};

    return names[stage];
}

const char *cf_optimizer_name(int optimizer)
{
    static const char *const names[] = {"sgd", "adam", "adamw"};

    return names[optimizer];
}

const char *cf_primitive_name(int primitive)
{
    const int n = (int)(sizeof primitives / sizeof primitives[0]) - 1;

    return primitive >= 0 && primitive < n ? primitives[primitive] : NULL;
}

int cf_primitive_number(const char *name)
{
    for (int i = 0; primitives[i]; ++i)
        if (strcmp(primitives[i], name) == 0)
            return i;
    return -1;
}
