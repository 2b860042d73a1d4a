/* git: the state of the working directory's repository, by the git command. */
#ifndef CF_GIT_H
#define CF_GIT_H

struct cf_git {
    char commit[65];
    int dirty;            /* tracked files differ from the commit, or there are untracked ones */
    char diff_sha256[65]; /* of `git diff HEAD --binary` when dirty, else "" */
};

/* 0, or -1 when the directory belongs to no repository or git is missing or does not answer within
 * five seconds. Takes no lock and runs no hook or helper of the repository. */
int cf_git_read(struct cf_git *git);

/* Runs a program found in PATH and takes what it writes to its standard output, at most n_max
 * bytes, within timeout_ms. Owned text (the bytes and a NUL), or NULL when it cannot be started, is
 * late, writes more, or does not exit with 0. *n may be NULL. */
char *cf_command_output(const char *const argv[], int timeout_ms, long n_max, long *n);

#endif
