#include "registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct cf_backend *cf_backend_find(const char *name)
{
    for (int i = 0; cf_backends[i]; ++i)
        if (strcmp(cf_backends[i]->name, name) == 0)
            return cf_backends[i];
    return NULL;
}

static struct cf_opened opened;

void cf_registry_open(const struct cf_backend *backend, struct cf_library *library,
                      const char *kernel)
{
    opened = (struct cf_opened){backend, library, kernel};
}

const struct cf_opened *cf_opened(void)
{
    return &opened;
}

static char chosen[CF_CHOSEN_MAX];

void cf_chose(const char *key, const char *format, ...)
{
    char value[CF_CHOSEN_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    cf_chosen_add(chosen, key, value);
}

void cf_registry_forget(void)
{
    chosen[0] = '\0';
}

const char *cf_registry_chosen(void)
{
    return chosen;
}

int64_t cf_attribute(const struct cf_pairs *attributes, const char *key, int64_t fallback)
{
    int64_t value;

    CF_CHECK(cf_pairs_int(attributes, key, fallback, &value, NULL) == 0);
    return value;
}

static const struct cf_kernel *find(const struct cf_backend *backend, const char *op,
                                    const char *name)
{
    for (int i = 0; cf_kernel_tables[i]; ++i)
        for (const struct cf_kernel *k = cf_kernel_tables[i]; k->op; ++k)
            if (k->backend == backend && strcmp(k->op, op) == 0 &&
                (!name || strcmp(k->name, name) == 0))
                return k;
    return NULL;
}

const struct cf_kernel *cf_kernel_find(const struct cf_backend *backend, const char *op,
                                       const char *name)
{
    const struct cf_kernel *kernel = NULL;

    if (!name && backend && backend->kernel)
        kernel = find(backend, op, backend->kernel);
    return kernel ? kernel : find(backend, op, name);
}

int cf_registry_knows(const struct cf_backend *backend, const char *kernel)
{
    const struct cf_backend *plain = cf_backend_find("plain");
    const size_t n = strcspn(kernel, ":");

    for (int i = 0; cf_kernel_tables[i]; ++i)
        for (const struct cf_kernel *k = cf_kernel_tables[i]; k->op; ++k)
            if ((k->backend == backend || !k->backend || k->backend == plain) &&
                (strcmp(k->name, kernel) == 0 ||
                 (!k->backend && strlen(k->name) == n && strncmp(k->name, kernel, n) == 0)))
                return 1;
    return 0;
}

json_t *cf_registry_kernels(const struct cf_backend *backend)
{
    json_t *ops = json_object();

    for (int i = 0; cf_kernel_tables[i]; ++i)
        for (const struct cf_kernel *k = cf_kernel_tables[i]; k->op; ++k) {
            if (k->backend != backend)
                continue;
            if (!json_object_get(ops, k->op))
                json_object_set_new(ops, k->op, json_array());
            json_array_append_new(json_object_get(ops, k->op), json_string(k->name));
        }
    return ops;
}

json_t *cf_registry_list(void)
{
    json_t *backends = json_array();

    for (int i = 0; cf_backends[i]; ++i)
        json_array_append_new(backends, json_pack("{s:s,s:s,s:o}", "name", cf_backends[i]->name,
                                                  "why", cf_backends[i]->why, "kernels",
                                                  cf_registry_kernels(cf_backends[i])));
    return json_pack("{s:s,s:i,s:o}", "version", CF_VERSION, "protocol", 1, "backends", backends);
}
