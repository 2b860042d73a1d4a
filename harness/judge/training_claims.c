/* Registered claims of a suite: each supported again by the configuration's own seeds. */
#include "training_levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "training_claims.h"

/* The cell's text of a claim's line, as cases print it. */
static char *canonical(const char *line)
{
    struct cf_error err;
    struct cf_case c;
    char *text;

    CF_CHECK(cf_case_parse(&c, line, cf_op_grammar, &err) == 0);
    text = cf_strdup(c.text); /* whose keys are in their own order */
    cf_case_free(&c);
    CF_CHECK(cf_case_parse(&c, text, cf_op_grammar, &err) == 0);
    free(text);
    text = cf_trained_cell_text(&c);
    cf_case_free(&c);
    return text;
}

const char *cf_claim_refused(struct cf_judgement *j, const struct cf_bank_cell *better,
                             const struct cf_bank_cell *worse)
{
    const int n = better->n < worse->n ? better->n : worse->n;
    const struct cf_moments d = cf_sample_differences(worse->loss, better->loss, n);
    const double sigma = fmax(cf_sample_moments(better->loss, better->n).sd,
                              cf_sample_moments(worse->loss, worse->n).sd);

    if (!(d.mean >= CF_CLAIM_EFFECT * sigma))
        return cf_arena_format(&j->arena,
                               "its effect in the bank is %.2g sigma, and %g are needed so that a "
                               "statistical pass implies it",
                               d.mean / sigma, CF_CLAIM_EFFECT);
    if (!(d.mean >= CF_CLAIM_D_Z * d.sd))
        return cf_arena_format(&j->arena,
                               "its effect is %.2g SD of the paired differences, and %g are needed",
                               d.mean / d.sd, CF_CLAIM_D_Z);
    return NULL;
}

static const struct cf_cell_judged *find(const struct cf_cell_judged *all, int n,
                                         const struct cf_trained *trained, int configuration,
                                         const char *text)
{
    for (int i = 0; i < n; ++i)
        if (all[i].configuration == configuration &&
            strcmp(trained->cell[all[i].cell].text, text) == 0)
            return &all[i];
    return NULL;
}

/* The planned test at the first look; from then on the e-process, which may be looked at after each
 * seed, in both directions (levels.md, section 7). */
static struct cf_evidence direction(const double *better, const double *worse, int n)
{
    const int first = n < cf_look_seeds[0] ? n : cf_look_seeds[0];
    struct cf_evidence e =
        cf_claim_direction(cf_claim_compare(better, worse, first, CF_LOWER_IS_BETTER), CF_ALPHA);

    if (first < cf_look_seeds[0] && e.verdict == CF_PASS)
        e.verdict = CF_UNKNOWN;
    for (int m = first + 1; m <= n && e.verdict == CF_UNKNOWN; ++m) {
        struct cf_evidence against =
            cf_claim_extended(cf_claim_compare(worse, better, m, CF_LOWER_IS_BETTER));

        e = cf_claim_extended(cf_claim_compare(better, worse, m, CF_LOWER_IS_BETTER));
        if (against.verdict == CF_PASS) {
            e.verdict = CF_FAIL;
            snprintf(e.reason, sizeof e.reason, "the opposite is supported: %.200s",
                     against.reason);
        }
    }
    return e;
}

/* One claim in one configuration; *group and *other_group are those of its cells. */
static void judge_one(struct cf_judgement *j, const struct cf_suite_claim *claim,
                      const struct cf_cell_judged *better, const struct cf_cell_judged *worse,
                      struct cf_claim_judged *out)
{
    const char *refused = cf_claim_refused(j, better->bank, worse->bank);
    int n = better->n < worse->n ? better->n : worse->n;

    out->name = claim->name;
    out->refused = refused;
    out->better = better->cell;
    out->worse = worse->cell;
    out->n = n;
    if (refused)
        return;
    out->evidence = direction(better->loss, worse->loss, n);
}

int cf_claims_judge(struct cf_judgement *j, const struct cf_trained *trained,
                    const struct cf_cell_judged *all, int n, int configuration, int group,
                    struct cf_claim_judged claims[], int room)
{
    const struct cf_suite *suite = j->ledger.group[group].rules;
    int n_claims = 0;

    for (int k = 0; suite && suite->claims && suite->claims[k].name && n_claims < room; ++k) {
        char *a = canonical(suite->claims[k].better), *b = canonical(suite->claims[k].worse);
        const struct cf_cell_judged *better = find(all, n, trained, configuration, a);
        const struct cf_cell_judged *worse = find(all, n, trained, configuration, b);

        free(a);
        free(b);
        if (!better || !worse || !better->bank || !worse->bank ||
            (trained->cell[better->cell].group != group &&
             trained->cell[worse->cell].group != group))
            continue;
        judge_one(j, &suite->claims[k], better, worse, &claims[n_claims++]);
    }
    return n_claims;
}

static void print_claim(FILE *out, struct cf_judgement *j, const struct cf_seed_bank *bank,
                        const struct cf_suite_claim *claim)
{
    char *a = canonical(claim->better), *b = canonical(claim->worse);
    const struct cf_bank_cell *better = cf_seed_bank_find(bank, a),
                              *worse = cf_seed_bank_find(bank, b);
    const char *refused =
        better && worse ? cf_claim_refused(j, better, worse) : "the bank lacks one of its cells";

    fprintf(out, "  claim `%s`: %s%s\n", claim->name, refused ? "refused: " : "registered",
            refused ? refused : "");
    free(a);
    free(b);
}

void cf_claims_print(FILE *out, const struct cf_seed_bank *bank, const struct cf_suite *suite)
{
    struct cf_judgement *j = cf_alloc_zero(sizeof *j);

    for (int k = 0; suite->claims && suite->claims[k].name; ++k)
        print_claim(out, j, bank, &suite->claims[k]);
    for (int i = 0; i < bank->n; ++i)
        if (cf_cell_not_eligible(&bank->cell[i]))
            fprintf(out, "  functional level of `%s`: not judged: %s\n", bank->cell[i].text,
                    cf_cell_not_eligible(&bank->cell[i]));
    cf_arena_free(&j->arena);
    free(j);
}
