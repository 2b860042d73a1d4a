/* A training run with checkpoints, to be killed: train_main CASE CONFIGURATION FOLDER EVERY. Prints
 * the step it began at, the last link and the digest of the weights. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "record.h"
#include "train.h"

int main(int argc, char **argv)
{
    struct cf_train_options options = {.worker = CF_BINARY_DIR "/conform-worker"};
    struct cf_train_result result;
    struct cf_digest digest;
    struct cf_error err;
    char hex[33];

    if (argc != 5)
        return 2;
    options.folder = argv[3];
    options.every = atoi(argv[4]);
    if (cf_train(argv[1], argv[2], &options, &result, &err) != 0) {
        printf("%s\n", err.text);
        return err.exit_code;
    }
    cf_digest_of(&digest, result.out[CF_OUT_WEIGHTS].bits,
                 cf_tensor_bytes(&result.out[CF_OUT_WEIGHTS]));
    cf_digest_print(hex, &digest);
    printf("%" PRId64 " %s\n", result.from, hex);
    cf_train_result_free(&result);
    return 0;
}
