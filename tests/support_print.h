/* support_print: a report of findings, as text. */
#ifndef CF_TEST_PRINT_H
#define CF_TEST_PRINT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

/* The caller frees. A report that cannot be written fails the test; so does a name that is none. */
static char *print(const char *name, const struct cf_findings *f)
{
    const struct cf_page page = {CF_PAGE_WIDTH, 0};
    struct cf_error err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int n = 0;

    for (int i = 0; cf_reports[i]; ++i)
        if (strcmp(cf_reports[i]->name, name) == 0 && ++n)
            cr_assert(cf_reports[i]->write(out, f, &page, &err) == 0, "%s", err.text);
    cr_assert_eq(n, 1, "reports named %s", name);
    fclose(out);
    return text;
}

#endif
