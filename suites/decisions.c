/* decisions: what is done with sums: the class of a picture, the verdict of a solver. The other
 * suites' outputs are decided on too (largest, order, sign, levels.md, section 5); these are whole
 * programs over gemm, gemv and dot. */
#include "suite.h"

#define ANY (1u << CF_NUMERICAL | 1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)

static const struct cf_case_list lists[] = {
    /* All 1797 pictures of the data, 90 a seed; 60 runs and more bound the failures by 5 %. */
    {"classify f32 rows=90 fill=digits seed={1..20}", ANY, 10, 2},
    /* 59 systems bound the share of unequal iterations by 5 %; ten fresh workers show bits. */
    {"{solve_cg,solve_jacobi} {f32,f64} n=64 fill=system seed={1..60}", ANY, 10, 1},
    {0}};

static const struct cf_demand demands[] = {
    {CF_STATISTICAL, CF_TO_REFERENCE}, {CF_SCIENTIFIC, CF_TO_REFERENCE},
    {CF_FUNCTIONAL, CF_TO_BASELINE},   {CF_NUMERICAL, CF_ACROSS_RUN},
    {CF_NUMERICAL, CF_ACROSS_THREAD},  {CF_NUMERICAL, CF_ACROSS_ALIGNMENT},
    {CF_NUMERICAL, CF_ACROSS_ISA},     {CF_NUMERICAL, CF_ACROSS_VERSION},
    {CF_NUMERICAL, CF_ACROSS_LIBRARY}, {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_decisions = {
    .name = "decisions",
    .why = "what is decided from sums stays decided: classes of pictures, verdicts of solvers",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
