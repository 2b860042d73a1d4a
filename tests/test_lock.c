/* lock: the file, its seal, its paths; and what a comparison of two names: every entry of a lock
 * that is changed gives one difference, and no other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export.h"
#include "lock.h"
#include "md5.h"

/* One of each kind of entry. */
static const char whole[] =
    "{\"lock_version\":1,\"baseline\":\"a\",\"level\":\"statistical\","
    "\"tool\":{\"version\":\"0.1.0\",\"compiler\":\"GNU 12\",\"sha256\":\"11\","
    "\"worker_sha256\":\"12\"},"
    "\"platform\":{\"cpu\":\"AuthenticAMD/25/1\",\"isa\":\"x86-64-v4\",\"libc\":\"2.36\"},"
    "\"machine\":{\"os.kernel\":\"Linux 6\",\"cpu.microcode\":\"0x1\"},"
    "\"container\":{\"kind\":\"docker\",\"image\":\"sha256:aa\"},"
    "\"variables\":{\"OMP_NUM_THREADS\":\"2\",\"LD_LIBRARY_PATH\":\"/x\"},"
    "\"matrix\":{\"/r/conform.yaml\":{\"sha256\":\"21\"}},"
    "\"data\":{\"/r/data/a\":{\"sha256\":\"31\",\"md5\":\"32\",\"size\":3}},"
    "\"data_roots\":[\"/r/data\"],"
    "\"files\":{\"/lib/libc.so.6\":{\"sha256\":\"41\",\"version\":\"6\",\"build_id\":\"42\","
    "\"package\":\"libc6=2.36\"}},"
    "\"python\":{\"python3 a.py\":{\"interpreter\":\"CPython 3.11.2\",\"packages\":"
    "{\"numpy\":{\"version\":\"1.26.4\",\"sha256\":\"51\",\"from\":\"pip\"}}}},"
    "\"git\":{\"commit\":\"61\",\"top\":\"/r\",\"uncommitted\":{\"b.c\":\"changed sha256:62\"},"
    "\"uncommitted_sha256\":\"63\"},"
    "\"configurations\":{\"a\":{\"text\":\"plain\",\"fate\":\"ran\",\"effective\":{\"threads\":"
    "\"1\","
    "\"mxcsr\":\"0x1f80\"},\"libraries\":[{\"path\":\"/lib/libc.so.6\",\"sha256\":\"41\"}],"
    "\"levels\":{\"s: dot f64\":\"statistical\",\"s: sum f64\":\"numerical, wrong\"}}},"
    "\"cases\":{\"dot f64\":{\"suite\":\"s\",\"at\":0,\"processes\":1,\"repetitions\":1,"
    "\"digests\":{\"a\":\"xxh3:71\",\"b\":\"varies\"}}}}";

static json_t *load(void)
{
    json_t *document = json_loads(whole, JSON_REJECT_DUPLICATES, NULL);

    cr_assert(document != NULL);
    return document;
}

/* Entries that follow from others, or that choose what is run and so are not compared. */
static int is_silent(const char *path)
{
    static const char *const silent[] = {"lock_version", "baseline",
                                         "level",        "data_roots",
                                         "md5",          "size",
                                         "build_id",     "package",
                                         "from",         "uncommitted_sha256",
                                         "git.top",      "configurations.a.text",
                                         "suite",        "at",
                                         "processes",    "repetitions"};
    const char *dot;

    for (int i = 0; i < CF_COUNT(silent); ++i) {
        dot = strlen(path) >= strlen(silent[i]) ? path + strlen(path) - strlen(silent[i]) : "";
        if (strcmp(dot, silent[i]) == 0 && (dot == path || dot[-1] == '.'))
            return 1;
    }
    return strcmp(path, "files./lib/libc.so.6.version") == 0;
    /* its bytes say it */ /* varied: has no bits to keep */
}

struct visit {
    const json_t *locked;
    json_t *now; /* changed in place */
    int n_leaves, n_told, n_notes;
};

/* Compares all tiers; counts. */
static void compare(const struct visit *v, struct cf_drifts *drifts)
{
    *drifts = (struct cf_drifts){0};
    for (int t = 0; t < CF_N_TIERS; ++t)
        cf_drifts_find(drifts, v->locked, v->now, (enum cf_tier)t);
}

/* holder: called `name`. The sentence has the one or the other. */
static void check_leaf(struct visit *v, json_t *holder, const char *name, const char *key,
                       const char *path)
{
    json_t *old = json_incref(json_object_get(holder, key));
    struct cf_drifts drifts;

    ++v->n_leaves;
    for (int gone = 0; gone < 2; ++gone) {
        if (gone)
            json_object_del(holder, key);
        else
            json_object_set_new(holder, key,
                                json_is_integer(old)      ? json_integer(9)
                                : strstr(path, "levels.") ? json_string("none")
                                                          : json_string("another"));
        compare(v, &drifts);
        if (is_silent(path) || (!gone && strcmp(path, "cases.dot f64.digests.b") == 0)) {
            cr_expect_eq(drifts.n, 0, "%s: %s", path, drifts.n ? drifts.drift[0].sentence : "");
        } else {
            cr_expect_eq(drifts.n, 1, "%s: %d differences, the last: %s", path, drifts.n,
                         drifts.n ? drifts.drift[drifts.n - 1].sentence : "none");
            cr_expect(drifts.n && (strstr(drifts.drift[0].sentence, key) ||
                                   strstr(drifts.drift[0].sentence, name)),
                      "%s: `%s`", path, drifts.n ? drifts.drift[0].sentence : "");
            v->n_told += drifts.n > 0;
            v->n_notes += drifts.n > 0 && drifts.drift[0].is_note;
        }
        cf_drifts_free(&drifts);
    }
    json_object_set_new(holder, key, old);
}

static void visit(struct visit *v, json_t *at, const char *name, const char *path)
{
    json_t *copy = json_copy(at), *value;
    const char *key;

    json_object_foreach(copy, key, value)
    {
        char *below = cf_format("%s%s%s", path, *path ? "." : "", key);

        if (json_is_object(value))
            visit(v, json_object_get(at, key), key, below);
        else if (!json_is_array(value))
            check_leaf(v, at, name, key, below);
        free(below);
    }
    json_decref(copy);
}

/* The liar: a comparison that does not look at one of its sections finds nothing here. */
Test(lock, each_changed_entry_is_named_and_nothing_else_is_blamed)
{
    json_t *locked = load(), *now = load();
    struct visit v = {.locked = locked, .now = now};
    struct cf_drifts drifts;

    compare(&v, &drifts);
    cr_assert_eq(drifts.n, 0, "a lock differs from itself: %s",
                 drifts.n ? drifts.drift[0].sentence : "");
    cf_drifts_free(&drifts);
    visit(&v, now, "", "");
    cr_expect(v.n_leaves > 40 && v.n_told > 40, "%d leaves, %d told", v.n_leaves, v.n_told);
    cr_expect(v.n_notes >= 10 && v.n_notes < v.n_told, "%d notes", v.n_notes);
    cr_expect(json_equal(locked, now), "the test left a change behind");
    json_decref(now);
    json_decref(locked);
}

/* What follows from a difference. */
Test(lock, tiers_and_notes)
{
    static const struct {
        const char *path, *value; /* NULL: gone */
        enum cf_tier tier;
        int is_note;
        const char *words;
    } rows[] = {
        {"variables.OMP_NUM_THREADS", "3", CF_TIER_FILES, 0, "was 2, is 3"},
        {"variables.OMP_NUM_THREADS", NULL, CF_TIER_FILES, 0, "was 2, is unset"},
        {"variables.LD_LIBRARY_PATH", "", CF_TIER_FILES, 0, "was /x, is \"\""},
        {"variables.MKL_CBWR", "AVX2", CF_TIER_FILES, 0, "was unset, is AVX2"},
        {"machine.os.kernel", "Linux 7", CF_TIER_FILES, 1, "os.kernel: was Linux 6, is Linux 7"},
        {"machine.cpu.microcode", "0x2", CF_TIER_FILES, 1, "microcode: was 0x1, is 0x2"},
        {"platform.isa", "x86-64-v3", CF_TIER_FILES, 1, "isa: was x86-64-v4, is x86-64-v3"},
        {"container.image", "sha256:bb", CF_TIER_FILES, 0, "was sha256:aa, is sha256:bb"},
        {"container.image", NULL, CF_TIER_FILES, 1, "is not known"},
        {"git.commit", "99", CF_TIER_FILES, 1, "git commit: was 61, is 99"},
        {"git.uncommitted.b.c", NULL, CF_TIER_FILES, 0, "is as committed"},
        {"git.uncommitted.new", "untracked sha256:1", CF_TIER_FILES, 0, "was not there"},
        {"python.python3 a.py.packages.numpy.version", "2.0", CF_TIER_FILES, 0,
         ": numpy: was 1.26.4, is 2.0"},
        {"data./r/data/a", NULL, CF_TIER_FILES, 0, "data /r/data/a: is gone"},
        {"files./lib/libc.so.6.sha256", "43", CF_TIER_FILES, 0, "other bytes"},
        {"configurations.a.fate", "crashed", CF_TIER_LOAD, 0, "was ran, is crashed"},
        {"configurations.a.effective.threads", "4", CF_TIER_STATE, 0, "threads: was 1, is 4"},
        {"configurations.a.levels.s: dot f64", "functional", CF_TIER_LEVELS, 0, "is functional"},
        {"configurations.a.levels.s: dot f64", "numerical", CF_TIER_LEVELS, 1, "is numerical"},
        {"configurations.a.levels.s: dot f64", "numerical, wrong", CF_TIER_LEVELS, 0, "wrong"},
        {"configurations.a.levels.s: dot f64", "nonsense", CF_TIER_LEVELS, 0, "nonsense"},
        {"configurations.a.levels.s: sum f64", "numerical", CF_TIER_LEVELS, 1, "is numerical"},
        {"cases.dot f64.digests.a", "xxh3:72", CF_TIER_DIGESTS, 0, "was xxh3:71, is xxh3:72"},
        {"cases.dot f64.digests.a", "varies", CF_TIER_DIGESTS, 0, "is varies"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        json_t *locked = load(), *now = load(), *at = now;
        char *path = cf_strdup(rows[i].path), *key = path;
        struct visit v = {.locked = locked, .now = now};
        struct cf_drifts drifts;

        for (char *dot = strchr(key, '.'); dot; dot = strchr(dot + 1, '.')) {
            *dot = '\0';
            if (json_is_object(json_object_get(at, key))) {
                at = json_object_get(at, key);
                key = dot + 1;
            } else {
                *dot = '.';
            }
        }
        if (rows[i].value)
            json_object_set_new(at, key, json_string(rows[i].value));
        else
            json_object_del(at, key);
        compare(&v, &drifts);
        cr_expect_eq(drifts.n, 1, "%s: %d differences", rows[i].path, drifts.n);
        if (drifts.n == 1) {
            cr_expect_eq(drifts.drift[0].tier, rows[i].tier, "%s", rows[i].path);
            cr_expect_eq(drifts.drift[0].is_note, rows[i].is_note, "%s", rows[i].path);
            cr_expect(strstr(drifts.drift[0].sentence, rows[i].words), "`%s` lacks `%s`",
                      drifts.drift[0].sentence, rows[i].words);
        }
        cf_drifts_free(&drifts);
        free(path);
        json_decref(now);
        json_decref(locked);
    }
}

/* A file that is data and uncommitted is blamed once; another one of the same name is not spared.
 */
Test(lock, one_file_is_blamed_once)
{
    json_t *locked = load(), *now = load(),
           *changes = json_object_get(json_object_get(now, "git"), "uncommitted");
    struct cf_drifts drifts = {0};

    json_object_set_new(json_object_get(json_object_get(now, "data"), "/r/data/a"), "sha256",
                        json_string("39"));
    json_object_set_new(changes, "data/a", json_string("changed sha256:39"));
    cr_expect_eq(cf_drifts_find(&drifts, locked, now, CF_TIER_FILES), 1);
    cf_drifts_free(&drifts);
    json_object_set_new(changes, "a", json_string("changed sha256:40"));
    cr_expect_eq(cf_drifts_find(&drifts, locked, now, CF_TIER_FILES), 2);
    cf_drifts_free(&drifts);
    json_decref(now);
    json_decref(locked);
}

/* Another platform: bits are not comparable, which is neither a pass nor a failure. */
Test(lock, digests_of_another_platform_are_not_compared)
{
    json_t *locked = load(), *now = load();
    struct cf_drifts drifts = {0};

    json_object_set_new(json_object_get(now, "platform"), "cpu", json_string("GenuineIntel/6/1"));
    json_object_set_new(
        json_object_get(json_object_get(json_object_get(now, "cases"), "dot f64"), "digests"), "a",
        json_string("xxh3:72"));
    cr_expect_eq(cf_drifts_find(&drifts, locked, now, CF_TIER_DIGESTS), 0);
    cr_expect(drifts.not_comparable == 1 && drifts.n == 0);
    cf_drifts_free(&drifts);
    json_decref(now);
    json_decref(locked);
}

static char *folder_make(void)
{
    const char *base = getenv("TMPDIR");
    char *folder = cf_format("%s/conform-lock.XXXXXX", base && *base ? base : P_tmpdir);

    cr_assert(mkdtemp(folder) != NULL);
    return folder;
}

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "w");

    cr_assert(file != NULL);
    cr_assert_eq(fwrite(text, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

/* Every cut, and one changed character at every place, is refused by a sentence with exit code 2;
 * the bytes as they were written are taken. */
Test(lock, a_damaged_file_is_refused)
{
    json_t *document = load(), *read;
    char *text = cf_lock_print(document), *folder = folder_make(),
         *path = cf_format("%s/conform.lock", folder);
    const size_t n = strlen(text);
    struct cf_error err = {0};

    write_file(path, text, n);
    read = cf_lock_read(path, &err);
    cr_assert(read && json_equal(read, document), "%s", err.text);
    json_decref(read);
    for (size_t i = 0; i < n - 1; i += 7) {
        err = (struct cf_error){0};
        write_file(path, text, i);
        cr_expect_null(cf_lock_read(path, &err), "cut at %zu", i);
        cr_expect(err.exit_code == 2 && strstr(err.text, path), "cut at %zu: %s", i, err.text);
        write_file(path, text, n);
        if (strchr("0123456789abcdef", text[i])) {
            char was = text[i];

            text[i] = was == '0' ? '1' : '0';
            write_file(path, text, n);
            cr_expect_null(cf_lock_read(path, &err), "changed at %zu", i);
            cr_expect_eq(err.exit_code, 2);
            text[i] = was;
        }
    }
    unlink(path);
    rmdir(folder);
    free(path);
    free(folder);
    free(text);
    json_decref(document);
}

Test(lock, each_way_of_being_no_lock_has_its_sentence)
{
    static const struct {
        const char *text, *words;
    } rows[] = {{NULL, "there is no lock"},
                {"", "ends in the middle"},
                {"{\"lock_version\":1,", "ends in the middle"},
                {"not a lock\n", "is no JSON"},
                {"{\"lock_version\":1,\"lock_version\":1}", "is no JSON"},
                {"{}", "no lock_version"},
                {"{\"lock_version\":\"1\"}", "no lock_version"},
                {"[1]", "no lock_version"},
                {"{\"lock_version\":2,\"seal\":\"x\"}", "later conform"},
                {"{\"lock_version\":1}", "seal"},
                {"{\"lock_version\":1,\"seal\":7}", "seal"},
                {"{\"lock_version\":1,\"seal\":\"00\"}", "seal"}};
    char *folder = folder_make(), *path = cf_format("%s/conform.lock", folder);

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_error err = {0};

        unlink(path);
        if (rows[i].text)
            write_file(path, rows[i].text, strlen(rows[i].text));
        cr_expect_null(cf_lock_read(path, &err));
        cr_expect(err.exit_code == 2 && strstr(err.text, rows[i].words), "row %d: `%s`", i,
                  err.text);
    }
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    {
        struct cf_error err = {0};

        cr_expect_null(cf_lock_read(path, &err));
        cr_expect(strstr(err.text, "no plain file"), "`%s`", err.text);
    }
    rmdir(path);
    rmdir(folder);
    free(path);
    free(folder);
}

Test(lock, paths_go_and_come_back)
{
    char here[] = "/r/one", cache[] = "/c/libraries";
    const struct cf_lock_place place = {here, cache};
    static const struct {
        const char *local, *portable;
    } rows[] = {{"/r/one/data", "${here}/data"},
                {"/r/one", "${here}"},
                {"/r/oneself", "/r/oneself"},
                {"/x/r/one/y", "/x/r/one/y"},
                {"blas lib=/c/libraries/a/b.so threads=1", "blas lib=${cache}/a/b.so threads=1"},
                {"/r/one/a:/r/one/b", "${here}/a:${here}/b"},
                {"python3 /r/one/a.py", "python3 ${here}/a.py"},
                {"", ""}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char *there = cf_lock_portable(&place, rows[i].local), *back = cf_lock_local(&place, there);

        cr_expect_str_eq(there, rows[i].portable);
        cr_expect_str_eq(back, rows[i].local);
        free(there);
        free(back);
    }
}

Test(lock, two_texts_that_are_no_utf8_still_differ)
{
    json_t *a = cf_lock_text("\xff"), *b = cf_lock_text("\xfe"), *c = cf_lock_text("\xff");

    cr_expect(!json_equal(a, b) && json_equal(a, c));
    json_decref(a);
    json_decref(b);
    json_decref(c);
}

/* RFC 1321, appendix A.5; the same in pieces. */
Test(lock, md5)
{
    static const struct {
        const char *text, *digest;
    } rows[] = {{"", "d41d8cd98f00b204e9800998ecf8427e"},
                {"a", "0cc175b9c0f1b6a831c399e269772661"},
                {"abc", "900150983cd24fb0d6963f7d28e17f72"},
                {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
                {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
                {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                 "d174ab98d277d9f5a5611c2c9f419d9f"},
                {"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                 "0",
                 "57edf4a22be3c955ac49da2e2107b67a"}};

    for (int i = 0; i < CF_COUNT(rows); ++i)
        for (size_t piece = 1; piece < 90; piece += 11) {
            const size_t n = strlen(rows[i].text);
            struct cf_md5 md5;
            char text[33];

            cf_md5_init(&md5);
            for (size_t at = 0; at < n; at += piece)
                cf_md5_add(&md5, rows[i].text + at, n - at < piece ? n - at : piece);
            cf_md5_end(&md5, text);
            cr_expect_str_eq(text, rows[i].digest);
        }
}

/* Limits of one body: 1000 metrics, 100 parameters; every key is one that MLflow takes, once. */
Test(lock, bodies_for_mlflow_keep_the_limits)
{
    json_t *document = load(), *levels, *files, *batches, *batch, *one, *seen = json_object();
    size_t i, k, n_params = 0, n_metrics = 0;

    levels = json_object_get(json_object_get(json_object_get(document, "configurations"), "a"),
                             "levels");
    files = json_object_get(document, "files");
    for (int j = 0; j < 2500; ++j) {
        char *name = cf_format("s: op%d f64 <&\"'>", j), *path = cf_format("/lib/%d\n:%d", j, j);

        json_object_set_new(levels, name, json_string("scientific, wrong"));
        json_object_set_new(files, path, json_pack("{s:s}", "sha256", "00"));
        free(name);
        free(path);
    }
    batches = cf_export_mlflow_batches(document, 1000);
    json_array_foreach(batches, i, batch)
    {
        const json_t *params = json_object_get(batch, "params"),
                     *metrics = json_object_get(batch, "metrics");

        cr_expect(json_array_size(params) <= 100 && json_array_size(metrics) <= 1000);
        n_params += json_array_size(params);
        n_metrics += json_array_size(metrics);
        for (int kind = 0; kind < 2; ++kind) {
            json_array_foreach(kind ? metrics : params, k, one)
            {
                const char *key = json_string_value(json_object_get(one, "key"));
                char *name = cf_format("%d %s", kind, key);

                cr_expect(*key && strlen(key) <= 250 &&
                              strspn(key, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                          "UVWXYZ_-. /") == strlen(key),
                          "`%s`", key);
                cr_expect_null(json_object_get(seen, name), "`%s` twice", key);
                json_object_set_new(seen, name, json_true());
                free(name);
            }
        }
    }
    cr_expect_eq(n_metrics, 2502);
    cr_expect(n_params > 2510, "%zu parameters", n_params);
    json_decref(seen);
    json_decref(batches);
    json_decref(document);
}

/* Texts by hand: the digest of a folder is that of its listing. */
Test(lock, dvc_files)
{
    json_t *document = json_pack("{s:{s:{s:s,s:i},s:{s:s,s:i},s:{s:s,s:i}}}", "data", "/r/d/b/x",
                                 "md5", "0cc175b9c0f1b6a831c399e269772661", "size", 1,
                                 "/r/d/\xc3\xa9", "md5", "900150983cd24fb0d6963f7d28e17f72", "size",
                                 3, "/r/one", "md5", "d41d8cd98f00b204e9800998ecf8427e", "size", 0);
    static const char list[] =
        "[{\"md5\": \"0cc175b9c0f1b6a831c399e269772661\", \"relpath\": \"b/x\"}, "
        "{\"md5\": \"900150983cd24fb0d6963f7d28e17f72\", \"relpath\": \"\\u00e9\"}]";
    struct cf_error err = {0};
    struct cf_md5 md5;
    char digest[33], *text, *wanted;

    cf_md5_init(&md5);
    cf_md5_add(&md5, list, sizeof list - 1);
    cf_md5_end(&md5, digest);
    wanted = cf_format("outs:\n- md5: %s.dir\n  size: 4\n  nfiles: 2\n  hash: md5\n  path: \"d\"\n",
                       digest);
    text = cf_export_dvc(document, "/r/d", &err);
    cr_expect_str_eq(text, wanted);
    free(text);
    free(wanted);
    text = cf_export_dvc(document, "/r/one", &err);
    cr_expect_str_eq(text, "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 0\n  hash: "
                           "md5\n  path: \"one\"\n");
    free(text);
    json_decref(document);
}
