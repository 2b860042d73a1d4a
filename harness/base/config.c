#include "config.h"

#include <stdlib.h>
#include <string.h>

#define THREADS                                                                                    \
    "OPENBLAS_NUM_THREADS OMP_NUM_THREADS BLIS_NUM_THREADS MKL_NUM_THREADS ATLAS_NUM_THREADS"

const struct cf_config_key cf_config_keys[] = {
    {"kernel", "library", NULL, "the order or algorithm: forward, pairwise, cblas, ..."},
    {"lib", "library", NULL, "the library's file, by path"},
    {"command", "library", NULL, "an adapter: any executable that speaks the protocol"},
    {"sysroot", "version", NULL, "a directory whose dynamic loader and libc start the worker"},
    {"device", "device", NULL, "cpu, or a GPU by index or UUID"},
    {"threads", "thread", THREADS, "threads that the library may use"},
    {"coretype", "isa", "OPENBLAS_CORETYPE", "the kernels that OpenBLAS shall select"},
    {"isa", "isa", "ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA",
     "the instruction set that oneDNN may use"},
    {"cpus", "library", NULL, "the CPUs that the worker may run on: 0-1,4"},
    {"align", "alignment", NULL, "bytes past a 64-byte boundary at which operands start"},
    {"flags", "library", NULL, "switches of the backend: deterministic, allow-tf32, ..."},
    {"node", "device", NULL, "which machine of a fleet ran it; merge says it"},
    {NULL, NULL, NULL, NULL}};

static const struct cf_config_key *find_key(const char *name)
{
    for (const struct cf_config_key *key = cf_config_keys; key->name; ++key)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

static int check(const struct cf_config *config, const char *line, struct cf_error *err)
{
    static const char *const counts[] = {"threads", "align"};
    int64_t value;

    for (int i = 1; i < config->keys.n; ++i) {
        const char *key = config->keys.pair[i].key;

        if (!key || (!find_key(key) && strncmp(key, "env.", 4) != 0))
            return cf_fail(
                err,
                "configuration `%s` does not know `%s`; its keys are kernel lib command sysroot "
                "device threads coretype isa cpus align flags env.NAME%s",
                line, key ? key : config->keys.pair[i].value,
                key ? "" : "; `conform list configurations` shows those that this machine has");
    }
    for (int i = 0; i < CF_COUNT(counts); ++i) {
        if (cf_pairs_int(&config->keys, counts[i], 1, &value, err) != 0)
            return -1;
        if (value < (i == 0) || value > 4096)
            return cf_fail(err, "configuration `%s`: %s=%lld is out of range", line, counts[i],
                           (long long)value);
    }
    return 0;
}

static void append(char **text, const char *key, const char *value)
{
    char *escaped = cf_pairs_escape(value);
    char *longer = cf_format("%s %s=%s", *text, key, escaped);

    free(escaped);
    free(*text);
    *text = longer;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct cf_pair *const *)a)->key,
                  (*(const struct cf_pair *const *)b)->key);
}

static char *print(const struct cf_config *config)
{
    const struct cf_pair *variable[CF_PAIRS_MAX];
    char *text = cf_strdup(config->backend);
    int n = 0;

    for (const struct cf_config_key *key = cf_config_keys; key->name; ++key)
        if (cf_config_get(config, key->name))
            append(&text, key->name, cf_config_get(config, key->name));
    for (int i = 1; i < config->keys.n; ++i)
        if (strncmp(config->keys.pair[i].key, "env.", 4) == 0)
            variable[n++] = &config->keys.pair[i];
    qsort(variable, (size_t)n, sizeof variable[0], by_key);
    for (int i = 0; i < n; ++i)
        append(&text, variable[i]->key, variable[i]->value);
    return text;
}

int cf_config_parse(struct cf_config *config, const char *line, struct cf_error *err)
{
    *config = (struct cf_config){0};
    if (cf_pairs_parse(&config->keys, "the configuration", line, err) != 0)
        return -1;
    if (config->keys.n < 1 || config->keys.pair[0].key) {
        cf_config_free(config);
        return cf_fail(
            err, "configuration `%s` must start with a backend, as in `plain kernel=pairwise`",
            line);
    }
    config->backend = config->keys.pair[0].value;
    if (check(config, line, err) != 0) {
        cf_config_free(config);
        return -1;
    }
    config->text = print(config);
    return 0;
}

void cf_config_free(struct cf_config *config)
{
    free(config->text);
    cf_pairs_free(&config->keys);
    *config = (struct cf_config){0};
}

const char *cf_config_get(const struct cf_config *config, const char *key)
{
    return cf_pairs_get(&config->keys, key);
}

int64_t cf_config_int(const struct cf_config *config, const char *key, int64_t fallback)
{
    int64_t value;

    CF_CHECK(cf_pairs_int(&config->keys, key, fallback, &value, NULL) == 0);
    return value;
}

/* NAME=VALUE replaces an earlier NAME. */
static void put(char ***environment, int *n, char *entry)
{
    const size_t length = strcspn(entry, "=") + 1;

    for (int i = 0; i < *n; ++i)
        if (strncmp((*environment)[i], entry, length) == 0) {
            free((*environment)[i]);
            (*environment)[i] = entry;
            return;
        }
    *environment = cf_realloc(*environment, (size_t)(*n + 2) * sizeof **environment);
    (*environment)[(*n)++] = entry;
    (*environment)[*n] = NULL;
}

static void put_key(char ***environment, int *n, const struct cf_config_key *key, const char *value)
{
    const char *name = key->environment;

    while (name && *name) {
        const size_t length = strcspn(name, " ");

        put(environment, n, cf_format("%.*s=%s", (int)length, name, value));
        name += length;
        name += strspn(name, " ");
    }
}

char **cf_config_environment(const struct cf_config *config)
{
    static const char *const allowed[] = {"PATH", "HOME",    "USER",       "TMPDIR",   "TZ",
                                          "LANG", "LOGNAME", "SYSTEMROOT", "CUDA_HOME"};
    char **environment = NULL;
    int n = 0;

    put(&environment, &n, cf_strdup("LC_ALL=C"));
    /* A thread that spins at a barrier keeps the one it waits for off a busy machine's CPU. */
    put(&environment, &n, cf_strdup("OMP_WAIT_POLICY=passive"));
    for (int i = 0; i < CF_COUNT(allowed); ++i)
        if (getenv(allowed[i]))
            put(&environment, &n, cf_format("%s=%s", allowed[i], getenv(allowed[i])));
    for (const struct cf_config_key *key = cf_config_keys; key->name; ++key)
        if (cf_config_get(config, key->name))
            put_key(&environment, &n, key, cf_config_get(config, key->name));
    for (int i = 1; i < config->keys.n; ++i)
        if (strncmp(config->keys.pair[i].key, "env.", 4) == 0)
            put(&environment, &n,
                cf_format("%s=%s", config->keys.pair[i].key + 4, config->keys.pair[i].value));
    return environment;
}

void cf_config_environment_free(char **environment)
{
    for (int i = 0; environment && environment[i]; ++i)
        free(environment[i]);
    free(environment);
}

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

const char *cf_config_scope(const struct cf_config *a, const struct cf_config *b)
{
    const char *scope = same(a->backend, b->backend) ? NULL : "library";
    struct cf_pairs const *const sides[] = {&a->keys, &b->keys};

    for (int side = 0; side < 2; ++side)
        for (int i = 1; i < sides[side]->n; ++i) {
            const char *key = sides[side]->pair[i].key;
            const char *open = find_key(key) ? find_key(key)->scope : "library";

            if (same(cf_pairs_get(sides[0], key), cf_pairs_get(sides[1], key)))
                continue;
            if (scope && strcmp(scope, open) != 0)
                return "";
            scope = open;
        }
    return scope;
}
