#include "promises.h"

#include "chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file as it stands, inside the program: no path is needed to find it. */
__asm__(".section .rodata\n"
        ".globl cf_promises_text\n"
        "cf_promises_text: .incbin \"" CF_PROMISES_PATH "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char cf_promises_text[];

#define COLUMNS 12
#define NONE    "(none)" /* among the globs: the key is not there, which "*" does not stand for */

static const char *const promised_names[CF_N_PROMISED] = {[CF_PROMISED_SAME] = "same",
                                                          [CF_PROMISED_MAY_DIFFER] = "may-differ",
                                                          [CF_PROMISED_NOTHING] = "nothing"};

const char *cf_promised_name(enum cf_promised promised)
{
    return promised_names[promised];
}

static int take_words(struct cf_promise *promise, const char *const column[], struct cf_error *err)
{
    int i = 0;

    *promise = (struct cf_promise){.id = column[0],
                                   .library = column[1],
                                   .versions = column[2],
                                   .ops = column[3],
                                   .when = column[4],
                                   .document = column[7],
                                   .section = column[8],
                                   .version = column[9],
                                   .date = column[10],
                                   .says = column[11]};
    if (cf_scope_parse(column[5], &promise->scope) != 0)
        return cf_fail(err, "promise %s: there is no scope `%s`", column[0], column[5]);
    while (i < CF_N_PROMISED && strcmp(column[6], promised_names[i]) != 0)
        ++i;
    if (i == CF_N_PROMISED)
        return cf_fail(err, "promise %s: `%s` is none of same, may-differ, nothing", column[0],
                       column[6]);
    promise->promised = (enum cf_promised)i;
    return 0;
}

static int take_line(struct cf_promises *promises, char *line, struct cf_error *err)
{
    const char *column[COLUMNS];
    int n = 0;

    if (*line == '#' || *line == '\0')
        return 0;
    for (char *at = line; at; ++n) {
        char *tab = strchr(at, '\t');

        if (n < COLUMNS)
            column[n] = at;
        if (tab)
            *tab++ = '\0';
        at = tab;
    }
    for (int i = 0; i < COLUMNS && i < n; ++i)
        if (*column[i] == '\0')
            return cf_fail(err, "promise %s: column %d is empty", column[0], i + 1);
    if (n != COLUMNS)
        return cf_fail(err, "promise %s has %d columns, not %d", line, n, COLUMNS);
    promises->promise =
        cf_realloc(promises->promise, (size_t)(promises->n + 1) * sizeof promises->promise[0]);
    return take_words(&promises->promise[promises->n++], column, err);
}

int cf_promises_parse(struct cf_promises *promises, const char *table, struct cf_error *err)
{
    *promises = (struct cf_promises){.text = cf_strdup(table)};
    for (char *line = promises->text; line;) {
        char *end = strchr(line, '\n');

        if (end)
            *end++ = '\0';
        if (take_line(promises, line, err) != 0) {
            cf_promises_free(promises);
            return -1;
        }
        line = end;
    }
    return 0;
}

void cf_promises_load(struct cf_promises *promises)
{
    CF_CHECK(cf_promises_parse(promises, cf_promises_text, NULL) == 0);
}

void cf_promises_free(struct cf_promises *promises)
{
    free(promises->promise);
    free(promises->text);
    *promises = (struct cf_promises){0};
}

/* Does a text match one of the globs a|b|c? */
static int matches_any(const char *globs, size_t n, const char *text)
{
    while (n > 0) {
        const char *bar = memchr(globs, '|', n);
        const size_t length = bar ? (size_t)(bar - globs) : n;
        char glob[128];

        if (length < sizeof glob) {
            snprintf(glob, sizeof glob, "%.*s", (int)length, globs);
            if (*glob && cf_glob_match(glob, text))
                return 1;
        }
        n -= length < n ? length + 1 : n;
        globs += length + 1;
    }
    return 0;
}

static const char *value_of(const struct cf_promisee *promisee, const char *key)
{
    const char *value = promisee->state ? promisee->state(promisee->context, key) : NULL;

    return value ? value : cf_config_get(promisee->config, key);
}

/* One condition, "key=globs" or "key!=globs", of n characters. */
static int holds(const struct cf_promisee *promisee, const char *condition, size_t n)
{
    const char *equals = memchr(condition, '=', n);
    const int negated = equals && equals > condition && equals[-1] == '!';
    const char *value, *globs;
    char key[64];
    int matches;

    CF_CHECK(equals != NULL);
    snprintf(key, sizeof key, "%.*s", (int)(equals - condition) - negated, condition);
    value = value_of(promisee, key);
    globs = equals + 1;
    n -= (size_t)(globs - condition);
    matches = value && *value ? matches_any(globs, n, value)
                              : memmem(globs, n, NONE, sizeof NONE - 1) != NULL;
    return negated ? !matches : matches;
}

static int all_hold(const struct cf_promisee *promisee, const char *when)
{
    if (strcmp(when, "-") == 0)
        return 1;
    while (*when) {
        const size_t n = strcspn(when, ";");

        if (!holds(promisee, when, n))
            return 0;
        when += n + (when[n] == ';');
    }
    return 1;
}

/* Numbers parted by dots, as far as both have them. */
static int compare_versions(const char *a, const char *b)
{
    for (;;) {
        char *end_a, *end_b;
        const long x = strtol(a, &end_a, 10), y = strtol(b, &end_b, 10);

        if (end_a == a || end_b == b)
            return 0;
        if (x != y)
            return x < y ? -1 : 1;
        a = *end_a == '.' ? end_a + 1 : end_a;
        b = *end_b == '.' ? end_b + 1 : end_b;
    }
}

/* A version that is not known is taken to be the one that is spoken of. */
static int is_version(const char *versions, const char *version)
{
    if (strcmp(versions, "*") == 0 || !version || !*version)
        return 1;
    if (strncmp(versions, ">=", 2) == 0)
        return compare_versions(version, versions + 2) >= 0;
    return versions[0] == '<' && compare_versions(version, versions + 1) < 0;
}

static int is_library(const struct cf_promise *promise, const struct cf_promisee *promisee)
{
    if (promisee->library && *promisee->library && strcmp(promise->library, promisee->library) == 0)
        return 1;
    return strcmp(promise->library, promisee->config->backend) == 0;
}

int cf_promise_applies(const struct cf_promise *promise, const struct cf_promisee *promisee,
                       const char *op, enum cf_scope scope)
{
    return promise->scope == scope && is_library(promise, promisee) &&
           is_version(promise->versions, promisee->version) &&
           matches_any(promise->ops, strlen(promise->ops), op) && all_hold(promisee, promise->when);
}

int cf_promise_names(const struct cf_promise *promise, const char *chosen)
{
    for (const char *at = promise->when; *at; at += *at == ';') {
        const size_t n = strcspn(at, ";");
        char key[64], value[CF_CHOSEN_MAX];

        snprintf(key, sizeof key, "%.*s", (int)strcspn(at, "!=;"), at);
        if (cf_chosen_get(chosen, key, value))
            return 1;
        at += n;
    }
    return 0;
}

/* "mkl" of ".../libmkl_rt.so.2": the library whose name the file's name starts with. */
static const char *library_of(const struct cf_promises *promises, const struct cf_config *config)
{
    const char *path = cf_config_get(config, "lib");
    const char *slash = path ? strrchr(path, '/') : NULL, *file = slash ? slash + 1 : path;

    for (int i = 0; file && i < promises->n; ++i) {
        const char *name = promises->promise[i].library;

        if (strncmp(file, "lib", 3) == 0 && strncmp(file + 3, name, strlen(name)) == 0)
            return name;
    }
    return "";
}

const struct cf_promise *cf_promises_nondeterministic(const struct cf_promises *promises,
                                                      const struct cf_config *config,
                                                      const char *op)
{
    const struct cf_promisee promisee = {.config = config, .library = library_of(promises, config)};

    for (int i = 0; i < promises->n; ++i)
        if (promises->promise[i].promised == CF_PROMISED_MAY_DIFFER &&
            cf_promise_applies(&promises->promise[i], &promisee, op, CF_ACROSS_RUN))
            return &promises->promise[i];
    return NULL;
}
