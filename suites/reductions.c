/* reductions: sums, norms, dots and matrix products. Lengths straddle the sizes at which libraries
 * unroll (4 to 64), block (256 to 4096) and split over threads (16384 and more). */
#include "suite.h"

#define ANY        (1u << CF_NUMERICAL | STATISTICS)
#define STATISTICS (1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)
#define FRESH                                                                                      \
    10 /* workers: repeats in one warm process are not independent (levels.md, section 5) */

static const struct cf_case_list lists[] = {
    /* Bits: full significands show every order of operations; each case in ten fresh workers. */
    {"{sum,asum,dot,nrm2} {f32,f64} m=4 "
     "n={1,2,3,4,7,8,15,16,17,63,64,65,255,256,257,1023,1024,1025} "
     "fill={normal,uniform} seed=1",
     ANY, FRESH, 1},
    {"{sum,asum,dot,nrm2} {f32,f64} m=1 n={4096,16384,65537,262144} fill={normal,wide} seed=1", ANY,
     FRESH, 1},
    {"{sum,asum,dot,nrm2} {f32,f64} m=1 n=1048576 fill=uniform seed=1", ANY, 2, 1},
    {"gemv {f32,f64} m=17 n={1,7,16,64,65,255,256,1025} fill={normal,uniform} seed={1,2}", ANY,
     FRESH, 1},
    {"gemv {f32,f64} m=512 n={300,1024} fill=normal seed=1", ANY, FRESH, 1},
    {"gemm {f32,f64} m=9 n=8 k={1,7,16,64,65,255,256,1025} fill={normal,uniform} seed={1,2}", ANY,
     FRESH, 1},
    {"gemm {f32,f64} m={33,64} n={31,64} k={65,384} fill=normal seed=1", ANY, FRESH, 1},
    {"gemm {f32,f64} m=160 n=144 k=200 fill=normal seed=1", ANY, 4, 1},
    /* The same rows alone or in another place: batching must not change a row's answer. Compared
     * with the case of seed 1 above, element by element. */
    {"gemv {f32,f64} m=17 n={7,64,255,1025} fill=normal seed=1 "
     "{row=0,row=1,row=3,row=4,row=7,row=8,row=15,row=16,rowperm=1}",
     ANY, FRESH, 1},
    {"gemm {f32,f64} m=9 n=8 k={7,64,255,1025} fill=normal seed=1 "
     "{row=0,row=8,rowperm=1,col=7,colperm=1}",
     ANY, FRESH, 1},
    {"gemm {f32,f64} m=64 n=64 k=384 fill=normal seed=1 {row=5,rowperm=1,colperm=1}", ANY, 1, 1},
    /* Logic: every partial sum is exact, so a dropped, doubled or misplaced term shows. */
    {"{sum,asum,dot,nrm2} {f32,f64} m=4 "
     "n={1,2,3,4,7,8,15,16,17,63,64,65,255,256,257,1023,1024,1025} "
     "fill=integer seed={1,2}",
     ANY, 1, 1},
    {"{sum,asum,dot} {f32,f64} m=48 n={1,7,17,64,257,1024,1025,16384} fill=spike seed=1", ANY, 1,
     1},
    {"gemv {f32,f64} m=17 n={1,3,8,17,64,257,1025} fill={integer,spike} seed={1,2}", ANY, 1, 1},
    {"gemm {f32,f64} m=9 n=8 k={1,3,8,17,64,257,1025} fill={integer,spike} seed={1,2}", ANY, 1, 1},
    {"gemm {f32,f64} m=97 n=65 k=129 fill=integer seed=1", ANY, 1, 1},
    /* Reduced precision, absorption, flushing, classes of results. */
    {"{sum,asum,dot,nrm2} {f32,f64} m=6 n={4,17,64,257,1024} fill={wide,tiny,special} seed=1", ANY,
     1, 1},
    {"{sum,dot} {f32,f64} m=6 n={4,17,64,257,1024} fill={cancel10,cancel20} seed=1", ANY, 1, 1},
    {"gemv {f32,f64} m=12 n={4,17,64,257} fill={wide,tiny,special,cancel10,cancel20} seed=1", ANY,
     1, 1},
    {"gemm {f32,f64} m=6 n=8 k={4,17,64,257} fill={wide,tiny,special,cancel10,cancel20} seed=1",
     ANY, 1, 1},
    /* A first look at accuracy as a distribution: enough that other bits can be called equivalent.
     */
    {"{sum,asum,dot,nrm2} {f32,f64} m=64 n=1024 fill=normal seed={1..20}", ANY, 1, 1},
    {"gemv {f32,f64} m=64 n=1024 fill=normal seed={1..20}", ANY, 1, 1},
    {"gemm {f32,f64} m=8 n=8 k=1024 fill=normal seed={1..20}", ANY, 1, 1},
    /* Accuracy as a distribution: twenty seeds a cell, 64 outputs a seed (16 where lines are long).
     */
    {"{sum,dot} {f32,f64} m=64 n={16,64,1024} fill={normal,uniform,cancel10,wide} seed={1..20}",
     STATISTICS, 1, 1},
    {"{asum,nrm2} {f32,f64} m=64 n={16,64,1024} fill={normal,uniform,wide} seed={1..20}",
     STATISTICS, 1, 1},
    {"{sum,asum,dot,nrm2} {f32,f64} m=16 n=16384 fill={normal,uniform} seed={1..20}", STATISTICS, 1,
     1},
    {"gemv {f32,f64} m=64 n={16,64,1024} fill={normal,uniform,cancel10,wide} seed={1..20}",
     STATISTICS, 1, 1},
    {"gemm {f32,f64} m=8 n=8 k={16,64,1024} fill={normal,uniform,cancel10,wide} seed={1..20}",
     STATISTICS, 1, 1},
    {"gemm {f32,f64} m=8 n=8 k=16384 fill={normal,uniform} seed={1..20}", STATISTICS, 1, 1},
    {0}};

static const struct cf_demand demands[] = {
    {CF_STATISTICAL, CF_TO_REFERENCE},  {CF_NUMERICAL, CF_ACROSS_RUN},
    {CF_NUMERICAL, CF_ACROSS_THREAD},   {CF_NUMERICAL, CF_ACROSS_BATCH},
    {CF_NUMERICAL, CF_ACROSS_POSITION}, {CF_NUMERICAL, CF_ACROSS_ALIGNMENT},
    {CF_NUMERICAL, CF_ACROSS_ISA},      {CF_NUMERICAL, CF_ACROSS_VERSION},
    {CF_NUMERICAL, CF_ACROSS_LIBRARY},  {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_reductions = {
    .name = "reductions",
    .why = "sums, norms, dots and matrix products keep their bits, or at least their accuracy",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
