#include "measure.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64

/* What the threads share. The store is used by one at a time. */
struct team {
    struct cf_measure *measure;
    const struct cf_ledger *ledger;
    struct cf_store *store;
    const struct cf_judge_options *options;
    pthread_mutex_t lock;
    atomic_int next, n_done, failed;
    int inner_threads, failed_case;
    struct cf_error err; /* of the first case that failed */
};

double cf_measure_growth(const char *effective, const char *op)
{
    json_t *object = json_loads(effective, 0, NULL);
    const char *at = json_string_value(json_object_get(object, "fast"));
    const size_t length = strlen(op);
    double growth = 0;

    while (at && *at) {
        if (strncmp(at, op, length) == 0 && at[length] == '=')
            growth = strtod(at + length + 1, NULL);
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    json_decref(object);
    return growth > 0 ? growth : 0;
}

static int rule_for(struct cf_measure *measure, double growth)
{
    for (int r = 0; r < measure->n_rules; ++r)
        if (measure->rule[r].growth == growth)
            return r;
    measure->rule =
        cf_realloc(measure->rule, (size_t)(measure->n_rules + 1) * sizeof measure->rule[0]);
    measure->rule[measure->n_rules] = (struct cf_accuracy_rule){.growth = growth};
    return measure->n_rules++;
}

static void find_rules(struct cf_measure *measure, const struct cf_ledger *ledger)
{
    rule_for(measure, 0);
    measure->lambda = cf_alloc((size_t)(ledger->n_groups + 1) * sizeof measure->lambda[0]);
    measure->rule_of =
        cf_alloc_zero((size_t)(ledger->n_groups + 1) * (size_t)(ledger->n_configurations + 1) *
                      sizeof measure->rule_of[0]);
    for (int g = 0; g < ledger->n_groups; ++g) {
        char *op = cf_strdup(ledger->group[g].name);

        op[strcspn(op, " ")] = '\0';
        for (int i = 0; i < ledger->n_configurations; ++i)
            measure->rule_of[g * ledger->n_configurations + i] =
                rule_for(measure, cf_measure_growth(ledger->configuration[i].effective, op));
        measure->lambda[g] = -1;
        for (int h = 0; h < g && measure->lambda[g] < 0; ++h)
            if (ledger->group[h].rules == ledger->group[g].rules)
                measure->lambda[g] = measure->lambda[h];
        if (measure->lambda[g] < 0)
            measure->lambda[g] = cf_measure_lambda(ledger->group[g].rules);
        free(op);
    }
}

static void fail(struct team *team, int case_index, const struct cf_error *err)
{
    pthread_mutex_lock(&team->lock);
    if (!atomic_load(&team->failed) || case_index < team->failed_case) {
        team->err = *err;
        team->failed_case = case_index;
    }
    atomic_store(&team->failed, 1);
    pthread_mutex_unlock(&team->lock);
}

static int judge_output(struct team *team, int case_index, const struct cf_reference *reference,
                        int output, struct cf_error *err)
{
    const struct cf_ledger_case *one = &team->ledger->cases[case_index];
    struct cf_measure *measure = team->measure;
    uint64_t n_bytes;
    void *bits;
    int result = 0;

    pthread_mutex_lock(&team->lock);
    bits = cf_store_get_outputs(team->store, &one->output[output], &n_bytes, err);
    pthread_mutex_unlock(&team->lock);
    if (!bits)
        return -1;
    for (int r = 0; r < measure->n_rules && result == 0; ++r) {
        const struct cf_accuracy_rule rule = {.lambda = measure->lambda[one->group],
                                              .growth = measure->rule[r].growth};

        result = cf_accuracy_judge(&measure->of_case[case_index][output * measure->n_rules + r],
                                   reference, &rule, bits, n_bytes, err);
    }
    free(bits);
    return result;
}

static int judge_case(struct team *team, int case_index, struct cf_error *err)
{
    const struct cf_ledger_case *one = &team->ledger->cases[case_index];
    struct cf_reference reference;
    int result = 0;

    team->measure->of_case[case_index] =
        cf_alloc_zero((size_t)(one->n_outputs * team->measure->n_rules + 1) *
                      sizeof team->measure->of_case[0][0]);
    if (one->n_outputs == 0)
        return 0;
    if (cf_reference_open(&reference, &one->c, one->op, &one->inputs, team->inner_threads, 1,
                          err) != 0)
        return -1;
    for (int output = 0; output < one->n_outputs && result == 0; ++output)
        result = judge_output(team, case_index, &reference, output, err);
    cf_reference_close(&reference);
    return result;
}

/* Takes cases until none is left; the caller's own thread tells the progress. */
static void work(struct team *team, int is_caller)
{
    const int n = team->ledger->n_cases;

    for (int i; !atomic_load(&team->failed) && (i = atomic_fetch_add(&team->next, 1)) < n;) {
        struct cf_error err = {.text = ""};
        int done;

        if (judge_case(team, i, &err) != 0)
            fail(team, i, &err);
        done = atomic_fetch_add(&team->n_done, 1) + 1;
        if (is_caller && team->options->progress)
            team->options->progress(team->options->context, done, n, "judging");
    }
}

static void *helper(void *context)
{
    work(context, 0);
    mpfr_free_cache();
    return NULL;
}

static int count_threads(int asked)
{
    cpu_set_t set;

    if (asked <= 0)
        asked = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return asked < 1 ? 1 : asked > THREADS_MAX ? THREADS_MAX : asked;
}

static void run_team(struct team *team, int n_threads)
{
    pthread_t thread[THREADS_MAX];
    int n = 0;

    while (n < n_threads - 1 && n < team->ledger->n_cases - 1 &&
           pthread_create(&thread[n], NULL, helper, team) == 0)
        ++n;
    work(team, 1);
    for (int i = 0; i < n; ++i)
        pthread_join(thread[i], NULL);
}

int cf_measure_all(struct cf_measure *measure, const struct cf_ledger *ledger,
                   struct cf_store *store, const struct cf_judge_options *options,
                   struct cf_error *err)
{
    const int n_threads = count_threads(options->threads);
    struct team team = {.measure = measure,
                        .ledger = ledger,
                        .store = store,
                        .options = options,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .inner_threads = ledger->n_cases < n_threads ? n_threads : 1};

    *measure = (struct cf_measure){0};
    find_rules(measure, ledger);
    measure->of_case = cf_alloc_zero((size_t)(ledger->n_cases + 1) * sizeof measure->of_case[0]);
    run_team(&team, n_threads);
    if (!atomic_load(&team.failed))
        return 0;
    cf_measure_free(measure, ledger);
    return cf_fail_with(err, 3, "%s", team.err.text);
}

void cf_measure_free(struct cf_measure *measure, const struct cf_ledger *ledger)
{
    for (int i = 0; i < ledger->n_cases && measure->of_case; ++i)
        free(measure->of_case[i]);
    free(measure->of_case);
    free(measure->rule);
    free(measure->rule_of);
    free(measure->lambda);
    *measure = (struct cf_measure){0};
}

const struct cf_accuracy *cf_measure_of(const struct cf_measure *measure,
                                        const struct cf_ledger *ledger, int case_index,
                                        const struct cf_ledger_record *record)
{
    const int group = ledger->cases[case_index].group;
    const int rule = measure->rule_of[group * ledger->n_configurations + record->configuration];

    CF_CHECK(record->output >= 0);
    return &measure->of_case[case_index][record->output * measure->n_rules + rule];
}
