/* The section of what the libraries chose to run, in the report for people. */
#include <stdlib.h>
#include <string.h>

#include "support_chosen.h"
#include "support_text.h"

#define GROUPS_MAX 24 /* lines; the other formats have all */

/* "conv2d_fwd f32: implementation=jit:avx2 in 24 cases, implementation=gemm:jit in 6". */
static void put_group(FILE *out, const struct cf_page *page, const struct cf_chosen_row rows[],
                      int n)
{
    char *line = cf_format("%s:", rows[0].first->group);

    for (int i = 0; i < n; ++i) {
        char *longer =
            cf_format("%s%s %s in %d%s", line, i ? "," : "", rows[i].first->chosen, rows[i].n_cases,
                      i                      ? ""
                      : rows[i].n_cases == 1 ? " case"
                                             : " cases");

        free(line);
        line = longer;
    }
    fputs("    ", out);
    cf_text_wrap(out, page, line, 4, 8);
    free(line);
}

void cf_text_chosen(FILE *out, const struct cf_page *page, const struct cf_findings *f)
{
    struct cf_chosen_row *rows = cf_alloc((size_t)(f->n_chosen + 1) * sizeof rows[0]);
    const int n = cf_chosen_rows(rows, f);
    int n_groups = 0, told = 0;

    if (n > 0) {
        putc('\n', out);
        cf_text_paint(out, page, CF_BOLD,
                      "Chosen: what the libraries took to run, of their own choice", 0);
        putc('\n', out);
    }
    for (int i = 0; i < n; i += cf_chosen_alike(rows, i, n)) {
        if (n_groups++ >= GROUPS_MAX)
            continue;
        if (cf_chosen_new_family(rows, i)) {
            fputs("  ", out);
            cf_text_wrap(out, page, rows[i].first->family, 2, 4);
        }
        put_group(out, page, &rows[i], cf_chosen_alike(rows, i, n));
        ++told;
    }
    if (n_groups > told)
        fprintf(out, "    %d more are in the other formats (--json, --html)\n", n_groups - told);
    free(rows);
}
