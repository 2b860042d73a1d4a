/* distributed: gradients of many ranks, added up. threads= is the number of ranks, kernel= the
 * algorithm; so the scope thread asks whether the number of ranks changes the bits, library whether
 * the algorithm does, batch whether the length of the message does, and position whether an
 * element's place in it does. */
#include "suite.h"

#define NUMERICAL (1u << CF_NUMERICAL)
#define ANY       (NUMERICAL | 1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)

static const struct cf_case_list lists[] = {
    /* Lengths on both sides of the sizes at which Open MPI 4.1 changes its algorithm (4 KiB, 8 KiB,
     * 16 KiB, 64 KiB, 256 KiB) and of the number of ranks. */
    {"allreduce {f32,f64} parts=24 n={1,2,7,33,500,1000,3000} fill=normal seed=1", ANY, 3, 2},
    {"allreduce f32 parts=24 n={20000,100000} fill=normal seed=1", NUMERICAL, 2, 2},
    /* The same element alone, and in another place. */
    {"allreduce f32 parts=24 n={33,3000} fill=normal seed=1 {col=0,col=17,col=32,colperm=1}",
     NUMERICAL, 1, 1},
    {"allreduce f32 parts=24 n=20000 fill=normal seed=1 {col=0,col=19999,colperm=1}", NUMERICAL, 1,
     1},
    /* Logic: no order rounds, so a lost, doubled or misplaced part shows. */
    {"allreduce {f32,f64} parts={1,5,24} n={1,7,33,1000} fill=integer seed=1", ANY, 1, 1},
    {"allreduce f32 parts=48 n={64,3000} fill={uniform,wide,cancel10} seed={1,2}", ANY, 1, 1},
    {0}};

static const struct cf_demand demands[] = {
    {CF_STATISTICAL, CF_TO_REFERENCE},  {CF_NUMERICAL, CF_ACROSS_RUN},
    {CF_NUMERICAL, CF_ACROSS_THREAD},   {CF_NUMERICAL, CF_ACROSS_BATCH},
    {CF_NUMERICAL, CF_ACROSS_POSITION}, {CF_NUMERICAL, CF_ACROSS_LIBRARY},
    {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_distributed = {
    .name = "distributed",
    .why = "the sum of gradients keeps its bits for any number of ranks, length and algorithm",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
