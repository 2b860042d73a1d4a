/* reports: the same findings give the same bytes, hostile names stay names, the worst is first, and
 * no page is wider or longer than promised. The samples that it leaves in the build directory are
 * validated by tests/reports_valid.sh. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "report.h"
#include "support_hostile.h"
#include "support_utf8.h"

static const struct cf_report *find(const char *name)
{
    for (int i = 0; cf_reports[i]; ++i)
        if (strcmp(cf_reports[i]->name, name) == 0)
            return cf_reports[i];
    cr_assert_fail("there is no report %s", name);
    return NULL;
}

static char *print_on(const char *name, const struct cf_findings *findings, struct cf_page page)
{
    struct cf_error err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert(find(name)->write(out, findings, &page, &err) == 0, "%s: %s", name, err.text);
    fclose(out);
    return text;
}

static char *print(const char *name, const struct cf_findings *findings)
{
    return print_on(name, findings, (struct cf_page){CF_PAGE_WIDTH, 0});
}

static void keep_sample(const char *file, const char *text)
{
    char path[4096];
    FILE *out;

    mkdir(CF_BINARY_DIR "/samples", 0777);
    snprintf(path, sizeof path, CF_BINARY_DIR "/samples/%s", file);
    out = fopen(path, "w");
    cr_assert(out != NULL, "%s cannot be written", path);
    fputs(text, out);
    cr_assert(fclose(out) == 0);
}

Test(reports, same_findings_same_bytes)
{
    const struct cf_findings f = sample();

    for (int i = 0; cf_reports[i]; ++i) {
        char *a = print(cf_reports[i]->name, &f), *b = print(cf_reports[i]->name, &f);

        cr_expect(strcmp(a, b) == 0, "%s differs from itself", cf_reports[i]->name);
        cr_expect(strlen(a) > 200, "%s says nothing", cf_reports[i]->name);
        free(a);
        free(b);
    }
}

Test(reports, samples_for_the_validators)
{
    const struct cf_findings f = sample();
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];
    char file[64], *text;

    keep_sample("honest.json", text = print("json", &f));
    free(text);
    keep_sample("honest.xml", text = print("junit", &f));
    free(text);
    keep_sample("honest.html", text = print("html", &f));
    free(text);
    for (int i = 0; i < CF_COUNT(hostile); ++i) {
        const struct cf_findings bad = poison(hostile[i], c, v);

        snprintf(file, sizeof file, "hostile-%02d.json", i);
        keep_sample(file, text = print("json", &bad));
        free(text);
        snprintf(file, sizeof file, "hostile-%02d.html", i);
        keep_sample(file, text = print("html", &bad));
        free(text);
        snprintf(file, sizeof file, "hostile-%02d.xml", i);
        keep_sample(file, text = print("junit", &bad));
        free(text);
    }
}

/* Only line feeds of our own may control a terminal. */
Test(reports, hostile_names_do_not_drive_the_terminal)
{
    static const char *const formats[] = {"text", "markdown", "junit"};
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    for (int i = 0; i < CF_COUNT(hostile); ++i)
        for (int k = 0; k < CF_COUNT(formats); ++k) {
            const struct cf_findings bad = poison(hostile[i], c, v);
            char *text = print(formats[k], &bad);
            const char *at = text;
            uint32_t point;

            while ((point = cf_utf8_next(&at)))
                if (point != '\n' && cf_utf8_is_control(point))
                    cr_assert_fail("%s lets U+%04X of string %d through", formats[k], point, i);
            free(text);
        }
}

Test(reports, hostile_names_are_no_markup)
{
    static const char *const never[] = {"<script", "<img", "](javascript", "![image]", "<!--"};
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    for (int i = 0; i < CF_COUNT(hostile); ++i) {
        const struct cf_findings bad = poison(hostile[i], c, v);
        char *xml = print("junit", &bad), *page = print("markdown", &bad);

        for (int k = 0; k < CF_COUNT(never); ++k)
            cr_expect(strstr(xml, never[k]) == NULL || k == 2 || k == 3, "junit: %s", never[k]);
        /* Inside a code span markup is text; outside it is escaped. */
        for (char *line = page, *end; (end = strchr(line, '\n')); line = end + 1)
            for (int k = 0; k < CF_COUNT(never); ++k) {
                char *found = strstr(line, never[k]), *tick = strchr(line, '`');
                const int escaped = found && found > line && found[-1] == '\\';

                cr_expect(!found || found > end || escaped || (tick && tick < found),
                          "markdown: %s in string %d", never[k], i);
            }
        free(xml);
        free(page);
    }
}

Test(reports, json_holds_what_the_findings_hold)
{
    const struct cf_findings f = sample();
    char *text = print("json", &f);
    json_error_t why;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    const char *schema, *replay;
    int exit_code, n_different;
    double error;
    json_t *slowdown;

    cr_assert(root != NULL, "line %d: %s", why.line, why.text);
    cr_assert(json_unpack_ex(root, &why, 0,
                             "{s:s, s:{s:i}, s:[{}, {}, {s:o}], s:[{s:s, s:{s:i}, s:{s:F}}]}",
                             "schema", &schema, "run", "exit", &exit_code, "configurations",
                             "slowdown", &slowdown, "findings", "replay", &replay, "evidence",
                             "n_different", &n_different, "a", "error", &error) == 0,
              "%s", why.text);
    cr_expect_str_eq(schema, "conform-report/1");
    cr_expect_eq(exit_code, 1);
    cr_expect_eq(n_different, 3);
    cr_expect_eq(error, 0.38, "error reads back as %a", error);
    cr_expect(json_is_null(slowdown), "a NaN must become null");
    cr_expect(strstr(replay, "conform replay \"dot f64 n=100000") == replay, "%s", replay);
    json_decref(root);
    free(text);
}

/* Lines that a reader of each format must be able to cut apart again, whatever the names are. */
Test(reports, lines_stay_lines)
{
    static const struct {
        const char *name, *end;
        int lines;
    } rows[] = {{"csv", "\r\n", 3}, {"openmetrics", "# EOF\n", 0}, {"ocp", "}\n", 0}};
    const struct cf_findings f = sample();
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    for (int r = 0; r < CF_COUNT(rows); ++r) {
        char *honest = print(rows[r].name, &f);
        int expected = 0;

        for (const char *at = honest; (at = strchr(at, '\n')); ++at)
            ++expected;
        cr_expect(rows[r].lines == 0 || expected == rows[r].lines, "%s", honest);
        for (int i = 0; i < CF_COUNT(hostile); ++i) {
            const struct cf_findings bad = poison(hostile[i], c, v);
            char *text = print(rows[r].name, &bad);
            int lines = 0;

            for (const char *at = text; (at = strchr(at, '\n')); ++at)
                ++lines;
            cr_expect(lines == expected || strcmp(rows[r].name, "ocp") == 0, "%s, string %d: %d",
                      rows[r].name, i, lines);
            cr_expect(strcmp(text + strlen(text) - strlen(rows[r].end), rows[r].end) == 0);
            free(text);
        }
        free(honest);
    }
}

Test(reports, ocp_is_json_lines)
{
    const struct cf_findings f = sample();
    struct cf_configuration_finding c[4];
    struct cf_finding v[3];

    for (int i = -1; i < CF_COUNT(hostile); ++i) {
        const struct cf_findings bad = i < 0 ? f : poison(hostile[i], c, v);
        char *text = print("ocp", &bad), *rest = NULL;
        int number = 0, fails = 0, ends = 0;

        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

            cr_assert(root != NULL, "no JSON: %s", line);
            cr_expect_eq(json_integer_value(json_object_get(root, "sequenceNumber")), number++);
            fails += strstr(line, "\"type\":\"FAIL\"") != NULL;
            ends += strstr(line, "\"status\":\"COMPLETE\",\"result\"") != NULL ||
                    strstr(line, "\"result\":\"FAIL\"") != NULL;
            json_decref(root);
        }
        cr_expect(fails == 3, "%d diagnoses say FAIL", fails);
        cr_expect(ends == 1);
        free(text);
    }
}

Test(reports, csv_cells_are_quoted_and_no_formulas)
{
    struct cf_record_finding records[] = {sample_records[0], sample_records[1]};
    struct cf_findings f = sample();
    char *text;

    records[1].case_text = "=HYPERLINK(1)";
    f.records = records;
    text = print("csv", &f);
    cr_expect(strstr(text, "\"killed by signal 7, \"\"SIGBUS\"\"\",\r\n"), "%s", text);
    cr_expect(strstr(text, ",\"'=HYPERLINK(1)\","), "%s", text);
    cr_expect(strstr(text, ",ran,abcd0000000000000000000000000000,1234,,engine=40"), "%s", text);
    free(text);
}

static void expect_before(const char *text, const char *first, const char *second)
{
    const char *a = strstr(text, first), *b = strstr(text, second);

    cr_expect(a && b && a < b, "`%s` must come before `%s` in\n%s", first, second, text);
}

Test(reports, text_tells_the_worst_first)
{
    const struct cf_findings f = sample();
    char *text = print("text", &f);

    cr_expect(strncmp(text, f.sentence, strlen(f.sentence)) == 0, "%s", text);
    expect_before(text, "WRONG statistical to-reference", "FAIL numerical across-thread");
    expect_before(text, "Not measured", "Invariance");
    expect_before(text, "Invariance", "Who agrees");
    cr_expect(strstr(text, "these 2 of 3 agree bit for bit (2 different answers in all): "
                           "openblas-pthread"),
              "%s", text);
    cr_expect(strstr(text, "sum f32: all 3 agree bit for bit"), "%s", text);
    cr_expect(strstr(text, "exact -0x1.e18c17ff7dc00p+7"), "%s", text);
    cr_expect(strstr(text, "(process 1, repetition 2)"), "%s", text);
    free(text);
}

Test(reports, markdown_and_text_mark_what_is_wrong)
{
    const struct cf_findings f = sample();
    char *page = print("markdown", &f), *text = print("text", &f);

    cr_expect(strstr(page, "**wrong**"), "%s", page);
    cr_expect(strstr(text, "none!"), "%s", text);
    cr_expect(strstr(text, "killed by signal 7"), "%s", text);
    free(page);
    free(text);
}

/* Lines to be pasted or compared (case, a, b, replay) are never cut; all others fit. */
Test(reports, text_fits_its_page)
{
    static const int widths[] = {60, 72, 80, 100, 200};
    const struct cf_findings f = sample();

    for (int i = 0; i < CF_COUNT(widths); ++i) {
        char *text = print_on("text", &f, (struct cf_page){widths[i], 0}), *rest = NULL;

        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            const int whole = strncmp(line, "  case", 6) == 0 || strncmp(line, "  a ", 4) == 0 ||
                              strncmp(line, "  b ", 4) == 0 || strncmp(line, "  replay", 8) == 0;

            cr_expect(whole || (int)strlen(line) <= widths[i], "%d: %s", widths[i], line);
        }
        free(text);
    }
}

Test(reports, colour_is_only_paint)
{
    const struct cf_findings f = sample();
    char *plain = print_on("text", &f, (struct cf_page){200, 0});
    char *painted = print_on("text", &f, (struct cf_page){200, 1}), *to = painted;

    cr_expect(strchr(plain, '\033') == NULL);
    cr_expect(strchr(painted, '\033') != NULL);
    for (const char *at = painted; *at;)
        if (*at == '\033')
            at = strchr(at, 'm') + 1;
        else
            *to++ = *at++;
    *to = '\0';
    cr_expect_str_eq(painted, plain);
    free(plain);
    free(painted);
}

Test(reports, markdown_is_at_most_60_lines)
{
    enum { MANY = 300 };
    static struct cf_configuration_finding c[MANY];
    static struct cf_finding v[MANY];
    static struct cf_invariance_finding families[MANY];
    static char names[MANY][16];
    struct cf_findings f = sample();
    char *page;
    int lines = 0;

    for (int i = 0; i < MANY; ++i) {
        snprintf(names[i], sizeof names[i], "name %d", i);
        c[i] = sample_configurations[i % 4];
        v[i] = sample_findings[i % 2];
        families[i] = sample_invariances[i % 5];
        c[i].label = families[i].family = names[i];
        v[i].configuration = v[i].a.configuration = i;
    }
    f.configurations = c;
    f.findings = v;
    f.invariances = families;
    f.n_configurations = f.n_findings = f.n_invariances = MANY;
    f.n_classes = 0;
    page = print("markdown", &f);
    for (const char *at = page; (at = strchr(at, '\n')); ++at)
        ++lines;
    cr_expect_leq(lines, 60, "%d lines", lines);
    cr_expect(strstr(page, "more configurations"), "what was left out must be counted");
    free(page);
}

/* A page that people read is reviewed as text: tests/data/report.* hold what the sample looks like.
 * After a wanted change: copy build/samples/report.* there, in a commit of their own. */
Test(reports, pages_are_as_reviewed)
{
    static const char *const names[][2] = {{"text", "report.txt"}, {"markdown", "report.md"}};
    const struct cf_findings f = sample();

    for (int i = 0; i < CF_COUNT(names); ++i) {
        char *text = print(names[i][0], &f), *path, *golden = cf_alloc_zero(65536);
        FILE *in;

        keep_sample(names[i][1], text);
        path = cf_format(CF_SOURCE_DIR "/tests/data/%s", names[i][1]);
        in = fopen(path, "r");
        cr_assert(in != NULL, "%s cannot be read", path);
        cr_assert(fread(golden, 1, 65535, in) > 0);
        fclose(in);
        cr_expect_str_eq(text, golden, "%s is not %s:\n%s", names[i][0], path, text);
        free(golden);
        free(path);
        free(text);
    }
}

/* The words of the shell are the words of the store: quoting and merging must not change them. */
Test(reports, replay_lines)
{
    static const struct {
        const char *a, *b, *line;
    } rows[] = {{"plain kernel=kahan", NULL, "conform replay \"dot\" \"plain kernel=kahan\""},
                {"blas lib=/x threads=1", "blas lib=/x threads=2",
                 "conform replay \"dot\" \"blas lib=/x threads={1,2}\""},
                {"blas lib=/x threads=1", "blas lib=/y threads=2",
                 "conform replay \"dot\" \"blas lib=/x threads=1\" \"blas lib=/y threads=2\""},
                {"blas lib=/x threads=1", "plain kernel=kahan",
                 "conform replay \"dot\" \"blas lib=/x threads=1\" \"plain kernel=kahan\""},
                {"blas lib=/a%20b env.A=$x`y`", "blas lib=/a%2Cb env.A=$x`y`",
                 "conform replay \"dot\" \"blas lib={/a%20b,/a%2Cb} env.A=\\$x\\`y\\`\""}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_configuration_finding c[2] = {{.text = rows[i].a}, {.text = rows[i].b}};
        const struct cf_findings f = {.configurations = c, .n_configurations = 2};
        const struct cf_finding v = {.configuration = 0,
                                     .other = rows[i].b ? 1 : -1,
                                     .case_text = "dot",
                                     .a.configuration = -1,
                                     .b.configuration = -1};
        char *line = cf_finding_replay(&f, &v);

        cr_expect_str_eq(line, rows[i].line);
        free(line);
    }
}
