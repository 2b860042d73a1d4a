#include "backends.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suggest.h"
#include "task.h"

#define NAMES_MAX 64

extern char **environ;

json_t *cf_backends_ask(struct cf_error *err)
{
    char *worker = cf_task_worker(err);
    char list[] = "--list", *const words[] = {worker, list, NULL};
    posix_spawn_file_actions_t actions;
    json_t *answer = NULL;
    json_error_t why;
    int pipe_fd[2] = {-1, -1}, status = 0, started;
    pid_t pid = 0;

    if (!worker)
        return NULL;
    CF_CHECK(pipe2(pipe_fd, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], STDOUT_FILENO);
    started = posix_spawn(&pid, worker, &actions, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fd[1]);
    if (started)
        answer = json_loadfd(pipe_fd[0], 0, &why);
    close(pipe_fd[0]);
    if (started)
        waitpid(pid, &status, 0);
    if (!answer)
        cf_fail_with(err, 3, "%s --list gives no answer; build or install conform again", worker);
    free(worker);
    return answer;
}

/* The names stay `answer`'s. */
static int names_of(json_t *answer, const char *names[NAMES_MAX])
{
    json_t *backend;
    size_t i;
    int n = 0;

    json_array_foreach(json_object_get(answer, "backends"), i, backend)
    {
        const char *name = json_string_value(json_object_get(backend, "name"));

        if (name && n < NAMES_MAX)
            names[n++] = name;
    }
    return n;
}

static int check(const char *backend, const char *const names[], int n, struct cf_error *err)
{
    char *hint;

    for (int i = 0; i < n; ++i)
        if (strcmp(backend, names[i]) == 0)
            return 0;
    hint = cf_suggest_words(backend, names, n);
    cf_fail(err, "there is no backend `%s`%s", backend,
            *hint ? hint
                  : "; `conform list backends` names them, and `conform list configurations` what "
                    "this machine has of them");
    free(hint);
    return -1;
}

int cf_backends_check(const struct cf_config *const config[], int n, struct cf_error *err)
{
    json_t *answer = cf_backends_ask(err);
    const char *names[NAMES_MAX];
    int n_names, result = answer ? 0 : -1;

    n_names = names_of(answer, names);
    for (int i = 0; i < n && result == 0; ++i)
        if (strcmp(config[i]->backend, "adapter") != 0) /* it is a program of its own */
            result = check(config[i]->backend, names, n_names, err);
    json_decref(answer);
    return result;
}
