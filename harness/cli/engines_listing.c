/* list engines: one row a case: the engine that cuDNN's heuristic takes first, and whether NVIDIA
 * declares it non-deterministic. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "engines.h"
#include "listing.h"
#include "select.h"

#define NONDETERMINISTIC "NONDETERMINISTIC"

/* Where nobody names a case: stems of networks, and a layer in the middle. */
static const char *const shapes[] = {
    "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f64,f16} n=128 c=3 h=32 w=32 k=64 r=3 "
    "s=3 pad=1 layout={nchw,nhwc}",
    "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f64,f16} n=32 c=3 h=224 w=224 k=64 r=7 "
    "s=7 stride=2 pad=3 layout={nchw,nhwc}",
    "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f64,f16} n=64 c=1 h=28 w=28 k=6 r=5 s=5 "
    "layout={nchw,nhwc}",
    "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f64,f16} n=8 c=64 h=28 w=28 k=64 r=3 s=3 "
    "pad=1 layout={nchw,nhwc}"};

static int has_note(const json_t *engine, const char *note)
{
    const json_t *notes = json_object_get(engine, "numerical"), *one;
    size_t i;

    json_array_foreach(notes, i, one) if (strcmp(json_string_value(one), note) == 0) return 1;
    return 0;
}

/* "TENSOR_CORE DOWN_CONVERT_INPUTS": its numerical notes but the one that has a column. */
static char *other_notes(const json_t *engine)
{
    const json_t *notes = json_object_get(engine, "numerical"), *one;
    char *text = cf_strdup("");
    size_t i;

    json_array_foreach(notes, i, one)
    {
        char *longer;

        if (strcmp(json_string_value(one), NONDETERMINISTIC) == 0)
            continue;
        longer = cf_format("%s%s%s", text, *text ? " " : "", json_string_value(one));
        free(text);
        text = longer;
    }
    return text;
}

/* The engines of an answer that carry the note, as "25" or "-". */
static char *nondeterministic(const json_t *answer)
{
    const json_t *engines = json_object_get(answer, "engines"), *one;
    char *text = cf_strdup(""), *longer;
    size_t i;

    json_array_foreach(engines, i, one)
    {
        if (!has_note(one, NONDETERMINISTIC))
            continue;
        longer = cf_format("%s%s%lld", text, *text ? " " : "",
                           (long long)json_integer_value(json_object_get(one, "engine")));
        free(text);
        text = longer;
    }
    if (*text)
        return text;
    free(text);
    return cf_strdup("-");
}

/* Which engine is taken depends on no fill and no seed. */
static void add_row(struct cf_listing *rows, const char *text, const json_t *answer, int *n_first)
{
    const char *fill = strstr(text, " fill=");
    char *shape = strndup(text, fill ? (size_t)(fill - text) : strlen(text));
    const json_t *first = json_array_get(json_object_get(answer, "heuristic"), 0);
    const char *error = json_string_value(json_object_get(answer, "error"));
    char *notes = other_notes(first), *some = nondeterministic(answer);
    char *engine =
        first ? cf_format("%lld", (long long)json_integer_value(json_object_get(first, "engine")))
              : cf_strdup("none");
    char *usable = cf_format("%zu of %lld", json_array_size(json_object_get(answer, "engines")),
                             (long long)json_integer_value(json_object_get(answer, "global")));

    cf_listing_add(rows, shape, error ? "-" : engine,
                   error                               ? error
                   : has_note(first, NONDETERMINISTIC) ? "non-deterministic"
                                                       : "-",
                   error ? "-" : usable, some, notes);
    *n_first += has_note(first, NONDETERMINISTIC);
    free(shape);
    free(notes);
    free(some);
    free(engine);
    free(usable);
}

static void version_text(char text[32], const json_t *answers)
{
    const long long v = json_integer_value(json_object_get(json_array_get(answers, 0), "version"));

    snprintf(text, 32, "%lld.%lld.%lld", v / 10000, v / 100 % 100, v % 100);
}

static const char *device_name(json_t *device)
{
    const char *name = json_string_value(json_object_get(device, "deviceName"));

    return name ? name : "a device without a name";
}

static int print_table(const struct cf_options *options, const struct cf_plan *plan,
                       const json_t *answers, json_t *device, struct cf_error *err)
{
    struct cf_listing rows = {
        .column = {"case", "first", "declared", "usable", "non-det.", "notes of the first"}};
    char version[32], *line;
    int n_first = 0, result;

    for (int i = 0; i < plan->n_cases; ++i)
        add_row(&rows, plan->cases[i].c.text, json_array_get(answers, (size_t)i + 1), &n_first);
    result = cf_listing_print(&rows, options, 1, err);
    version_text(version, answers);
    line = cf_format("\ncuDNN %s on %s, asked without a GPU: for %d of %d cases the engine that it "
                     "takes first\nis declared non-deterministic. What is declared is not yet "
                     "what is seen.\n",
                     version, device_name(device), n_first, plan->n_cases);
    if (result == 0)
        result = cf_document_put("-", line, strlen(line), err);
    free(line);
    cf_listing_free(&rows);
    return result;
}

static int print_json(const char *path, const struct cf_plan *plan, json_t *answers, json_t *device,
                      const char *library, struct cf_error *err)
{
    json_t *cases = json_array();
    char version[32];

    version_text(version, answers);
    for (int i = 0; i < plan->n_cases; ++i) {
        json_t *one = json_copy(json_array_get(answers, (size_t)i + 1));
        const json_t *first = json_array_get(json_object_get(one, "heuristic"), 0);

        json_object_set_new(one, "case", json_string(plan->cases[i].c.text));
        json_object_set_new(one, "first_is_nondeterministic",
                            json_boolean(has_note(first, NONDETERMINISTIC)));
        json_array_append_new(cases, one);
    }
    return cf_listing_put_json(path,
                               json_pack("{s:s, s:s, s:O, s:o}", "cudnn", version, "library",
                                         library, "device", device, "cases", cases),
                               err);
}

/* cuDNN takes a missing number for 0 and lists engines of no device: all must be there. */
static int check_device(const json_t *device, const char *path, struct cf_error *err)
{
    static const char *const keys[] = {"deviceVer",
                                       "driverVer",
                                       "cudaDeviceId",
                                       "deviceId",
                                       "maxGridSize",
                                       "maxBlockSize",
                                       "regsPerBlock",
                                       "multiProcessorCount",
                                       "warpSize",
                                       "maxSharedMemoryPerBlock",
                                       "maxSharedMemoryPerBlockOptin",
                                       "reservedSharedMemoryPerBlock",
                                       "maxRegistersPerSM",
                                       "maxCtasPerSM",
                                       "maxThreadsPerBlock",
                                       "maxThreadsPerSM",
                                       "pciDeviceId",
                                       "isTccDriver",
                                       "supportCoopLaunch",
                                       "smClockRateKHz",
                                       "memClockRateKHz",
                                       "l2CacheSize",
                                       "totalGlobalMem",
                                       "deviceName"};

    for (int i = 0; i < CF_COUNT(keys); ++i)
        if (!json_object_get(device, keys[i]))
            return cf_fail(err, "%s does not say `%s`; data/devices/h200.json is a whole one", path,
                           keys[i]);
    return 0;
}

static int list(const struct cf_options *options, const struct cf_plan *plan, const char *library,
                json_t *device, struct cf_error *err)
{
    const char *path = options->document[cf_report_index("json")];
    char **lines = cf_alloc_zero((size_t)(plan->n_cases + 1) * sizeof lines[0]);
    json_t *answers = NULL;
    int result = 0;

    for (int i = 0; i < plan->n_cases && result == 0; ++i)
        if (!(lines[i] = cf_engines_line(&plan->cases[i].c, err)))
            result = -1;
    if (result == 0)
        answers = cf_engines_ask(library, options->device, (const char *const *)lines,
                                 plan->n_cases, err);
    if (!answers)
        result = -1;
    else if (path)
        result = print_json(path, plan, answers, device, library, err);
    else
        result = print_table(options, plan, answers, device, err);
    json_decref(answers);
    for (int i = 0; i < plan->n_cases; ++i)
        free(lines[i]);
    free(lines);
    return result;
}

int cf_list_engines(const struct cf_options *options, struct cf_error *err)
{
    struct cf_options choice = *options;
    struct cf_words standard = {CF_COUNT(shapes), (const char **)(uintptr_t)shapes};
    struct cf_plan plan = {0};
    json_t *device = NULL;
    char *library = NULL;
    int result = -1;

    if (!options->device)
        return cf_fail(err, "list engines needs the description of a device, as in `conform list "
                            "engines --device data/devices/h200.json`");
    device = json_load_file(options->device, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(device)) {
        json_decref(device);
        return cf_fail(err, "%s is no JSON object; docs/gpu.md says what describes a device",
                       options->device);
    }
    if (choice.cases.n == 0)
        choice.cases = standard;
    if (check_device(device, options->device, err) != 0) {
        json_decref(device);
        return -1;
    }
    library = cf_engines_library(options->library, err);
    if (library && cf_select_cases(&choice, &plan, err) == 0)
        result = list(options, &plan, library, device, err);
    cf_plan_free(&plan);
    free(library);
    json_decref(device);
    return result;
}
