/* training_levels, training_needs: made-up runs whose shifts are known are judged at every level;
 * each liar is caught at the level that the specification names, and whoever is undecided is asked
 * for the next look, nobody else. */
#include <criterion/criterion.h>

#include "support_training.h"
#include "training_claims.h"
#include "training_levels.h"
#include "training_needs.h"

#define MAKER(name) static void name(struct made *run, int64_t seed, int64_t twin, int64_t perturb)
#define UNUSED      (void)seed, (void)twin, (void)perturb

MAKER(honest)
{
    UNUSED;
    (void)run;
}

/* Rounding: as far as a twin, and a loss that hardly moves. */
MAKER(reordered)
{
    UNUSED;
    run->away = ldexp(1, -24);
    run->loss += 0.02 * SIGMA * score(seed, 33);
}

/* As a relative 2^-12 would. */
MAKER(reduced)
{
    UNUSED;
    run->away = ldexp(1, -12);
    run->loss += 0.02 * SIGMA * score(seed, 33);
}

/* Chaos: the pairing is lost, the law is the same. */
MAKER(chaotic)
{
    UNUSED;
    run->loss = 0.310 + SIGMA * score(seed, 33);
    run->away = 0.01;
}

MAKER(shifted_a_little) /* chaos, and 0.6 sigma: 20 seeds do not tell */
{
    UNUSED;
    run->loss = 0.310 + SIGMA * (0.6 + score(seed, 33));
}

MAKER(shifted_far)
{
    UNUSED;
    run->loss += 2 * SIGMA;
}

MAKER(collapsed) /* every seed ends alike */
{
    UNUSED;
    run->loss = 0.310 + 0.01 * SIGMA * score(seed, 33);
}

MAKER(sometimes_nan) /* 5 of 20, a quarter of all */
{
    UNUSED;
    if (seed % 4 == 0)
        run->loss = NAN;
}

MAKER(never_ends)
{
    UNUSED;
    run->loss = NAN;
}

MAKER(spoils_a_class) /* the worst class loses ten points; the loss does not move */
{
    UNUSED;
    run->worst -= 0.10;
}

MAKER(other_masks)
{
    UNUSED;
    run->other_data = 1;
}

struct setting {
    char *folder;
    struct making made;
    struct cf_judgement *j;
    struct cf_training t;
};

static void make_bank(struct setting *s, const char *baseline_text, double worse)
{
    struct cf_seed_bank bank = {.baseline = cf_strdup(baseline_text),
                                .n = 2,
                                .cell = cf_alloc_zero(2 * sizeof bank.cell[0])};

    make_bank_cell(&bank.cell[0], CELL, 100, 0);
    make_bank_cell(&bank.cell[1], OTHER, 100, worse);
    put_bank(s->made.store, &bank);
    cf_seed_bank_free(&bank);
}

static void begin(struct setting *s, const struct maker *makers, int n, int seeds)
{
    char *path, *line;

    s->folder = made_folder();
    path = cf_format("%s/s.db", s->folder);
    s->made = make_store(path, makers, n);
    put_line(&s->made, CELL " snapshots=2 seed={1..12}");
    line = cf_format("%s seed={13..%d}", CELL, seeds);
    put_line(&s->made, line);
    free(line);
    free(path);
}

static void open_all(struct setting *s)
{
    struct cf_error err;

    cr_assert_eq(cf_store_commit(s->made.store, &err), 0, "%s", err.text);
    s->j = cf_alloc_zero(sizeof *s->j);
    s->j->store = s->made.store;
    cr_assert_eq(cf_ledger_read(&s->j->ledger, s->made.store, &s->j->arena, &err), 0, "%s",
                 err.text);
    cr_assert_eq(cf_training_open(&s->t, s->j, &err), 0, "%s", err.text);
}

static void end(struct setting *s)
{
    cf_training_close(&s->t);
    cf_ledger_free(&s->j->ledger);
    cf_arena_free(&s->j->arena);
    free(s->j);
    cf_store_close(s->made.store);
    made_clean(s->folder);
}

static const struct {
    struct maker maker;
    enum cf_verdict look, floor;
    enum cf_regime regime;
    int seeds, asked; /* used by the look; does it need more? */
    enum cf_attribution answer;
} rows[] = {
    {{"plain kernel=forward", honest}, CF_PASS, CF_PASS, CF_REGIME_IDENTITY, 20, 0, CF_EXPLAINED},
    {{"plain kernel=pairwise", reordered}, CF_PASS, CF_PASS, CF_REGIME_PAIRED, 20, 0, CF_EXPLAINED},
    {{"plain kernel=tf32", reduced}, CF_PASS, CF_PASS, CF_REGIME_PAIRED, 20, 0, CF_NOT_EXPLAINED},
    {{"plain kernel=shift", shifted_far}, CF_FAIL, CF_PASS, CF_REGIME_PAIRED, 20, 0, CF_EXPLAINED},
    {{"plain kernel=little", shifted_a_little},
     CF_UNKNOWN,
     CF_PASS,
     CF_REGIME_RANK,
     20,
     1,
     CF_EXPLAINED},
    {{"plain kernel=collapsed", collapsed}, CF_FAIL, CF_PASS, CF_REGIME_RANK, 20, 0, CF_EXPLAINED},
    {{"plain kernel=nan", never_ends}, CF_FAIL, CF_FAIL, CF_REGIME_RANK, 20, 0, CF_EXPLAINED},
    {{"plain kernel=some", sometimes_nan},
     CF_UNKNOWN,
     CF_UNKNOWN,
     CF_REGIME_RANK,
     20,
     1,
     CF_EXPLAINED},
    {{"plain kernel=class", spoils_a_class},
     CF_PASS,
     CF_FAIL,
     CF_REGIME_IDENTITY,
     20,
     0,
     CF_EXPLAINED},
    {{"plain kernel=masks", other_masks},
     CF_PASS,
     CF_PASS,
     CF_REGIME_IDENTITY,
     20,
     0,
     CF_EXPLAINED}};

Test(training_levels, each_liar_at_the_first_look)
{
    struct maker makers[CF_COUNT(rows)];
    struct setting s;
    struct cf_needs needs;
    struct cf_error err;

    for (int i = 0; i < CF_COUNT(rows); ++i)
        makers[i] = rows[i].maker;
    begin(&s, makers, CF_COUNT(rows), 20);
    make_bank(&s, makers[0].text, 0);
    open_all(&s);
    cr_assert_null(s.t.no_bank, "%s", s.t.no_bank);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const struct cf_cell_judged *one = cf_training_cell(&s.t, 0, i);

        cr_expect_eq(one->look.verdict, rows[i].look, "%s: %s", makers[i].text, one->look.reason);
        cr_expect_eq(one->look.regime, rows[i].regime, "%s: %s", makers[i].text, one->look.reason);
        cr_expect_eq(one->look.n, rows[i].seeds, "%s", makers[i].text);
        cr_expect_eq(one->floor, rows[i].floor, "%s: %s; %s; %s", makers[i].text,
                     one->quality.reason, one->failures.reason, one->recall.reason);
        cr_expect_eq(one->attribution.answer, rows[i].answer, "%s: %s", makers[i].text,
                     one->attribution.reason);
        cr_expect_eq(one->n_other_data > 0, i == CF_COUNT(rows) - 1, "%s", makers[i].text);
    }
    cr_expect_float_eq(cf_training_cell(&s.t, 0, 2)->effective[2].bits, 12, 0.5);
    cr_assert_eq(cf_training_needs(&needs, s.made.store, CF_STATISTICAL, &err), 0, "%s", err.text);
    cr_assert_eq(needs.n, 1);
    cr_expect(needs.all[0].from == 21 && needs.all[0].to == 41 && needs.all[0].n_undecided == 2);
    for (int i = 0; i < CF_COUNT(rows); ++i)
        cr_expect_eq(needs.all[0].asked[i], i == 0 || rows[i].asked, "%s", makers[i].text);
    cf_needs_free(&needs);
    end(&s);
}

/* With more seeds the same subjects are decided, or asked for once more; after the last look nobody
 * is. */
Test(training_levels, the_next_looks)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest},
                                          {"plain kernel=little", shifted_a_little},
                                          {"plain kernel=some", sometimes_nan},
                                          {"plain kernel=chaotic", chaotic}};
    static const int seeds[] = {20, 40, 80};

    for (int k = 0; k < 3; ++k) {
        struct setting s;
        struct cf_needs needs;
        int n_unknown = 0;

        begin(&s, makers, 4, seeds[k]);
        make_bank(&s, makers[0].text, 0);
        open_all(&s);
        for (int i = 1; i < 4; ++i) {
            const struct cf_cell_judged *one = cf_training_cell(&s.t, 0, i);

            n_unknown += one->look.verdict == CF_UNKNOWN;
            if (one->look.verdict == CF_UNKNOWN)
                cr_expect_eq(one->look.n, seeds[k], "%s", one->look.reason);
        }
        cr_expect_eq(cf_training_cell(&s.t, 0, 3)->look.verdict, CF_PASS, "%s",
                     cf_training_cell(&s.t, 0, 3)->look.reason);
        cr_assert_eq(cf_training_needs(&needs, s.made.store, CF_STATISTICAL, NULL), 0);
        cr_expect_eq(needs.n, k < 2 && n_unknown > 0, "%d seeds", seeds[k]);
        if (needs.n > 0)
            cr_expect(needs.all[0].to == seeds[k + 1] + 1 && needs.all[0].n_undecided == n_unknown);
        cf_needs_free(&needs);
        end(&s);
    }
}

/* A quarter of failures is no longer undecided at 80 seeds, and 15 of a hundred allowed. */
Test(training_levels, failures_are_counted_to_the_last_look)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest},
                                          {"plain kernel=some", sometimes_nan}};
    struct setting s;
    const struct cf_cell_judged *one;

    begin(&s, makers, 2, 80);
    make_bank(&s, makers[0].text, 0);
    open_all(&s);
    one = cf_training_cell(&s.t, 0, 1);
    cr_expect_eq(one->look.n, 80);
    cr_expect_neq(one->look.verdict, CF_PASS, "%s", one->look.reason);
    cr_expect_neq(one->floor, CF_PASS, "%s", one->failures.reason);
    cr_expect_eq(one->failures.n, 80);
    end(&s);
}

/* A bank of another baseline, and one whose losses are others, is none. */
Test(training_levels, a_bank_that_is_not_the_baselines)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest},
                                          {"plain kernel=pairwise", reordered}},
                              moved[] = {{"plain kernel=forward", shifted_far},
                                         {"plain kernel=pairwise", reordered}};
    struct setting s;
    struct cf_needs needs;

    begin(&s, makers, 2, 20);
    make_bank(&s, "plain kernel=kahan", 0);
    open_all(&s);
    cr_assert(s.t.no_bank);
    cr_expect(strstr(s.t.no_bank, "another baseline"), "%s", s.t.no_bank);
    cr_assert_eq(cf_training_needs(&needs, s.made.store, CF_STATISTICAL, NULL), 0);
    cr_expect_eq(needs.n, 0, "without a bank no seeds are asked for");
    cf_needs_free(&needs);
    end(&s);
    begin(&s, moved, 2, 20);
    make_bank(&s, moved[0].text, 0);
    open_all(&s);
    cr_assert(s.t.no_bank);
    cr_expect(strstr(s.t.no_bank, "the baseline is not the bank's"), "%s", s.t.no_bank);
    end(&s);
    begin(&s, makers, 2, 19);
    make_bank(&s, makers[0].text, 0);
    open_all(&s);
    cr_expect(s.t.no_bank && strstr(s.t.no_bank, "only 0 seeds"), "%s", s.t.no_bank);
    end(&s);
}

/* In a list of those that pass, one that stands alone among failures is not as sure as one of many:
 * its p times the number of all, over its rank. */
Test(training_levels, the_list_of_those_that_pass)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest},
                                          {"plain kernel=pairwise", reordered},
                                          {"plain kernel=far", shifted_far},
                                          {"plain kernel=nan", never_ends}};

    for (int n = 2; n <= 4; n += 2) {
        struct setting s;
        const struct cf_cell_judged *one;

        begin(&s, makers, n, 20);
        make_bank(&s, makers[0].text, 0);
        open_all(&s);
        one = cf_training_cell(&s.t, 0, 1);
        cr_expect(isnan(cf_training_cell(&s.t, 0, 0)->q), "the baseline is of no list");
        cr_expect_float_eq(one->q, (n - 1) * one->look.p_pass, 1e-12, "%d: %a", n, one->q);
        cr_expect_eq(one->q <= 0.05, n == 2);
        for (int i = 2; i < n; ++i)
            cr_expect(cf_training_cell(&s.t, 0, i)->q > 0.05);
        end(&s);
    }
}

static const struct cf_suite_claim claim_list[] = {{"the smaller rate is ahead", CELL, OTHER}, {0}};
static const struct cf_suite suite = {.name = "made", .claims = claim_list};

/* The claim is that CELL ends lower than OTHER; in the bank it is so by `worse`. */
static struct cf_claim_judged judge_claim(struct setting *s, double worse, behaviour *subject,
                                          int seeds)
{
    const struct maker makers[] = {{"plain kernel=forward", honest},
                                   {"plain kernel=subject", subject}};
    struct cf_claim_judged claim[4] = {{.name = NULL}};
    char *line = cf_format("%s seed={1..%d}", OTHER, seeds);

    begin(s, makers, 2, seeds);
    put_line(&s->made, line);
    free(line);
    make_bank(s, makers[0].text, worse);
    open_all(s);
    for (int g = 0; g < s->j->ledger.n_groups; ++g)
        s->j->ledger.group[g].rules = &suite;
    cr_assert_eq(cf_claims_judge(s->j, &s->t.trained, s->t.all, s->t.n, 1, 0, claim, 4), 1);
    return claim[0];
}

/* How far OTHER ends from CELL, seed by seed: in the subject alone, by the line's rate. */
static double apart;
MAKER(arms)
{
    static int64_t last_seed;
    static int n_seen;

    UNUSED;
    /* The cases of CELL come first, each seed once; then those of OTHER. */
    n_seen = seed == last_seed + 1 ? n_seen : n_seen + 1;
    last_seed = seed;
    run->loss += n_seen > 0 ? apart * (seed % 10 == 0 ? -1 : 1) : 0;
}

Test(claims, registered_only_where_a_pass_implies_them)
{
    struct setting s;
    struct cf_claim_judged claim = judge_claim(&s, 2.5 * SIGMA, honest, 20);

    cr_assert(claim.refused);
    cr_expect(strstr(claim.refused, "sigma, and 3 are needed"), "%s", claim.refused);
    end(&s);
    claim = judge_claim(&s, 4 * SIGMA, honest, 20);
    cr_expect_null(claim.refused, "%s", claim.refused);
    cr_expect_eq(claim.evidence.verdict, CF_UNKNOWN, "equal arms support nothing: %s",
                 claim.evidence.reason);
    end(&s);
}

/* Nine of ten seeds agree: supported at 20; the other way round it is contradicted. */
Test(claims, supported_again_or_contradicted_by_the_subjects_own_seeds)
{
    struct setting s;
    struct cf_claim_judged claim;

    apart = 0.05;
    claim = judge_claim(&s, 4 * SIGMA, arms, 20);
    cr_expect_eq(claim.evidence.verdict, CF_PASS, "%s", claim.evidence.reason);
    cr_expect_float_eq(claim.evidence.estimate, 0.9, 1e-9);
    end(&s);
}

Test(claims, contradicted)
{
    struct setting s;
    struct cf_claim_judged claim;

    apart = -0.05;
    claim = judge_claim(&s, 4 * SIGMA, arms, 20);
    cr_expect_eq(claim.evidence.verdict, CF_FAIL, "%s", claim.evidence.reason);
    end(&s);
}

/* Where the first look leaves it open, the e-process goes on; in both directions. */
Test(claims, extended_seed_by_seed)
{
    static const struct {
        int wins, n; /* of A in the first n; every later seed of A's */
        enum cf_verdict verdict;
    } tries[] = {{13, 20, CF_PASS}, {7, 20, CF_PASS}};

    for (int i = 0; i < CF_COUNT(tries); ++i) {
        struct cf_wins w = {.wins = tries[i].wins, .n = tries[i].n};
        int m = w.n;

        cr_expect_eq(cf_claim_direction(w, CF_ALPHA).verdict, CF_UNKNOWN);
        while (cf_claim_extended(w).verdict == CF_UNKNOWN && m < 200) {
            cr_expect_geq(cf_claim_extended(w).n_needed == 0 ? m : cf_claim_extended(w).n_needed,
                          m);
            ++w.wins;
            ++w.n;
            ++m;
        }
        cr_expect_eq(cf_claim_extended(w).verdict, tries[i].verdict);
        cr_expect_lt(m, 80, "13 of 20 and then all: %d", m);
    }
}
