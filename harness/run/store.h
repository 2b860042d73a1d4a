/* store: one SQLite file a run. What it holds is enough to judge the run on another machine.
 * Outputs are stored once per digest, compressed. A record is acknowledged when cf_store_commit
 * returns: from then on a kill -9 loses nothing. WAL, synchronous NORMAL; one writer, a second one
 * waits five seconds and is refused. */
#ifndef CF_STORE_H
#define CF_STORE_H

#include "record.h"
#include "tensor.h"

struct cf_store;

enum cf_store_mode { CF_STORE_CREATE, CF_STORE_RESUME, CF_STORE_READ };

/* A file that is no store, of another version, damaged, locked or unwritable is a sentence in *err
 * (exit 3; exit 2 if CREATE finds a file that exists, or the others find none) and NULL; the file
 * is left untouched. RESUME takes an empty file for a new store: a run killed at its very start
 * leaves one. READ may look while another process writes. */
struct cf_store *cf_store_open(const char *path, enum cf_store_mode mode, struct cf_error *err);
void cf_store_close(struct cf_store *store); /* folds the log in: one plain file is left */

/* Every function below that takes an err answers 0, or -1 and a sentence (exit 3). Every each_*
 * answers what the last `each` answered, or -1 when a row cannot be read: then cf_store_problem
 * gives the sentence (exit_code 0: there was no problem). `each` may call the store again. */
void cf_store_problem(const struct cf_store *store, struct cf_error *err);

int cf_store_begin(struct cf_store *store, struct cf_error *err);
int cf_store_commit(struct cf_store *store, struct cf_error *err);
void cf_store_rollback(struct cf_store *store); /* drops what was put since begin */

/* What the run is: "tool", "command", "started", "finished", "level", "baseline" (configuration
 * text), "complete",
 * ...; and the environment as "env.<key>". get returns owned text or NULL. */
int cf_store_put_meta(struct cf_store *store, const char *key, const char *value,
                      struct cf_error *err);
char *cf_store_get_meta(struct cf_store *store, const char *key);
int cf_store_each_meta(struct cf_store *store,
                       int (*each)(void *, const char *key, const char *value), void *context);

/* The plan: written before anything runs. Ids count from 1 in order of insertion. */
struct cf_plan_configuration {
    int64_t id;
    const char *text, *label;
    const char *requested,
        *effective; /* JSON objects; effective is "{}" until a worker has said it */
};
struct cf_plan_case {
    int64_t id;
    const char *text, *suite;
    int processes, repetitions;
    struct cf_digest inputs; /* cf_inputs_digest; all zero until the run has drawn them */
};
int cf_store_put_configuration(struct cf_store *, struct cf_plan_configuration *,
                               struct cf_error *);
int cf_store_put_effective(struct cf_store *, int64_t configuration, const char *json,
                           struct cf_error *);
int cf_store_put_case(struct cf_store *, struct cf_plan_case *, struct cf_error *);
int cf_store_put_inputs(struct cf_store *, int64_t case_id, const struct cf_digest *inputs,
                        struct cf_error *);
/* Each row in order of id; strings live until `each` returns. Stops at the first non-zero answer.
 */
int cf_store_each_configuration(struct cf_store *,
                                int (*each)(void *, const struct cf_plan_configuration *), void *);
int cf_store_each_case(struct cf_store *, int (*each)(void *, const struct cf_plan_case *), void *);

/* Every library file that a configuration's worker had mapped after its first case. */
struct cf_mapped {
    const char *path, *sha256, *version, *build_id; /* version and build_id may be "" */
};
int cf_store_put_library(struct cf_store *, int64_t configuration, const struct cf_mapped *,
                         struct cf_error *);
int cf_store_each_library(struct cf_store *,
                          int (*each)(void *, int64_t configuration, const struct cf_mapped *),
                          void *);

/* A record; with outputs (all bits of all outputs, back to back) unless its digest is stored
 * already. (configuration, case, process, repetition) is unique: a second one is CF_CHECKed. */
int cf_store_put_record(struct cf_store *, const struct cf_record *, const void *outputs,
                        uint64_t n_bytes, struct cf_error *);
/* Ordered by case, configuration, process, repetition. */
int cf_store_each_record(struct cf_store *, int (*each)(void *, const struct cf_record *), void *);
/* Is there a record of this request? What --resume leaves out. */
int cf_store_has_record(struct cf_store *, int64_t configuration, int64_t case_id, int process,
                        int repetition);
/* The bytes of outputs by digest, checked against it; owned by the caller; NULL and a sentence
 * (exit 3) if absent or damaged. */
void *cf_store_get_outputs(struct cf_store *, const struct cf_digest *, uint64_t *n_bytes,
                           struct cf_error *);

#endif
