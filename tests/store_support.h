/* store_support: a folder of its own for each test, and a store with a plan in it. */
#ifndef CF_TESTS_STORE_SUPPORT_H
#define CF_TESTS_STORE_SUPPORT_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_internal.h"

static char folder[200], path[300];

static void make_folder(void)
{
    const char *root = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/conform-store-XXXXXX", root ? root : P_tmpdir);
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s.db", folder);
}

static void remove_folder(void)
{
    char *command = cf_format("rm -rf '%s'", folder);

    cr_expect_eq(system(command), 0);
    free(command);
}

static struct cf_store *open_or_fail(enum cf_store_mode mode)
{
    struct cf_error err = {0};
    struct cf_store *store = cf_store_open(path, mode, &err);

    cr_assert(store, "%s", err.text);
    return store;
}

static void put_plan(struct cf_store *store)
{
    struct cf_plan_configuration configuration = {.text = "plain kernel=forward",
                                                  .label = "plain forward",
                                                  .requested = "{}",
                                                  .effective = "{}"};
    struct cf_plan_case c = {.text = "sum f64 m=1 n=4 fill=uniform seed=1",
                             .suite = "reductions",
                             .processes = 2,
                             .repetitions = 1000};

    memset(c.inputs.byte, 0xa5, sizeof c.inputs.byte);
    cr_assert_eq(cf_store_put_configuration(store, &configuration, NULL), 0);
    cr_assert_eq(cf_store_put_case(store, &c, NULL), 0);
    cr_assert_eq(configuration.id, 1);
    cr_assert_eq(c.id, 1);
}

/* n bytes that do not compress, different for each i. */
static int put_ran(struct cf_store *store, int i, uint64_t n, struct cf_error *err)
{
    struct cf_record record = {
        .configuration = 1, .case_id = 1, .repetition = i, .wall_ns = 1000 + i};
    uint8_t *bytes = cf_alloc(n + 1);
    uint64_t x = 88172645463325252u + (uint64_t)i;
    int answer;

    for (uint64_t j = 0; j < n; ++j) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[j] = (uint8_t)(x >> 32);
    }
    cf_digest_of(&record.digest, bytes, n);
    answer = cf_store_put_record(store, &record, bytes, n, err);
    free(bytes);
    return answer;
}

__attribute__((unused)) static void put_store(int n_records)
{
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);

    cr_assert_eq(cf_store_begin(store, NULL), 0);
    put_plan(store);
    for (int i = 0; i < n_records; ++i)
        cr_assert_eq(put_ran(store, i, 3000, NULL), 0);
    cr_assert_eq(cf_store_commit(store, NULL), 0);
    cf_store_close(store);
}

static int count_record(void *context, const struct cf_record *record)
{
    (void)record;
    ++*(int *)context;
    return 0;
}

__attribute__((unused)) static int n_records(struct cf_store *store)
{
    int n = 0;

    cr_assert_eq(cf_store_each_record(store, count_record, &n), 0);
    return n;
}

__attribute__((unused)) static void sqlite(const char *text)
{
    sqlite3 *db;
    char *message = NULL;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, text, NULL, NULL, &message);
    cr_assert_null(message, "%s: %s", text, message);
    sqlite3_close(db);
}

#endif
