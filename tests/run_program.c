/* run_program: a run without the command line, for tests that kill it.
 *
 *   run_program create|resume STORE WORKER   the plan is the same each time; prints how
 *                                            many records were committed; exit code of the run */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

static volatile int interrupted;

static void remember(int number)
{
    interrupted = number;
}

/* What has been committed when this is called. */
static void show(void *context, int64_t done, int64_t total, const char *what)
{
    (void)context;
    (void)total;
    (void)what;
    printf("%lld\n", (long long)done);
    fflush(stdout);
}

static int make_plan(struct cf_plan *plan, struct cf_error *err)
{
    static const char *const configurations[] = {"plain kernel=forward", "plain kernel=pairwise",
                                                 "plain kernel=chunks threads=2"};

    *plan = (struct cf_plan){.level = CF_NUMERICAL};
    for (int i = 0; i < CF_COUNT(configurations); ++i)
        if (cf_plan_add_configuration(plan, configurations[i], NULL, err) < 0)
            return -1;
    return cf_plan_add_suite(plan, "reductions", "nrm2 f64 m=4 *", 0, 0, err) >= 0 &&
                   cf_plan_add_suite(plan, "reductions", "sum f64*m=4 *normal*", 2, 0, err) >= 0 &&
                   cf_plan_add_suite(plan, "reductions", "dot f32*m=4 *uniform*", 0, 0, err) >= 0
               ? 0
               : -1;
}

static int work(char **argv, struct cf_plan *plan, struct cf_error *err)
{
    const enum cf_store_mode mode =
        strcmp(argv[1], "create") == 0 ? CF_STORE_CREATE : CF_STORE_RESUME;
    const struct cf_run_options options = {
        .worker = argv[3], .interrupted = &interrupted, .progress = show};
    struct cf_store *store = cf_store_open(argv[2], mode, err);
    int result;

    if (!store)
        return -1;
    result = cf_plan_store(plan, store, err);
    if (result == 0)
        result = cf_run(plan, store, &options, err);
    cf_store_close(store);
    return result;
}

int main(int argc, char **argv)
{
    struct cf_plan plan;
    struct cf_error err = {{0}, 0};
    int result;

    if (argc != 4)
        return 64;
    signal(SIGTERM, remember);
    result = make_plan(&plan, &err) == 0 ? work(argv, &plan, &err) : -1;
    if (result < 0)
        fprintf(stderr, "run_program: %s\n", err.text);
    cf_plan_free(&plan);
    return result < 0 ? err.exit_code : result;
}
