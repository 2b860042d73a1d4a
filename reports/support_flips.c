#include "support_flips.h"

#include <stdlib.h>
#include <string.h>

#include "support_text.h"

#define OPERAND_WIDTH 8
#define CELL_WIDTH    7

const char *const cf_flips_legend =
    "A number is the lowest bit from which on, up to the exponent's highest, each flip was caught; "
    "two numbers are those of the best and the worst kernel. Bits count from 0, the last of the "
    "mantissa (f64: exponent from 52, sign 63; f32: exponent from 23, sign 31). none: not even the "
    "highest; *: a flipped sign was missed; -: the check has no opinion on this case; fails: it "
    "refuses the unflipped results too. bits: the digest; S1 to S4: the gates of docs/levels.md; "
    "1e-3: a relative tolerance, for comparison.";

int64_t cf_flips_alike(const struct cf_findings *findings, int64_t first, int whole)
{
    const struct cf_flip_finding *a = &findings->flips[first];
    int64_t n = 1;

    for (; first + n < findings->n_flips; ++n) {
        const struct cf_flip_finding *b = &findings->flips[first + n];
        const size_t length =
            whole ? strlen(b->operand) + 1 : strcspn(b->operand, " "); /* the end counts too */

        if (strcmp(a->case_text, b->case_text) != 0 || strncmp(a->operand, b->operand, length) != 0)
            break;
    }
    return n;
}

static char *bit_word(int bit, int n_bits)
{
    return bit >= n_bits ? cf_strdup("none") : cf_format("%d", bit);
}

char *cf_flips_word(const struct cf_flip_finding flips[], int64_t n, enum cf_sight sight)
{
    int best = 64, worst = -1, sign = 1, fails = 0;
    char *low, *high, *word;

    for (int64_t i = 0; i < n; ++i) {
        const int lowest = cf_flip_lowest(&flips[i], sight);

        fails |= flips[i].judged[sight] < 0;
        if (lowest < 0)
            continue;
        best = lowest < best ? lowest : best;
        worst = lowest > worst ? lowest : worst;
        sign &= cf_flip_sign(&flips[i], sight);
    }
    if (worst < 0)
        return cf_strdup(fails ? "fails" : "-");
    low = bit_word(best, flips[0].n_bits);
    high = bit_word(worst, flips[0].n_bits);
    word = best == worst ? cf_format("%s%s", low, sign ? "" : "*")
                         : cf_format("%s-%s%s", low, high, sign ? "" : "*");
    free(low);
    free(high);
    return word;
}

char *cf_flips_summary(const struct cf_findings *findings)
{
    int64_t n_judged[CF_N_SIGHTS] = {0}, n_caught[CF_N_SIGHTS] = {0}, n_all = 0;
    char *list = cf_strdup(""), *sentence;

    for (int64_t i = 0; i < findings->n_flips; ++i) {
        const struct cf_flip_finding *flip = &findings->flips[i];
        const int64_t n = (int64_t)flip->n_bits * flip->n_positions;

        n_all += n;
        for (int s = 0; s < CF_N_SIGHTS; ++s) {
            n_judged[s] += flip->judged[s] == 1 ? n : 0;
            n_caught[s] += flip->n_caught[s];
        }
    }
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        char *longer = n_judged[s] == 0
                           ? cf_strdup(list)
                           : cf_format("%s%s%s %.1f %% of %lld", list, *list ? ", " : "",
                                       cf_sight_name((enum cf_sight)s),
                                       100 * (double)n_caught[s] / (double)n_judged[s],
                                       (long long)n_judged[s]);

        free(list);
        list = longer;
    }
    sentence = cf_format("%lld bits were flipped, one at a time, in outputs and in inputs of "
                         "kernels. Of those on which a check has an opinion it caught: %s.",
                         (long long)n_all, list);
    free(list);
    return sentence;
}

static void row(FILE *out, const struct cf_flip_finding flips[], int64_t n)
{
    char *kind = cf_format("%.*ss", (int)strcspn(flips[0].operand, " "), flips[0].operand);

    fputs("    ", out);
    cf_text_cell(out, kind, OPERAND_WIDTH);
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        char *word = cf_flips_word(flips, n, (enum cf_sight)s);

        fprintf(out, "%s%-*s", s ? " " : "", s + 1 < CF_N_SIGHTS ? CELL_WIDTH : 0, word);
        free(word);
    }
    putc('\n', out);
    free(kind);
}

static void head(FILE *out, const struct cf_page *page)
{
    putc('\n', out);
    cf_text_paint(out, page, CF_BOLD, "Detection sensitivity: the lowest flipped bit that is seen",
                  0);
    fprintf(out, "\n    %*s", OPERAND_WIDTH, "");
    for (int s = 0; s < CF_N_SIGHTS; ++s)
        fprintf(out, "%s%-*s", s ? " " : "", s + 1 < CF_N_SIGHTS ? CELL_WIDTH : 0,
                cf_sight_name((enum cf_sight)s));
    putc('\n', out);
}

void cf_text_flips(FILE *out, const struct cf_findings *findings, const struct cf_page *page)
{
    const char *before = "";
    char *summary;

    if (findings->n_flips == 0)
        return;
    head(out, page);
    for (int64_t i = 0, n; i < findings->n_flips; i += n) {
        if (strcmp(before, findings->flips[i].case_text) != 0) {
            fputs("  ", out);
            cf_text_put(out, findings->flips[i].case_text);
            putc('\n', out);
        }
        before = findings->flips[i].case_text;
        n = cf_flips_alike(findings, i, 0);
        row(out, &findings->flips[i], n);
    }
    summary = cf_flips_summary(findings);
    cf_text_wrap(out, page, summary, 0, 0);
    cf_text_wrap(out, page, cf_flips_legend, 0, 0);
    free(summary);
}
