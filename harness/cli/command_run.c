#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank_file.h"
#include "extend.h"
#include "fleet.h"
#include "select.h"
#include "strict.h"
#include "task.h"
#include "suggest.h"
#include "terminal.h"

static int refuse_words(const struct cf_options *options, struct cf_error *err)
{
    const char *names[64], *word = options->rest.n > 0 ? options->rest.word[0] : NULL;
    int n = 0;
    char *hint;

    if (!word)
        return 0;
    for (; cf_commands[n].name; ++n)
        names[n] = cf_commands[n].name;
    hint = cf_suggest_words(word, names, n);
    cf_fail(err, "run takes no `%s`%s", word,
            *hint ? "; a command comes first, as in `conform list suites`"
                  : "; a file of an option is joined to it, as in --json=FILE");
    free(hint);
    return -1;
}

/* A resumed run keeps its plan, so words that choose one are contradictions. */
static int refuse_choices(const struct cf_options *options, struct cf_error *err)
{
    if (options->suite || options->matrix || options->cases.n || options->configurations.n ||
        options->filters.n || options->excludes.n || options->repeat || options->seed ||
        options->shard)
        return cf_fail(err, "--resume goes on with the plan that the store holds; leave out what "
                            "chooses cases or configurations");
    return 0;
}

/* Only this shard's cases. */
static int take_shard(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct cf_shard shard;

    if (cf_fleet_shard(options->shard, &shard, err) != 0)
        return -1;
    if (cf_fleet_keep(plan, &shard) > 0)
        return 0;
    return cf_fail_with(err, 4, "no case falls into shard %lld of %lld; take fewer shards",
                        (long long)shard.index, (long long)shard.count);
}

static int start(const struct cf_options *options, const char *path, struct cf_store **store,
                 struct cf_plan *plan, struct cf_error *err)
{
    if (options->resume && refuse_choices(options, err) != 0)
        return -1;
    if (!options->resume && cf_select_plan(options, plan, err) != 0)
        return -1;
    if (!options->resume && options->shard && take_shard(options, plan, err) != 0)
        return -1;
    *store = cf_store_open(path, options->resume ? CF_STORE_RESUME : CF_STORE_CREATE, err);
    if (!*store)
        return -1;
    if (options->resume && (cf_select_stored(*store, plan, err) != 0 ||
                            cf_strict_check(options, plan, NULL, err) != 0))
        return -1;
    if (cf_plan_store(plan, *store, err) != 0)
        return -1;
    return options->resume ? 0 : cf_bank_attach(options, plan, *store, err);
}

static int describe_fleet(const struct cf_options *options, struct cf_store *store,
                          struct cf_error *err)
{
    struct cf_shard shard;

    if (options->resume)
        return 0;
    if (options->shard && cf_fleet_shard(options->shard, &shard, err) != 0)
        return -1;
    return cf_fleet_describe(store, options->node, options->per_node,
                             options->shard ? &shard : NULL, err);
}

static int put_command_line(const struct cf_options *options, struct cf_store *store,
                            struct cf_error *err)
{
    char *line = cf_strdup("conform");
    int result;

    for (int i = 1; i < options->argc; ++i) {
        const char *quote = strpbrk(options->argv[i], " {}*\"'") ? "'" : "";
        char *longer = cf_format("%s %s%s%s", line, quote, options->argv[i], quote);

        free(line);
        line = longer;
    }
    result = cf_store_put_meta(store, "command", line, err);
    free(line);
    return result;
}

/* The plan, and what each look adds to it. */
static int run_looks(const struct cf_options *options, struct cf_store *store, struct cf_plan *plan,
                     struct cf_error *err)
{
    int result, n_added = 1;

    do {
        result = cf_task_run(options, plan, store, err);
        if (result == 0)
            n_added = cf_extend(options, plan, store, err);
    } while (result == 0 && n_added > 0);
    return n_added < 0 ? -1 : result;
}

static int work(struct cf_options *options, const char *path, struct cf_store *store,
                struct cf_plan *plan, int64_t start_ns, struct cf_error *err)
{
    int result = options->resume ? 0 : put_command_line(options, store, err);

    if (!options->level_name) /* a resumed run is judged at its own level */
        options->level = plan->level;
    if (result == 0)
        result = describe_fleet(options, store, err);
    if (result == 0)
        result = run_looks(options, store, plan, err);
    if (result == 0)
        return cf_task_finish(options, store, path, start_ns, err);
    if (result > 0 && !options->quiet)
        fprintf(stderr, "conform: interrupted; `conform run --resume --store %s` goes on\n", path);
    return result;
}

int cf_command_run(struct cf_options *options, struct cf_error *err)
{
    const int64_t start_ns = cf_terminal_clock();
    struct cf_plan plan = {0};
    struct cf_store *store = NULL;
    char *path = NULL;
    int result = refuse_words(options, err);

    if (result == 0)
        path = options->store    ? cf_strdup(options->store)
               : options->resume ? cf_task_newest_path(err)
                                 : cf_task_new_path(err);
    result = path ? start(options, path, &store, &plan, err) : -1;
    if (result == 0)
        result = work(options, path, store, &plan, start_ns, err);
    if (store)
        cf_store_close(store);
    cf_plan_free(&plan);
    free(path);
    return result;
}
