/* What the same bits cost: configurations of one library and device that kept their bits across
 * runs, next to those that did not, or are documented not to. Runs of all configurations take
 * turns, process by process; a round is what one process did in one repetition, and its ratio is
 * that of the times of all cases that both ran in it. */
#include "judgement.h"

#include <stdlib.h>
#include <string.h>

struct pricing {
    struct cf_judgement *j;
    const char *suite;
    struct cf_price_finding *list;
    int n, room;
};

/* What may differ between the two: which order is taken, and what asks for it. */
static int is_a_choice(const char *key)
{
    return strcmp(key, "kernel") == 0 || strcmp(key, "flags") == 0 || strncmp(key, "env.", 4) == 0;
}

static int has_its_keys(const struct cf_config *a, const struct cf_config *b)
{
    for (int i = 1; i < a->keys.n; ++i) {
        const struct cf_pair *pair = &a->keys.pair[i];
        const char *there = pair->key ? cf_config_get(b, pair->key) : pair->value;

        if (pair->key && !is_a_choice(pair->key) && (!there || strcmp(there, pair->value) != 0))
            return 0;
    }
    return 1;
}

static int are_alike(const struct cf_ledger *ledger, int a, int b)
{
    const struct cf_config *x = &ledger->configuration[a].config;
    const struct cf_config *y = &ledger->configuration[b].config;

    return a != b && strcmp(x->backend, y->backend) == 0 && has_its_keys(x, y) &&
           has_its_keys(y, x);
}

/* Comparisons across runs in the suite, and those that found other bits. */
static void count_runs(const struct pricing *x, int configuration, int64_t *n, int64_t *n_different)
{
    *n = *n_different = 0;
    for (int g = 0; g < x->j->ledger.n_groups; ++g) {
        const struct cf_finding *bits =
            cf_judgement_slot(x->j, configuration, g, CF_SLOT_SCOPES + CF_ACROSS_RUN);

        if (strcmp(x->j->ledger.group[g].suite, x->suite) != 0)
            continue;
        *n += bits->n_compared;
        *n_different += bits->n_different;
    }
}

/* The promise that bits may differ from run to run, of an op that was compared; or NULL. */
static const struct cf_promise *documented(const struct pricing *x, int configuration)
{
    const struct cf_findings *f = &x->j->findings;

    for (int i = 0; i < f->n_promises; ++i) {
        const struct cf_promise_finding *one = &f->promises[i];

        if (one->configuration == configuration && strcmp(one->suite, x->suite) == 0 &&
            one->promise->scope == CF_ACROSS_RUN && one->n_compared > 0 &&
            one->promise->promised == CF_PROMISED_MAY_DIFFER)
            return one->promise;
    }
    return NULL;
}

/* Times of one round, in ns. */
struct round {
    double mine, others;
};

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct rounds {
    int processes, repetitions;
    struct round *round; /* [processes][repetitions] */
};

static int comes_before(const struct cf_ledger_record *a, const struct cf_ledger_record *b)
{
    return a->process != b->process ? a->process < b->process : a->repetition < b->repetition;
}

/* One run of a case in both. 1: it counts. */
static int add_pair(struct rounds *rounds, const struct cf_ledger_record *mine,
                    const struct cf_ledger_record *other)
{
    struct round *round;

    if (mine->fate != CF_RAN || other->fate != CF_RAN || mine->wall_ns < 0 || other->wall_ns < 0 ||
        mine->process >= rounds->processes || mine->repetition >= rounds->repetitions)
        return 0;
    round = &rounds->round[mine->process * rounds->repetitions + mine->repetition];
    round->mine += (double)mine->wall_ns;
    round->others += (double)other->wall_ns;
    return 1;
}

/* What both ran of one case, in the order of their records. 1: something. */
static int add_case(const struct pricing *x, int case_index, const struct cf_price_finding *price,
                    struct rounds *rounds)
{
    int64_t n, n_others, k = 0;
    const struct cf_ledger_record *mine =
        cf_ledger_records(&x->j->ledger, case_index, price->configuration, &n);
    const struct cf_ledger_record *others =
        cf_ledger_records(&x->j->ledger, case_index, price->other, &n_others);
    int used = 0;

    for (int64_t i = 0; i < n; ++i) {
        while (k < n_others && comes_before(&others[k], &mine[i]))
            ++k;
        if (k < n_others && !comes_before(&mine[i], &others[k]))
            used |= add_pair(rounds, &mine[i], &others[k]);
    }
    return used;
}

static void start_rounds(struct rounds *rounds, const struct cf_ledger *ledger)
{
    rounds->processes = rounds->repetitions = 1;
    for (int i = 0; i < ledger->n_cases; ++i) {
        const struct cf_ledger_case *one = &ledger->cases[i];

        if (one->processes > rounds->processes)
            rounds->processes = one->processes;
        if (one->repetitions > rounds->repetitions)
            rounds->repetitions = one->repetitions;
    }
    rounds->round = cf_alloc_zero((size_t)rounds->processes * (size_t)rounds->repetitions *
                                  sizeof rounds->round[0]);
}

/* Fills the ratios; n_rounds 0: no case ran in both. */
static void measure(const struct pricing *x, struct cf_price_finding *price)
{
    const struct cf_ledger *ledger = &x->j->ledger;
    struct rounds rounds;
    double *ratio;
    int n = 0;

    start_rounds(&rounds, ledger);
    ratio = cf_alloc((size_t)rounds.processes * (size_t)rounds.repetitions * sizeof ratio[0]);
    for (int i = 0; i < ledger->n_cases; ++i)
        if (strcmp(ledger->group[ledger->cases[i].group].suite, x->suite) == 0)
            price->n_cases += add_case(x, i, price, &rounds);
    for (int i = 0; i < rounds.processes * rounds.repetitions; ++i)
        if (rounds.round[i].mine > 0 && rounds.round[i].others > 0)
            ratio[n++] = rounds.round[i].mine / rounds.round[i].others;
    price->n_rounds = n;
    if (n > 0) {
        qsort(ratio, (size_t)n, sizeof ratio[0], by_size);
        price->low = ratio[0];
        price->middle = n % 2 ? ratio[n / 2] : (ratio[n / 2 - 1] + ratio[n / 2]) / 2;
        price->high = ratio[n - 1];
    }
    free(rounds.round);
    free(ratio);
}

static void keep(struct pricing *x, const struct cf_price_finding *price)
{
    if (x->n == x->room) {
        x->room = 2 * x->room + 16;
        x->list = cf_realloc(x->list, (size_t)x->room * sizeof x->list[0]);
    }
    x->list[x->n++] = *price;
}

/* Of the configurations that do not repeat, the fastest is what repeating is held against. */
static void price_one(struct pricing *x, int configuration)
{
    struct cf_price_finding best = {.n_rounds = 0};
    int64_t n, n_different;

    count_runs(x, configuration, &n, &n_different);
    if (n == 0 || n_different > 0 || documented(x, configuration))
        return;
    for (int i = 0; i < x->j->ledger.n_configurations; ++i) {
        struct cf_price_finding one = {
            .configuration = configuration, .other = i, .suite = x->suite, .n_compared = n};
        int64_t n_of_other;

        if (!are_alike(&x->j->ledger, configuration, i))
            continue;
        count_runs(x, i, &n_of_other, &one.n_different);
        one.documented = documented(x, i);
        if (one.n_different == 0 && !one.documented)
            continue;
        measure(x, &one);
        if (one.n_rounds > 0 && (best.n_rounds == 0 || one.middle > best.middle))
            best = one;
    }
    if (best.n_rounds > 0)
        keep(x, &best);
}

void cf_judge_prices(struct cf_judgement *j)
{
    struct pricing x = {.j = j};

    for (int g = 0; g < j->ledger.n_groups; ++g) {
        int seen = 0;

        x.suite = j->ledger.group[g].suite;
        for (int k = 0; k < g && !seen; ++k)
            seen = strcmp(j->ledger.group[k].suite, x.suite) == 0;
        for (int i = 0; i < j->ledger.n_configurations && !seen; ++i)
            price_one(&x, i);
    }
    j->findings.prices = cf_arena_copy(&j->arena, x.list, (size_t)x.n * sizeof x.list[0]);
    j->findings.n_prices = x.n;
    free(x.list);
}
