/* The section of promises in the report for people. */
#include <stdlib.h>
#include <string.h>

#include "support_text.h"

#define WIDE 100 /* columns that the table needs */

/* What one promise came to in one family: configurations and groups, by state. */
struct row {
    const struct cf_promise_finding *first, *worst;
    int n, n_differ, n_at[CF_N_PROMISE_STATES];
};

static int is_of(const struct row *row, const struct cf_promise_finding *one)
{
    return row->first->promise == one->promise && strcmp(row->first->family, one->family) == 0;
}

static int gravity(enum cf_promise_state state)
{
    static const int gravities[CF_N_PROMISE_STATES] = {[CF_PROMISE_VIOLATED] = 4,
                                                       [CF_PROMISE_HOLDS] = 3,
                                                       [CF_PROMISE_UNKNOWN] = 2,
                                                       [CF_PROMISE_STRONGER] = 1};

    return gravities[state];
}

static int gather(struct row rows[], const struct cf_findings *f)
{
    int n = 0;

    for (int i = 0; i < f->n_promises; ++i) {
        const struct cf_promise_finding *one = &f->promises[i];
        int k = 0;

        if (one->state == CF_PROMISE_NOT_EXERCISED)
            continue;
        while (k < n && !is_of(&rows[k], one))
            ++k;
        if (k == n)
            rows[n++] = (struct row){.first = one, .worst = one};
        if (gravity(one->state) > gravity(rows[k].worst->state))
            rows[k].worst = one;
        ++rows[k].n;
        ++rows[k].n_at[one->state];
        rows[k].n_differ += one->n_different > 0;
    }
    return n;
}

static void source(FILE *out, const struct cf_page *page, const struct row *row)
{
    const struct cf_promise *p = row->first->promise;
    char *line = cf_format("%s: %s (%s %s, %s, %s)", p->id, p->says, p->document, p->version,
                           p->section, p->date);
    char *seen = cf_format("%s: %s%s%s", row->worst->group, row->worst->reason,
                           row->worst->case_text ? "; case " : "",
                           row->worst->case_text ? row->worst->case_text : "");

    fputs("      ", out);
    cf_text_wrap(out, page, line, 6, 6);
    fputs("      ", out);
    cf_text_wrap(out, page, seen, 6, 6);
    free(line);
    free(seen);
}

static const char *seen(const struct row *row)
{
    static const char *const differs[CF_N_PROMISED] = {
        [CF_PROMISED_MAY_DIFFER] = "differs, as documented",
        [CF_PROMISED_NOTHING] = "differs, without a promise"};
    const enum cf_promised promised = row->first->promise->promised;

    if (row->worst->state == CF_PROMISE_HOLDS && differs[promised])
        return differs[promised];
    return cf_promise_state_name(row->worst->state);
}

/* On a narrow page: the family, then a sentence below it. */
static void put_narrow(FILE *out, const struct cf_page *page, const struct row *row)
{
    char *line = cf_format("%s: %s; %s, %d of %d differ", cf_scope_name(row->first->promise->scope),
                           cf_promised_name(row->first->promise->promised), seen(row),
                           row->n_differ, row->n);

    fputs("  ", out);
    cf_text_wrap(out, page, row->first->family, 2, 4);
    fputs("    ", out);
    cf_text_wrap(out, page, line, 4, 4);
    free(line);
}

static void put_row(FILE *out, const struct cf_page *page, const struct row *row, int width)
{
    const enum cf_promise_state state = row->worst->state;
    const enum cf_colour colour = state == CF_PROMISE_VIOLATED  ? CF_RED
                                  : state == CF_PROMISE_UNKNOWN ? CF_YELLOW
                                                                : CF_GREEN;

    if (page->width < WIDE) {
        put_narrow(out, page, row);
        if (state == CF_PROMISE_VIOLATED)
            source(out, page, row);
        return;
    }
    fputs("  ", out);
    cf_text_cell(out, row->first->family, width);
    fputs("  ", out);
    cf_text_cell(out, cf_scope_name(row->first->promise->scope), 10);
    cf_text_cell(out, cf_promised_name(row->first->promise->promised), 12);
    cf_text_paint(out, page, colour, seen(row), 28);
    fprintf(out, "%d of %d differ\n", row->n_differ, row->n);
    if (state == CF_PROMISE_VIOLATED)
        source(out, page, row);
}

void cf_text_promises(FILE *out, const struct cf_page *page, const struct cf_findings *f)
{
    struct row *rows = cf_alloc((size_t)(f->n_promises + 1) * sizeof rows[0]);
    const int n = gather(rows, f), room = page->width - 66;
    int width = 8;

    for (int i = 0; i < n; ++i)
        if (cf_text_width(rows[i].first->family) > width)
            width = cf_text_width(rows[i].first->family);
    width = width > room ? room : width;
    if (n > 0) {
        putc('\n', out);
        cf_text_paint(out, page, CF_BOLD, "Promises: what the vendor documents, and what was seen",
                      0);
        putc('\n', out);
        if (page->width >= WIDE)
            fprintf(out, "%*salong     documented  seen                        ops and types\n",
                    width + 4, "");
    }
    for (int i = 0; i < n; ++i)
        put_row(out, page, &rows[i], width);
    if (n > 0)
        cf_text_wrap(out, page,
                     "same: the same bits are promised; may-differ: it is documented that they may "
                     "differ; nothing: no statement; stronger: the same bits although less is "
                     "promised; ops and types are counted once a configuration",
                     0, 0);
    free(rows);
}
