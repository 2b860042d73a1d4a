/* openmetrics: the state of things for a monitor (OpenMetrics 1.0; node_exporter's textfile
 * collector reads it). No time stamps: the same store gives the same bytes. */
#include <math.h>

#include "report.h"
#include "support_utf8.h"

static void label(FILE *out, const char *name, const char *text, int first)
{
    uint32_t point;

    fprintf(out, "%s%s=\"", first ? "" : ",", name);
    for (text = text ? text : ""; (point = cf_utf8_next(&text));) {
        if (point == '"' || point == '\\')
            putc('\\', out);
        cf_utf8_put(out, cf_utf8_is_control(point) ? CF_UTF8_REPLACEMENT : point);
    }
    putc('"', out);
}

static void family(FILE *out, const char *name, const char *kind, const char *help)
{
    fprintf(out, "# TYPE %s %s\n# HELP %s %s\n", name, kind, name, help);
}

static void cells(FILE *out, const struct cf_findings *f)
{
    family(out, "conform_level", "gauge",
           "4 numerical, 3 statistical, 2 scientific, 1 functional, 0 none.");
    for (int i = 0; i < f->n_cells; ++i) {
        const struct cf_cell_finding *c = &f->cells[i];

        if (c->verdict == CF_SKIP)
            continue;
        fputs("conform_level{", out);
        label(out, "configuration", f->configurations[c->configuration].text, 1);
        label(out, "suite", c->suite, 0);
        label(out, "group", c->group, 0);
        fprintf(out, "} %d\n", (int)c->level);
    }
}

static void configurations(FILE *out, const struct cf_findings *f)
{
    family(out, "conform_wrong", "gauge", "1: an error was proven.");
    for (int i = 0; i < f->n_configurations; ++i) {
        fputs("conform_wrong{", out);
        label(out, "configuration", f->configurations[i].text, 1);
        fprintf(out, "} %d\n", f->configurations[i].wrong != 0);
    }
    family(out, "conform_slowdown_ratio", "gauge", "Median of wall time over the baseline's.");
    for (int i = 0; i < f->n_configurations; ++i)
        if (isfinite(f->configurations[i].slowdown)) {
            fputs("conform_slowdown_ratio{", out);
            label(out, "configuration", f->configurations[i].text, 1);
            fprintf(out, "} %.6g\n", f->configurations[i].slowdown);
        }
}

static void totals(FILE *out, const struct cf_findings *f)
{
    family(out, "conform_findings", "gauge", "Findings by verdict.");
    for (int i = 0; i < CF_N_VERDICTS; ++i)
        fprintf(out, "conform_findings{verdict=\"%s\"} %lld\n", cf_verdict_name((enum cf_verdict)i),
                (long long)f->n_verdicts[i]);
    family(out, "conform_records", "gauge", "Records by fate.");
    for (int i = 0; i < CF_N_FATES; ++i)
        fprintf(out, "conform_records{fate=\"%s\"} %lld\n", cf_fate_name((enum cf_fate)i),
                (long long)f->n_fates[i]);
    family(out, "conform_complete", "gauge", "1: every planned request has a record.");
    fprintf(out, "conform_complete %d\n", f->complete != 0);
    family(out, "conform_exit_code", "gauge", "The exit code of the run.");
    fprintf(out, "conform_exit_code %d\n", f->exit_code);
}

static void units(FILE *out, const struct cf_findings *f)
{
    family(out, "conform_unit_state", "gauge", "0 pass, 1 fail, 2 retest, 3 not measured.");
    for (int i = 0; i < f->n_units; ++i) {
        fputs("conform_unit_state{", out);
        label(out, "node", f->units[i].node, 1);
        label(out, "unit", f->units[i].name, 0);
        label(out, "kernel", f->units[i].kernel, 0);
        fprintf(out, "} %d\n", (int)f->units[i].state);
    }
    family(out, "conform_unit_checked_operations", "gauge",
           "Operations whose results were compared bit for bit.");
    for (int i = 0; i < f->n_units; ++i) {
        fputs("conform_unit_checked_operations{", out);
        label(out, "node", f->units[i].node, 1);
        label(out, "unit", f->units[i].name, 0);
        label(out, "kernel", f->units[i].kernel, 0);
        fprintf(out, "} %.0f\n", f->units[i].n_checked);
    }
}

static void nodes(FILE *out, const struct cf_findings *f)
{
    family(out, "conform_node_state", "gauge",
           "0 agrees with the majority, 1 outlier, 2 no majority, 3 not compared.");
    for (int i = 0; i < f->n_nodes; ++i) {
        fputs("conform_node_state{", out);
        label(out, "node", f->nodes[i].name, 1);
        fprintf(out, "} %d\n", (int)f->nodes[i].state);
    }
}

static int write_openmetrics(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                             struct cf_error *err)
{
    (void)page;
    (void)err;
    cells(out, f);
    configurations(out, f);
    totals(out, f);
    if (f->n_units > 0)
        units(out, f);
    if (f->n_nodes > 0)
        nodes(out, f);
    fputs("# EOF\n", out);
    return 0;
}

const struct cf_report cf_report_openmetrics = {.name = "openmetrics",
                                                .suffix = ".prom",
                                                .why = "levels and counts for a monitor",
                                                .write = write_openmetrics};
