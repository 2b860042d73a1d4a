/* store_faults: every way in which a file can be no store is one sentence and leaves it untouched;
 * a full disk and a second writer lose nothing. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "store_support.h"

TestSuite(store_faults, .init = make_folder, .fini = remove_folder);

static void write_file(const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");

    cr_assert(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

static void overwrite(long offset, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "r+b");

    cr_assert(file && fseek(file, offset, SEEK_SET) == 0 && fwrite(bytes, 1, n, file) == n &&
              fclose(file) == 0);
}

static void make_text(void)
{
    char text[2000];

    memset(text, 'x', sizeof text);
    write_file(text, sizeof text);
}

static void make_short(void)
{
    write_file("SQLite format 3", 16);
}

static void make_empty(void)
{
    write_file("", 0);
}

static void make_other_program(void)
{
    sqlite("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
}

static void make_other_version(void)
{
    put_store(1);
    sqlite("PRAGMA user_version = 3");
}

static void make_damaged_page(void)
{
    char page[4096];

    put_store(200);
    memset(page, 0x5a, sizeof page);
    for (int i = 3; i < 40; ++i)
        overwrite(4096L * i, page, sizeof page);
}

static void make_damaged_first_page(void)
{
    char page[3000];

    put_store(200);
    memset(page, 0x5a, sizeof page);
    overwrite(100, page, sizeof page);
}

static void make_truncated(void)
{
    put_store(200);
    cr_assert_eq(truncate(path, 100 * 4096), 0);
}

static void make_truncated_in_a_page(void)
{
    put_store(200);
    cr_assert_eq(truncate(path, 5000), 0);
}

static void make_trigger(void)
{
    put_store(1);
    sqlite("CREATE TRIGGER x AFTER INSERT ON meta BEGIN DELETE FROM record; END");
}

static void make_view_of_a_table(void)
{
    put_store(1);
    sqlite("ALTER TABLE library RENAME TO l; CREATE VIEW library AS SELECT * FROM l");
}

static void make_dangling(void)
{
    put_store(1);
    sqlite("DELETE FROM output");
}

static void make_gap_in_ids(void)
{
    put_store(0);
    sqlite("UPDATE plan SET id = 1000000000");
}

static void make_folder_instead(void)
{
    cr_assert_eq(mkdir(path, 0700), 0);
}

struct bad {
    const char *name;
    void (*make)(void);
    int read, resume; /* exit codes; 0: it opens */
    const char *says;
};

static const struct bad bads[] = {
    {"a text", make_text, 2, 2, "is not a store of conform (it is no SQLite file)"},
    {"sixteen bytes", make_short, 2, 2, "is not a store of conform"},
    {"nothing", make_empty, 3, 0, "is empty"},
    {"a stranger's database", make_other_program, 2, 2, "a database of another program"},
    {"the next version", make_other_version, 3, 3,
     "has format 3 and this conform reads formats 1 to 2"},
    {"pages of rubbish", make_damaged_page, 3, 3, "is damaged"},
    {"a first page of rubbish", make_damaged_first_page, 3, 3, "is damaged"},
    {"half a file", make_truncated, 3, 3, "is damaged"},
    {"a page and a bit", make_truncated_in_a_page, 3, 3, "is damaged"},
    {"a trigger", make_trigger, 3, 3, "its tables are not those that conform makes"},
    {"a view", make_view_of_a_table, 3, 3, "its tables are not those that conform makes"},
    {"a record without its output", make_dangling, 3, 3, "rows that belong together are missing"},
    {"a gap in the ids", make_gap_in_ids, 3, 3, "rows that belong together are missing"},
    {"a folder", make_folder_instead, 2, 3, ""},
};

static struct cf_digest file_digest(void)
{
    static char bytes[4 << 20];
    FILE *file = fopen(path, "rb");
    struct cf_digest digest = {{0}};

    if (file) {
        cf_digest_of(&digest, bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
    }
    return digest;
}

static void expect_refused(const struct bad *bad, enum cf_store_mode mode, int exit_code)
{
    const struct cf_digest before = file_digest();
    struct cf_error err = {0};
    struct cf_store *store = cf_store_open(path, mode, &err);
    struct cf_digest after;

    cr_assert_eq(store != NULL, exit_code == 0, "%s: %s", bad->name, err.text);
    cr_expect_eq(err.exit_code, exit_code, "%s: %s", bad->name, err.text);
    cr_expect(exit_code == 0 || strstr(err.text, bad->says), "%s: %s", bad->name, err.text);
    cf_store_close(store);
    after = file_digest();
    cr_expect(exit_code == 0 || cf_digest_equal(&before, &after), "%s was touched", bad->name);
}

Test(store_faults, refuses_what_is_no_store_and_leaves_it_untouched)
{
    for (int i = 0; i < CF_COUNT(bads); ++i) {
        bads[i].make();
        expect_refused(&bads[i], CF_STORE_READ, bads[i].read);
        expect_refused(&bads[i], CF_STORE_RESUME, bads[i].resume);
        remove_folder();
        cr_assert_eq(mkdir(folder, 0700), 0);
    }
}

Test(store_faults, names_files_that_exist_or_do_not)
{
    struct cf_error err = {0};

    cr_expect_null(cf_store_open(path, CF_STORE_READ, &err));
    cr_expect(err.exit_code == 2 && strstr(err.text, "does not exist"), "%s", err.text);
    cr_expect_null(cf_store_open(path, CF_STORE_RESUME, &err));
    cr_expect(err.exit_code == 2 && strstr(err.text, "does not exist"), "%s", err.text);
    put_store(1);
    cr_expect_null(cf_store_open(path, CF_STORE_CREATE, &err));
    cr_expect(err.exit_code == 2 && strstr(err.text, "exists already"), "%s", err.text);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* flock knows descriptors, not processes: one process stands for two. */
Test(store_faults, lets_a_second_writer_wait_and_refuses_it_but_not_a_reader, .timeout = 20)
{
    struct cf_store *first, *reader;
    struct cf_error err = {0};
    double start;

    put_store(1);
    first = open_or_fail(CF_STORE_RESUME);
    reader = open_or_fail(CF_STORE_READ);
    cr_expect_eq(n_records(reader), 1);
    cf_store_close(reader);
    start = seconds();
    cr_expect_null(cf_store_open(path, CF_STORE_RESUME, &err));
    cr_expect(seconds() - start > 4 && seconds() - start < 8);
    cr_expect(err.exit_code == 3 && strstr(err.text, "in use by another conform"), "%s", err.text);
    cr_assert_eq(put_ran(first, 1, 10, &err), 0, "%s", err.text);
    cf_store_close(first);
    first = open_or_fail(CF_STORE_RESUME);
    cr_expect_eq(n_records(first), 2);
    cf_store_close(first);
}

Test(store_faults, says_that_another_program_holds_the_lock, .timeout = 20)
{
    struct cf_store *store;
    struct cf_error err = {0};
    sqlite3 *stranger;

    put_store(1);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(sqlite3_open(path, &stranger), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(stranger, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    cr_expect_eq(cf_store_begin(store, &err), -1);
    cr_expect(err.exit_code == 3 && strstr(err.text, "locked by another program"), "%s", err.text);
    sqlite3_close(stranger);
    cf_store_close(store);
}

/* Root may write everywhere: the test becomes nobody. */
Test(store_faults, says_that_a_store_is_read_only_and_still_reads_it)
{
    struct cf_store *store;
    struct cf_error err = {0};

    put_store(3);
    cr_assert_eq(chmod(path, 0444), 0);
    cr_assert_eq(chmod(folder, 0555), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    cr_expect_null(cf_store_open(path, CF_STORE_RESUME, &err));
    cr_expect(err.exit_code == 3 && strstr(err.text, "cannot be written"), "%s", err.text);
    store = open_or_fail(CF_STORE_READ);
    cr_expect_eq(n_records(store), 3);
    cf_store_close(store);
    snprintf(path, sizeof path, "%s/new.db", folder);
    cr_expect_null(cf_store_open(path, CF_STORE_CREATE, &err));
    cr_expect(err.exit_code == 3 && strstr(err.text, "cannot be created"), "%s", err.text);
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(folder, 0755), 0);
}

/* Puts until it fails, committing every tenth; the number that was acknowledged. */
static int fill_up(struct cf_store *store, struct cf_error *err)
{
    int n = 0;

    for (int i = 0; i < 1000; ++i) {
        if (i % 10 == 0 && cf_store_begin(store, err) != 0)
            return n;
        if (put_ran(store, i, 5000, err) != 0) {
            cf_store_commit(store, NULL);
            return n;
        }
        if (i % 10 == 9 && cf_store_commit(store, err) != 0)
            return n;
        if (i % 10 == 9)
            n = i + 1;
    }
    return n;
}

static void expect_kept(int n)
{
    struct cf_store *store = open_or_fail(CF_STORE_READ);
    const int kept = n_records(store);

    cr_expect(n > 0 && kept >= n && kept < 1000, "%d acknowledged, %d kept", n, kept);
    cf_store_close(store);
}

static void expect_full(const char *limit)
{
    struct cf_error err = {0};
    struct cf_store *store;
    int n;

    put_store(0);
    store = open_or_fail(CF_STORE_RESUME);
    cr_assert_eq(cf_store_sql(store, limit, NULL), 0);
    n = fill_up(store, &err);
    cr_expect(err.exit_code == 3 && strstr(err.text, "the disk is full (SQLITE_FULL)"), "%s",
              err.text);
    cf_store_close(store);
    expect_kept(n);
}

Test(store_faults, keeps_what_was_committed_when_the_disk_is_full)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=1m") != 0)
        cr_skip_test("this user may not mount a small file system");
    expect_full("");
    cr_assert_eq(umount(folder), 0);
}

/* SQLite answers its own limit with the same code as a full disk. */
Test(store_faults, keeps_what_was_committed_when_pages_run_out)
{
    expect_full("PRAGMA max_page_count = 100");
}

Test(store_faults, keeps_what_was_committed_when_files_may_not_grow)
{
    const struct rlimit limit = {600000, 600000};
    struct cf_error err = {0};
    struct cf_store *store;
    int n;

    put_store(0);
    store = open_or_fail(CF_STORE_RESUME);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    n = fill_up(store, &err);
    cr_expect(err.exit_code == 3 && strstr(err.text, "cannot be read or written"), "%s", err.text);
    cf_store_close(store);
    expect_kept(n);
}
