#include "engines.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "task.h"

#define FILE_NAME "libcudnn.so.9"
#define HELPER    "conform-engines"

extern char **environ;

/* The file itself, or the one in a folder; NULL: neither is there. The caller frees. */
static char *in_place(const char *place)
{
    struct stat there;
    char *path = NULL;

    if (stat(place, &there) != 0)
        return NULL;
    path = S_ISDIR(there.st_mode) ? cf_format("%s/" FILE_NAME, place) : cf_strdup(place);
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *in_places(const char *pattern)
{
    glob_t found = {0};
    char *path = NULL;

    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && !path; ++i)
            path = in_place(found.gl_pathv[i]);
    globfree(&found);
    return path;
}

char *cf_engines_library(const char *named, struct cf_error *err)
{
    static const char *const places[] = {"/usr/local/cuda/lib64",
                                         "/usr/local/cuda/lib",
                                         "/usr/lib/x86_64-linux-gnu",
                                         "/usr/lib64",
                                         "/usr/local/lib/python3*/*-packages/nvidia/cudnn/lib",
                                         "/usr/lib/python3*/*-packages/nvidia/cudnn/lib"};
    const char *home = getenv("CUDA_HOME");
    char *path = named ? in_place(named) : NULL, *own;

    if (named && !path)
        cf_fail(err, "--library=%s is neither " FILE_NAME " nor a folder that holds it", named);
    if (named)
        return path;
    own = home ? cf_format("%s/lib*", home) : NULL;
    path = own ? in_places(own) : NULL;
    free(own);
    for (int i = 0; i < CF_COUNT(places) && !path; ++i)
        path = in_places(places[i]);
    if (!path)
        cf_fail_with(err, 3,
                     "there is no " FILE_NAME " on this machine, so no engine can be "
                     "listed; name one with --library=FILE (the wheel nvidia-cudnn-cu13 "
                     "holds it)");
    return path;
}

static long long outputs(const struct cf_case *c, const char *extent, const char *taps)
{
    const int64_t stride = cf_case_int(c, "stride", 1), pad = cf_case_int(c, "pad", 0);
    const int64_t reach = cf_case_int(c, "dilation", 1) * (cf_case_int(c, taps, 1) - 1) + 1;

    return (cf_case_int(c, extent, 1) + 2 * pad - reach) / (stride > 0 ? stride : 1) + 1;
}

char *cf_engines_line(const struct cf_case *c, struct cf_error *err)
{
    static const char *const keys[] = {"n", "c", "h", "w", "k", "r", "s"};
    static const char *const options[] = {"stride", "pad", "dilation", "groups"};
    char *line, *longer;

    if (strcmp(c->op, "conv2d_fwd") != 0 && strcmp(c->op, "conv2d_bwd_data") != 0 &&
        strcmp(c->op, "conv2d_bwd_filter") != 0) {
        cf_fail(err,
                "`%s`: engines are listed for conv2d_fwd, conv2d_bwd_data and "
                "conv2d_bwd_filter",
                c->text);
        return NULL;
    }
    line = cf_format("%s %s %s", c->op + strlen("conv2d_"), cf_dtype_name(c->dtype),
                     cf_case_word(c, "layout", "nchw"));
    for (int i = 0; i < 13; ++i) {
        const long long value = i < 7    ? cf_case_int(c, keys[i], 1)
                                : i == 7 ? outputs(c, "h", "r")
                                : i == 8 ? outputs(c, "w", "s")
                                         : cf_case_int(c, options[i - 9], i != 10);

        longer = cf_format("%s %lld", line, value);
        free(line);
        line = longer;
    }
    return line;
}

/* The path of the program, beside the worker. The caller frees. */
static char *helper_path(struct cf_error *err)
{
    char *worker = cf_task_worker(err), *path = NULL;

    if (!worker)
        return NULL;
    path = cf_format("%.*s/" HELPER, (int)(strrchr(worker, '/') - worker), worker);
    free(worker);
    if (access(path, X_OK) == 0)
        return path;
    cf_fail_with(err, 3, "%s is missing; build or install conform again", path);
    free(path);
    return NULL;
}

/* The environment with the library's own folder first in the search: its parts open each other by
 * name. The array and its first string are the caller's. */
static char **with_folder(const char *library)
{
    const char *slash = strrchr(library, '/'), *before = getenv("LD_LIBRARY_PATH");
    int n = 0, k = 1;
    char **list;

    while (environ[n])
        ++n;
    list = cf_alloc((size_t)(n + 2) * sizeof list[0]);
    list[0] = cf_format("LD_LIBRARY_PATH=%.*s%s%s", slash ? (int)(slash - library) : 1,
                        slash ? library : ".", before && *before ? ":" : "", before ? before : "");
    for (int i = 0; i < n; ++i)
        if (strncmp(environ[i], "LD_LIBRARY_PATH=", 16) != 0)
            list[k++] = environ[i];
    list[k] = NULL;
    return list;
}

/* Runs the program over what `in` holds; its answers are left in `out`. The exit code, or -1. */
static int spawn(const char *helper, const char *library, const char *device, int in, int out)
{
    char all[] = "all", *const words[] = {(char *)(uintptr_t)helper, (char *)(uintptr_t)library,
                                          (char *)(uintptr_t)device, all, NULL};
    posix_spawn_file_actions_t actions;
    char **environment = with_folder(library);
    int status = 0, started;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    started = posix_spawn(&pid, helper, &actions, NULL, words, environment) == 0;
    posix_spawn_file_actions_destroy(&actions);
    free(environment[0]);
    free(environment);
    if (!started || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* The lines of JSON that a file holds from its start. */
static json_t *read_answers(FILE *file)
{
    json_t *list = json_array(), *one;

    rewind(file);
    while ((one = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
        json_array_append_new(list, one);
    return list;
}

json_t *cf_engines_ask(const char *library, const char *device, const char *const lines[], int n,
                       struct cf_error *err)
{
    FILE *in = tmpfile(), *out = tmpfile();
    char *helper = helper_path(err);
    json_t *answers = NULL;
    const char *said;
    int code = -1;

    if (helper && in && out) {
        for (int i = 0; i < n; ++i)
            fprintf(in, "%s\n", lines[i]);
        rewind(in);
        code = spawn(helper, library, device, fileno(in), fileno(out));
        answers = read_answers(out);
    } else if (helper) {
        cf_fail_with(err, 3, "there is no room for a temporary file");
    }
    said = json_string_value(json_object_get(json_array_get(answers, 0), "error"));
    if (answers && said) {
        cf_fail_with(err, 3, "%s", said);
    } else if (answers && (int)json_array_size(answers) != n + 1) {
        said = HELPER " ended without an answer";
        cf_fail_with(err, 3, "%s (exit code %d); is %s a whole cuDNN?", said, code, library);
    }
    if (answers && said) {
        json_decref(answers);
        answers = NULL;
    }
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    free(helper);
    return answers;
}
