#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "files.h"

#define TIMEOUT_MS 5000
#define STATUS_MS  60000 /* of a large working tree on a slow disk */
#define SHOWN      5
#define OUTPUT_MAX (64L << 20)

extern char **environ;

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0, or -1: late, or more than n_max bytes. */
static int read_all(int fd, long deadline, long n_max, char **text, long *n)
{
    long capacity = 0;

    for (*n = 0;;) {
        struct pollfd ready = {fd, POLLIN, 0};
        const long left = deadline - now_ms();
        ssize_t got;

        if (capacity - *n < 4096)
            *text = cf_realloc(*text, (unsigned long)((capacity = 2 * capacity + 8192)) + 1);
        if (left <= 0 || poll(&ready, 1, (int)left) == 0 || *n > n_max)
            return -1;
        got = read(fd, *text + *n, (size_t)(capacity - *n));
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return -1;
        *n += got > 0 ? got : 0;
    }
}

static pid_t start(const char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ) != 0)
        pid = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

char *cf_command_output(const char *const argv[], int timeout_ms, long n_max, long *n)
{
    int ends[2], status = -1, result;
    char *text = NULL;
    long length = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    pid = start(argv, ends[1]);
    close(ends[1]);
    result = pid < 0 ? -1 : read_all(ends[0], now_ms() + timeout_ms, n_max, &text, &length);
    close(ends[0]);
    if (result != 0 && pid > 0)
        kill(-pid, SIGKILL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (result != 0 || status != 0) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    if (n)
        *n = length;
    return text;
}

/* GIT_OPTIONAL_LOCKS=0 by its option; no fsmonitor, no external diff, no pager. */
static char *ask_within(const char *const words[], int timeout_ms, long *n)
{
    const char *argv[16] = {"git", "--no-optional-locks", "--no-pager", "-c",
                            "core.fsmonitor=false"};
    int at = 5;

    while (*words)
        argv[at++] = *words++;
    argv[at] = NULL;
    CF_CHECK(at < CF_COUNT(argv));
    return cf_command_output(argv, timeout_ms, OUTPUT_MAX, n);
}

static char *ask(const char *const words[], long *n)
{
    return ask_within(words, TIMEOUT_MS, n);
}

int cf_git_read(struct cf_git *git)
{
    static const char *const head[] = {"rev-parse", "--verify", "HEAD", NULL};
    static const char *const status[] = {"status", "--porcelain", "--ignore-submodules", NULL};
    static const char *const diff[] = {
        "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--ignore-submodules", NULL};
    char *commit = ask(head, NULL), *changes = commit ? ask(status, NULL) : NULL, *text = NULL;
    long n = 0;

    *git = (struct cf_git){0};
    if (changes && *changes)
        text = ask(diff, &n);
    if (text)
        cf_bytes_sha256(text, (size_t)n, git->diff_sha256);
    if (commit)
        snprintf(git->commit, sizeof git->commit, "%.*s", (int)strcspn(commit, "\n"), commit);
    git->dirty = changes && *changes;
    free(text);
    free(changes);
    free(commit);
    return commit && changes ? 0 : -1;
}

/* Why git does not answer, in the order in which a user would look. */
static int explain(struct cf_error *err)
{
    static const char *const version[] = {"--version", NULL};
    static const char *const inside[] = {"rev-parse", "--is-inside-work-tree", NULL};
    char *there = ask(version, NULL), *is_tree = there ? ask(inside, NULL) : NULL;
    int result;

    if (!there)
        result = cf_fail(err, "git is not in PATH, so nobody can say what is uncommitted here");
    else if (!is_tree)
        result = cf_fail(err, "the working directory is in no git repository that git will read");
    else if (strncmp(is_tree, "true", 4) != 0)
        result = cf_fail(err, "the working directory is in no working tree of its repository");
    else
        result = cf_fail(err, "the git repository here has no commit yet; make one");
    free(is_tree);
    free(there);
    return result;
}

static const char *state_of(const char code[2])
{
    if (code[0] == '?')
        return "untracked";
    if (code[0] == 'U' || code[1] == 'U' || (code[0] == code[1] && strchr("AD", code[0])))
        return "in conflict";
    if (code[0] == 'D' || code[1] == 'D')
        return "deleted";
    return code[0] == 'A' ? "added" : "changed";
}

/* A folder is a submodule: what git says of its difference names its commit, and whether it is
 * dirty itself. */
static void digest_change(struct cf_git_change *change, const char *top)
{
    char *path = cf_format("%s/%s", top, change->path), *pathspec, *text;
    struct stat status;
    long n = 0;

    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        pathspec = cf_format(":(top,literal)%s", change->path);
        const char *const diff[] = {"diff",   "HEAD", "--submodule=short", "--no-ext-diff", "--",
                                    pathspec, NULL};
        text = ask(diff, &n);
        if (text)
            cf_bytes_sha256(text, (size_t)n, change->sha256);
        free(text);
        free(pathspec);
    } else {
        cf_path_sha256(path, change->sha256);
    }
    free(path);
}

static int is_file(const char *top, const char *path, const char *other)
{
    char *whole = cf_format("%s/%s", top, path);
    struct stat a, b;
    const int same = other && stat(whole, &a) == 0 && stat(other, &b) == 0 &&
                     a.st_dev == b.st_dev && a.st_ino == b.st_ino;

    free(whole);
    return same;
}

/* "XY PATH" and a NUL each (git-status(1), porcelain version 1 with -z, without renames). */
static void take_changes(struct cf_git_tree *tree, const char *status, long n, const char *top,
                         const char *leave_out)
{
    for (const char *at = status; at + 3 < status + n; at += strlen(at) + 1) {
        struct cf_git_change *change;

        if (is_file(top, at + 3, leave_out))
            continue;
        tree->change = cf_realloc(tree->change, (size_t)(tree->n + 1) * sizeof tree->change[0]);
        change = &tree->change[tree->n++];
        *change = (struct cf_git_change){.path = cf_strdup(at + 3), .state = state_of(at)};
        digest_change(change, top);
    }
}

int cf_git_changes(struct cf_git_tree *tree, const char *leave_out, struct cf_error *err)
{
    static const char *const head[] = {"rev-parse", "--verify", "HEAD", NULL};
    static const char *const root[] = {"rev-parse", "--show-toplevel", NULL};
    static const char *const status[] = {"status",
                                         "--porcelain=v1",
                                         "-z",
                                         "--no-renames",
                                         "--untracked-files=all",
                                         "--ignore-submodules=none",
                                         NULL};
    char *commit = ask(head, NULL), *top = commit ? ask(root, NULL) : NULL, *changes = NULL;
    long n = 0;
    int result = 0;

    *tree = (struct cf_git_tree){0};
    if (top && *top) {
        top[strcspn(top, "\n")] = '\0';
        changes = ask_within(status, STATUS_MS, &n);
        if (!changes)
            result = cf_fail(err, "git status does not answer in %s within %d seconds", top,
                             STATUS_MS / 1000);
    } else {
        result = explain(err);
    }
    if (result == 0) {
        snprintf(tree->commit, sizeof tree->commit, "%.*s", (int)strcspn(commit, "\n"), commit);
        tree->top = cf_strdup(top);
        take_changes(tree, changes, n, top, leave_out);
    }
    free(changes);
    free(top);
    free(commit);
    return result;
}

void cf_git_tree_free(struct cf_git_tree *tree)
{
    for (int i = 0; i < tree->n; ++i)
        free(tree->change[i].path);
    free(tree->change);
    free(tree->top);
    *tree = (struct cf_git_tree){0};
}

int cf_git_require_clean(struct cf_error *err)
{
    struct cf_git_tree tree;
    char list[SHOWN * 160] = "", *path;
    int at = 0;

    if (cf_git_changes(&tree, NULL, err) != 0)
        return -1;
    if (tree.n == 0) {
        cf_git_tree_free(&tree);
        return 0;
    }
    for (int i = 0; i < tree.n && i < SHOWN; ++i) {
        path = cf_printable_copy(tree.change[i].path);
        at += snprintf(list + at, sizeof list - (size_t)at, "%s%.120s (%s)", i ? ", " : "", path,
                       tree.change[i].state);
        free(path);
    }
    if (tree.n > SHOWN)
        snprintf(list + at, sizeof list - (size_t)at, " and %d more", tree.n - SHOWN);
    cf_fail(err, "--require-clean: %d path%s not committed: %s; commit or stash them first", tree.n,
            tree.n == 1 ? " is" : "s are", list);
    cf_git_tree_free(&tree);
    return -1;
}
