/* Findings made up for the tests of the reports: three configurations (an honest baseline, one that
 * only differs in its bits, a liar), one that cannot be opened, two groups. */
#ifndef CF_TESTS_FINDINGS_H
#define CF_TESTS_FINDINGS_H

#include <math.h>
#include <string.h>

#include "error.h"
#include "finding.h"

static struct cf_configuration_finding sample_configurations[] = {
    {.text = "blas lib=opt/libopenblas.so threads=1",
     .label = "openblas-pthread 0.3.21 threads=1",
     .requested = "{\"threads\":\"1\"}",
     .effective = "{\"threads\":\"1\",\"version\":\"0.3.21\"}",
     .is_baseline = 1,
     .qualified = 1,
     .level = CF_NUMERICAL,
     .at_required = CF_PASS,
     .reason = "",
     .n_fates = {[CF_RAN] = 40},
     .slowdown = 1},
    {.text = "blas lib=opt/libopenblas.so threads=2",
     .label = "openblas-pthread 0.3.21 threads=2",
     .requested = "{\"threads\":\"2\"}",
     .effective = "{}",
     .qualified = 1,
     .level = CF_STATISTICAL,
     .at_required = CF_FAIL,
     .reason = "dot f64: 3 of 20 differ in their bits",
     .n_fates = {[CF_RAN] = 40},
     .slowdown = 0.625},
    {.text = "blas lib=opt/libliar.so threads=1",
     .label = "liar threads=1",
     .requested = "{}",
     .effective = "{}",
     .level = CF_NONE,
     .at_required = CF_FAIL,
     .wrong = 1,
     .reason = "dot f64: a term is missing",
     .n_fates = {[CF_RAN] = 40},
     .slowdown = NAN},
    {.text = "blas lib=opt/libtruncated.so threads=1",
     .label = "truncated threads=1",
     .requested = "{}",
     .effective = "{}",
     .level = CF_NONE,
     .at_required = CF_UNKNOWN,
     .reason = "the worker was killed by signal 7 while it opened the library",
     .n_fates = {[CF_NOT_OPENED] = 40},
     .slowdown = NAN}};

static struct cf_cell_finding sample_cells[] = {
    {0, "reductions", "dot f64", CF_NUMERICAL, CF_PASS, 0, ""},
    {0, "reductions", "sum f32", CF_NUMERICAL, CF_PASS, 0, ""},
    {1, "reductions", "dot f64", CF_STATISTICAL, CF_FAIL, 0, "3 of 20 differ in their bits"},
    {1, "reductions", "sum f32", CF_NUMERICAL, CF_SKIP, 0, "not offered"},
    {2, "reductions", "dot f64", CF_NONE, CF_FAIL, 1, "a term is missing"},
    {2, "reductions", "sum f32", CF_NONE, CF_UNKNOWN, 0, "5 seeds of 20"}};

static struct cf_finding sample_findings[] = {{.demand = {CF_NUMERICAL, CF_ACROSS_THREAD},
                                               .configuration = 1,
                                               .other = 0,
                                               .suite = "reductions",
                                               .group = "dot f64",
                                               .component = "bits",
                                               .verdict = CF_FAIL,
                                               .estimate = 0.15,
                                               .lower = NAN,
                                               .upper = NAN,
                                               .margin = 0,
                                               .unit = "share of cases",
                                               .margin_source = "levels",
                                               .n_compared = 20,
                                               .n_different = 3,
                                               .case_text = "dot f64 n=100000 fill=uniform seed=1",
                                               .exact = "-0x1.e18c17ff7dc00p+7",
                                               .a = {1, 0, 0, 0, 0, "-0x1.e18c17ff7dc25p+7", 0.38},
                                               .b = {0, 0, 1, 0, 0, "-0x1.e18c17ff7dbfbp+7", 0.05},
                                               .reason = "3 of 20 cases differ in their bits"},
                                              {.demand = {CF_STATISTICAL, CF_TO_REFERENCE},
                                               .configuration = 2,
                                               .other = -1,
                                               .suite = "reductions",
                                               .group = "dot f64",
                                               .component = "S1",
                                               .verdict = CF_FAIL,
                                               .wrong = 1,
                                               .estimate = 1e9,
                                               .lower = NAN,
                                               .upper = INFINITY,
                                               .margin = 2,
                                               .unit = "u*scale",
                                               .margin_source = "levels",
                                               .n_compared = 20,
                                               .n_different = 20,
                                               .n_seeds = 20,
                                               .n_seeds_needed = 20,
                                               .case_text = "dot f64 n=7 fill=exact seed=1",
                                               .exact = "0x1p+3",
                                               .a = {2, 0, 0, 0, 0, "0x1p+2", 1e9},
                                               .b = {.configuration = -1},
                                               .reason = "a term is missing"},
                                              {.demand = {CF_NUMERICAL, CF_TO_BASELINE},
                                               .configuration = 0,
                                               .other = 0,
                                               .suite = "reductions",
                                               .group = "dot f64",
                                               .component = "bits",
                                               .verdict = CF_PASS,
                                               .a = {.configuration = -1},
                                               .b = {.configuration = -1},
                                               .reason = "it is the baseline"}};

static struct cf_invariance_finding sample_invariances[] = {
    {"openblas-pthread 0.3.21", "dot f64", CF_ACROSS_RUN, CF_NUMERICAL, CF_PASS, 40, 0, ""},
    {"openblas-pthread 0.3.21", "dot f64", CF_ACROSS_THREAD, CF_STATISTICAL, CF_PASS, 20, 3, ""},
    {"openblas-pthread 0.3.21", "sum f32", CF_ACROSS_THREAD, CF_NUMERICAL, CF_PASS, 20, 0, ""},
    {"openblas-pthread 0.3.21", "sum f32", CF_ACROSS_ISA, CF_NONE, CF_SKIP, 0, 0, ""},
    {"liar", "dot f64", CF_ACROSS_RUN, CF_NONE, CF_UNKNOWN, 3, 0, "too few"}};

static const int sample_class_dot[] = {0, 1, 0, -1}, sample_class_sum[] = {0, 0, 0, -1};
static struct cf_class_finding sample_classes[] = {{"reductions", "dot f64", 2, sample_class_dot},
                                                   {"reductions", "sum f32", 1, sample_class_sum}};
static struct cf_library_finding sample_libraries[] = {{"opt/libopenblas.so", "ab12", "0.3.21"}};
static struct cf_key_value sample_environment[] = {{"cpu.model", "made up"}, {"libc", "2.36"}};
static const char *sample_cases[] = {"dot f64 n=100000 fill=uniform seed=1",
                                     "dot f64 n=7 fill=exact seed=1"};

/* A fleet of two machines and a qualification of two units, one of each bad. */
static struct cf_node_finding sample_nodes[] = {
    {"n1", "made up", CF_NODE_AGREES, 20, 0, "", "", "", "", "", "agrees with the majority"},
    {"n2", "made up", CF_NODE_OUTLIER, 20, 1, "dot f64 n=7 fill=exact seed=1", "plain",
     "output 0 element 0", "0x4020000000000000", "0x4010000000000000", "1 of 20 cases differ"}};
static struct cf_unit_finding sample_units[] = {{"",     "core 0 (cpu 0)",
                                                 "avx2", CF_UNIT_PASS,
                                                 1e10,   10,
                                                 200,    0,
                                                 NAN,    "",
                                                 "",     "",
                                                 "",     "200 of 200 requests gave the golden bits",
                                                 0,      0,
                                                 0,      0,
                                                 0,      7,
                                                 0,      2600,
                                                 "",     -1,
                                                 "",     ""},
                                                {"",
                                                 "core 1 (cpu 1)",
                                                 "avx2",
                                                 CF_UNIT_FAIL,
                                                 1e10,
                                                 10,
                                                 200,
                                                 3,
                                                 4.5,
                                                 "chain f64 n=64 rounds=1000 seed=7",
                                                 "pass 3 lane 17",
                                                 "0x3fe0000000000000",
                                                 "0x3fe0000000000400",
                                                 "3 of 200 requests gave other bits, bit 10 first",
                                                 1,
                                                 1,
                                                 0,
                                                 0,
                                                 0,
                                                 7,
                                                 4,
                                                 NAN,
                                                 "0x1234",
                                                 -1,
                                                 "",
                                                 ""}};

/* One promise that is broken across threads, one of which nothing is asked. */
static struct cf_promise sample_promise[] = {
    {"made-up-thread", "openblas", "*", "*", "-", CF_ACROSS_THREAD, CF_PROMISED_SAME,
     "A Guide That Nobody Wrote", "Threads", "1.2", "2025-01",
     "any number of threads gives the same bits"},
    {"made-up-run", "openblas", "*", "*", "-", CF_ACROSS_RUN, CF_PROMISED_NOTHING,
     "A Guide That Nobody Wrote", "whole guide", "1.2", "2025-01", "nothing is said of runs"}};
static struct cf_promise_finding sample_promises[] = {
    {&sample_promise[0], 1, "openblas-pthread 0.3.21", "reductions", "dot f64", CF_PROMISE_VIOLATED,
     0, 20, 3, "dot f64 n=100000 fill=uniform seed=1", "3 of 20 cases differ in their bits"},
    {&sample_promise[1], 0, "openblas-pthread 0.3.21", "reductions", "dot f64", CF_PROMISE_STRONGER,
     0, 40, 0, NULL, "0 of 40 differ"},
    {&sample_promise[1], 3, "truncated", "reductions", "dot f64", CF_PROMISE_NOT_EXERCISED, 0, 0, 0,
     NULL, "nothing ran"}};
static struct cf_flip_finding sample_flips[] = {
    {"plain kernel=forward",
     "dot f64 m=1 n=7 fill=uniform seed=1",
     "output 0",
     64,
     52,
     1,
     {1, 0, 1, 1, 1, 1},
     {UINT64_MAX, 0, 0, UINT64_MAX << 3, UINT64_MAX << 4, UINT64_MAX << 43},
     {64, 0, 0, 61, 60, 21}},
    {"plain kernel=tf32",
     "dot f64 m=1 n=7 fill=uniform seed=1",
     "output 0",
     64,
     52,
     1,
     {1, 0, 1, -1, -1, 1},
     {UINT64_MAX, 0, 0, 0, 0, UINT64_MAX << 45 >> 1},
     {64, 0, 0, 0, 0, 19}}};

static const struct cf_digest sample_digest = {{0xab, 0xcd}};
static struct cf_record_finding sample_records[] = {
    {0, 0, 0, "reductions", "dot f64 n=7 fill=exact seed=1", CF_RAN, &sample_digest, 1234, "",
     "engine=40 numerical_notes=TENSOR_CORE"},
    {3, 0, 0, "reductions", "dot f64 n=7 fill=exact seed=1", CF_NOT_OPENED, NULL, -1,
     "killed by signal 7, \"SIGBUS\"", ""}};

/* Two configurations of a family took the same, and one of them something else too. */
static struct cf_chosen_finding sample_chosen[] = {
    {0, "openblas-pthread 0.3.21", "reductions", "dot f64", "engine=40 numerical_notes=<none>", 3,
     30, "dot f64 n=7 fill=exact seed=1", NULL},
    {1, "openblas-pthread 0.3.21", "reductions", "dot f64", "engine=20", 1, 4,
     "dot f64 n=100000 fill=uniform seed=1", NULL},
    {1, "openblas-pthread 0.3.21", "reductions", "dot f64", "engine=40 numerical_notes=<none>", 2,
     16, "dot f64 n=7 fill=exact seed=1", NULL}};

static struct cf_findings sample(void)
{
    return (struct cf_findings){
        .tool_version = "0.1.0",
        .command_line = "conform --level numerical",
        .started = "2025-01-01T00:00:00Z",
        .finished = "2025-01-01T00:00:09Z",
        .sentence = "2 of 4 configurations are not numerically reproducible; 1 is wrong.",
        .required = CF_NUMERICAL,
        .exit_code = 1,
        .complete = 1,
        .n_planned = 160,
        .n_recorded = 160,
        .n_configurations = CF_COUNT(sample_configurations),
        .n_cells = CF_COUNT(sample_cells),
        .n_findings = CF_COUNT(sample_findings),
        .n_invariances = CF_COUNT(sample_invariances),
        .n_classes = CF_COUNT(sample_classes),
        .n_libraries = CF_COUNT(sample_libraries),
        .n_environment = CF_COUNT(sample_environment),
        .n_cases = CF_COUNT(sample_cases),
        .configurations = sample_configurations,
        .cells = sample_cells,
        .findings = sample_findings,
        .invariances = sample_invariances,
        .classes = sample_classes,
        .libraries = sample_libraries,
        .environment = sample_environment,
        .cases = sample_cases,
        .n_records = CF_COUNT(sample_records),
        .records = sample_records,
        .n_units = CF_COUNT(sample_units),
        .units = sample_units,
        .n_nodes = CF_COUNT(sample_nodes),
        .nodes = sample_nodes,
        .n_chosen = CF_COUNT(sample_chosen),
        .chosen = sample_chosen,
        .n_promises = CF_COUNT(sample_promises),
        .promises = sample_promises,
        .n_flips = CF_COUNT(sample_flips),
        .flips = sample_flips,
        .coverage = "2 of 2 cores were exercised.",
        .n_verdicts = {[CF_PASS] = 1, [CF_FAIL] = 2},
        .n_fates = {[CF_RAN] = 120, [CF_NOT_OPENED] = 40}};
}

#endif
