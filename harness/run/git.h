/* git: the state of the working directory's repository, by the git command. */
#ifndef CF_GIT_H
#define CF_GIT_H

#include "error.h"

struct cf_git {
    char commit[65];
    int dirty;            /* tracked files differ from the commit, or there are untracked ones */
    char diff_sha256[65]; /* of `git diff HEAD --binary` when dirty, else "" */
};

/* 0, or -1 when the directory belongs to no repository or git is missing or does not answer within
 * five seconds. Takes no lock and runs no hook or helper of the repository. */
int cf_git_read(struct cf_git *git);

/* One path that is not as the commit has it. */
struct cf_git_change {
    char *path;        /* from the top of the repository; owned */
    const char *state; /* "changed", "added", "deleted", "untracked", "in conflict" */
    char sha256[65];   /* of the file as it is; of a submodule's difference; "" when gone */
};
struct cf_git_tree {
    char commit[65];
    char *top; /* the folder of the working tree; owned */
    int n;
    struct cf_git_change *change; /* in the order of git status; owned */
};

/* What is uncommitted, by git status: also untracked files, and submodules that moved or hold
 * changes; ignored files are not. leave_out: a file that does not count, or NULL. 0, or -1 and a
 * sentence (exit 2): git is missing or late, no repository, a bare one, one without a commit. A
 * detached head is as good as any. */
int cf_git_changes(struct cf_git_tree *tree, const char *leave_out, struct cf_error *err);
void cf_git_tree_free(struct cf_git_tree *tree);

/* 0 when nothing is uncommitted; else -1 and a sentence that names the first paths. */
int cf_git_require_clean(struct cf_error *err);

/* Runs a program found in PATH and takes what it writes to its standard output, at most n_max
 * bytes, within timeout_ms. Owned text (the bytes and a NUL), or NULL when it cannot be started, is
 * late, writes more, or does not exit with 0. *n may be NULL. */
char *cf_command_output(const char *const argv[], int timeout_ms, long n_max, long *n);

#endif
