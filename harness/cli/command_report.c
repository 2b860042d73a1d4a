#include "commands.h"

#include <stdlib.h>

#include "task.h"
#include "terminal.h"

/* The level that the run was made for, unless another one was asked for. */
static void take_level(struct cf_options *options, struct cf_store *store)
{
    char *level = options->level_name ? NULL : cf_store_get_meta(store, "level");

    if (level)
        cf_level_parse(level, &options->level);
    free(level);
}

int cf_command_report(struct cf_options *options, struct cf_error *err)
{
    const int64_t start_ns = cf_terminal_clock();
    struct cf_store *store;
    int result;

    if (options->rest.n != 1)
        return cf_fail(err, "report needs one store, as in `conform report run.db --json`");
    store = cf_store_open(options->rest.word[0], CF_STORE_READ, err);
    if (!store)
        return -1;
    take_level(options, store);
    result = cf_task_finish(options, store, options->rest.word[0], start_ns, err);
    cf_store_close(store);
    return result;
}
