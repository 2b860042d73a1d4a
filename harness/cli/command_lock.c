/* lock: the environment written down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "documents.h"
#include "locking.h"
#include "select.h"

static int names_cases(const struct cf_options *options)
{
    return options->suite || options->matrix || options->cases.n > 0 ||
           options->configurations.n > 0 || options->filters.n > 0 || options->excludes.n > 0 ||
           options->repeat || options->seed || options->level_name || options->scope_name;
}

/* What an update does not choose anew is as the old lock has it. */
static int choose(const struct cf_options *options, const json_t *old, struct cf_plan *plan,
                  char **matrix, struct cf_error *err)
{
    const char *held = json_object_iter_key(json_object_iter(json_object_get(old, "matrix")));

    *matrix = NULL;
    if (old && !names_cases(options)) {
        *matrix = held ? cf_strdup(held) : NULL;
        return cf_locking_plan(old, 0, plan, err);
    }
    *err->text = '\0';
    *matrix = cf_select_matrix_path(options, err);
    return *err->text ? -1 : cf_select_plan(options, plan, err);
}

static int put(const struct cf_options *options, const char *path, const json_t *document,
               struct cf_error *err)
{
    const char *json = options->document[cf_report_index("json")];
    struct cf_lock_place place;
    json_t *portable;
    char *text;
    int result;

    cf_lock_place_init(&place, path);
    portable = cf_lock_map(&place, json_deep_copy(document), cf_lock_portable);
    text = cf_lock_print(portable);
    result = cf_document_put(path, text, strlen(text), err);
    if (result == 0 && json)
        result = cf_document_put(json, text, strlen(text), err);
    free(text);
    json_decref(portable);
    cf_lock_place_free(&place);
    return result;
}

/* An interpreter that did not answer leaves a hole, which must not go unnoticed. */
static void tell_holes(const json_t *document)
{
    const char *command;
    json_t *entry;

    json_object_foreach(json_object_get(document, "python"), command, entry)
    {
        const char *said = json_string_value(json_object_get(entry, "interpreter"));

        if (said && strcmp(said, CF_LOCK_NO_PACKAGES) == 0)
            printf("`%s` did not say its packages, so they are not locked\n", command);
    }
}

static void summarize(const struct cf_options *options, const char *path, const json_t *old,
                      const json_t *document)
{
    struct cf_drifts drifts = {0};
    const char *json = options->document[cf_report_index("json")];

    if (options->quiet || (json && strcmp(json, "-") == 0))
        return;
    printf("%s: %zu configurations, %zu cases, level %s; %zu files, %zu of data, %zu variables\n",
           path, json_object_size(json_object_get(document, "configurations")),
           json_object_size(json_object_get(document, "cases")),
           json_string_value(json_object_get(document, "level")),
           json_object_size(json_object_get(document, "files")),
           json_object_size(json_object_get(document, "data")),
           json_object_size(json_object_get(document, "variables")));
    if (json_object_size(json_object_get(json_object_get(document, "git"), "uncommitted")) > 0)
        printf("written with uncommitted work, which is locked by its digest; commit it, or use "
               "--require-clean\n");
    tell_holes(document);
    for (int tier = 0; tier < CF_N_TIERS && old; ++tier) {
        cf_drifts_find(&drifts, old, document, (enum cf_tier)tier);
        cf_locking_print(&drifts, (enum cf_tier)tier, 0);
        cf_locking_print(&drifts, (enum cf_tier)tier, 1);
    }
    if (old && drifts.n == 0)
        printf("nothing is different\n");
    cf_drifts_free(&drifts);
}

static int lock(const struct cf_options *options, const char *path, const json_t *old,
                struct cf_error *err)
{
    struct cf_plan plan = {0};
    char *matrix = NULL;
    json_t *document = NULL;
    int result = choose(options, old, &plan, &matrix, err);

    if (result == 0) {
        const json_t *kept = json_object_get(old, "data_roots");
        json_t *held = kept ? json_pack("{s:O}", "data_roots", kept) : NULL;

        document = cf_locking_surroundings(options, path, matrix, held, err);
        json_decref(held);
        result = document ? cf_locking_measure(options, &plan, document, 1, err) : -1;
    }
    if (result == 0)
        cf_locking_add_commands(document, &plan);
    if (result == 0)
        result = put(options, path, document, err);
    if (result == 0)
        summarize(options, path, old, document);
    else if (result > 0 && !options->quiet)
        fprintf(stderr, "conform: interrupted; %s\n",
                old ? "the lock is as it was" : "no lock was written");
    json_decref(document);
    cf_plan_free(&plan);
    free(matrix);
    return result;
}

int cf_command_lock(struct cf_options *options, struct cf_error *err)
{
    const char *path = cf_locking_path(options, "lock", err);
    json_t *old = NULL;
    int result;

    if (!path)
        return -1;
    if (access(path, F_OK) == 0 && !options->update)
        return cf_fail(err, "there is a lock %s; write it again with --update", path);
    if (access(path, F_OK) == 0 && !(old = cf_locking_read(path, err)))
        return -1;
    result = lock(options, path, old, err);
    json_decref(old);
    return result;
}
