#include "ledger.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What the callbacks of the store need. */
struct reader {
    struct cf_ledger *ledger;
    struct cf_arena *arena;
    struct cf_error *err;
    int64_t room_configurations, room_cases, room_records;
    const char **chosen; /* every text of a choice so far, once; owned */
    int64_t n_chosen, room_chosen;
};

/* Makes room for one more of `n` elements. */
static void *grow(void *array, int64_t n, int64_t *room, size_t size)
{
    if (n < *room)
        return array;
    *room = 2 * *room + 64;
    return cf_realloc(array, (size_t)*room * size);
}

/* A member of a JSON object that is a string, or "". */
static const char *member(struct cf_arena *arena, const char *json, const char *key)
{
    json_t *object = json_loads(json, 0, NULL);
    const char *value = json_string_value(json_object_get(object, key));
    const char *copy = cf_arena_text(arena, value ? value : "");

    json_decref(object);
    return copy;
}

/* The words of a label that are no key=value. */
static char *bare_words(struct cf_arena *arena, const char *label)
{
    char *words = cf_arena_text(arena, ""), *rest = cf_strdup(label), *save = NULL;

    for (char *word = strtok_r(rest, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (!strchr(word, '='))
            words = cf_arena_format(arena, "%s%s%s", words, *words ? " " : "", word);
    free(rest);
    return *words ? words : cf_arena_text(arena, label);
}

static int same_key(const struct cf_config *a, const struct cf_config *b, const char *key)
{
    const char *x = cf_config_get(a, key), *y = cf_config_get(b, key);

    return x && y ? strcmp(x, y) == 0 : x == y;
}

static int same_library(const struct cf_config *a, const struct cf_config *b)
{
    return strcmp(a->backend, b->backend) == 0 && same_key(a, b, "lib") &&
           same_key(a, b, "kernel") && same_key(a, b, "command") && same_key(a, b, "sysroot");
}

/* Two libraries whose labels have the same words are told apart by a number. */
static const char *family_of(struct reader *reader, const struct cf_ledger_configuration *one)
{
    const struct cf_ledger *ledger = reader->ledger;
    const char *words = bare_words(reader->arena, one->label), *name = words;
    int number = 1;

    for (int i = 0; i < ledger->n_configurations; ++i)
        if (same_library(&ledger->configuration[i].config, &one->config))
            return ledger->configuration[i].family;
    for (int i = 0; i < ledger->n_configurations; ++i)
        if (strcmp(ledger->configuration[i].family, name) == 0) {
            name = cf_arena_format(reader->arena, "%s (%d)", words, ++number);
            i = -1;
        }
    return name;
}

static int read_configuration(void *context, const struct cf_plan_configuration *row)
{
    struct reader *reader = context;
    struct cf_ledger *ledger = reader->ledger;
    struct cf_ledger_configuration *one;

    ledger->configuration = grow(ledger->configuration, ledger->n_configurations,
                                 &reader->room_configurations, sizeof ledger->configuration[0]);
    one = &ledger->configuration[ledger->n_configurations];
    *one = (struct cf_ledger_configuration){
        .text = cf_arena_text(reader->arena, row->text),
        .label = cf_arena_text(reader->arena, row->label ? row->label : row->text),
        .requested = cf_arena_text(reader->arena, row->requested ? row->requested : "{}"),
        .effective = cf_arena_text(reader->arena, row->effective ? row->effective : "{}")};
    if (cf_config_parse(&one->config, one->text, reader->err) != 0)
        return -1;
    one->library = member(reader->arena, one->effective, "internal_api");
    one->version = member(reader->arena, one->effective, "version");
    one->family = family_of(reader, one);
    ++ledger->n_configurations;
    return 0;
}

static const struct cf_suite *suite_of(const char *name)
{
    for (const struct cf_suite *const *suite = cf_suites; *suite; ++suite)
        if (strcmp((*suite)->name, name) == 0)
            return *suite;
    return NULL;
}

static int group_of(struct reader *reader, const char *suite, const struct cf_case *c)
{
    struct cf_ledger *ledger = reader->ledger;
    char *name = cf_format("%s %s", c->op, cf_dtype_name(c->dtype));
    int i = 0;

    while (i < ledger->n_groups &&
           (strcmp(ledger->group[i].suite, suite) != 0 || strcmp(ledger->group[i].name, name) != 0))
        ++i;
    if (i == ledger->n_groups) {
        ledger->group = cf_realloc(ledger->group, (size_t)(i + 1) * sizeof ledger->group[0]);
        ledger->group[i] = (struct cf_ledger_group){.suite = cf_arena_text(reader->arena, suite),
                                                    .name = cf_arena_text(reader->arena, name),
                                                    .rules = suite_of(suite)};
        ++ledger->n_groups;
    }
    free(name);
    return i;
}

static int read_case(void *context, const struct cf_plan_case *row)
{
    struct reader *reader = context;
    struct cf_ledger *ledger = reader->ledger;
    struct cf_ledger_case *one;

    ledger->cases =
        grow(ledger->cases, ledger->n_cases, &reader->room_cases, sizeof ledger->cases[0]);
    one = &ledger->cases[ledger->n_cases];
    *one = (struct cf_ledger_case){.processes = row->processes,
                                   .repetitions = row->repetitions,
                                   .inputs = row->inputs,
                                   .base = -1};
    if (cf_case_parse(&one->c, row->text, cf_op_grammar, reader->err) != 0)
        return -1;
    one->op = cf_op_find(one->c.op);
    one->group = group_of(reader, row->suite, &one->c);
    ++ledger->n_cases;
    return 0;
}

static int output_of(struct cf_ledger_case *one, const struct cf_digest *digest)
{
    for (int i = 0; i < one->n_outputs; ++i)
        if (cf_digest_equal(&one->output[i], digest))
            return i;
    one->output = cf_realloc(one->output, (size_t)(one->n_outputs + 1) * sizeof one->output[0]);
    one->output[one->n_outputs] = *digest;
    return one->n_outputs++;
}

/* One copy of each text; the last one first, which is the usual one. */
static const char *intern(struct reader *reader, const char *text)
{
    for (int64_t i = reader->n_chosen; i-- > 0;)
        if (strcmp(reader->chosen[i], text) == 0)
            return reader->chosen[i];
    reader->chosen = grow(reader->chosen, reader->n_chosen, &reader->room_chosen, sizeof(char *));
    reader->chosen[reader->n_chosen] = cf_arena_text(reader->arena, text);
    return reader->chosen[reader->n_chosen++];
}

static int read_record(void *context, const struct cf_record *row)
{
    struct reader *reader = context;
    struct cf_ledger *ledger = reader->ledger;
    const int64_t slot = (row->case_id - 1) * ledger->n_configurations + row->configuration - 1;
    struct cf_ledger_case *one;

    if (row->case_id < 1 || row->case_id > ledger->n_cases || row->configuration < 1 ||
        row->configuration > ledger->n_configurations)
        return cf_fail(reader->err, "the store has a record of a case or configuration that is not "
                                    "in its plan; it was not written by conform");
    one = &ledger->cases[row->case_id - 1];
    ledger->record =
        grow(ledger->record, ledger->n_records, &reader->room_records, sizeof ledger->record[0]);
    ledger->record[ledger->n_records++] = (struct cf_ledger_record){
        .configuration = (int)row->configuration - 1,
        .process = row->process,
        .repetition = row->repetition,
        .fate = row->fate,
        .output = row->fate == CF_RAN ? output_of(one, &row->digest) : -1,
        .wall_ns = row->wall_ns,
        .reason = row->fate == CF_RAN ? "" : cf_arena_text(reader->arena, row->reason),
        .chosen = *row->chosen ? intern(reader, row->chosen) : ""};
    ++ledger->start[slot + 1];
    return 0;
}

/* Cases by a text of theirs, for the look-ups of bases and cells. */
struct entry {
    char *text;
    int index;
};

static int by_text(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const int order = strcmp(x->text, y->text);

    return order ? order : x->index - y->index;
}

static struct entry *sorted(const struct cf_ledger *ledger, char *(*text)(const struct cf_case *))
{
    struct entry *entries = cf_alloc((size_t)(ledger->n_cases + 1) * sizeof entries[0]);

    for (int i = 0; i < ledger->n_cases; ++i)
        entries[i] = (struct entry){text(&ledger->cases[i].c), i};
    qsort(entries, (size_t)ledger->n_cases, sizeof entries[0], by_text);
    return entries;
}

static void free_entries(const struct cf_ledger *ledger, struct entry *entries)
{
    for (int i = 0; i < ledger->n_cases; ++i)
        free(entries[i].text);
    free(entries);
}

/* The first case with the base's text, in the same suite if it can be. */
static int find_base(const struct cf_ledger *ledger, const struct entry *entries, const char *base,
                     int group)
{
    int low = 0, high = ledger->n_cases, found = -1;

    while (low < high) {
        const int middle = (low + high) / 2;

        if (strcmp(entries[middle].text, base) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (int i = low; i < ledger->n_cases && strcmp(entries[i].text, base) == 0; ++i)
        if (found < 0 ||
            (ledger->cases[found].group != group && ledger->cases[entries[i].index].group == group))
            found = entries[i].index;
    return found;
}

static char *own_text(const struct cf_case *c)
{
    return cf_strdup(c->text);
}

static void link_bases(struct cf_ledger *ledger)
{
    struct entry *entries = sorted(ledger, own_text);

    for (int i = 0; i < ledger->n_cases; ++i) {
        struct cf_ledger_case *one = &ledger->cases[i];
        char *base = cf_case_base(&one->c);

        one->is_variant = strcmp(base, one->c.text) != 0;
        if (one->is_variant)
            one->base = find_base(ledger, entries, base, one->group);
        free(base);
    }
    free_entries(ledger, entries);
}

/* Cells are numbered by text; a cell that two suites share has one number in each. */
static void link_cells(struct cf_ledger *ledger)
{
    struct entry *entries = sorted(ledger, cf_case_cell);

    for (int i = 0; i < ledger->n_cases; ++i) {
        struct cf_ledger_case *one = &ledger->cases[entries[i].index];

        one->cell = -1;
        for (int j = i - 1; j >= 0 && strcmp(entries[j].text, entries[i].text) == 0; --j)
            if (ledger->cases[entries[j].index].group == one->group) {
                one->cell = ledger->cases[entries[j].index].cell;
                break;
            }
        if (one->cell < 0)
            one->cell = ledger->n_cells++;
    }
    free_entries(ledger, entries);
}

static int find_baseline(const struct cf_ledger *ledger, struct cf_store *store)
{
    char *text = cf_store_get_meta(store, "baseline");
    int found = 0;

    for (int i = 0; text && i < ledger->n_configurations; ++i)
        if (strcmp(ledger->configuration[i].text, text) == 0)
            found = i;
    free(text);
    return found;
}

static int read_all(struct reader *reader, struct cf_store *store)
{
    struct cf_ledger *ledger = reader->ledger;
    int64_t n_slots;

    if (cf_store_each_configuration(store, read_configuration, reader) != 0 ||
        cf_store_each_case(store, read_case, reader) != 0 ||
        cf_extensions_read(&ledger->extensions, store, reader->err) != 0)
        return -1;
    n_slots = (int64_t)ledger->n_cases * ledger->n_configurations;
    ledger->start = cf_alloc_zero((size_t)(n_slots + 1) * sizeof ledger->start[0]);
    for (int i = 0; i < ledger->n_cases; ++i)
        for (int k = 0; k < ledger->n_configurations; ++k)
            ledger->n_planned += cf_ledger_planned(ledger, i, k);
    if (cf_store_each_record(store, read_record, reader) != 0)
        return -1;
    for (int64_t i = 0; i < n_slots; ++i)
        ledger->start[i + 1] += ledger->start[i];
    return 0;
}

int cf_ledger_read(struct cf_ledger *ledger, struct cf_store *store, struct cf_arena *arena,
                   struct cf_error *err)
{
    struct cf_error own = {.text = ""};
    struct reader reader = {.ledger = ledger, .arena = arena, .err = &own};
    int result;

    *ledger = (struct cf_ledger){0};
    result = read_all(&reader, store);
    free(reader.chosen);
    if (result != 0) {
        cf_ledger_free(ledger);
        return cf_fail_with(err, 3, "%s",
                            own.text[0] ? own.text : "the store cannot be read to its end");
    }
    link_bases(ledger);
    link_cells(ledger);
    ledger->baseline = find_baseline(ledger, store);
    return 0;
}

void cf_ledger_free(struct cf_ledger *ledger)
{
    for (int i = 0; i < ledger->n_configurations; ++i)
        cf_config_free(&ledger->configuration[i].config);
    for (int i = 0; i < ledger->n_cases; ++i) {
        cf_case_free(&ledger->cases[i].c);
        free(ledger->cases[i].output);
    }
    cf_extensions_free(&ledger->extensions);
    free(ledger->configuration);
    free(ledger->cases);
    free(ledger->group);
    free(ledger->record);
    free(ledger->start);
    *ledger = (struct cf_ledger){0};
}

int64_t cf_ledger_planned(const struct cf_ledger *ledger, int case_index, int configuration)
{
    const struct cf_ledger_case *one = &ledger->cases[case_index];

    return cf_extensions_ask(&ledger->extensions, case_index, configuration)
               ? (int64_t)one->processes * one->repetitions
               : 0;
}

const struct cf_ledger_record *cf_ledger_records(const struct cf_ledger *ledger, int case_index,
                                                 int configuration, int64_t *n)
{
    const int64_t slot = (int64_t)case_index * ledger->n_configurations + configuration;

    *n = ledger->start[slot + 1] - ledger->start[slot];
    return &ledger->record[ledger->start[slot]];
}

const struct cf_ledger_record *cf_ledger_pick(const struct cf_ledger_record *records, int64_t n,
                                              int process, int repetition)
{
    const struct cf_ledger_record *first = NULL;

    for (int64_t i = 0; i < n; ++i) {
        if (records[i].fate != CF_RAN)
            continue;
        if (records[i].process == process && records[i].repetition == repetition)
            return &records[i];
        if (!first)
            first = &records[i];
    }
    return first;
}
