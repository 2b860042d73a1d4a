#include "blas.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child has reached when it is heard of last. */
enum stage { LOADING, CALLING, RIGHT, WRONG, FAILED };

struct word {
    enum stage stage;
    struct cf_error err; /* when FAILED */
};

static void say(int fd, enum stage stage, const struct cf_error *err)
{
    struct word word = {.stage = stage};

    if (err)
        word.err = *err;
    if (write(fd, &word, sizeof word) != (ssize_t)sizeof word)
        _exit(1);
}

static void __attribute__((noreturn)) child(const char *path, int declared_ilp64, int fd)
{
    struct cf_library library = {0};
    struct cf_error err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    say(fd, LOADING, NULL);
    if (cf_blas_load(&library, path, declared_ilp64, &err) != 0) {
        say(fd, FAILED, &err);
        _exit(0);
    }
    say(fd, CALLING, NULL);
    say(fd, cf_blas_smoke(&library) == 0 ? WRONG : RIGHT, NULL);
    _exit(0);
}

/* The last word of the child. */
static struct word listen_to(int fd)
{
    struct word word, last = {.stage = LOADING};

    while (read(fd, &word, sizeof word) == (ssize_t)sizeof word)
        last = word;
    return last;
}

static void describe(char *text, size_t size, int status)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "dies of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exits with code %d", WEXITSTATUS(status));
}

static int fail_call(const char *path, const char *how, int signal, struct cf_error *err)
{
    if (signal == SIGABRT)
        return cf_fail_with(err, 3, "%s gives up: a dot product %s; its words are in the log", path,
                            how);
    if (signal == SIGILL)
        return cf_fail_with(err, 3,
                            "%s has selected kernels that this CPU cannot run: a dot product %s",
                            path, how);
    return cf_fail_with(err, 3,
                        "the integer width of %s is not what its names say: a dot product with "
                        "increment -1 %s; if it counts in 64 bits say flags=ilp64",
                        path, how);
}

static int judge(const struct word *word, int status, const char *path, struct cf_error *err)
{
    char end[80];

    describe(end, sizeof end, status);
    switch (word->stage) {
    case RIGHT:
        return 0;
    case FAILED:
        *err = word->err;
        return -1;
    case LOADING:
        return cf_fail(err, "%s cannot be loaded: a process that loads it %s%s", path, end,
                       WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS ? "; is the file whole?"
                                                                         : "");
    case WRONG:
        return fail_call(path, "gives a wrong answer", 0, err);
    default:
        return fail_call(path, end, WIFSIGNALED(status) ? WTERMSIG(status) : 0, err);
    }
}

int cf_blas_probe(const char *path, int declared_ilp64, struct cf_error *err)
{
    int ends[2], status = 0;
    struct word word;
    pid_t pid;

    if (pipe(ends) != 0)
        return cf_fail(err, "no pipe for the probe: %s", strerror(errno));
    pid = fork();
    if (pid == 0)
        child(path, declared_ilp64, ends[1]);
    close(ends[1]);
    if (pid > 0)
        word = listen_to(ends[0]);
    close(ends[0]);
    if (pid < 0)
        return cf_fail(err, "no process for the probe: %s", strerror(errno));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return judge(&word, status, path, err);
}
