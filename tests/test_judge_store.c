/* The judged document is a function of the store alone: not of threads, of the cache, or of what
 * lies in the cache; and a store that cannot be judged is a sentence. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "report.h"
#include "support_judge.h"

static const struct plan_line lines[] = {
    {"sum f32 m=4 n={1,17,64} fill={integer,normal,special} seed=1", "t", 10, 1},
    {"sum f64 m=16 n=64 fill={normal,uniform} seed={1..20}", "t", 2, 1}};

static const struct subject subjects[] = {
    {"plain kernel=forward", "plain forward", NULL, forward},
    {"blas lib=a.so threads=1", "a threads=1", NULL, reverse},
    {"blas lib=a.so threads=2", "a threads=2", NULL, forward}};

/* The whole document as JSON. The caller frees. */
static char *document(struct bench *bench, int threads)
{
    const struct cf_judge_options options = {
        .required = CF_NUMERICAL, .scope = CF_TO_BASELINE, .threads = threads};
    struct cf_error err = {.text = ""};
    struct cf_findings *f = cf_judge(bench->store, &options, &err);
    const struct cf_page page = {CF_PAGE_WIDTH, 0};
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    cr_assert_not_null(f, "%s", err.text);
    for (const struct cf_report *const *report = cf_reports; *report; ++report)
        if (strcmp((*report)->name, "json") == 0)
            cr_assert_eq((*report)->write(out, f, &page, &err), 0);
    fclose(out);
    cf_findings_free(f);
    cr_assert_gt(n, 1000);
    return text;
}

/* Calls `each` for every file of the cache; returns how many there are. */
static int each_cached(const struct bench *bench, void (*each)(const char *path))
{
    char *folder = bench_path(bench, "conform/references");
    DIR *directory = opendir(folder);
    int n = 0;

    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char *path = cf_format("%s/%s", folder, entry->d_name);

        if (entry->d_name[0] != '.') {
            ++n;
            if (each)
                each(path);
        }
        free(path);
    }
    if (directory)
        closedir(directory);
    free(folder);
    return n;
}

static void expect_same(struct bench *bench, int threads, const char *first, const char *claim)
{
    char *again = document(bench, threads);

    cr_expect(strcmp(first, again) == 0, "%s", claim);
    free(again);
}

static void cut_short(const char *path)
{
    cr_assert_eq(truncate(path, 40), 0);
}

/* One bit of the first truth: rounded. */
static void turn_a_bit(const char *path)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    fseek(file, 48, SEEK_SET);
    byte = fgetc(file);
    fseek(file, 48, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

Test(judge_store, the_same_store_gives_the_same_bytes)
{
    struct bench bench;
    char *first;

    bench_start(&bench, lines, CF_COUNT(lines), subjects, CF_COUNT(subjects));
    first = document(&bench, 1);
    cr_expect_eq(each_cached(&bench, NULL), bench.n_cases, "one file a case");
    expect_same(&bench, 1, first, "from the cache");
    expect_same(&bench, 4, first, "on four threads");
    each_cached(&bench, cut_short);
    expect_same(&bench, 2, first, "with a cache of truncated files");
    each_cached(&bench, turn_a_bit);
    expect_same(&bench, 2, first, "with a cache of damaged files");
    expect_same(&bench, 2, first, "with the cache repaired");
    setenv("XDG_CACHE_HOME", "/proc/no-such-place", 1);
    expect_same(&bench, 2, first, "with a cache that cannot be written");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    expect_same(&bench, 2, first, "without any cache");
    free(first);
    bench_stop(&bench);
}

/* Changes the closed store behind its back and judges it again. */
static void judge_changed(const char *sql, int exit_code, const char *sentence)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;
    sqlite3 *db;
    char *path;

    bench_start(&bench, lines, CF_COUNT(lines), subjects, CF_COUNT(subjects));
    cf_store_close(bench.store);
    path = bench_path(&bench, "store");
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(db));
    sqlite3_close(db);
    bench.store = cf_store_open(path, CF_STORE_READ, &err);
    cr_assert_not_null(bench.store, "%s", err.text);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_expect_null(f, "%s", sql);
    cr_expect_eq(err.exit_code, exit_code);
    cr_expect(strstr(err.text, sentence), "%s: %s", sql, err.text);
    cf_findings_free(f);
    free(path);
    bench_stop(&bench);
}

Test(judge_store, inputs_of_another_version)
{
    judge_changed("UPDATE plan SET inputs = zeroblob(16) WHERE rowid = 3", 3,
                  "cannot be drawn again");
}

Test(judge_store, a_fill_that_is_gone)
{
    judge_changed("UPDATE plan SET text = replace(text, 'uniform', 'unheard')", 3, "unheard");
}

/* What has no record is unknown, and the counterexamples that are there still count. */
Test(judge_store, an_incomplete_run)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;
    sqlite3 *db;
    char *path;

    bench_start(&bench, lines, CF_COUNT(lines), subjects, CF_COUNT(subjects));
    cf_store_close(bench.store);
    path = bench_path(&bench, "store");
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "DELETE FROM record WHERE process = 9", NULL, NULL, NULL),
                 SQLITE_OK);
    sqlite3_close(db);
    bench.store = cf_store_open(path, CF_STORE_READ, &err);
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s", err.text);
    cr_expect_eq(f->complete, 0);
    cr_expect_eq(f->n_planned - f->n_recorded, 3 * 9);
    cr_expect_eq(f->configurations[1].at_required, CF_FAIL, "%s", f->configurations[1].reason);
    cr_expect_eq(f->configurations[2].at_required, CF_UNKNOWN, "%s", f->configurations[2].reason);
    cf_findings_free(f);
    free(path);
    bench_stop(&bench);
}

/* No case: nothing was selected. */
Test(judge_store, an_empty_plan)
{
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct bench bench;

    bench_start(&bench, lines, 0, subjects, CF_COUNT(subjects));
    f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
    cr_assert_not_null(f, "%s", err.text);
    cr_expect_eq(f->exit_code, 4);
    cr_expect_eq(f->n_findings, 0);
    cf_findings_free(f);
    bench_stop(&bench);
}
