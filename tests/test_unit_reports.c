/* unit_reports: a qualification as DCGM and OpenDCDiag report theirs: each field of docs/qualify.md
 * is there, says what the findings say, and hostile names change no structure. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "report.h"
#include "support_findings.h"

static json_t *print(const char *name, const struct cf_findings *f)
{
    const struct cf_page page = {CF_PAGE_WIDTH, 0};
    struct cf_error err = {0};
    json_error_t why;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_t *root;

    for (int i = 0; cf_reports[i]; ++i)
        if (strcmp(cf_reports[i]->name, name) == 0)
            cr_assert(cf_reports[i]->write(out, f, &page, &err) == 0, "%s", err.text);
    fclose(out);
    root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    cr_assert(root != NULL, "%s, line %d: %s", name, why.line, why.text);
    free(text);
    return root;
}

Test(unit_reports, dcgm_names_the_unit_and_what_to_do)
{
    struct cf_unit_finding units[] = {sample_units[0], sample_units[1], sample_units[1],
                                      sample_units[0]};
    struct cf_findings f = sample();
    json_t *root, *results;
    const char *summary, *status[4], *severity[3], *text;
    json_error_t why;

    units[2].state = CF_UNIT_RETEST;
    units[3].state = CF_UNIT_NOT_MEASURED;
    f.units = units;
    f.n_units = 4;
    root = print("dcgm", &f);
    cr_assert_eq(json_unpack_ex(root, &why, 0, "{s:s, s:[{s:s, s:[{s:s, s:o, s:{s:s}}]}]}",
                                "version", &text, "test_categories", "category", &text, "tests",
                                "name", &text, "results", &results, "test_summary", "status",
                                &summary),
                 0, "%s", why.text);
    cr_expect_str_eq(text, "avx2");
    cr_expect_str_eq(summary, "Fail");
    cr_assert_eq(json_unpack_ex(results, &why, 0,
                                "[{s:s, s:[]}, {s:s, s:[{s:s, s:s}]}, {s:s, s:[{s:s}]}, {s:s, "
                                "s:[{s:s}]}]",
                                "status", &status[0], "warnings", "status", &status[1], "warnings",
                                "error_severity", &severity[0], "warning", &text, "status",
                                &status[2], "warnings", "error_severity", &severity[1], "status",
                                &status[3], "warnings", "error_severity", &severity[2]),
                 0, "%s", why.text);
    cr_expect_str_eq(status[0], "Pass");
    cr_expect_str_eq(status[1], "Fail");
    cr_expect_str_eq(severity[0], "ISOLATE");
    cr_expect(strstr(text, "0x3fe0000000000400") && strstr(text, "pass 3 lane 17"), "%s", text);
    cr_expect_str_eq(status[2], "Warn");
    cr_expect_str_eq(severity[1], "TRIAGE");
    cr_expect_str_eq(status[3], "Not Run");
    cr_expect_str_eq(severity[2], "UNKNOWN");
    json_decref(root);
}

Test(unit_reports, opendcdiag_says_where_when_and_what)
{
    const struct cf_findings f = sample();
    json_t *root = print("opendcdiag", &f);
    const char *exit, *mask, *seed, *state, *actual, *bits, *ppin, *result;
    int logical, retry;
    double fail_ms, duration;
    json_error_t why;

    cr_assert_eq(
        json_unpack_ex(root, &why, 0,
                       "{s:s, s:{s:F}, s:[{}, {s:i, s:s}], s:[{s:s, s:{s:s, s:b}, s:{s:s, s:F}, "
                       "s:[{s:n}, {s:s, s:[{s:{s:s, s:s}}]}]}]}",
                       "exit", &exit, "timing", "duration", &duration, "cpu-info", "logical",
                       &logical, "ppin", &ppin, "tests", "result", &result, "state", "seed", &seed,
                       "retry", &retry, "fail", "cpu-mask", &mask, "time-to-fail", &fail_ms,
                       "threads", "messages", "state", &state, "messages", "data-miscompare",
                       "actual", &actual, "mask", &bits),
        0, "%s", why.text);
    cr_expect_str_eq(exit, "fail");
    cr_expect_eq(duration, 9000);
    cr_expect_eq(logical, 1);
    cr_expect_str_eq(ppin, "0x1234");
    cr_expect_str_eq(result, "fail");
    cr_expect_str_eq(seed, "conform:7");
    cr_expect(retry);
    cr_expect_str_eq(mask, ".X");
    cr_expect_eq(fail_ms, 4500);
    cr_expect_str_eq(state, "failed");
    cr_expect_str_eq(actual, "0x3fe0000000000400");
    cr_expect_str_eq(bits, "0x400");
    json_decref(root);
}

Test(unit_reports, opendcdiag_tells_ends_apart)
{
    static const struct {
        enum cf_unit_state state;
        int64_t n_requests;
        const char *reason, *result;
    } rows[] = {{CF_UNIT_PASS, 5, "", "pass"},
                {CF_UNIT_RETEST, 5, "", "fail"},
                {CF_UNIT_NOT_MEASURED, 0, "no such instructions", "skip"},
                {CF_UNIT_NOT_MEASURED, 5, "1 of 5 had no answer: crashed: signal 4", "crash"},
                {CF_UNIT_NOT_MEASURED, 5, "1 of 5 had no answer: timed-out: 60 s", "timed out"},
                {CF_UNIT_NOT_MEASURED, 5, "lost", "operating system error"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_unit_finding unit = sample_units[0];
        struct cf_findings f = sample();
        const char *result;
        json_t *root;

        unit.state = rows[i].state;
        unit.n_requests = rows[i].n_requests;
        unit.reason = rows[i].reason;
        f.units = &unit;
        f.n_units = 1;
        root = print("opendcdiag", &f);
        cr_assert_eq(json_unpack(root, "{s:[{s:s}]}", "tests", "result", &result), 0);
        cr_expect_str_eq(result, rows[i].result);
        json_decref(root);
    }
}

Test(unit_reports, hostile_names_change_no_structure)
{
    static const char *const hostile[] = {"\"}]", "\xff\xfe", "\033[31m", "%s%n", "\\u0000", ""};
    static const char *const formats[] = {"dcgm", "opendcdiag"};

    for (int k = 0; k < CF_COUNT(hostile); ++k)
        for (int i = 0; i < CF_COUNT(formats); ++i) {
            struct cf_unit_finding units[] = {sample_units[0], sample_units[1]};
            struct cf_findings f = sample();
            json_t *root;

            units[0].node = units[1].node = units[1].kernel = units[1].case_text = hostile[k];
            units[1].element = units[1].expected = units[1].reason = units[1].ppin = hostile[k];
            units[0].kernel = units[0].name = hostile[k];
            f.units = units;
            f.tool_version = f.command_line = f.coverage = hostile[k];
            root = print(formats[i], &f);
            cr_expect_eq(json_array_size(json_object_get(root, i ? "tests" : "test_categories")),
                         1);
            json_decref(root);
        }
}
