/* store_internal: what the files of the store share; nobody else includes it. */
#ifndef CF_STORE_INTERNAL_H
#define CF_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdio.h>
#include <zstd.h>

#include "store.h"

#define CF_STORE_APPLICATION 0x434e464d /* "CNFM", in the file's header */
#define CF_STORE_VERSION     2 /* 1: without what was chosen; read, and brought up to 2 to go on */

enum cf_store_statement {
    CF_SQL_BEGIN,
    CF_SQL_COMMIT,
    CF_SQL_PUT_META,
    CF_SQL_GET_META,
    CF_SQL_PUT_CONFIGURATION,
    CF_SQL_PUT_EFFECTIVE,
    CF_SQL_PUT_CASE,
    CF_SQL_PUT_INPUTS,
    CF_SQL_PUT_LIBRARY,
    CF_SQL_PUT_RECORD,
    CF_SQL_PUT_CHOSEN,
    CF_SQL_GET_CHOSEN,
    CF_SQL_HAS_RECORD,
    CF_SQL_PUT_OUTPUT,
    CF_SQL_HAS_OUTPUT,
    CF_SQL_GET_OUTPUT,
    CF_SQL_N
};

struct cf_store {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statement[CF_SQL_N]; /* prepared at first use */
    int lock; /* descriptor that holds the writer's lock from before the first page is read; or -1
               */
    ZSTD_CCtx *compressor;
    void *packed; /* room for one compressed output */
    size_t n_packed;
    int version;                /* of the file */
    char chosen[CF_CHOSEN_MAX]; /* the last one put, with its id; "": none */
    int64_t chosen_id;
    struct cf_error problem; /* of the last each_*; exit_code 0: none */
};

/* The statement, reset and ready to bind; NULL and a sentence when it cannot be prepared. */
sqlite3_stmt *cf_store_statement(struct cf_store *, enum cf_store_statement, struct cf_error *);
/* Runs a statement that gives no rows, then resets it. 0, or -1 and a sentence. */
int cf_store_step(struct cf_store *, sqlite3_stmt *, struct cf_error *);
/* Runs SQL that is needed once. */
int cf_store_sql(struct cf_store *, const char *sql, struct cf_error *);
/* The sentence for the connection's last error; always -1. */
int cf_store_fail(const struct cf_store *, struct cf_error *);

/* For each row of a fresh statement calls `row`; stops at the first non-zero answer. An unreadable
 * row gives -1 and store->problem. */
int cf_store_each(struct cf_store *, const char *sql,
                  int (*row)(struct cf_store *, sqlite3_stmt *, void *), void *context);
/* Notes that a row holds what no conform writes; always -1. */
int cf_store_bad_row(struct cf_store *, const char *what);
/* Column as text, never NULL. */
const char *cf_store_text(sqlite3_stmt *, int column);

/* The tables; run in an empty file before it is switched to WAL, so that the header page names the
 * application from the first commit on. */
extern const char cf_store_schema[];
/* From version 1 to this one. */
extern const char cf_store_upgrade[];

/* Looks at a file that exists without changing it: a store, of this version, undamaged. 1: an empty
 * file. 0, or -1 and a sentence. */
int cf_store_verify(const char *path, struct cf_error *);

/* How sqlite3_open_v2 shall open the file for a reader. */
int cf_store_read_flags(const char *path);

/* "nfs" for a type of file system (statfs, f_type) that is shared over a network; NULL: local. */
const char *cf_store_network(unsigned long type);

#endif
