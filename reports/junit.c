/* junit: JUnit XML as Jenkins, GitLab and GitHub actions read it. A suite is a configuration, a
 * test case is a cell (suite and group of it): below the level is a failure, not measured or
 * unknown an error, not comparable skipped. */
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "support_xml.h"

struct counts {
    int tests, failures, errors, skipped;
};

static void count(struct counts *n, const struct cf_cell_finding *cell)
{
    ++n->tests;
    n->failures += cell->wrong || cell->verdict == CF_FAIL;
    n->errors += !cell->wrong && cell->verdict == CF_UNKNOWN;
    n->skipped += !cell->wrong && cell->verdict == CF_SKIP;
}

static void put_counts(FILE *out, const struct counts *n)
{
    fprintf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\"", n->tests,
            n->failures, n->errors, n->skipped);
}

/* The findings that made the cell fail, each with its replay line. */
static void details(FILE *out, const struct cf_findings *f, const struct cf_cell_finding *cell)
{
    for (int i = 0; i < f->n_findings; ++i) {
        const struct cf_finding *v = &f->findings[i];
        char *replay;

        if (v->configuration != cell->configuration || strcmp(v->suite, cell->suite) != 0 ||
            strcmp(v->group, cell->group) != 0 || (v->verdict == CF_PASS && !v->wrong) ||
            v->verdict == CF_SKIP)
            continue;
        fprintf(out, "%s %s %s: ", cf_verdict_name(v->verdict), cf_level_name(v->demand.level),
                cf_scope_name(v->demand.scope));
        cf_xml_text(out, v->reason, 0);
        putc('\n', out);
        if (!v->case_text)
            continue;
        replay = cf_finding_replay(f, v);
        cf_xml_text(out, replay, 0);
        putc('\n', out);
        free(replay);
    }
}

static void outcome(FILE *out, const struct cf_findings *f, const struct cf_cell_finding *cell)
{
    const char *name = cell->wrong || cell->verdict == CF_FAIL ? "failure"
                       : cell->verdict == CF_UNKNOWN           ? "error"
                                                               : "skipped";

    fprintf(out, "      <%s", name);
    cf_xml_attribute(out, "message", cell->reason);
    if (cell->verdict == CF_SKIP && !cell->wrong) {
        fputs("/>\n", out);
        return;
    }
    cf_xml_attribute(out, "type", cell->wrong ? "wrong" : cf_level_name(f->required));
    putc('>', out);
    details(out, f, cell);
    fprintf(out, "</%s>\n", name);
}

static void test_case(FILE *out, const struct cf_findings *f, const struct cf_cell_finding *cell)
{
    char *class_name = cf_format("conform.%s", cell->suite);

    fputs("    <testcase", out);
    cf_xml_attribute(out, "classname", class_name);
    cf_xml_attribute(out, "name", cell->group);
    fputs(" time=\"0\"", out);
    if (cell->verdict == CF_PASS && !cell->wrong) {
        fputs("/>\n", out);
    } else {
        fputs(">\n", out);
        outcome(out, f, cell);
        fputs("    </testcase>\n", out);
    }
    free(class_name);
}

static void property(FILE *out, const char *name, const char *value)
{
    fputs("      <property", out);
    cf_xml_attribute(out, "name", name);
    cf_xml_attribute(out, "value", value);
    fputs("/>\n", out);
}

/* A suite holds at least one test case, so that a configuration without any cell (nothing could be
 * measured) is seen as an error and not as an empty success. */
static void suite(FILE *out, const struct cf_findings *f, int i)
{
    const struct cf_configuration_finding *c = &f->configurations[i];
    const struct cf_cell_finding nothing = {.configuration = i,
                                            .suite = "configuration",
                                            .group = "measured",
                                            .verdict = CF_UNKNOWN,
                                            .reason = c->reason};
    struct counts n = {0};
    int measured;

    for (int k = 0; k < f->n_cells; ++k)
        if (f->cells[k].configuration == i)
            count(&n, &f->cells[k]);
    measured = n.tests > 0;
    if (!measured)
        count(&n, &nothing);
    fputs("  <testsuite", out);
    cf_xml_attribute(out, "name", c->label);
    put_counts(out, &n);
    fputs(" time=\"0\">\n    <properties>\n", out);
    property(out, "configuration", c->text);
    property(out, "level", cf_level_name(c->level));
    property(out, "effective", c->effective);
    fputs("    </properties>\n", out);
    for (int k = 0; k < f->n_cells; ++k)
        if (f->cells[k].configuration == i)
            test_case(out, f, &f->cells[k]);
    if (!measured)
        test_case(out, f, &nothing);
    fputs("  </testsuite>\n", out);
}

static void unit_case(FILE *out, const struct cf_unit_finding *u)
{
    static const char *const kinds[CF_N_UNIT_STATES] = {NULL, "failure", "error", "error"};
    char *name = cf_format("%s%s%s, %s", u->node, *u->node ? " " : "", u->name, u->kernel);

    fputs("    <testcase classname=\"conform.qualification\"", out);
    cf_xml_attribute(out, "name", name);
    fputs(" time=\"0\"", out);
    if (u->state == CF_UNIT_NOT_MEASURED && u->n_requests == 0) {
        fputs("><skipped", out);
        cf_xml_attribute(out, "message", u->reason);
        fputs("/></testcase>\n", out);
    } else if (kinds[u->state]) {
        fprintf(out, ">\n      <%s", kinds[u->state]);
        cf_xml_attribute(out, "message", u->reason);
        cf_xml_attribute(out, "type", cf_unit_state_name(u->state));
        putc('>', out);
        cf_xml_text(out, u->case_text, 0);
        if (*u->got) {
            fputs("\n", out);
            cf_xml_text(out, u->element, 0);
            fputs(" expected ", out);
            cf_xml_text(out, u->expected, 0);
            fputs(" got ", out);
            cf_xml_text(out, u->got, 0);
        }
        fprintf(out, "</%s>\n    </testcase>\n", kinds[u->state]);
    } else {
        fputs("/>\n", out);
    }
    free(name);
}

/* A unit that must be asked again, or was not measured, is an error and never a pass. */
static void qualification(FILE *out, const struct cf_findings *f)
{
    struct counts n = {.tests = f->n_units};

    for (int i = 0; i < f->n_units; ++i) {
        n.failures += f->units[i].state == CF_UNIT_FAIL;
        n.errors += f->units[i].state == CF_UNIT_RETEST;
        if (f->units[i].state == CF_UNIT_NOT_MEASURED)
            ++*(f->units[i].n_requests > 0 ? &n.errors : &n.skipped);
    }
    fputs("  <testsuite name=\"qualification\"", out);
    put_counts(out, &n);
    fputs(" time=\"0\">\n    <properties>\n", out);
    property(out, "coverage", f->coverage);
    fputs("    </properties>\n", out);
    for (int i = 0; i < f->n_units; ++i)
        unit_case(out, &f->units[i]);
    fputs("  </testsuite>\n", out);
}

static int write_junit(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                       struct cf_error *err)
{
    (void)page;
    (void)err;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"conform\">\n", out);
    for (int i = 0; i < f->n_configurations; ++i)
        suite(out, f, i);
    if (f->n_units > 0)
        qualification(out, f);
    fputs("</testsuites>\n", out);
    return 0;
}

const struct cf_report cf_report_junit = {
    .name = "junit", .suffix = ".xml", .why = "JUnit XML for CI systems", .write = write_junit};
