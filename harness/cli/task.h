/* task: what run, replay and report have in common: a store, a run into it, the judgement, the
 * documents and the closing line. */
#ifndef CF_TASK_H
#define CF_TASK_H

#include "judge.h"
#include "options.h"
#include "plan.h"

/* The path of a new store: $XDG_STATE_HOME/conform/<UTC>-<pid>.db (its folders are made), or NULL
 * and a sentence. The caller frees. */
char *cf_task_new_path(struct cf_error *err);
/* The newest store there, or NULL and a sentence. The caller frees. */
char *cf_task_newest_path(struct cf_error *err);

/* A folder for several stores: --store, else with --resume the newest <name>-<UTC>-<pid> among the
 * stores, else a new one. It is made. NULL and a sentence. The caller frees. */
char *cf_task_folder(const struct cf_options *options, const char *name, struct cf_error *err);

/* The path of conform-worker, beside this program. NULL and a sentence (exit 3) when it is not
 * there. The caller frees. */
char *cf_task_worker(struct cf_error *err);

/* Works the plan off into the store, with progress and Ctrl-C. 0; 130 or 143 when a signal stopped
 * it; -1 and a sentence. */
int cf_task_run(const struct cf_options *options, const struct cf_plan *plan,
                struct cf_store *store, struct cf_error *err);

/* The findings of a store, with progress; NULL and a sentence. */
struct cf_findings *cf_task_judge(const struct cf_options *options, struct cf_store *store,
                                  struct cf_error *err);

/* Judges, writes the documents and prints the closing line: "conform: N passed, N failed, N errors,
 * N skipped, N changed (level numerical, S s; store PATH)". Returns the exit code, or -1. */
int cf_task_finish(const struct cf_options *options, struct cf_store *store, const char *path,
                   int64_t start_ns, struct cf_error *err);

/* Of two exit codes the one that counts: 1 wins over 3, a proven failure stands. */
int cf_task_graver(int a, int b);

#endif
