/* The price of determinism: which configurations are held against which, and by what times. Subject
 * s of a bench takes 1000 (s + 1) + 100 s (p - 2) ns in process p. */
#include <criterion/criterion.h>

#include "support_judge.h"

#define PROCESSES 5

static const struct plan_line lines[] = {
    {"sum f32 m=4 n={8,64} fill=normal seed=1", "t", PROCESSES, 2}};

static enum cf_fate fickle(const struct cf_case *c, const struct cf_tensor in[],
                           struct cf_tensor out[], int process)
{
    return process == 3 ? reverse(c, in, out, process) : forward(c, in, out, process);
}

static enum cf_fate crashes(const struct cf_case *c, const struct cf_tensor in[],
                            struct cf_tensor out[], int process)
{
    (void)c;
    (void)in;
    (void)out;
    (void)process;
    return CF_CRASHED;
}

#define ONEDNN "{\"internal_api\":\"onednn\",\"version\":\"3.7\"}"

/* `other`: of the price that is told of the first configuration; -1: there is none. */
static const struct {
    const char *claim;
    int n, other;
    struct subject subject[3];
} rows[] = {
    {"the order that is taken may differ",
     2,
     1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", forward},
      {"cuda device=cpu kernel=atomic", "atomic", "{}", fickle}}},
    {"so may flags and the environment",
     2,
     1,
     {{"cuda device=cpu flags=a", "a", "{}", forward},
      {"cuda device=cpu env.X=1 flags=b", "b", "{}", fickle}}},
    {"of two that do not repeat, the faster one",
     3,
     1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", forward},
      {"cuda device=cpu kernel=atomic", "atomic", "{}", fickle},
      {"cuda device=cpu kernel=arrival", "arrival", "{}", fickle}}},
    {"what is documented to differ need not be seen to",
     2,
     1,
     {{"onednn flags=deterministic lib=a.so", "a", ONEDNN, forward},
      {"onednn lib=a.so", "b", ONEDNN, forward}}},
    {"another device tells nothing",
     2,
     -1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", forward},
      {"cuda device=0 kernel=atomic", "atomic", "{}", fickle}}},
    {"nor does another number of threads",
     2,
     -1,
     {{"plain kernel=chunks threads=2", "chunks", "{}", forward},
      {"plain kernel=arrival threads=4", "arrival", "{}", fickle}}},
    {"nor does another library",
     2,
     -1,
     {{"blas lib=a.so flags=a", "a", "{}", forward}, {"blas lib=b.so", "b", "{}", fickle}}},
    {"what does not repeat has no price",
     2,
     -1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", fickle},
      {"cuda device=cpu kernel=atomic", "atomic", "{}", fickle}}},
    {"nor has what is next to one that repeats too",
     2,
     -1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", forward},
      {"cuda device=cpu kernel=last", "last", "{}", reverse}}},
    {"nor what did not run",
     2,
     -1,
     {{"cuda device=cpu kernel=tree", "tree", "{}", crashes},
      {"cuda device=cpu kernel=atomic", "atomic", "{}", fickle}}},
};

/* Rounds are 2 repetitions of each process; both cases of a round take the same time. */
static void expect_ratios(const struct cf_price_finding *price, const char *claim)
{
    const int s = price->other;

    cr_expect_eq(price->n_rounds, 2 * PROCESSES, "%s: %d rounds", claim, price->n_rounds);
    cr_expect_eq(price->n_cases, 2, "%s: %d cases", claim, price->n_cases);
    cr_expect_float_eq(price->high, 1000. / (1000 * (s + 1) - 100 * s * 2), 1e-12, "%s", claim);
    cr_expect_float_eq(price->middle, 1000. / (1000 * (s + 1)), 1e-12, "%s", claim);
    cr_expect_float_eq(price->low, 1000. / (1000 * (s + 1) + 100 * s * 2), 1e-12, "%s", claim);
}

Test(prices, are_those_of_what_repeats_over_what_does_not)
{
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_error err = {.text = ""};
        const struct cf_price_finding *first = NULL;
        struct cf_findings *f;
        struct bench bench;

        bench_start(&bench, lines, CF_COUNT(lines), rows[i].subject, rows[i].n);
        f = bench_judge(&bench, CF_NUMERICAL, CF_TO_BASELINE, &err);
        cr_assert_not_null(f, "%s", err.text);
        for (int k = 0; k < f->n_prices; ++k)
            first = f->prices[k].configuration == 0 ? &f->prices[k] : first;
        cr_expect_eq(first ? first->other : -1, rows[i].other, "%s", rows[i].claim);
        if (first && rows[i].other >= 0)
            expect_ratios(first, rows[i].claim);
        if (first && rows[i].other >= 0)
            cr_expect(first->n_different > 0 || first->documented, "%s", rows[i].claim);
        cf_findings_free(f);
        bench_stop(&bench);
    }
}
