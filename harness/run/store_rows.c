/* The rows of the store. */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX (1LL << 31) /* more than SQLite keeps in one row: a larger claim is damage */

const char *cf_store_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}

static void bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    CF_CHECK(sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC) == SQLITE_OK);
}

static void bind_int(sqlite3_stmt *statement, int i, int64_t value)
{
    CF_CHECK(sqlite3_bind_int64(statement, i, value) == SQLITE_OK);
}

static void bind_digest(sqlite3_stmt *statement, int i, const struct cf_digest *digest)
{
    CF_CHECK(sqlite3_bind_blob(statement, i, digest->byte, (int)sizeof digest->byte,
                               SQLITE_STATIC) == SQLITE_OK);
}

static int column_digest(struct cf_digest *digest, sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);

    if (!bytes || sqlite3_column_bytes(statement, column) != (int)sizeof digest->byte)
        return -1;
    memcpy(digest->byte, bytes, sizeof digest->byte);
    return 0;
}

int cf_store_bad_row(struct cf_store *store, const char *what)
{
    return cf_fail_with(&store->problem, 3,
                        "the store %s is damaged (%s); it was left as it is: restore a copy",
                        store->path, what);
}

int cf_store_each(struct cf_store *store, const char *sql,
                  int (*row)(struct cf_store *, sqlite3_stmt *, void *), void *context)
{
    sqlite3_stmt *statement = NULL;
    int answer = 0, code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

    store->problem = (struct cf_error){0};
    if (code == SQLITE_OK)
        while (answer == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
            answer = row(store, statement, context);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        answer = cf_store_fail(store, &store->problem);
    sqlite3_finalize(statement);
    return answer;
}

int cf_store_put_meta(struct cf_store *store, const char *key, const char *value,
                      struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_META, err);

    if (!statement)
        return -1;
    bind_text(statement, 1, key);
    bind_text(statement, 2, value);
    return cf_store_step(store, statement, err);
}

char *cf_store_get_meta(struct cf_store *store, const char *key)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_GET_META, NULL);
    char *value = NULL;

    if (!statement)
        return NULL;
    bind_text(statement, 1, key);
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = cf_strdup(cf_store_text(statement, 0));
    sqlite3_reset(statement);
    return value;
}

struct each_meta {
    int (*each)(void *, const char *key, const char *value);
    void *context;
};

static int meta_row(struct cf_store *store, sqlite3_stmt *row, void *context)
{
    const struct each_meta *to = context;

    (void)store;
    return to->each(to->context, cf_store_text(row, 0), cf_store_text(row, 1));
}

int cf_store_each_meta(struct cf_store *store,
                       int (*each)(void *, const char *key, const char *value), void *context)
{
    struct each_meta to = {each, context};

    return cf_store_each(store, "SELECT key, value FROM meta ORDER BY key", meta_row, &to);
}

int cf_store_put_configuration(struct cf_store *store, struct cf_plan_configuration *configuration,
                               struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_CONFIGURATION, err);

    if (!statement)
        return -1;
    bind_text(statement, 1, configuration->text);
    bind_text(statement, 2, configuration->label);
    bind_text(statement, 3, configuration->requested ? configuration->requested : "{}");
    bind_text(statement, 4, configuration->effective ? configuration->effective : "{}");
    if (cf_store_step(store, statement, err) != 0)
        return -1;
    configuration->id = sqlite3_last_insert_rowid(store->db);
    return 0;
}

int cf_store_put_effective(struct cf_store *store, int64_t configuration, const char *json,
                           struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_EFFECTIVE, err);

    if (!statement)
        return -1;
    bind_int(statement, 1, configuration);
    bind_text(statement, 2, json);
    return cf_store_step(store, statement, err);
}

int cf_store_put_case(struct cf_store *store, struct cf_plan_case *c, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_CASE, err);

    if (!statement)
        return -1;
    bind_text(statement, 1, c->text);
    bind_text(statement, 2, c->suite);
    bind_int(statement, 3, c->processes);
    bind_int(statement, 4, c->repetitions);
    bind_digest(statement, 5, &c->inputs);
    if (cf_store_step(store, statement, err) != 0)
        return -1;
    c->id = sqlite3_last_insert_rowid(store->db);
    return 0;
}

int cf_store_put_inputs(struct cf_store *store, int64_t case_id, const struct cf_digest *inputs,
                        struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_INPUTS, err);

    if (!statement)
        return -1;
    bind_int(statement, 1, case_id);
    bind_digest(statement, 2, inputs);
    return cf_store_step(store, statement, err);
}

struct each_configuration {
    int (*each)(void *, const struct cf_plan_configuration *);
    void *context;
};

static int configuration_row(struct cf_store *store, sqlite3_stmt *row, void *context)
{
    const struct each_configuration *to = context;
    const struct cf_plan_configuration configuration = {.id = sqlite3_column_int64(row, 0),
                                                        .text = cf_store_text(row, 1),
                                                        .label = cf_store_text(row, 2),
                                                        .requested = cf_store_text(row, 3),
                                                        .effective = cf_store_text(row, 4)};

    (void)store;
    return to->each(to->context, &configuration);
}

int cf_store_each_configuration(struct cf_store *store,
                                int (*each)(void *, const struct cf_plan_configuration *),
                                void *context)
{
    struct each_configuration to = {each, context};

    return cf_store_each(store,
                         "SELECT id, text, label, requested, effective FROM configuration"
                         " ORDER BY id",
                         configuration_row, &to);
}

struct each_case {
    int (*each)(void *, const struct cf_plan_case *);
    void *context;
};

static int case_row(struct cf_store *store, sqlite3_stmt *row, void *context)
{
    const struct each_case *to = context;
    struct cf_plan_case c = {.id = sqlite3_column_int64(row, 0),
                             .text = cf_store_text(row, 1),
                             .suite = cf_store_text(row, 2),
                             .processes = sqlite3_column_int(row, 3),
                             .repetitions = sqlite3_column_int(row, 4)};

    if (column_digest(&c.inputs, row, 5) != 0 || c.processes < 1 || c.repetitions < 1)
        return cf_store_bad_row(store, "a planned case makes no sense");
    return to->each(to->context, &c);
}

int cf_store_each_case(struct cf_store *store, int (*each)(void *, const struct cf_plan_case *),
                       void *context)
{
    struct each_case to = {each, context};

    return cf_store_each(
        store, "SELECT id, text, suite, processes, repetitions, inputs FROM plan ORDER BY id",
        case_row, &to);
}

int cf_store_put_library(struct cf_store *store, int64_t configuration,
                         const struct cf_mapped *mapped, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_LIBRARY, err);

    if (!statement)
        return -1;
    bind_int(statement, 1, configuration);
    bind_text(statement, 2, mapped->path);
    bind_text(statement, 3, mapped->sha256);
    bind_text(statement, 4, mapped->version ? mapped->version : "");
    bind_text(statement, 5, mapped->build_id ? mapped->build_id : "");
    return cf_store_step(store, statement, err);
}

struct each_library {
    int (*each)(void *, int64_t configuration, const struct cf_mapped *);
    void *context;
};

static int library_row(struct cf_store *store, sqlite3_stmt *row, void *context)
{
    const struct each_library *to = context;
    const struct cf_mapped mapped = {.path = cf_store_text(row, 1),
                                     .sha256 = cf_store_text(row, 2),
                                     .version = cf_store_text(row, 3),
                                     .build_id = cf_store_text(row, 4)};

    (void)store;
    return to->each(to->context, sqlite3_column_int64(row, 0), &mapped);
}

int cf_store_each_library(struct cf_store *store,
                          int (*each)(void *, int64_t configuration, const struct cf_mapped *),
                          void *context)
{
    struct each_library to = {each, context};

    return cf_store_each(store,
                         "SELECT configuration, path, sha256, version, build_id FROM library"
                         " ORDER BY configuration, path, sha256",
                         library_row, &to);
}

/* 1: there; 0: not; -1 and a sentence. */
static int has_output(struct cf_store *store, const struct cf_digest *digest, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_HAS_OUTPUT, err);
    int code;

    if (!statement)
        return -1;
    bind_digest(statement, 1, digest);
    code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        cf_store_fail(store, err);
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

static int put_output(struct cf_store *store, const struct cf_digest *digest, const void *bytes,
                      uint64_t n_bytes, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_OUTPUT, err);
    const size_t room = ZSTD_compressBound(n_bytes);
    struct cf_digest again;
    size_t n;

    if (!statement)
        return -1;
    cf_digest_of(&again, bytes, n_bytes);
    CF_CHECK(cf_digest_equal(&again, digest));
    if (room > store->n_packed) {
        store->packed = cf_realloc(store->packed, room);
        store->n_packed = room;
    }
    n = ZSTD_compressCCtx(store->compressor, store->packed, room, bytes, n_bytes, 3);
    CF_CHECK(!ZSTD_isError(n));
    bind_digest(statement, 1, digest);
    bind_int(statement, 2, (int64_t)n_bytes);
    if (sqlite3_bind_blob64(statement, 3, store->packed, n, SQLITE_STATIC) != SQLITE_OK)
        return cf_store_fail(store, err);
    return cf_store_step(store, statement, err);
}

/* The id of a choice, which few records do not share with the one before; -1 and a sentence. */
static int64_t chosen_id(struct cf_store *store, const char *text, struct cf_error *err)
{
    sqlite3_stmt *put, *get;

    if (strcmp(store->chosen, text) == 0)
        return store->chosen_id;
    put = cf_store_statement(store, CF_SQL_PUT_CHOSEN, err);
    get = cf_store_statement(store, CF_SQL_GET_CHOSEN, err);
    if (!put || !get)
        return -1;
    bind_text(put, 1, text);
    if (cf_store_step(store, put, err) != 0)
        return -1;
    bind_text(get, 1, text);
    store->chosen_id = sqlite3_step(get) == SQLITE_ROW ? sqlite3_column_int64(get, 0) : -1;
    if (store->chosen_id < 0)
        cf_store_fail(store, err);
    sqlite3_reset(get);
    snprintf(store->chosen, sizeof store->chosen, "%s", store->chosen_id < 0 ? "" : text);
    return store->chosen_id;
}

static void bind_record(sqlite3_stmt *statement, const struct cf_record *record, int64_t chosen)
{
    bind_int(statement, 1, record->case_id);
    bind_int(statement, 2, record->configuration);
    bind_int(statement, 3, record->process);
    bind_int(statement, 4, record->repetition);
    bind_int(statement, 5, record->fate);
    if (record->fate == CF_RAN)
        bind_digest(statement, 6, &record->digest);
    else
        sqlite3_bind_null(statement, 6);
    bind_int(statement, 7, record->wall_ns);
    bind_text(statement, 8, record->reason);
    if (chosen > 0)
        bind_int(statement, 9, chosen);
    else
        sqlite3_bind_null(statement, 9);
}

int cf_store_put_record(struct cf_store *store, const struct cf_record *record, const void *outputs,
                        uint64_t n_bytes, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_PUT_RECORD, err);
    int64_t chosen = 0;
    int there = 1;

    if (!statement)
        return -1;
    CF_CHECK(!cf_store_has_record(store, record->configuration, record->case_id, record->process,
                                  record->repetition));
    if (record->fate == CF_RAN)
        there = has_output(store, &record->digest, err);
    if (there < 0 || (!there && put_output(store, &record->digest, outputs, n_bytes, err) != 0))
        return -1;
    if (*record->chosen && (chosen = chosen_id(store, record->chosen, err)) < 0)
        return -1;
    bind_record(statement, record, chosen);
    return cf_store_step(store, statement, err);
}

struct each_record {
    int (*each)(void *, const struct cf_record *);
    void *context;
};

static int record_row(struct cf_store *store, sqlite3_stmt *row, void *context)
{
    const struct each_record *to = context;
    const int fate = sqlite3_column_int(row, 4);
    struct cf_record record = {.case_id = sqlite3_column_int64(row, 0),
                               .configuration = sqlite3_column_int64(row, 1),
                               .process = sqlite3_column_int(row, 2),
                               .repetition = sqlite3_column_int(row, 3),
                               .fate = (enum cf_fate)fate,
                               .wall_ns = sqlite3_column_int64(row, 6)};

    if (fate < 0 || fate >= CF_N_FATES || record.process < 0 || record.repetition < 0 ||
        (fate == CF_RAN && column_digest(&record.digest, row, 5) != 0))
        return cf_store_bad_row(store, "a record makes no sense");
    snprintf(record.reason, sizeof record.reason, "%s", cf_store_text(row, 7));
    snprintf(record.chosen, sizeof record.chosen, "%s", cf_store_text(row, 8));
    return to->each(to->context, &record);
}

int cf_store_each_record(struct cf_store *store, int (*each)(void *, const struct cf_record *),
                         void *context)
{
    static const char *const sql[] = {
        "SELECT case_id, configuration, process, repetition, fate, digest, wall_ns, reason, NULL"
        " FROM record ORDER BY case_id, configuration, process, repetition",
        "SELECT case_id, configuration, process, repetition, fate, digest, wall_ns, reason,"
        " (SELECT text FROM chosen WHERE id = record.chosen)"
        " FROM record ORDER BY case_id, configuration, process, repetition"};
    struct each_record to = {each, context};

    return cf_store_each(store, sql[store->version > 1], record_row, &to);
}

int cf_store_has_record(struct cf_store *store, int64_t configuration, int64_t case_id, int process,
                        int repetition)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_HAS_RECORD, NULL);
    int there;

    if (!statement)
        return 0;
    bind_int(statement, 1, case_id);
    bind_int(statement, 2, configuration);
    bind_int(statement, 3, process);
    bind_int(statement, 4, repetition);
    there = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_reset(statement);
    return there;
}

/* Owned bytes; NULL when the frame is not what its row says. */
static void *unpack(const void *packed, size_t n_packed, int64_t n_bytes)
{
    void *bytes;
    size_t n;

    if (n_bytes < 0 || n_bytes > OUTPUT_MAX || !packed ||
        ZSTD_getFrameContentSize(packed, n_packed) != (unsigned long long)n_bytes)
        return NULL;
    bytes = cf_alloc((size_t)n_bytes + 1);
    n = ZSTD_decompress(bytes, (size_t)n_bytes, packed, n_packed);
    if (!ZSTD_isError(n) && n == (size_t)n_bytes)
        return bytes;
    free(bytes);
    return NULL;
}

void *cf_store_get_outputs(struct cf_store *store, const struct cf_digest *digest,
                           uint64_t *n_bytes, struct cf_error *err)
{
    sqlite3_stmt *statement = cf_store_statement(store, CF_SQL_GET_OUTPUT, err);
    struct cf_digest again;
    void *bytes = NULL;
    char name[33];
    int found;

    if (!statement)
        return NULL;
    bind_digest(statement, 1, digest);
    found = sqlite3_step(statement) == SQLITE_ROW;
    if (found) {
        *n_bytes = (uint64_t)sqlite3_column_int64(statement, 0);
        bytes = unpack(sqlite3_column_blob(statement, 1),
                       (size_t)sqlite3_column_bytes(statement, 1), (int64_t)*n_bytes);
    }
    sqlite3_reset(statement);
    if (bytes)
        cf_digest_of(&again, bytes, *n_bytes);
    if (bytes && cf_digest_equal(&again, digest))
        return bytes;
    free(bytes);
    cf_digest_print(name, digest);
    cf_fail_with(err, 3, "the store %s %s the output %s; restore a copy of it", store->path,
                 found ? "holds damaged bytes for" : "does not hold", name);
    return NULL;
}
