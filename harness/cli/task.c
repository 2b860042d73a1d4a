#include "task.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "documents.h"
#include "terminal.h"

static volatile int interrupted; /* the number of the signal */

static void remember(int number)
{
    interrupted = number;
}

static void listen_to(int number, int on, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = remember};

    sigemptyset(&action.sa_mask);
    sigaction(number, on ? &action : before, on ? before : NULL);
}

/* The folder of stores; "" when there is no home. The caller frees. */
static char *state_folder(void)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (base && *base == '/')
        return cf_format("%s/conform", base);
    return home && *home == '/' ? cf_format("%s/.local/state/conform", home) : cf_strdup("");
}

/* mkdir -p, private to the user. */
static int make_folders(const char *path, struct cf_error *err)
{
    char *copy = cf_strdup(path);
    int result = 0;

    for (char *slash = copy + 1; result == 0 && slash; ++slash) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            result = cf_fail_with(err, 3,
                                  "the folder %s for stores cannot be made: %s; name a store with "
                                  "--store=FILE",
                                  copy, strerror(errno));
        if (!slash)
            break;
        *slash = '/';
    }
    free(copy);
    return result;
}

char *cf_task_new_path(struct cf_error *err)
{
    char *folder = state_folder(), *path = NULL, stamp[32];
    const time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    if (!*folder)
        cf_fail(err, "neither XDG_STATE_HOME nor HOME says where stores go; use --store=FILE");
    else if (make_folders(folder, err) == 0)
        path = cf_format("%s/%s-%ld.db", folder, stamp, (long)getpid());
    free(folder);
    return path;
}

char *cf_task_newest_path(struct cf_error *err)
{
    char *folder = state_folder(), *pattern = cf_format("%s/*.db", folder), *path = NULL;
    glob_t found = {0};

    if (glob(pattern, 0, NULL, &found) == 0) /* names sort by time */
        path = cf_strdup(found.gl_pathv[found.gl_pathc - 1]);
    else
        cf_fail(err, "there is no store in %s to resume; name one with --store=FILE", folder);
    globfree(&found);
    free(pattern);
    free(folder);
    return path;
}

static char *newest_folder(const char *name, struct cf_error *err)
{
    char *folder = state_folder(), *pattern = cf_format("%s/%s-*", folder, name), *path = NULL;
    glob_t found = {0};

    if (glob(pattern, 0, NULL, &found) == 0) /* names sort by time */
        path = cf_strdup(found.gl_pathv[found.gl_pathc - 1]);
    else
        cf_fail(err, "there is nothing in %s to resume; name a folder with --store=FOLDER", folder);
    globfree(&found);
    free(pattern);
    free(folder);
    return path;
}

char *cf_task_folder(const struct cf_options *options, const char *name, struct cf_error *err)
{
    char *path, *store;

    if (options->store) {
        path = cf_strdup(options->store);
    } else if (options->resume) {
        path = newest_folder(name, err);
    } else {
        store = cf_task_new_path(err);
        path = store ? cf_format("%.*s%s-%.*s", (int)(strrchr(store, '/') + 1 - store), store, name,
                                 (int)strlen(strrchr(store, '/') + 1) - 3, strrchr(store, '/') + 1)
                     : NULL;
        free(store);
    }
    if (!path || make_folders(path, err) == 0)
        return path;
    free(path);
    return NULL;
}

char *cf_task_worker(struct cf_error *err)
{
    char own[PATH_MAX], *slash, *path;
    const ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);

    if (n <= 0) {
        cf_fail_with(err, 3, "/proc is not mounted, so conform-worker cannot be found");
        return NULL;
    }
    own[n] = '\0';
    slash = strrchr(own, '/');
    path = cf_format("%.*s/conform-worker", (int)(slash - own), own);
    if (access(path, X_OK) == 0)
        return path;
    cf_fail_with(err, 3, "%s is missing; build or install conform again", path);
    free(path);
    return NULL;
}

int cf_task_run(const struct cf_options *options, const struct cf_plan *plan,
                struct cf_store *store, struct cf_error *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before[CF_COUNT(signals)];
    struct cf_progress progress;
    struct cf_run_options how = {.worker = cf_task_worker(err),
                                 .jobs = (int)options->jobs,
                                 .memory_mb = options->memory_mb,
                                 .timeout_ms = (int)(options->timeout_s * 1000),
                                 .progress = cf_progress_show,
                                 .context = &progress,
                                 .interrupted = &interrupted};
    int result;

    if (!how.worker)
        return -1;
    cf_progress_start(&progress, options);
    for (int i = 0; i < CF_COUNT(signals); ++i)
        listen_to(signals[i], 1, &before[i]);
    result = cf_run(plan, store, &how, err);
    for (int i = 0; i < CF_COUNT(signals); ++i)
        listen_to(signals[i], 0, &before[i]);
    cf_progress_clear(&progress);
    free((char *)how.worker);
    return result == 130 && interrupted ? 128 + interrupted : result;
}

/* The page shows the figure too, of one seed: true trajectories take seconds each. */
static int n_curves(const struct cf_options *options)
{
    if (options->document[cf_report_index("svg")])
        return 3;
    return options->document[cf_report_index("html")] != NULL;
}

struct cf_findings *cf_task_judge(const struct cf_options *options, struct cf_store *store,
                                  struct cf_error *err)
{
    struct cf_progress progress;
    const struct cf_judge_options how = {.required = options->level,
                                         .scope = options->scope,
                                         .curves = n_curves(options),
                                         .threads = (int)options->jobs,
                                         .progress = cf_progress_show,
                                         .context = &progress};
    struct cf_findings *findings;

    cf_progress_start(&progress, options);
    findings = cf_judge(store, &how, err);
    cf_progress_clear(&progress);
    return findings;
}

static void closing_line(const struct cf_findings *findings, const char *path, int64_t start_ns)
{
    const double seconds = (double)(cf_terminal_clock() - start_ns) * 1e-9;
    int64_t n_changed = 0;

    for (int i = 0; i < findings->n_findings; ++i)
        n_changed +=
            findings->findings[i].verdict == CF_PASS && findings->findings[i].n_different > 0;
    fprintf(stderr,
            "conform: %lld passed, %lld failed, %lld unknown, %lld skipped, %lld changed "
            "(level %s, %.1f s; store %s)\n",
            (long long)findings->n_verdicts[CF_PASS], (long long)findings->n_verdicts[CF_FAIL],
            (long long)findings->n_verdicts[CF_UNKNOWN], (long long)findings->n_verdicts[CF_SKIP],
            (long long)n_changed, cf_level_name(findings->required), seconds, path);
}

int cf_task_finish(const struct cf_options *options, struct cf_store *store, const char *path,
                   int64_t start_ns, struct cf_error *err)
{
    struct cf_findings *findings = cf_task_judge(options, store, err);
    int result;

    if (!findings)
        return -1;
    result = cf_documents_write(options, findings, err);
    if (!options->quiet)
        closing_line(findings, path, start_ns);
    if (result == 0)
        result = findings->exit_code;
    cf_findings_free(findings);
    return result;
}

int cf_task_graver(int a, int b)
{
    return a == 1 || b == 1 ? 1 : a > b ? a : b;
}
