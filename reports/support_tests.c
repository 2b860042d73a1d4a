#include "support_tests.h"

#include <string.h>

static int same_test(const struct cf_unit_finding *a, const struct cf_unit_finding *b)
{
    return strcmp(a->node, b->node) == 0 && strcmp(a->kernel, b->kernel) == 0;
}

int cf_tests_first(const struct cf_findings *findings, int i)
{
    for (int k = 0; k < i; ++k)
        if (same_test(&findings->units[k], &findings->units[i]))
            return 0;
    return 1;
}

int cf_tests_next(const struct cf_findings *findings, int i)
{
    for (int k = i + 1; k < findings->n_units; ++k)
        if (same_test(&findings->units[k], &findings->units[i]))
            return k;
    return -1;
}

char *cf_tests_name(const struct cf_unit_finding *unit)
{
    return cf_format("%s%s%s", unit->node, *unit->node ? " " : "", unit->kernel);
}

const char *cf_tests_environment(const struct cf_findings *findings, const char *key)
{
    for (int i = 0; i < findings->n_environment; ++i)
        if (strcmp(findings->environment[i].key, key) == 0)
            return findings->environment[i].value;
    return "";
}
