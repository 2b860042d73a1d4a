/* Opening, locking, transactions and errors of the store. */
#include "store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 5000

static const char *const sql[CF_SQL_N] = {
    [CF_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [CF_SQL_COMMIT] = "COMMIT",
    [CF_SQL_PUT_META] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
    [CF_SQL_GET_META] = "SELECT value FROM meta WHERE key = ?",
    [CF_SQL_PUT_CONFIGURATION] =
        "INSERT INTO configuration(text, label, requested, effective) VALUES(?, ?, ?, ?)",
    [CF_SQL_PUT_EFFECTIVE] = "UPDATE configuration SET effective = ?2 WHERE id = ?1",
    [CF_SQL_PUT_CASE] =
        "INSERT INTO plan(text, suite, processes, repetitions, inputs) VALUES(?, ?, ?, ?, ?)",
    [CF_SQL_PUT_INPUTS] = "UPDATE plan SET inputs = ?2 WHERE id = ?1",
    [CF_SQL_PUT_LIBRARY] =
        "INSERT OR REPLACE INTO library(configuration, path, sha256, version, build_id)"
        " VALUES(?, ?, ?, ?, ?)",
    [CF_SQL_PUT_RECORD] = "INSERT INTO record(case_id, configuration, process, repetition, fate,"
                          " digest, wall_ns, reason, chosen) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CF_SQL_PUT_CHOSEN] = "INSERT OR IGNORE INTO chosen(text) VALUES(?)",
    [CF_SQL_GET_CHOSEN] = "SELECT id FROM chosen WHERE text = ?",
    [CF_SQL_HAS_RECORD] = "SELECT 1 FROM record WHERE case_id = ? AND configuration = ?"
                          " AND process = ? AND repetition = ?",
    [CF_SQL_PUT_OUTPUT] = "INSERT INTO output(digest, n_bytes, zstd) VALUES(?, ?, ?)",
    [CF_SQL_HAS_OUTPUT] = "SELECT 1 FROM output WHERE digest = ?",
    [CF_SQL_GET_OUTPUT] = "SELECT n_bytes, zstd FROM output WHERE digest = ?"};

static int fail_full(const struct cf_store *store, struct cf_error *err)
{
    return cf_fail_with(err, 3,
                        "the disk is full (SQLITE_FULL) while writing the store %s; the results "
                        "committed so far are kept: free some space and go on with --resume",
                        store->path);
}

int cf_store_fail(const struct cf_store *store, struct cf_error *err)
{
    const int code = sqlite3_errcode(store->db), system = sqlite3_system_errno(store->db);

    if (code == SQLITE_FULL)
        return fail_full(store, err);
    if (code == SQLITE_BUSY)
        return cf_fail_with(err, 3,
                            "the store %s is locked by another program for more than 5 s; wait "
                            "for its end, or name another --store",
                            store->path);
    if (code == SQLITE_READONLY)
        return cf_fail_with(err, 3,
                            "the store %s cannot be written (read-only); name another "
                            "--store or change its permissions",
                            store->path);
    if (code == SQLITE_IOERR)
        return cf_fail_with(err, 3,
                            "the store %s cannot be read or written (%s: %s); the results "
                            "committed so far are kept: go on with --resume",
                            store->path, sqlite3_errmsg(store->db),
                            system ? strerror(system) : "cause unknown");
    return cf_fail_with(err, 3, "the store %s failed: %s", store->path, sqlite3_errmsg(store->db));
}

sqlite3_stmt *cf_store_statement(struct cf_store *store, enum cf_store_statement which,
                                 struct cf_error *err)
{
    sqlite3_stmt **statement = &store->statement[which];

    if (!*statement && sqlite3_prepare_v3(store->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                          statement, NULL) != SQLITE_OK) {
        cf_store_fail(store, err);
        return NULL;
    }
    return *statement;
}

int cf_store_step(struct cf_store *store, sqlite3_stmt *statement, struct cf_error *err)
{
    const int code = sqlite3_step(statement);
    int answer = 0;

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        answer = cf_store_fail(store, err);
    sqlite3_reset(statement);
    return answer;
}

int cf_store_sql(struct cf_store *store, const char *text, struct cf_error *err)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                        : cf_store_fail(store, err);
}

/* flock, not a SQLite lock: it is held between transactions, and a kill -9 drops it. The descriptor
 * stays open as long as the connection, since closing one drops the process's POSIX locks. */
static int take_lock(struct cf_store *store, struct cf_error *err)
{
    const struct timespec nap = {0, 20 * 1000 * 1000};
    int tries = WAIT_MS / 20;

    while (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return cf_fail_with(err, 3,
                                "the store %s cannot be locked: %s; name a file on a "
                                "local disk with --store",
                                store->path, strerror(errno));
        if (--tries < 0)
            return cf_fail_with(err, 3,
                                "the store %s is in use by another conform (waited %d s); wait "
                                "for its end, or name another --store",
                                store->path, WAIT_MS / 1000);
        nanosleep(&nap, NULL);
    }
    return 0;
}

static int open_lock(struct cf_store *store, enum cf_store_mode mode, struct cf_error *err)
{
    const int flags = mode == CF_STORE_CREATE ? O_CREAT | O_EXCL : 0;
    struct statfs system;

    store->lock = open(store->path, O_RDWR | O_CLOEXEC | flags, 0666);
    if (store->lock < 0 && errno == EEXIST)
        return cf_fail(err,
                       "the store %s exists already; go on with --resume, or name another file",
                       store->path);
    if (store->lock < 0 && errno == ENOENT && mode == CF_STORE_RESUME)
        return cf_fail(err, "the store %s does not exist; check the path, or leave --resume out",
                       store->path);
    if (store->lock < 0)
        return cf_fail_with(err, 3, "the store %s cannot be %s: %s; name another file with --store",
                            store->path, mode == CF_STORE_CREATE ? "created" : "written",
                            strerror(errno));
    if (fstatfs(store->lock, &system) == 0 && cf_store_network((unsigned long)system.f_type))
        return cf_fail_with(err, 3,
                            "the store %s lies on a network file system (%s), where a write-ahead "
                            "log is not safe; name a file on a local disk with --store and copy "
                            "it afterwards",
                            store->path, cf_store_network((unsigned long)system.f_type));
    return take_lock(store, err);
}

static int open_database(struct cf_store *store, int flags, struct cf_error *err)
{
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
        return cf_store_fail(store, err);
    sqlite3_busy_timeout(store->db, WAIT_MS);
    return cf_store_sql(store,
                        "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                        "PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL",
                        err);
}

static int read_version(struct cf_store *store, struct cf_error *err)
{
    sqlite3_stmt *statement = NULL;
    const int row =
        sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;

    store->version = row ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return row ? 0 : cf_store_fail(store, err);
}

/* One transaction, as conform makes a file or brings an older one up to date. */
static int run_at_once(struct cf_store *store, const char *text, struct cf_error *err)
{
    return cf_store_sql(store, "BEGIN IMMEDIATE", err) != 0 || cf_store_sql(store, text, err) != 0
               ? -1
               : cf_store_sql(store, "COMMIT", err);
}

static int use_wal(struct cf_store *store, struct cf_error *err)
{
    sqlite3_stmt *statement = NULL;
    int wal = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode=WAL", -1, &statement, NULL) ==
                  SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW &&
              strcmp(cf_store_text(statement, 0), "wal") == 0;

    if (!wal && sqlite3_errcode(store->db) != SQLITE_ROW)
        cf_store_fail(store, err);
    else if (!wal)
        cf_fail_with(err, 3,
                     "the store %s cannot have a write-ahead log on this file system; name a file "
                     "on a local disk with --store",
                     store->path);
    sqlite3_finalize(statement);
    return wal ? 0 : -1;
}

static int open_writer(struct cf_store *store, enum cf_store_mode mode, struct cf_error *err)
{
    int empty;

    if (open_lock(store, mode, err) != 0)
        return -1;
    empty = cf_store_verify(store->path, err);
    if (empty < 0 || open_database(store, SQLITE_OPEN_READWRITE, err) != 0)
        return -1;
    if ((empty && run_at_once(store, cf_store_schema, err) != 0) || read_version(store, err) != 0)
        return -1;
    if (store->version < CF_STORE_VERSION &&
        (run_at_once(store, cf_store_upgrade, err) != 0 || read_version(store, err) != 0))
        return -1;
    store->compressor = ZSTD_createCCtx();
    CF_CHECK(store->compressor);
    return use_wal(store, err);
}

static int open_reader(struct cf_store *store, struct cf_error *err)
{
    const int empty = cf_store_verify(store->path, err);

    if (empty > 0)
        return cf_fail_with(err, 3, "the store %s is empty; nothing was recorded in it",
                            store->path);
    if (empty < 0 || open_database(store, cf_store_read_flags(store->path), err) != 0)
        return -1;
    return read_version(store, err);
}

struct cf_store *cf_store_open(const char *path, enum cf_store_mode mode, struct cf_error *err)
{
    struct cf_store *store = cf_alloc_zero(sizeof *store);
    int answer;

    store->path = cf_strdup(path);
    store->lock = -1;
    answer = mode == CF_STORE_READ ? open_reader(store, err) : open_writer(store, mode, err);
    if (answer == 0)
        return store;
    cf_store_close(store);
    return NULL;
}

/* A closed store is one plain file that can be read from a read-only medium: without its log. A
 * reader in between keeps the log; the last one to close folds it in. */
static void fold_log(struct cf_store *store)
{
    sqlite3_busy_timeout(store->db, 0);
    sqlite3_exec(store->db, "PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE", NULL, NULL,
                 NULL);
}

void cf_store_close(struct cf_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < CF_SQL_N; ++i)
        sqlite3_finalize(store->statement[i]);
    if (store->compressor)
        fold_log(store);
    CF_CHECK(sqlite3_close(store->db) == SQLITE_OK);
    if (store->lock >= 0)
        close(store->lock);
    ZSTD_freeCCtx(store->compressor);
    free(store->packed);
    free(store->path);
    free(store);
}

static int run(struct cf_store *store, enum cf_store_statement which, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, which, err);

    return statement ? cf_store_step(store, statement, err) : -1;
}

int cf_store_begin(struct cf_store *store, struct cf_error *err)
{
    return run(store, CF_SQL_BEGIN, err);
}

/* After a failed write SQLite may have rolled back by itself; then there is nothing to undo. */
int cf_store_commit(struct cf_store *store, struct cf_error *err)
{
    if (run(store, CF_SQL_COMMIT, err) == 0)
        return 0;
    cf_store_rollback(store);
    return -1;
}

void cf_store_rollback(struct cf_store *store)
{
    store->chosen[0] = '\0'; /* its row may go */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

void cf_store_problem(const struct cf_store *store, struct cf_error *err)
{
    if (err)
        *err = store->problem;
}
