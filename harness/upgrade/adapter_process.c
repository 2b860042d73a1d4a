#include "adapter_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

#define LINE_MAX_BYTES (1 << 20)

extern char **environ;

static int spawn(struct cf_adapter_process *p, const char *const argv[], int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = NULL, *fd = cf_format("CONFORM_FD=%d", CF_ADAPTER_FD);
    int n = 0, result;

    for (; environ[n]; ++n)
        continue;
    environment = cf_alloc((size_t)(n + 2) * sizeof environment[0]);
    environment[0] = fd;
    memcpy(environment + 1, environ, (size_t)(n + 1) * sizeof environment[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, CF_ADAPTER_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    result = posix_spawnp(&p->pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
                          environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    free(fd);
    return result;
}

int cf_adapter_start(struct cf_adapter_process *p, const char *const argv[], int timeout_ms)
{
    int in[2], out[2], high, result;

    *p = (struct cf_adapter_process){.requests = -1, .replies = -1, .timeout_ms = timeout_ms};
    if (pipe2(in, O_CLOEXEC) != 0)
        return -1;
    if (pipe2(out, O_CLOEXEC) != 0)
        return -1;
    high = fcntl(out[1], F_DUPFD_CLOEXEC, 20); /* dup2 onto itself would keep close-on-exec */
    result = spawn(p, argv, in[0], high);
    close(in[0]);
    close(out[1]);
    close(high);
    p->requests = in[1];
    p->replies = out[0];
    errno = result;
    return result == 0 ? 0 : -1;
}

void cf_adapter_stop(struct cf_adapter_process *p)
{
    if (p->requests >= 0)
        close(p->requests);
    if (p->replies >= 0)
        close(p->replies);
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    free(p->line);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A program that does not read must not hold us up: what does not fit in time is not said. */
int cf_adapter_say(struct cf_adapter_process *p, const char *text)
{
    const int64_t until = now_ms() + p->timeout_ms;
    size_t left = strlen(text);

    fcntl(p->requests, F_SETFL, O_NONBLOCK);
    while (left > 0) {
        struct pollfd one = {.fd = p->requests, .events = POLLOUT};
        const int64_t rest = until - now_ms();
        ssize_t n;

        if (rest <= 0 || poll(&one, 1, (int)rest) <= 0)
            return -1;
        n = write(p->requests, text, left);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        text += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

const char *cf_adapter_hear(struct cf_adapter_process *p, const char **why)
{
    const int64_t until = now_ms() + p->timeout_ms;
    char block[4096];

    p->n_line = 0;
    for (;;) {
        struct pollfd one = {.fd = p->replies, .events = POLLIN};
        const int64_t rest = until - now_ms();
        ssize_t n;

        if (rest <= 0 || poll(&one, 1, (int)rest) <= 0)
            return *why = "it did not answer in time", NULL;
        n = read(p->replies, block, sizeof block);
        if (n <= 0)
            return *why = "it ended without an answer", NULL;
        p->line = cf_realloc(p->line, p->n_line + (size_t)n + 1);
        memcpy(p->line + p->n_line, block, (size_t)n);
        p->n_line += (size_t)n;
        p->line[p->n_line] = '\0';
        if (memchr(block, '\n', (size_t)n))
            break;
        if (p->n_line > LINE_MAX_BYTES)
            return *why = "its reply is longer than 1 MiB", NULL;
    }
    if (p->line[p->n_line - 1] != '\n' || strlen(p->line) != p->n_line)
        return *why = "there is something after the end of its reply", NULL;
    p->line[--p->n_line] = '\0';
    return memchr(p->line, '\n', p->n_line) ? (*why = "it answered twice", NULL) : p->line;
}

const char *cf_adapter_ask(struct cf_adapter_process *p, const char *text, const char **why)
{
    if (cf_adapter_say(p, text) != 0)
        return *why = "it does not read its requests", NULL;
    return cf_adapter_hear(p, why);
}

int cf_adapter_is_quiet(struct cf_adapter_process *p, int ms)
{
    struct pollfd one = {.fd = p->replies, .events = POLLIN};

    return poll(&one, 1, ms) == 0;
}

int cf_adapter_wait(struct cf_adapter_process *p, int ms)
{
    const int64_t until = now_ms() + ms;
    int status;

    while (waitpid(p->pid, &status, WNOHANG) == 0) {
        if (now_ms() >= until)
            return -1;
        poll(NULL, 0, 10);
    }
    kill(-p->pid, SIGKILL);
    p->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int cf_adapter_once(const char *const argv[], const char *folder, int timeout_ms)
{
    struct cf_adapter_process p;
    const char **longer;
    int n = 0, code = -2;

    while (argv[n])
        ++n;
    longer = cf_alloc_zero((size_t)(n + 3) * sizeof *longer);
    memcpy(longer, argv, (size_t)n * sizeof *longer);
    longer[n] = "--conform-case";
    longer[n + 1] = folder;
    if (cf_adapter_start(&p, longer, timeout_ms) == 0)
        code = cf_adapter_wait(&p, timeout_ms);
    cf_adapter_stop(&p);
    free(longer);
    return code;
}
