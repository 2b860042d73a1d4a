/* The sections that are tables of levels: the map, invariance, configurations; and the list of all
 * sections. */
#include "support_html_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support_html.h"
#include "support_view.h"

static int has_cells(const struct cf_findings *f)
{
    return f->n_cells > 0;
}

static int has_invariances(const struct cf_findings *f)
{
    for (int i = 0; i < f->n_invariances; ++i)
        if (f->invariances[i].verdict != CF_SKIP)
            return 1;
    return 0;
}

static int has_configurations(const struct cf_findings *f)
{
    return f->n_configurations > 0;
}

static int has_worst(const struct cf_findings *f)
{
    int n_all;
    const struct cf_finding *one[1];

    return cf_view_worst(f, one, 1, &n_all) > 0;
}

static int has_classes(const struct cf_findings *f)
{
    return f->n_classes > 0;
}

static int has_nodes(const struct cf_findings *f)
{
    return f->n_nodes > 0;
}

static int has_units(const struct cf_findings *f)
{
    return f->n_units > 0;
}

static int has_flips(const struct cf_findings *f)
{
    return f->n_flips > 0;
}

static int has_libraries(const struct cf_findings *f)
{
    return f->n_libraries > 0;
}

static int has_environment(const struct cf_findings *f)
{
    return f->n_environment > 0;
}

static int has_cases(const struct cf_findings *f)
{
    return f->n_cases > 0;
}

const struct cf_html_part cf_html_parts[] = {
    {"fleet", "The fleet, machine by machine", "Fleet", 0, has_nodes, cf_html_nodes},
    {"units", "Qualification, unit by unit", "Units", 0, has_units, cf_html_units},
    {"map", "Where results reproduce", "Map", 0, has_cells, cf_html_map},
    {"invariance", "When only one thing changes", "Invariance", 0, has_invariances,
     cf_html_invariance},
    {"classes", "Who agrees with whom, bit for bit", "Agreement", 0, has_classes, cf_html_classes},
    {"worst", "Worst findings", "Worst", 0, has_worst, cf_html_worst},
    {"errors", "Error against the exact answer", "Errors", 0, cf_html_has_errors, cf_html_errors},
    {"promises", "What vendors promise, and what was seen", "Promises", 0, cf_html_has_promises,
     cf_html_promises},
    {"prices", "Price of determinism", "Price", 0, cf_html_has_prices, cf_html_prices},
    {"chosen", "What the libraries chose to run", "Chosen", 1, cf_html_has_chosen, cf_html_chosen},
    {"divergence", "Training, step by step", "Training", 0, cf_html_has_divergence,
     cf_html_divergence},
    {"attribution", "Is it rounding?", "Attribution", 0, cf_html_has_attribution,
     cf_html_attribution},
    {"configurations", "Configurations", "Configurations", 0, has_configurations,
     cf_html_configurations},
    {"flips", "Which flipped bits the checks see", "Sensitivity", 1, has_flips, cf_html_flips},
    {"environment", "Environment of the machine", "Environment", 1, has_environment,
     cf_html_environment},
    {"libraries", "Libraries that were loaded", "Libraries", 1, has_libraries, cf_html_libraries},
    {"cases", "Cases that were run", "Cases", 1, has_cases, cf_html_cases},
    {NULL, NULL, NULL, 0, NULL, NULL}};

void cf_html_cell(FILE *out, const struct cf_view_cell *cell, const char *words)
{
    const char *text = cf_view_short(cell);

    fprintf(out, "<span class=\"cell ");
    if (cell->wrong)
        fputs("lw", out);
    else if (*text == '?' || *text == '<')
        fputs("lu", out);
    else if (*text == '-')
        fputs("ls", out);
    else
        fprintf(out, "l%d", (int)cell->level);
    fputs("\" title=\"", out);
    cf_html_text(out, words);
    fputs("\">", out);
    cf_html_text(out, *text == '-' ? "\xe2\x80\x93" : text);
    fputs("</span>", out);
}

static void legend(FILE *out)
{
    static const struct {
        const char *kind, *text, *words;
    } rows[] = {{"l4", "num", "numerical: the same bits"},
                {"l3", "stat", "statistical: other bits, the same distribution of errors"},
                {"l2", "sci", "scientific: the same conclusions"},
                {"l1", "func", "functional: as good for its purpose"},
                {"l0", "none", "none of these"},
                {"lw", "!", "proven wrong"},
                {"lu", "<num", "bits differ; how far was not proven"},
                {"lu", "?", "not measured or not decided"},
                {"ls", "\xe2\x80\x93", "not offered, or nothing to compare"}};

    fputs("<ul class=\"legend\">\n", out);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        fprintf(out, "<li><span class=\"cell %s\">", rows[i].kind);
        cf_html_text(out, rows[i].text);
        fprintf(out, "</span>%s</li>\n", rows[i].words);
    }
    fputs("</ul>\n", out);
}

/* One column: a group of a suite; the first cell of it. */
struct columns {
    int n;
    const struct cf_cell_finding **first;
};

static int same_column(const struct cf_cell_finding *a, const struct cf_cell_finding *b)
{
    return strcmp(a->suite, b->suite) == 0 && strcmp(a->group, b->group) == 0;
}

/* Suites stay together in order of appearance. */
static struct columns find_columns(const struct cf_findings *f)
{
    struct columns columns = {0, cf_alloc((size_t)(f->n_cells + 1) * sizeof columns.first[0])};
    struct cf_view_names suites = cf_view_suites(f);

    for (int s = 0; s < suites.n; ++s)
        for (int i = 0; i < f->n_cells; ++i) {
            int known = strcmp(f->cells[i].suite, suites.name[s]) != 0;

            for (int k = 0; k < columns.n && !known; ++k)
                known = same_column(columns.first[k], &f->cells[i]);
            if (!known)
                columns.first[columns.n++] = &f->cells[i];
        }
    cf_view_names_free(&suites, 0);
    return columns;
}

static void map_head(FILE *out, const struct columns *columns)
{
    fputs("<thead><tr><th scope=\"col\" rowspan=\"2\">configuration</th>", out);
    for (int k = 0, span; k < columns->n; k += span) {
        for (span = 1; k + span < columns->n &&
                       strcmp(columns->first[k]->suite, columns->first[k + span]->suite) == 0;)
            ++span;
        fprintf(out, "<th class=\"suite\" scope=\"colgroup\" colspan=\"%d\">", span);
        cf_html_short(out, columns->first[k]->suite, 40);
        fputs("</th>", out);
    }
    fputs("</tr>\n<tr>", out);
    for (int k = 0; k < columns->n; ++k) {
        fputs("<th scope=\"col\">", out);
        cf_html_short(out, columns->first[k]->group, 40);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

static void map_cell(FILE *out, const struct cf_findings *f, int configuration,
                     const struct cf_cell_finding *column)
{
    const struct cf_cell_finding *found = NULL;
    struct cf_view_cell cell = {0};

    for (int i = 0; i < f->n_cells && !found; ++i)
        if (f->cells[i].configuration == configuration && same_column(&f->cells[i], column))
            found = &f->cells[i];
    if (found)
        cell = cf_view_one(f, found);
    fputs("<td>", out);
    cf_html_cell(out, &cell, found ? found->reason : "");
    fputs("</td>", out);
}

static void label(FILE *out, const struct cf_configuration_finding *c)
{
    fputs("<th scope=\"row\">", out);
    cf_html_short(out, c->label, 70);
    fputs(c->is_baseline ? "<span class=\"base\">baseline</span></th>" : "</th>", out);
}

void cf_html_map(FILE *out, const struct cf_findings *f)
{
    struct columns columns = find_columns(f);

    fputs("<p class=\"why\">The highest level at which a configuration agrees with the baseline, "
          "by group of cases. The reason of a cell is shown when it is pointed at, and in the "
          "table of configurations.</p>\n",
          out);
    cf_html_table(out, "map", "Levels of configurations by group of cases");
    map_head(out, &columns);
    fputs("<tbody>\n", out);
    for (int i = 0; i < f->n_configurations; ++i) {
        fputs("<tr>", out);
        label(out, &f->configurations[i]);
        for (int k = 0; k < columns.n; ++k)
            map_cell(out, f, i, columns.first[k]);
        fputs("</tr>\n", out);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
    legend(out);
    free(columns.first);
}

void cf_html_invariance(FILE *out, const struct cf_findings *f)
{
    struct cf_view_names families = cf_view_families(f);

    fputs("<p class=\"why\">What a library keeps when only the thing that heads the column "
          "differs between two runs; the weakest over all groups of cases.</p>\n",
          out);
    cf_html_table(out, "map", "Invariance of libraries by scope");
    fputs("<thead><tr><th scope=\"col\">library</th>", out);
    for (int s = 0; s < CF_N_SCOPES; ++s)
        if (cf_view_scope_used(f, (enum cf_scope)s))
            cf_html_element(out, "th", NULL, cf_scope_name((enum cf_scope)s));
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int i = 0; i < families.n; ++i) {
        fputs("<tr><th scope=\"row\">", out);
        cf_html_short(out, families.name[i], 70);
        fputs("</th>", out);
        for (int s = 0; s < CF_N_SCOPES; ++s)
            if (cf_view_scope_used(f, (enum cf_scope)s)) {
                const struct cf_view_cell cell =
                    cf_view_invariance(f, families.name[i], (enum cf_scope)s);

                fputs("<td>", out);
                cf_html_cell(out, &cell, cf_scope_name((enum cf_scope)s));
                fputs("</td>", out);
            }
        fputs("</tr>\n", out);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
    cf_view_names_free(&families, 0);
}

static double slowest(const struct cf_findings *f)
{
    double most = 1;

    for (int i = 0; i < f->n_configurations; ++i)
        if (isfinite(f->configurations[i].slowdown))
            most = fmax(most, f->configurations[i].slowdown);
    return most;
}

/* Not a graph of its own: a bar beside its number. */
static void slower(FILE *out, double slowdown, double most)
{
    fputs("<td class=\"n\" data-n=\"time / baseline\">", out);
    if (isfinite(slowdown))
        fprintf(out, "<span class=\"bar\" style=\"width:%.1fem\"></span>%.2f",
                fmax(0.2, 5 * slowdown / most), slowdown);
    fputs("</td>", out);
}

void cf_html_configurations(FILE *out, const struct cf_findings *f)
{
    const double most = slowest(f);

    cf_html_table(out, "list", "All configurations with level and reason");
    fputs("<thead><tr><th scope=\"col\">configuration</th><th scope=\"col\">level</th>"
          "<th scope=\"col\">meets</th><th class=\"n\" scope=\"col\">time / baseline</th>"
          "<th class=\"n\" scope=\"col\">not measured</th><th scope=\"col\">why not more</th>"
          "</tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < f->n_configurations; ++i) {
        const struct cf_configuration_finding *c = &f->configurations[i];
        const struct cf_view_cell cell = cf_view_configuration(f, i, NULL, NULL);

        fputs("<tr>", out);
        label(out, c);
        fputs("<td>", out);
        cf_html_cell(out, &cell,
                     c->wrong    ? "proven wrong"
                     : cell.open ? "bits differ; how far was not proven"
                                 : cf_level_name(c->level));
        fprintf(out, "</td><td>%s</td>", cf_verdict_name(c->at_required));
        slower(out, c->slowdown, most);
        fprintf(out, "<td class=\"n\" data-n=\"not measured\">%lld</td><td>",
                (long long)cf_view_unmeasured(c));
        cf_html_text(out, c->reason);
        fputs("<br/><code>", out);
        cf_html_text(out, c->text);
        fputs("</code></td></tr>\n", out);
    }
    fputs("</tbody>", out);
    cf_html_table_end(out);
}
