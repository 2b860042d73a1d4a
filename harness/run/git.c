#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "files.h"

#define TIMEOUT_MS 5000
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
static char *ask(const char *const words[], long *n)
{
    const char *argv[16] = {"git", "--no-optional-locks", "--no-pager", "-c",
                            "core.fsmonitor=false"};
    int at = 5;

    while (*words)
        argv[at++] = *words++;
    argv[at] = NULL;
    return cf_command_output(argv, TIMEOUT_MS, OUTPUT_MAX, n);
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
