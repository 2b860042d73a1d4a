/* run_internal: what the files of the run loop share; nobody else includes it. */
#ifndef CF_RUN_INTERNAL_H
#define CF_RUN_INTERNAL_H

#include "block.h"
#include "librarian.h"
#include "plan.h"
#include "session.h"

#define CF_OPENS_MAX     2 /* failed starts in a row after which a configuration is given up */
#define CF_TIME_OUTS_MAX 3 /* time-outs in a row after which one of its ops is given up */

/* What has become of one configuration so far. */
struct cf_subject {
    int n_failed_opens;
    struct cf_reply failure; /* of the last start that failed */
    int has_effective, has_libraries;
    char *own_path, *own_version; /* the library that it opened, as it says */
    struct {
        const char *op;
        int n;
    } time_outs[16];
    int n_ops;
};

/* One request of a job: a case of the block and a repetition. */
struct cf_item {
    int block_case, repetition;
};

/* What one worker shall do in one block. */
struct cf_job {
    struct cf_run *run;
    int configuration, process, width; /* width: CPUs that it fills */
    enum { CF_JOB_WAITS, CF_JOB_WORKS, CF_JOB_DONE } state;
    struct cf_item *items; /* owned; in order */
    int n_items, at;
    int retried; /* the adapter was lost at item `at` and is asked once more */
    char lost[400];
    struct cf_session *session; /* NULL: none */
    char *out;                  /* where outputs are written. Owned */
};

struct cf_run {
    const struct cf_plan *plan;
    struct cf_store *store;
    const struct cf_run_options *options;
    struct cf_session_options session;
    struct cf_error *err;
    uv_loop_t loop;
    uv_timer_t tick;
    struct cf_workplace place;
    struct cf_librarian *librarian;
    struct cf_subject *subjects; /* one a configuration */
    struct cf_block block;
    struct cf_job *jobs; /* of the block */
    int n_jobs, n_slots, n_free;
    int64_t done, total;
    char *recorded; /* one byte a planned request: is there a record? */
    int64_t *first; /* of each case: its first byte in there */
    char what[200]; /* for the progress */
    int dirty;      /* put since the last commit */
    int stopped;    /* interrupted: nothing new is begun */
    int failed;     /* the store cannot be written: err says why */
};

/* The byte of a planned request. */
char *cf_run_recorded(const struct cf_run *, int configuration, int case_index, int process,
                      int repetition);

/* Puts a record and notes it; the outputs are the reply's. */
void cf_run_record(struct cf_run *, int configuration, int case_index, int process, int repetition,
                   const struct cf_reply *);
/* The store has failed: everything is stopped. */
void cf_run_fail(struct cf_run *);

/* Runs the jobs of the block to their end, or until the run has stopped. */
void cf_run_jobs(struct cf_run *);
/* Makes the jobs of the block: configurations x processes with something left to do. */
void cf_run_make_jobs(struct cf_run *);
void cf_run_free_jobs(struct cf_run *);

#endif
