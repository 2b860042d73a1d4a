/* What a store adds to a lock: states, files, levels and digests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_names.h"
#include "git.h"
#include "ledger.h"
#include "libraries.h"
#include "lock.h"

struct adding {
    json_t *document, *configurations;
    json_t **by_id; /* borrowed; of configuration id i + 1 */
    int n;
    const char *worker;
};

json_t *cf_lock_section(json_t *document, const char *name)
{
    json_t *object = json_object_get(document, name);

    if (!json_is_object(object)) {
        object = json_object();
        json_object_set_new(document, name, object);
    }
    return object;
}

static int add_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct adding *adding = context;
    json_t *effective = json_loads(row->effective, JSON_REJECT_DUPLICATES, NULL);
    json_t *one = json_pack("{s:o,s:o,s:[]}", "text", cf_lock_text(row->text), "effective",
                            effective ? effective : json_object(), "libraries");

    json_object_set_new(adding->configurations, row->label, one);
    adding->by_id = cf_realloc(adding->by_id, (size_t)(adding->n + 1) * sizeof adding->by_id[0]);
    adding->by_id[adding->n++] = one;
    return 0;
}

/* The pins of a fetched file: the folder below the cache is their name. */
static void add_fetched(json_t *document, const char *path)
{
    char *cache = cf_libraries_folder(), *name;
    const size_t n = strlen(cache);
    struct cf_pins pins;
    json_t *list;

    if (n > 0 && strncmp(path, cache, n) == 0 && path[n] == '/') {
        name = strndup(path + n + 1, strcspn(path + n + 1, "/"));
        list = json_array();
        cf_pins_load(&pins);
        for (int i = 0; i < pins.n; ++i)
            if (strcmp(pins.pin[i].name, name) == 0)
                json_array_append_new(
                    list, json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", pins.pin[i].kind, "package",
                                    pins.pin[i].package, "version", pins.pin[i].version, "from",
                                    pins.pin[i].from, "sha256", pins.pin[i].sha256));
        json_object_set_new(cf_lock_section(document, "fetched"), name, list);
        cf_pins_free(&pins);
        free(name);
    }
    free(cache);
}

static void add_file(json_t *document, const struct cf_mapped *library)
{
    json_t *files = cf_lock_section(document, "files"), *entry;
    struct cf_elf_names names;

    if (json_object_get(files, library->path))
        return;
    entry = json_pack("{s:s}", "sha256", library->sha256);
    if (*library->build_id)
        json_object_set_new(entry, "build_id", json_string(library->build_id));
    if (*library->version)
        json_object_set_new(entry, "version", json_string(library->version));
    cf_elf_names(library->path, &names);
    if (*names.soname)
        json_object_set_new(entry, "soname", cf_lock_text(names.soname));
    if (*names.versions)
        json_object_set_new(entry, "symbol_version", cf_lock_text(names.versions));
    json_object_set_new(files, library->path, entry);
    add_fetched(document, library->path);
}

static int add_library(void *context, int64_t configuration, const struct cf_mapped *library)
{
    struct adding *adding = context;

    if (configuration < 1 || configuration > adding->n ||
        strcmp(library->path, adding->worker) == 0)
        return 0;
    json_array_append_new(json_object_get(adding->by_id[configuration - 1], "libraries"),
                          json_pack("{s:s,s:s}", "path", library->path, "sha256", library->sha256));
    if (adding->document)
        add_file(adding->document, library);
    return 0;
}

/* What one configuration answered to one case over all runs: the digest, "varies", or the fate of
 * the first run that did not run. */
static json_t *answer(const struct cf_ledger *ledger, int case_index, int configuration)
{
    int64_t n;
    const struct cf_ledger_record *record =
        cf_ledger_records(ledger, case_index, configuration, &n);
    char text[33];

    for (int64_t i = 0; i < n; ++i)
        if (record[i].fate != CF_RAN)
            return json_string(cf_fate_name(record[i].fate));
    for (int64_t i = 1; i < n; ++i)
        if (record[i].output != record[0].output)
            return json_string("varies");
    if (n == 0)
        return json_string("not recorded");
    cf_digest_print(text, &ledger->cases[case_index].output[record[0].output]);
    return json_sprintf("xxh3:%s", text);
}

static void add_cases(json_t *document, const struct cf_ledger *ledger)
{
    json_t *cases = cf_lock_section(document, "cases");

    for (int i = 0; i < ledger->n_cases; ++i) {
        const struct cf_ledger_case *c = &ledger->cases[i];
        json_t *digests = json_object();

        for (int k = 0; k < ledger->n_configurations; ++k)
            json_object_set_new(digests, ledger->configuration[k].label, answer(ledger, i, k));
        json_object_set_new(cases, c->c.text,
                            json_pack("{s:s,s:i,s:i,s:i,s:o}", "suite",
                                      ledger->group[c->group].suite, "at", i, "processes",
                                      c->processes, "repetitions", c->repetitions, "digests",
                                      digests));
    }
}

static void add_fates(json_t *configurations, const struct cf_ledger *ledger)
{
    int64_t n;

    for (int k = 0; k < ledger->n_configurations && ledger->n_cases > 0; ++k) {
        const struct cf_ledger_record *record = cf_ledger_records(ledger, 0, k, &n);
        json_t *one = json_object_get(configurations, ledger->configuration[k].label);

        if (n > 0)
            json_object_set_new(one, "fate", json_string(cf_fate_name(record[0].fate)));
    }
}

/* "reductions: dot f64" -> "statistical", or "statistical, wrong". */
static void add_levels(json_t *document, const struct cf_findings *findings)
{
    json_t *configurations = json_object_get(document, "configurations");

    for (int i = 0; i < findings->n_cells; ++i) {
        const struct cf_cell_finding *cell = &findings->cells[i];
        json_t *one =
            json_object_get(configurations, findings->configurations[cell->configuration].label);
        char *name = cf_format("%s: %s", cell->suite, cell->group);

        if (one)
            json_object_set_new(
                cf_lock_section(one, "levels"), name,
                json_sprintf("%s%s", cf_level_name(cell->level), cell->wrong ? ", wrong" : ""));
        free(name);
    }
    json_object_set_new(document, "level", json_string(cf_level_name(findings->required)));
    for (int i = 0; i < findings->n_configurations; ++i)
        if (findings->configurations[i].is_baseline)
            json_object_set_new(document, "baseline",
                                json_string(findings->configurations[i].label));
}

int cf_lock_add_store(json_t *document, struct cf_store *store, const struct cf_findings *findings,
                      const char *worker, struct cf_error *err)
{
    struct adding adding = {.document = findings ? document : NULL,
                            .configurations = cf_lock_section(document, "configurations"),
                            .worker = worker};
    struct cf_arena arena = {0};
    struct cf_ledger ledger;
    int result = cf_store_each_configuration(store, add_configuration, &adding);

    if (result == 0)
        result = cf_store_each_library(store, add_library, &adding);
    free(adding.by_id);
    if (result != 0) {
        cf_store_problem(store, err);
        return -1;
    }
    if (cf_ledger_read(&ledger, store, &arena, err) != 0)
        return -1;
    add_fates(adding.configurations, &ledger);
    if (findings) {
        cf_lock_add_owners(document);
        add_cases(document, &ledger);
        add_levels(document, findings);
    }
    cf_ledger_free(&ledger);
    cf_arena_free(&arena);
    return 0;
}
