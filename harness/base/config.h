/* config: a configuration: backend + library + device + threads + environment + placement. Its
 * canonical text is its identity and the second half of a replay line: `blas lib=/x/libopenblas.so
 * threads=2`. */
#ifndef CF_CONFIG_H
#define CF_CONFIG_H

#include "pairs.h"

struct cf_config {
    char *text; /* canonical: the backend, then the keys in the order of cf_config_keys. Owned */
    struct cf_pairs keys;
    const char *backend; /* into keys */
};

/* A key of a configuration. `scope` is the scope that is open when only this key differs between
 * two configurations (demand.h: "thread", "isa", "library", ...). `environment` lists the variables
 * that the key sets in the worker's environment ("OPENBLAS_NUM_THREADS OMP_NUM_THREADS"), or NULL.
 */
struct cf_config_key {
    const char *name, *scope, *environment, *meaning;
};
/* kernel, lib, command, sysroot, device, threads, coretype, isa, cpus, align, flags, node; ended by
 * name NULL. Beside these a configuration may say env.NAME=VALUE for any variable. */
extern const struct cf_config_key cf_config_keys[];

int cf_config_parse(struct cf_config *config, const char *line, struct cf_error *err);
void cf_config_free(struct cf_config *config);
const char *cf_config_get(const struct cf_config *config, const char *key); /* or NULL */
int64_t cf_config_int(const struct cf_config *config, const char *key, int64_t fallback);

/* The environment of the worker, NULL-terminated "NAME=VALUE": an allow-list of the caller's
 * environment (PATH, HOME, LANG, TMPDIR and the like, never LD_PRELOAD), LC_ALL=C, then what the
 * keys ask for. Every string and the array are owned by the caller (cf_config_environment_free). */
char **cf_config_environment(const struct cf_config *config);
void cf_config_environment_free(char **environment);

/* The scope along which two configurations differ: NULL when equal, "" when keys of more than one
 * scope differ, else the scope's name. */
const char *cf_config_scope(const struct cf_config *a, const struct cf_config *b);

#endif
