/* run_support: plans of a few cases, run into a store of the test's own folder. */
#ifndef CF_TESTS_RUN_SUPPORT_H
#define CF_TESTS_RUN_SUPPORT_H

#include "plan.h"
#include "store_support.h"

#define WORKER CF_BINARY_DIR "/conform-worker"
#define FAKE   "command=sh%20" CF_SOURCE_DIR "/tests/fakes/adapter.sh%20"
#define UNUSED __attribute__((unused))

/* Every record as a line: "case configuration process repetition fate digest | reason". */
struct dump {
    int n;
    int n_fates[CF_N_FATES];
    char *text; /* without reasons and times: what two runs must share. Owned */
    char last_reason[400];
};

UNUSED static int dump_record(void *context, const struct cf_record *r)
{
    struct dump *dump = context;
    char digest[33] = "-", *longer;

    if (r->fate == CF_RAN)
        cf_digest_print(digest, &r->digest);
    longer = cf_format("%s%d %d %d %d %s %s\n", dump->text, (int)r->case_id, (int)r->configuration,
                       r->process, r->repetition, cf_fate_name(r->fate), digest);
    free(dump->text);
    dump->text = longer;
    ++dump->n_fates[r->fate];
    ++dump->n;
    snprintf(dump->last_reason, sizeof dump->last_reason, "%s", r->reason);
    return 0;
}

UNUSED static struct dump dump_store(struct cf_store *store)
{
    struct dump dump = {.text = cf_strdup("")};

    cr_assert_eq(cf_store_each_record(store, dump_record, &dump), 0);
    return dump;
}

UNUSED static void add_configuration(struct cf_plan *plan, const char *line)
{
    struct cf_error err = {{0}, 0};

    cr_assert_geq(cf_plan_add_configuration(plan, line, NULL, &err), 0, "%s", err.text);
}

UNUSED static void add_case(struct cf_plan *plan, const char *line, int processes, int repetitions)
{
    struct cf_error err = {{0}, 0};

    cr_assert_geq(cf_plan_add_case(plan, line, "x", processes, repetitions, &err), 0, "%s",
                  err.text);
}

UNUSED static struct cf_run_options options_of(int timeout_ms)
{
    return (struct cf_run_options){
        .worker = WORKER, .timeout_ms = timeout_ms, .start_timeout_ms = timeout_ms};
}

/* Creates the store, runs the plan to its end, and dumps; the plan is freed. */
UNUSED static struct dump run_plan(struct cf_plan *plan, int timeout_ms)
{
    const struct cf_run_options options = options_of(timeout_ms);
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_error err = {{0}, 0};
    const int64_t planned = cf_plan_count(plan);
    struct dump dump;

    cr_assert_eq(cf_plan_store(plan, store, &err), 0, "%s", err.text);
    cr_assert_eq(cf_run(plan, store, &options, &err), 0, "%s", err.text);
    dump = dump_store(store);
    cr_assert_eq(dump.n, planned, "the books balance");
    cf_store_close(store);
    cf_plan_free(plan);
    return dump;
}

#endif
