/* The section of promises in the report for people. */
#include <stdlib.h>
#include <string.h>

#include "support_promises.h"
#include "support_text.h"

#define WIDE 100 /* columns that the table needs */

static void source(FILE *out, const struct cf_page *page, const struct cf_promise_row *row)
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

/* On a narrow page: the family, then a sentence below it. */
static void put_narrow(FILE *out, const struct cf_page *page, const struct cf_promise_row *row)
{
    char *line = cf_format("%s: %s; %s, %d of %d differ", cf_scope_name(row->first->promise->scope),
                           cf_promised_name(row->first->promise->promised), cf_promise_seen(row),
                           row->n_differ, row->n);

    fputs("  ", out);
    cf_text_wrap(out, page, row->first->family, 2, 4);
    fputs("    ", out);
    cf_text_wrap(out, page, line, 4, 4);
    free(line);
}

static void put_row(FILE *out, const struct cf_page *page, const struct cf_promise_row *row,
                    int width)
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
    cf_text_paint(out, page, colour, cf_promise_seen(row), 28);
    fprintf(out, "%d of %d differ\n", row->n_differ, row->n);
    if (state == CF_PROMISE_VIOLATED)
        source(out, page, row);
}

void cf_text_promises(FILE *out, const struct cf_page *page, const struct cf_findings *f)
{
    struct cf_promise_row *rows = cf_alloc((size_t)(f->n_promises + 1) * sizeof rows[0]);
    const int n = cf_promise_rows(rows, f), room = page->width - 66;
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
