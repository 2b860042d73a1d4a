/* The tables of a fleet's machines and of a qualification, for a terminal. */
#include <stdlib.h>

#include "support_flips.h"
#include "support_text.h"

struct machines {
    FILE *out;
    const struct cf_findings *findings;
    const struct cf_page *page;
};

static void heading(const struct machines *t, const char *text)
{
    putc('\n', t->out);
    cf_text_paint(t->out, t->page, CF_BOLD, text, 0);
    putc('\n', t->out);
}

/* Where bits left the right ones first: "element" expected and got, when it is known. */
static void location(const struct machines *t, const char *case_text, const char *element,
                     const char *expected, const char *got)
{
    char *line;

    if (*case_text) {
        fputs("      case  ", t->out);
        cf_text_put(t->out, case_text);
        putc('\n', t->out);
    }
    if (!*got)
        return;
    line = cf_format("%s expected %s got %s", element, expected, got);
    fputs("      ", t->out);
    cf_text_wrap(t->out, t->page, line, 6, 6);
    free(line);
}

static void nodes(const struct machines *t)
{
    const struct cf_findings *f = t->findings;

    if (f->n_nodes == 0)
        return;
    heading(t, "Machines, results compared, and different ones");
    for (int i = 0; i < f->n_nodes; ++i) {
        const struct cf_node_finding *n = &f->nodes[i];
        const enum cf_colour colour = n->state == CF_NODE_AGREES    ? CF_GREEN
                                      : n->state == CF_NODE_OUTLIER ? CF_RED
                                                                    : CF_YELLOW;

        fputs("  ", t->out);
        cf_text_cell(t->out, n->name, 20);
        cf_text_paint(t->out, t->page, colour, cf_node_state_name(n->state), 14);
        fprintf(t->out, "%9lld%9lld\n", (long long)n->n_compared, (long long)n->n_different);
        if (n->state == CF_NODE_AGREES)
            continue;
        fputs("      ", t->out);
        cf_text_wrap(t->out, t->page, n->reason, 6, 6);
        location(t, n->case_text, n->element, n->expected, n->got);
    }
}

static void units(const struct machines *t)
{
    const struct cf_findings *f = t->findings;

    if (f->n_units == 0)
        return;
    heading(t, "Units: core or GPU, instructions, state, operations checked");
    for (int i = 0; i < f->n_units; ++i) {
        const struct cf_unit_finding *u = &f->units[i];

        fputs("  ", t->out);
        if (*u->node)
            cf_text_cell(t->out, u->node, 10);
        cf_text_cell(t->out, u->name, 16);
        cf_text_cell(t->out, u->kernel, 17);
        cf_text_cell(t->out, cf_unit_state_name(u->state), 14);
        fprintf(t->out, "%9.3g\n", u->n_checked);
        if (u->state == CF_UNIT_PASS)
            continue;
        fputs("      ", t->out);
        cf_text_wrap(t->out, t->page, u->reason, 6, 6);
        location(t, u->case_text, u->element, u->expected, u->got);
    }
    if (f->coverage)
        cf_text_wrap(t->out, t->page, f->coverage, 0, 0);
}

void cf_text_machines(FILE *out, const struct cf_findings *findings, const struct cf_page *page)
{
    const struct machines t = {out, findings, page};

    nodes(&t);
    units(&t);
    cf_text_flips(out, findings, page);
}
