#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter_check.h"
#include "launch.h"
#include "listing.h"
#include "task.h"

#define TIMEOUT_MS 10000

static void tell(void *context, const struct cf_adapter_check *check)
{
    char *words = *check->reason ? cf_format("%s: %s", check->promise, check->reason)
                                 : cf_strdup(check->promise);

    cf_listing_add(context,
                   check->passed    ? "pass"
                   : check->skipped ? "skip"
                                    : "FAIL",
                   check->name, words);
    free(words);
}

/* The command behind the words that limit it, as `run` starts it. Failed checks, or -1. */
static int check(const struct cf_options *options, int timeout_ms, struct cf_listing *rows,
                 struct cf_error *err)
{
    char *worker = cf_task_worker(err);
    struct cf_launch limits;
    const char **argv;
    int n, n_failed;

    if (!worker)
        return -1;
    n = cf_launch_limits(&limits, worker, options->memory_mb, NULL);
    argv = cf_alloc_zero((size_t)(n + options->rest.n) * sizeof *argv);
    memcpy(argv, limits.argv, (size_t)n * sizeof *argv);
    memcpy(argv + n, options->rest.word + 1, (size_t)(options->rest.n - 1) * sizeof *argv);
    n_failed = cf_adapter_check(argv, timeout_ms, tell, rows, err);
    free(argv);
    free(worker);
    return n_failed;
}

/* 0: it conforms; 1: it does not. */
int cf_command_adapter(struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"verdict", "check", "promise"}};
    const int timeout_ms = options->timeout_s > 0 ? (int)(options->timeout_s * 1000) : TIMEOUT_MS;
    int n_failed, result;

    if (options->rest.n < 2 || strcmp(options->rest.word[0], "check") != 0)
        return cf_fail(err, "adapter needs `check` and a command, as in `conform adapter check "
                            "python3 my_adapter.py`");
    n_failed = check(options, timeout_ms, &rows, err);
    result = n_failed < 0 ? -1 : cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    if (result != 0)
        return -1;
    if (!options->quiet)
        fprintf(stderr, "conform: %s\n",
                n_failed ? "it does not speak conform-adapter/1 well"
                         : "it speaks conform-adapter/1");
    return n_failed ? 1 : 0;
}
