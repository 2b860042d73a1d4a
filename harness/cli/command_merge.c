#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "merge.h"

int cf_command_merge(struct cf_options *options, struct cf_error *err)
{
    const struct cf_words *words = &options->rest;
    char *missing;

    if (words->n < 2)
        return cf_fail(err, "merge needs a new store and stores to put into it, as in `conform "
                            "merge fleet.db n0.db n1.db`");
    if (cf_merge(words->word[0], words->word + 1, words->n - 1, options->expect, &missing, err) !=
        0)
        return -1;
    if (!options->quiet)
        fprintf(stderr, "conform: %d stores are merged into %s; `conform report %s` judges them\n",
                words->n - 1, words->word[0], words->word[0]);
    if (!missing)
        return 0;
    cf_fail_with(err, 3, "%s", missing);
    free(missing);
    return -1;
}
