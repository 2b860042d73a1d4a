/* Trains the frozen classifier again and prints its weights, one hexadecimal number a line: what
 * data/classifier.txt holds. classifier_main */
#include <stdio.h>

#include "train.h"

int main(void)
{
    const struct cf_train_options options = {.worker = CF_BINARY_DIR "/conform-worker"};
    struct cf_train_result result;
    struct cf_error err;
    const struct cf_tensor *w = &result.out[CF_OUT_WEIGHTS];

    if (cf_train("train_mlp f32 steps=1000 batch=32 hidden=32 optimizer=adam lr=0.003 fill=digits "
                 "seed=1",
                 "plain kernel=forward", &options, &result, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return err.exit_code;
    }
    fprintf(stderr, "held-out accuracy %.4f\n",
            cf_tensor_get(&result.out[CF_OUT_METRICS], CF_METRIC_ACCURACY));
    for (int64_t i = 0; i < cf_tensor_count(w); ++i)
        printf("%a\n", cf_tensor_get(w, i));
    cf_train_result_free(&result);
    return 0;
}
