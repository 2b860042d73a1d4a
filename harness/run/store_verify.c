/* What is known of a file before anything is written to it. */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char cf_store_schema[] =
    "PRAGMA application_id = 1129203277;"
    "PRAGMA user_version = 2;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE configuration(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
    " label TEXT NOT NULL, requested TEXT NOT NULL, effective TEXT NOT NULL);"
    "CREATE TABLE plan(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, suite TEXT NOT NULL,"
    " processes INTEGER NOT NULL, repetitions INTEGER NOT NULL, inputs BLOB NOT NULL);"
    "CREATE TABLE library(configuration INTEGER NOT NULL REFERENCES configuration(id),"
    " path TEXT NOT NULL, sha256 TEXT NOT NULL, version TEXT NOT NULL, build_id TEXT NOT NULL,"
    " PRIMARY KEY(configuration, path, sha256)) WITHOUT ROWID;"
    "CREATE TABLE output(digest BLOB PRIMARY KEY, n_bytes INTEGER NOT NULL, zstd BLOB NOT NULL);"
    "CREATE TABLE chosen(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "CREATE TABLE record(case_id INTEGER NOT NULL REFERENCES plan(id),"
    " configuration INTEGER NOT NULL REFERENCES configuration(id), process INTEGER NOT NULL,"
    " repetition INTEGER NOT NULL, fate INTEGER NOT NULL, digest BLOB REFERENCES output(digest),"
    " wall_ns INTEGER NOT NULL, reason TEXT NOT NULL, chosen INTEGER REFERENCES chosen(id),"
    " PRIMARY KEY(case_id, configuration, process, repetition)) WITHOUT ROWID;";

const char cf_store_upgrade[] =
    "CREATE TABLE chosen(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "ALTER TABLE record ADD COLUMN chosen INTEGER REFERENCES chosen(id);"
    "PRAGMA user_version = 2;";

/* The first column of the first row, as text in *answer; -1 when there is none. */
static int ask(sqlite3 *db, const char *sql, char *answer, int n)
{
    sqlite3_stmt *statement = NULL;
    int row = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (row)
        snprintf(answer, (size_t)n, "%s", cf_store_text(statement, 0));
    sqlite3_finalize(statement);
    return row ? 0 : -1;
}

static int damaged(const char *path, const char *what, struct cf_error *err)
{
    return cf_fail_with(err, 3,
                        "the store %s is damaged (%s); it was left as it is: restore a copy, or "
                        "start again with another --store",
                        path, what);
}

static int cannot_read(sqlite3 *db, const char *path, struct cf_error *err)
{
    const int code = sqlite3_errcode(db);

    if (code == SQLITE_NOTADB)
        return cf_fail_with(
            err, 2, "%s is not a store of conform (it is no SQLite file); name another", path);
    if (code == SQLITE_CORRUPT)
        return damaged(path, sqlite3_errmsg(db), err);
    if (code == SQLITE_BUSY)
        return cf_fail_with(err, 3, "the store %s is locked by another program; wait for its end",
                            path);
    return cf_fail_with(err, 3, "the store %s cannot be read: %s", path, sqlite3_errmsg(db));
}

/* Anything but our own tables could run SQL of a stranger. */
static int check_schema(sqlite3 *db, const char *path, long version, struct cf_error *err)
{
    static const char *const names_of[] = {
        [1] = "configuration library meta output plan record",
        [CF_STORE_VERSION] = "chosen configuration library meta output plan record"};
    static const char tables[] =
        "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema"
        " WHERE type <> 'index' OR sql IS NOT NULL ORDER BY name)";
    char names[200] = "";

    if (ask(db, tables, names, (int)sizeof names) != 0)
        return cannot_read(db, path, err);
    if (strcmp(names, names_of[version]) != 0)
        return damaged(path, "its tables are not those that conform makes", err);
    return 0;
}

static int check_pages(sqlite3 *db, const char *path, struct cf_error *err)
{
    char answer[200];

    if (ask(db, "PRAGMA quick_check(1)", answer, (int)sizeof answer) != 0)
        return cannot_read(db, path, err);
    return strcmp(answer, "ok") == 0 ? 0 : damaged(path, answer, err);
}

/* Ids are dense, so that they may serve as indices; what a row refers to is there. */
static int check_rows(sqlite3 *db, const char *path, struct cf_error *err)
{
    static const char *const questions[] = {
        "SELECT count(*) = coalesce(max(id), 0) AND coalesce(min(id), 1) = 1 FROM configuration",
        "SELECT count(*) = coalesce(max(id), 0) AND coalesce(min(id), 1) = 1 FROM plan",
        "SELECT count(*) = 0 FROM pragma_foreign_key_check"};
    char answer[32];

    for (int i = 0; i < CF_COUNT(questions); ++i) {
        if (ask(db, questions[i], answer, (int)sizeof answer) != 0)
            return cannot_read(db, path, err);
        if (strcmp(answer, "1") != 0)
            return damaged(path, "rows that belong together are missing", err);
    }
    return 0;
}

static int check(sqlite3 *db, const char *path, struct cf_error *err)
{
    char application[32], version[32], tables[32];

    if (ask(db, "PRAGMA application_id", application, 32) != 0 ||
        ask(db, "PRAGMA user_version", version, 32) != 0 ||
        ask(db, "SELECT count(*) FROM sqlite_schema", tables, 32) != 0)
        return cannot_read(db, path, err);
    if (strcmp(tables, "0") == 0 && strcmp(application, "0") == 0)
        return 1;
    if (atol(application) != CF_STORE_APPLICATION)
        return cf_fail_with(
            err, 2,
            "%s is not a store of conform (it is a database of another program); name another",
            path);
    if (atol(version) < 1 || atol(version) > CF_STORE_VERSION)
        return cf_fail_with(err, 3,
                            "the store %s has format %s and this conform reads formats 1 to %d; "
                            "use the conform that wrote it",
                            path, version, CF_STORE_VERSION);
    return check_pages(db, path, err) != 0 || check_schema(db, path, atol(version), err) != 0 ||
                   check_rows(db, path, err) != 0
               ? -1
               : 0;
}

/* Read-only, because closing the last connection that may write tidies the file up. A journal is
 * left by a kill while a store was made or closed: only a writer can play it back. */
int cf_store_read_flags(const char *path)
{
    char *journal = cf_format("%s-journal", path);
    const int hot = access(journal, F_OK) == 0;

    free(journal);
    return hot ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
}

static int check_file(const char *path, struct cf_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return cf_fail_with(err, 2, "the store %s does not exist; check the path", path);
    if (!S_ISREG(status.st_mode))
        return cf_fail_with(err, 2, "the store %s is no file; name a file", path);
    if (status.st_size > 0 && status.st_size < 512)
        return cf_fail_with(err, 2,
                            "%s is not a store of conform, or one that was cut off at %lld bytes; "
                            "name another",
                            path, (long long)status.st_size);
    return status.st_size == 0;
}

int cf_store_verify(const char *path, struct cf_error *err)
{
    int answer = check_file(path, err);
    sqlite3 *db = NULL;

    if (answer != 0)
        return answer;
    if (sqlite3_open_v2(path, &db, cf_store_read_flags(path), NULL) != SQLITE_OK) {
        answer = cannot_read(db, path, err);
    } else {
        sqlite3_busy_timeout(db, 5000);
        sqlite3_exec(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON", NULL, NULL, NULL);
        answer = check(db, path, err);
    }
    sqlite3_close(db);
    return answer;
}

const char *cf_store_network(unsigned long type)
{
    static const struct {
        unsigned long type; /* statfs(2), linux/magic.h, and the file systems' own sources */
        const char *name;
    } shared[] = {{0x6969, "nfs"},         {0x517b, "smb"},        {0xff534d42, "cifs"},
                  {0xfe534d42, "smb2"},    {0x0bd00bd0, "lustre"}, {0x47504653, "gpfs"},
                  {0x00c36400, "ceph"},    {0x19830326, "beegfs"}, {0x5346414f, "afs"},
                  {0x73757245, "coda"},    {0x6b414653, "afs"},    {0x7461636f, "ocfs2"},
                  {0x01161970, "gfs2"},    {0xaad7aaea, "panfs"},  {0x564c, "ncp"},
                  {0x20030528, "orangefs"}};

    for (int i = 0; i < CF_COUNT(shared); ++i)
        if (shared[i].type == (type & 0xffffffff))
            return shared[i].name;
    return NULL;
}
