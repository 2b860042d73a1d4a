/* elementary: functions of one argument, of a C library or a framework. Each answer is held against
 * MPFR, so that of two versions that differ it can be said which is right. */
#include <stddef.h>

#include "suite.h"

#define ANY (1u << CF_NUMERICAL | 1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)

static const struct cf_case_list lists[] = {
    /* The arguments that programs use; another polynomial or table shows at once. */
    {"{exp,log,sin,cos,tanh,erf,gelu_fwd,gelu_bwd} {f32,f64} n=2048 seed={1,2}", ANY, 2, 2},
    /* Where 0.51 ulp and correct rounding part. */
    {"{exp,log,sin,cos,tanh,erf} f64 n=256 range=hard seed={1,2}", ANY, 2, 1},
    /* All of f32 by a stride, every class of number; `conform whole` takes every one. */
    {"{exp,log,sin,cos,tanh,erf,gelu_fwd,gelu_bwd} f32 n=8192 range=whole step=524288", ANY, 2, 1},
    {NULL, 0, 0, 0}};

static const struct cf_demand demands[] = {{CF_NUMERICAL, CF_ACROSS_RUN},
                                           {CF_NUMERICAL, CF_ACROSS_VERSION},
                                           {CF_STATISTICAL, CF_TO_REFERENCE},
                                           {CF_STATISTICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_elementary = {
    .name = "elementary",
    .why = "elementary functions: same bits from run to run and version to version, and how far "
           "from correct rounding",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
