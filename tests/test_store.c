/* store: what is put is what is got, and what was changed since is noticed. */
#include <criterion/criterion.h>
#include <signal.h>

#include "store_support.h"

TestSuite(store, .init = make_folder, .fini = remove_folder);

struct seen {
    int n;
    char text[8][200];
};

static int see_configuration(void *context, const struct cf_plan_configuration *c)
{
    struct seen *seen = context;

    snprintf(seen->text[seen->n++], 200, "%d|%s|%s|%s|%s", (int)c->id, c->text, c->label,
             c->requested, c->effective);
    return 0;
}

static int see_case(void *context, const struct cf_plan_case *c)
{
    struct seen *seen = context;
    char digest[33];

    cf_digest_print(digest, &c->inputs);
    snprintf(seen->text[seen->n++], 200, "%d|%s|%s|%d|%d|%s", (int)c->id, c->text, c->suite,
             c->processes, c->repetitions, digest);
    return 0;
}

static int see_library(void *context, int64_t configuration, const struct cf_mapped *m)
{
    struct seen *seen = context;

    snprintf(seen->text[seen->n++], 200, "%d|%s|%s|%s|%s", (int)configuration, m->path, m->sha256,
             m->version, m->build_id);
    return 0;
}

static int see_meta(void *context, const char *key, const char *value)
{
    struct seen *seen = context;

    snprintf(seen->text[seen->n++], 200, "%s=%s", key, value);
    return seen->n == 2 ? 7 : 0;
}

Test(store, gives_back_what_was_put)
{
    const struct cf_mapped mapped = {"lib/libx.so.3", "00ff", "3.1", ""};
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct seen seen = {0};
    char *value;

    put_plan(store);
    cr_assert_eq(cf_store_put_effective(store, 1, "{\"threads\":\"1\"}", NULL), 0);
    cr_assert_eq(cf_store_put_library(store, 1, &mapped, NULL), 0);
    cr_assert_eq(cf_store_put_meta(store, "level", "numerical", NULL), 0);
    cr_assert_eq(cf_store_put_meta(store, "level", "statistical", NULL), 0);
    cr_assert_eq(cf_store_put_meta(store, "a", "1", NULL), 0);
    cr_assert_eq(cf_store_put_meta(store, "z", "1", NULL), 0);
    cf_store_close(store);

    store = open_or_fail(CF_STORE_READ);
    value = cf_store_get_meta(store, "level");
    cr_expect_str_eq(value, "statistical");
    free(value);
    cr_expect_null(cf_store_get_meta(store, "absent"));
    cr_expect_eq(cf_store_each_configuration(store, see_configuration, &seen), 0);
    cr_expect_str_eq(seen.text[0], "1|plain kernel=forward|plain forward|{}|{\"threads\":\"1\"}");
    seen.n = 0;
    cr_expect_eq(cf_store_each_case(store, see_case, &seen), 0);
    cr_expect_str_eq(seen.text[0], "1|sum f64 m=1 n=4 fill=uniform seed=1|reductions|2|1000|"
                                   "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    seen.n = 0;
    cr_expect_eq(cf_store_each_library(store, see_library, &seen), 0);
    cr_expect_str_eq(seen.text[0], "1|lib/libx.so.3|00ff|3.1|");
    seen.n = 0;
    cr_expect_eq(cf_store_each_meta(store, see_meta, &seen), 7, "stops where it is told to");
    cr_expect_str_eq(seen.text[1], "level=statistical");
    cf_store_close(store);
}

static int see_record(void *context, const struct cf_record *r)
{
    struct seen *seen = context;
    char digest[33] = "-";

    if (r->fate == CF_RAN)
        cf_digest_print(digest, &r->digest);
    snprintf(seen->text[seen->n++], 200, "%d %d %d %d %s %.4s %lld %.100s%.60s", (int)r->case_id,
             (int)r->configuration, r->process, r->repetition, cf_fate_name(r->fate), digest,
             (long long)r->wall_ns, r->reason, r->chosen);
    return 0;
}

Test(store, keeps_equal_outputs_once_and_records_in_order)
{
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_record record = {.configuration = 1, .case_id = 1, .process = 1, .wall_ns = 5};
    const double y[3] = {1.5, -0.0, 3};
    struct seen seen = {0};
    uint64_t n_bytes;
    void *bytes;

    put_plan(store);
    cf_digest_of(&record.digest, y, sizeof y);
    cr_assert_eq(cf_store_put_record(store, &record, y, sizeof y, NULL), 0);
    record.process = 0;
    cr_assert_eq(cf_store_put_record(store, &record, NULL, 0, NULL), 0, "bytes are there already");
    record.repetition = 1;
    record.fate = CF_CRASHED;
    record.wall_ns = -1;
    strcpy(record.reason, "signal 11 (SIGSEGV) during run");
    cr_assert_eq(cf_store_put_record(store, &record, NULL, 0, NULL), 0);
    cr_expect(cf_store_has_record(store, 1, 1, 0, 1));
    cr_expect_not(cf_store_has_record(store, 1, 1, 1, 1));
    cr_assert_eq(cf_store_each_record(store, see_record, &seen), 0);
    cr_assert_eq(seen.n, 3);
    cr_expect_eq(strncmp(seen.text[0], "1 1 0 0 ran ", 12), 0);
    cr_expect_str_eq(seen.text[1], "1 1 0 1 crashed - -1 signal 11 (SIGSEGV) during run");
    cr_expect_str_eq(seen.text[0] + 12, seen.text[2] + 12);
    bytes = cf_store_get_outputs(store, &record.digest, &n_bytes, NULL);
    cr_assert_eq(n_bytes, sizeof y);
    cr_expect_arr_eq(bytes, y, sizeof y);
    free(bytes);
    cf_store_close(store);
}

Test(store, keeps_an_output_of_no_bytes)
{
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_record record = {.configuration = 1, .case_id = 1};
    uint64_t n_bytes = 1;
    void *bytes;

    put_plan(store);
    cf_digest_of(&record.digest, "", 0);
    cr_assert_eq(cf_store_put_record(store, &record, "", 0, NULL), 0);
    bytes = cf_store_get_outputs(store, &record.digest, &n_bytes, NULL);
    cr_expect(bytes);
    cr_expect_eq(n_bytes, 0);
    free(bytes);
    cf_store_close(store);
}

Test(store, refuses_a_second_record_of_one_request, .signal = SIGABRT)
{
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);

    put_plan(store);
    put_ran(store, 0, 8, NULL);
    remove_folder(); /* nothing is tidied up after an abort */
    put_ran(store, 0, 8, NULL);
}

Test(store, finds_a_changed_bit_of_an_output)
{
    struct cf_store *store;
    struct cf_record record = {.configuration = 1, .case_id = 1};
    const double y[2] = {1, 2}, z[2] = {1, 3};
    struct cf_error err = {0};
    uint64_t n_bytes;
    void *good, *changed;

    put_store(0);
    store = open_or_fail(CF_STORE_RESUME);
    cf_digest_of(&record.digest, y, sizeof y);
    cr_assert_eq(cf_store_put_record(store, &record, y, sizeof y, NULL), 0);
    record.repetition = 1;
    cf_digest_of(&record.digest, z, sizeof z);
    cr_assert_eq(cf_store_put_record(store, &record, z, sizeof z, NULL), 0);
    cf_store_close(store);
    sqlite("UPDATE output SET zstd = (SELECT zstd FROM output ORDER BY digest LIMIT 1)");
    store = open_or_fail(CF_STORE_READ);
    good = cf_store_get_outputs(store, &record.digest, &n_bytes, &err);
    cf_digest_of(&record.digest, y, sizeof y);
    changed = cf_store_get_outputs(store, &record.digest, &n_bytes, &err);
    cr_expect((good != NULL) != (changed != NULL), "one of the two was changed");
    cr_expect_eq(err.exit_code, 3);
    free(good);
    free(changed);
    cr_expect(strstr(err.text, "damaged bytes"), "%s", err.text);
    err = (struct cf_error){0};
    memset(record.digest.byte, 1, sizeof record.digest.byte);
    cr_expect_null(cf_store_get_outputs(store, &record.digest, &n_bytes, &err));
    cr_expect(strstr(err.text, "does not hold"), "%s", err.text);
    cf_store_close(store);
}

Test(store, says_that_a_row_makes_no_sense)
{
    static const char *const spoils[] = {
        "UPDATE record SET fate = 99", "UPDATE record SET fate = -1",
        "UPDATE record SET digest = NULL", "UPDATE record SET process = -1"};

    for (int i = 0; i < CF_COUNT(spoils); ++i) {
        struct cf_error err = {0};
        struct cf_store *store;
        int n = 0;

        put_store(2);
        sqlite(spoils[i]);
        store = open_or_fail(CF_STORE_READ);
        cr_expect_eq(cf_store_each_record(store, count_record, &n), -1, "%s", spoils[i]);
        cf_store_problem(store, &err);
        cr_expect(err.exit_code == 3 && strstr(err.text, "a record makes no sense"), "%s",
                  err.text);
        cf_store_close(store);
        unlink(path);
    }
}

Test(store, reads_a_store_whose_writer_was_killed)
{
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    char *copy =
        cf_format("cp '%s' '%s/k.db' && cp '%s-wal' '%s/k.db-wal'", path, folder, path, folder);

    put_plan(store);
    cr_assert_eq(put_ran(store, 0, 100, NULL), 0);
    cr_assert_eq(system(copy), 0);
    free(copy);
    cf_store_close(store);
    snprintf(path, sizeof path, "%s/k.db", folder);
    store = open_or_fail(CF_STORE_READ);
    cr_expect_eq(n_records(store), 1);
    cf_store_close(store);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(put_ran(store, 1, 100, NULL), 0);
    cf_store_close(store);
    store = open_or_fail(CF_STORE_READ);
    cr_expect_eq(n_records(store), 2);
    cf_store_close(store);
}

Test(store, knows_file_systems_of_networks)
{
    cr_expect_str_eq(cf_store_network(0x6969), "nfs");
    cr_expect_str_eq(cf_store_network(0xff534d42ul), "cifs");
    cr_expect_str_eq(cf_store_network((unsigned long)(int)0xff534d42), "cifs");
    cr_expect_str_eq(cf_store_network(0x0bd00bd0), "lustre");
    cr_expect_null(cf_store_network(0xef53), "ext4");
    cr_expect_null(cf_store_network(0x01021994), "tmpfs");
    cr_expect_null(cf_store_network(0x9123683e), "btrfs");
}

/* What was chosen, in turn; a transaction that was dropped leaves nothing to refer to. */
Test(store, keeps_what_was_chosen)
{
    static const char *const chosen[] = {"engine=40", "", "engine=20", "engine=40", "engine=40"};
    struct cf_store *store = open_or_fail(CF_STORE_CREATE);
    struct cf_record record = {.configuration = 1, .case_id = 1, .fate = CF_BROKE, .wall_ns = -1};
    struct seen seen = {0};

    put_plan(store);
    cr_assert_eq(cf_store_begin(store, NULL), 0);
    strcpy(record.chosen, "engine=40");
    cr_assert_eq(cf_store_put_record(store, &record, NULL, 0, NULL), 0);
    cf_store_rollback(store);
    for (int i = 0; i < CF_COUNT(chosen); ++i) {
        record.repetition = i;
        strcpy(record.chosen, chosen[i]);
        cr_assert_eq(cf_store_put_record(store, &record, NULL, 0, NULL), 0);
    }
    cf_store_close(store);
    store = open_or_fail(CF_STORE_READ);
    cr_assert_eq(cf_store_each_record(store, see_record, &seen), 0);
    cr_assert_eq(seen.n, CF_COUNT(chosen));
    for (int i = 0; i < seen.n; ++i) {
        char *expected = cf_format("1 1 0 %d broke - -1 %s", i, chosen[i]);

        cr_expect_str_eq(seen.text[i], expected);
        free(expected);
    }
    cf_store_close(store);
}

/* A store as the first format had it: it is read as it is, and brought up to date to go on. */
Test(store, the_first_format_is_read_and_gone_on_with)
{
    struct cf_record record = {.configuration = 1,
                               .case_id = 1,
                               .fate = CF_BROKE,
                               .wall_ns = -1,
                               .repetition = 9,
                               .chosen = "engine=40"};
    struct cf_store *store;
    struct seen seen = {0};

    put_store(2);
    sqlite("CREATE TABLE old(case_id INTEGER NOT NULL REFERENCES plan(id),"
           " configuration INTEGER NOT NULL REFERENCES configuration(id), process INTEGER NOT NULL,"
           " repetition INTEGER NOT NULL, fate INTEGER NOT NULL, digest BLOB REFERENCES"
           " output(digest), wall_ns INTEGER NOT NULL, reason TEXT NOT NULL,"
           " PRIMARY KEY(case_id, configuration, process, repetition)) WITHOUT ROWID;"
           "INSERT INTO old SELECT case_id, configuration, process, repetition, fate, digest,"
           " wall_ns, reason FROM record; DROP TABLE record; DROP TABLE chosen;"
           "ALTER TABLE old RENAME TO record; PRAGMA user_version = 1");
    store = open_or_fail(CF_STORE_READ);
    cr_expect_eq(n_records(store), 2);
    cf_store_close(store);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(cf_store_put_record(store, &record, NULL, 0, NULL), 0);
    cf_store_close(store);
    store = open_or_fail(CF_STORE_READ);
    cr_assert_eq(cf_store_each_record(store, see_record, &seen), 0);
    cr_assert_eq(seen.n, 3);
    cr_expect_str_eq(seen.text[2], "1 1 0 9 broke - -1 engine=40");
    cf_store_close(store);
}
