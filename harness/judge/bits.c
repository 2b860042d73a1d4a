/* The numerical level: outputs compared by their encodings, along every scope. */
#include "judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "special.h"

#define WORKERS_MAX 1024

/* What the comparisons of one configuration in one group along one scope came to. */
struct tally {
    int64_t n_compared, n_different;
    unsigned char worker[WORKERS_MAX];
    int n_workers;
    int case_index, base; /* of the worst mismatch */
    const struct cf_ledger_record *a, *b;
    double worst;
    int64_t n_pairs, n_otherwise; /* pairs that differ; those whose choices differ too */
    const char *from, *to;        /* the choices of the first of these */
};

struct comparing {
    struct cf_judgement *j;
    enum cf_scope scope;
    int configuration, other, group;
    const struct cf_pair_filter *filter; /* NULL: every pair of records is compared */
    struct tally tally;
    struct cf_error *err;
};

static double largest_error(const struct cf_judgement *j, int case_index,
                            const struct cf_ledger_record *record)
{
    const double largest = cf_measure_of(&j->measure, &j->ledger, case_index, record)->largest;

    return isnan(largest) ? INFINITY : largest;
}

static void see_worker(struct tally *tally, const struct cf_ledger_record *record)
{
    unsigned char *seen = &tally->worker[record->process % WORKERS_MAX];

    tally->n_workers += !*seen;
    *seen = 1;
}

/* n comparisons of which `different` mismatch. */
static void count(struct comparing *x, int case_index, const struct cf_ledger_record *a, int base,
                  const struct cf_ledger_record *b, int64_t n, int64_t different)
{
    struct tally *tally = &x->tally;
    double worst;

    tally->n_compared += n;
    see_worker(tally, a);
    if (b->configuration == a->configuration)
        see_worker(tally, b);
    if (different == 0)
        return;
    ++tally->n_pairs;
    if (a->chosen != b->chosen && tally->n_otherwise++ == 0) {
        tally->from = b->chosen;
        tally->to = a->chosen;
    }
    worst = fmax(largest_error(x->j, case_index, a), largest_error(x->j, base, b));
    tally->n_different += different;
    if (tally->n_different > different && !(worst > tally->worst))
        return;
    tally->worst = worst;
    tally->case_index = case_index;
    tally->base = base;
    tally->a = a;
    tally->b = b;
}

static int is_taken(const struct comparing *x, const struct cf_ledger_record *a,
                    const struct cf_ledger_record *b)
{
    return a->fate == CF_RAN && (!x->filter || x->filter->takes(x->filter->context, a, b));
}

/* Every record of the configuration with the other's of the same process and repetition, else with
 * its first. Within one configuration: with its own first. */
static void compare_case(struct comparing *x, int case_index)
{
    const int itself = x->configuration == x->other;
    int64_t n, n_other;
    const struct cf_ledger_record *a =
        cf_ledger_records(&x->j->ledger, case_index, x->configuration, &n);
    const struct cf_ledger_record *others =
        cf_ledger_records(&x->j->ledger, case_index, x->other, &n_other);

    for (int64_t i = 0; i < n; ++i) {
        const struct cf_ledger_record *b =
            cf_ledger_pick(others, n_other, itself ? -1 : a[i].process, a[i].repetition);

        if (b && b != &a[i] && is_taken(x, &a[i], b))
            count(x, case_index, &a[i], case_index, b, 1, a[i].output != b->output);
    }
}

/* The elements of a variant with the same elements of its base. Each pair of distinct answers is
 * read once: known[] holds the number of differences, -1 before that. */
static int compare_variant(struct comparing *x, int case_index)
{
    const struct cf_ledger_case *one = &x->j->ledger.cases[case_index];
    const int n_base = x->j->ledger.cases[one->base].n_outputs, n_pairs = one->n_outputs * n_base;
    int64_t n, n_other, n_elements;
    const struct cf_ledger_record *a =
        cf_ledger_records(&x->j->ledger, case_index, x->configuration, &n);
    const struct cf_ledger_record *others =
        cf_ledger_records(&x->j->ledger, one->base, x->configuration, &n_other);
    int64_t *map = n > 0 ? cf_witness_map(one, &n_elements) : NULL;
    int64_t *known = cf_alloc((size_t)(n_pairs + 1) * sizeof known[0]);
    int result = 0;

    for (int k = 0; k < n_pairs; ++k)
        known[k] = -1;
    for (int64_t i = 0; i < n && result == 0; ++i) {
        const struct cf_ledger_record *b =
            cf_ledger_pick(others, n_other, a[i].process, a[i].repetition);
        int64_t *differ;

        if (!b || !is_taken(x, &a[i], b))
            continue;
        differ = &known[a[i].output * n_base + b->output];
        if (*differ < 0)
            *differ = cf_witness_count(x->j, case_index, &a[i], one->base, b, map, x->err);
        if (*differ < 0)
            result = -1;
        else
            count(x, case_index, &a[i], one->base, b, n_elements, *differ);
    }
    free(known);
    free(map);
    return result;
}

/* Rows or columns in another order are of scope position; computed alone, of scope batch. */
static enum cf_scope variant_scope(const struct cf_case *c)
{
    if (cf_pairs_get(&c->keys, "layout"))
        return CF_ACROSS_LAYOUT;
    return cf_pairs_get(&c->keys, "rowperm") || cf_pairs_get(&c->keys, "colperm")
               ? CF_ACROSS_POSITION
               : CF_ACROSS_BATCH;
}

static int is_variant_scope(enum cf_scope scope)
{
    return scope == CF_ACROSS_BATCH || scope == CF_ACROSS_POSITION || scope == CF_ACROSS_LAYOUT;
}

static int compare_all(struct comparing *x)
{
    const struct cf_ledger *ledger = &x->j->ledger;

    for (int i = 0; i < ledger->n_cases; ++i) {
        const struct cf_ledger_case *one = &ledger->cases[i];

        if (one->group != x->group)
            continue;
        if (!is_variant_scope(x->scope))
            compare_case(x, i);
        else if (one->base >= 0 && variant_scope(&one->c) == x->scope && compare_variant(x, i) != 0)
            return -1;
    }
    return 0;
}

/* The scope along which two configurations differ, CF_N_SCOPES when there is no single one. Another
 * version of the same library is told from another library by what was read back. */
static enum cf_scope scope_between(const struct cf_ledger_configuration *a,
                                   const struct cf_ledger_configuration *b)
{
    const char *name = cf_config_scope(&a->config, &b->config);
    enum cf_scope scope;

    if (!name || cf_scope_parse(name, &scope) != 0)
        return CF_N_SCOPES;
    if (scope == CF_ACROSS_LIBRARY && *a->library && strcmp(a->library, b->library) == 0 &&
        strcmp(a->version, b->version) != 0)
        return CF_ACROSS_VERSION;
    return scope;
}

enum cf_scope cf_judgement_scope_between(const struct cf_judgement *j, int a, int b)
{
    return scope_between(&j->ledger.configuration[a], &j->ledger.configuration[b]);
}

/* The first configuration of the matrix that ran and differs from this one along the scope alone.
 * -1: none does; the configuration itself: the others are compared with it. */
static int find_other(const struct cf_judgement *j, enum cf_scope scope, int configuration,
                      int group)
{
    const struct cf_ledger_configuration *all = j->ledger.configuration;

    if (scope == CF_ACROSS_RUN || is_variant_scope(scope))
        return configuration;
    if (scope == CF_TO_BASELINE)
        return j->ledger.baseline;
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        if (scope_between(&all[i], &all[configuration]) == scope &&
            cf_judgement_coverage(j, i, group)->n_fates[CF_RAN] > 0)
            return i < configuration ? i : configuration;
    return -1;
}

static const char *nothing_compared(const struct comparing *x)
{
    static const char *const why[CF_N_SCOPES] = {
        [CF_ACROSS_RUN] = "no case ran twice",
        [CF_ACROSS_BATCH] = "no case ran beside one that computes some of its rows alone",
        [CF_ACROSS_POSITION] = "no case ran beside one with its rows or columns permuted",
        [CF_ACROSS_LAYOUT] = "no case ran in two layouts",
        [CF_TO_BASELINE] = "no case ran here and in the baseline"};
    const char *scope = cf_scope_name(x->scope);

    if (cf_judgement_coverage(x->j, x->configuration, x->group)->n_fates[CF_RAN] == 0)
        return "nothing ran";
    if (why[x->scope])
        return why[x->scope];
    if (x->other == x->configuration)
        return cf_arena_format(&x->j->arena, "it is what the others along %s are compared with",
                               scope);
    return cf_arena_format(&x->j->arena, "no other configuration differs from it in %s alone",
                           scope);
}

/* n with which 0 mismatches bound the rate by 1 %, or the bound that n gives. */
static double upper_bound(const struct tally *tally)
{
    if (tally->n_different == 0)
        return 1 - pow(0.05, 1 / (double)tally->n_compared);
    return cf_clopper_upper_d((long)tally->n_different, (long)tally->n_compared, 0.05);
}

/* How much evidence a pass needs: a training run is a chain of many results. */
struct needed {
    int comparisons, workers;
};

static struct needed needed_for(const struct cf_judgement *j, int group)
{
    for (int i = 0; i < j->ledger.n_cases; ++i)
        if (j->ledger.cases[i].group == group && !j->ledger.cases[i].op->element)
            return (struct needed){CF_CHAINS_NEEDED, CF_TRAINERS_NEEDED};
    return (struct needed){CF_COMPARISONS_NEEDED, CF_WORKERS_NEEDED};
}

static const char *too_little(struct comparing *x, struct needed needed)
{
    const struct tally *tally = &x->tally;

    if (tally->n_compared < needed.comparisons)
        return cf_arena_format(&x->j->arena,
                               "no mismatch, but %lld comparisons bound the rate only by %.2g %%; "
                               "%d are needed, from %d fresh workers",
                               (long long)tally->n_compared, 100 * upper_bound(tally),
                               needed.comparisons, needed.workers);
    return cf_arena_format(&x->j->arena,
                           "no mismatch in %lld comparisons, but from %d fresh workers of the %d "
                           "needed",
                           (long long)tally->n_compared, tally->n_workers, needed.workers);
}

/* Where the two of a pair were not the same choice, that is the first thing to know. */
static const char *chosen_otherwise(struct comparing *x)
{
    const struct tally *tally = &x->tally;
    char *change = tally->n_otherwise > 0 ? cf_chosen_change(tally->from, tally->to) : NULL;
    const char *clause = "";

    if (change && tally->n_otherwise < tally->n_pairs)
        clause = cf_arena_format(&x->j->arena, "; in %lld of these the library chose otherwise: %s",
                                 (long long)tally->n_otherwise, change);
    else if (change)
        clause = cf_arena_format(&x->j->arena, "; the library chose otherwise: %s", change);
    free(change);
    return clause;
}

static const char *things(enum cf_scope scope)
{
    return is_variant_scope(scope) ? "elements" : "outputs";
}

static void conclude(struct comparing *x, struct cf_finding *finding)
{
    const struct needed needed = needed_for(x->j, x->group);
    const struct tally *tally = &x->tally;
    const long long n = tally->n_compared, different = tally->n_different;

    finding->n_compared = tally->n_compared;
    finding->n_different = tally->n_different;
    if (n == 0) {
        finding->verdict = CF_SKIP;
        finding->reason = nothing_compared(x);
        return;
    }
    finding->estimate = (double)different / (double)n;
    finding->upper = upper_bound(tally);
    if (different > 0) {
        finding->verdict = CF_FAIL;
        finding->reason = cf_arena_format(&x->j->arena, "%lld of %lld %s differ in their bits%s",
                                          different, n, things(x->scope), chosen_otherwise(x));
        finding->case_text = x->j->ledger.cases[tally->case_index].c.text;
        if (!x->filter)
            cf_witness_ask(x->j, finding, tally->case_index, tally->a, tally->base, tally->b);
    } else if (n >= needed.comparisons && tally->n_workers >= needed.workers) {
        finding->verdict = CF_PASS;
        finding->reason =
            cf_arena_format(&x->j->arena, "0 of %lld %s differ; a rate above %.2g %% is excluded",
                            n, things(x->scope), 100 * finding->upper);
    } else {
        finding->verdict = CF_UNKNOWN;
        finding->reason = too_little(x, needed);
    }
}

int cf_judgement_bits(struct cf_judgement *j, enum cf_scope scope, int configuration, int group,
                      const struct cf_pair_filter *filter, struct cf_finding *finding,
                      struct cf_error *err)
{
    const int other = find_other(j, scope, configuration, group);
    const int compared = other >= 0 && (other != configuration || scope == CF_ACROSS_RUN ||
                                        is_variant_scope(scope) || scope == CF_TO_BASELINE);
    struct comparing x = {.j = j,
                          .scope = scope,
                          .configuration = configuration,
                          .other = other,
                          .group = group,
                          .filter = filter,
                          .err = err};

    if (compared && compare_all(&x) != 0)
        return -1;
    finding->demand = (struct cf_demand){CF_NUMERICAL, scope};
    finding->component = "bits";
    finding->other = compared && other != configuration ? other : -1;
    finding->margin = 1 - pow(0.05, 1.0 / needed_for(j, group).comparisons);
    finding->unit = "share of comparisons";
    finding->margin_source = needed_for(j, group).comparisons == CF_CHAINS_NEEDED
                                 ? "0 mismatching chains of 59, docs/levels.md, section 3"
                                 : "0 mismatches of 299, docs/levels.md, section 3";
    conclude(&x, finding);
    return 0;
}

int cf_judge_bits(struct cf_judgement *j, struct cf_error *err)
{
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g)
            for (int scope = 0; scope < CF_TO_REFERENCE; ++scope)
                if (cf_judgement_bits(j, (enum cf_scope)scope, i, g, NULL,
                                      cf_judgement_slot(j, i, g, CF_SLOT_SCOPES + scope), err) != 0)
                    return -1;
    return 0;
}
