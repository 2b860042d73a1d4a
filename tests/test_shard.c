/* shard: which part of the work is this process's, from the environment of each launcher; every
 * case belongs to one part, with its variants. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../harness/cli/fleet.h" /* the judge has one of the same name */

/* The environment that is given, and nothing of this machine's own launcher. */
static void set_environment(const char *text)
{
    static const char *const all[] = {"CONFORM_SHARD_INDEX",
                                      "CONFORM_SHARD_COUNT",
                                      "TEST_SHARD_INDEX",
                                      "TEST_TOTAL_SHARDS",
                                      "SLURM_ARRAY_TASK_ID",
                                      "SLURM_ARRAY_TASK_COUNT",
                                      "SLURM_ARRAY_TASK_MIN",
                                      "SLURM_PROCID",
                                      "SLURM_NTASKS",
                                      "OMPI_COMM_WORLD_RANK",
                                      "OMPI_COMM_WORLD_SIZE",
                                      "PMI_RANK",
                                      "PMI_SIZE",
                                      "JOB_COMPLETION_INDEX",
                                      "JOB_COMPLETIONS"};
    char *copy = strdup(text), *rest = NULL;

    for (int i = 0; i < CF_COUNT(all); ++i)
        unsetenv(all[i]);
    for (char *pair = strtok_r(copy, " ", &rest); pair; pair = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(pair, '=');

        *value = '\0';
        setenv(pair, value + 1, 1);
    }
    free(copy);
}

struct row {
    char claim[56], environment[120], word[16];
    int64_t index, count; /* count 0: refused */
};
static struct row rows[] = {
    {"written out", "", "3/8", 3, 8},
    {"the first of one", "", "0/1", 0, 1},
    {"written out wins over a launcher", "SLURM_PROCID=1 SLURM_NTASKS=2", "3/8", 3, 8},
    {"our own variables", "CONFORM_SHARD_INDEX=2 CONFORM_SHARD_COUNT=4", "auto", 2, 4},
    {"Bazel", "TEST_SHARD_INDEX=0 TEST_TOTAL_SHARDS=3", "auto", 0, 3},
    {"a Slurm array counts from its first task",
     "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=5", "auto", 2, 4},
    {"a Slurm array from 0", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=4", "auto", 3, 4},
    {"srun", "SLURM_PROCID=1 SLURM_NTASKS=2", "auto", 1, 2},
    {"an array wins over the tasks in it",
     "SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=4", "auto", 3, 4},
    {"Open MPI", "OMPI_COMM_WORLD_RANK=5 OMPI_COMM_WORLD_SIZE=6", "auto", 5, 6},
    {"PMI", "PMI_RANK=1 PMI_SIZE=2", "auto", 1, 2},
    {"Kubernetes with its count", "JOB_COMPLETION_INDEX=6 JOB_COMPLETIONS=8", "auto", 6, 8},
    {"ours win over all", "PMI_RANK=1 PMI_SIZE=2 CONFORM_SHARD_INDEX=0 CONFORM_SHARD_COUNT=9",
     "auto", 0, 9},
    {"an index without a count is no launcher", "JOB_COMPLETION_INDEX=6", "auto", 0, 0},
    {"no launcher", "", "auto", 0, 0},
    {"an index that is no number", "PMI_RANK=one PMI_SIZE=2", "auto", 0, 0},
    {"a negative index", "PMI_RANK=-1 PMI_SIZE=2", "auto", 0, 0},
    {"an index beyond the count", "OMPI_COMM_WORLD_RANK=6 OMPI_COMM_WORLD_SIZE=6", "auto", 0, 0},
    {"a task before the first",
     "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=4 "
     "SLURM_ARRAY_TASK_MIN=2",
     "auto", 0, 0},
    {"beyond the end", "", "4/4", 0, 0},
    {"of nothing", "", "0/0", 0, 0},
    {"no slash", "", "3", 0, 0},
    {"no index", "", "/4", 0, 0},
    {"more than a number", "", "1/4x", 0, 0}};

ParameterizedTestParameters(shard, finds_its_part)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

ParameterizedTest(struct row *r, shard, finds_its_part)
{
    struct cf_shard shard = {-1, -1};
    struct cf_error err = {0};
    int result;

    set_environment(r->environment);
    result = cf_fleet_shard(r->word, &shard, &err);
    if (r->count == 0) {
        cr_expect_neq(result, 0, "%s: part %lld of %lld", r->claim, (long long)shard.index,
                      (long long)shard.count);
        cr_expect(*err.text, "%s: no sentence", r->claim);
        return;
    }
    cr_assert_eq(result, 0, "%s: %s", r->claim, err.text);
    cr_expect(shard.index == r->index && shard.count == r->count, "%s: part %lld of %lld", r->claim,
              (long long)shard.index, (long long)shard.count);
}

#define PARTS 5

/* Every case is kept by one part, and a variant by the part that keeps what it varies. */
Test(shard, parts_make_the_whole)
{
    int part_of[2][40];

    for (int v = 0; v < 2; ++v)
        for (int s = 0; s < 40; ++s)
            part_of[v][s] = -1;
    for (int64_t k = 0; k < PARTS; ++k) {
        const struct cf_shard shard = {k, PARTS};
        struct cf_plan plan = {0};
        struct cf_error err = {0};

        for (int s = 0; s < 40; ++s)
            for (int v = 0; v < 2; ++v) {
                char line[80];

                snprintf(line, sizeof line, "dot f64 m=4 n=9 fill=uniform seed=%d%s", s + 1,
                         v ? " row=2" : "");
                cr_assert_eq(cf_plan_add_case(&plan, line, "reductions", 1, 1, &err), 1, "%s",
                             err.text);
            }
        cf_fleet_keep(&plan, &shard);
        for (int i = 0; i < plan.n_cases; ++i) {
            const struct cf_case *c = &plan.cases[i].c;
            int *part = &part_of[strstr(c->text, " row=") != NULL][c->seed - 1];

            cr_expect_eq(*part, -1, "%s is kept by parts %d and %lld", c->text, *part,
                         (long long)k);
            *part = (int)k;
        }
        cf_plan_free(&plan);
    }
    for (int s = 0; s < 40; ++s) {
        cr_expect(part_of[0][s] >= 0, "nobody keeps seed %d", s + 1);
        cr_expect_eq(part_of[0][s], part_of[1][s], "the variant of seed %d went elsewhere", s + 1);
    }
}
