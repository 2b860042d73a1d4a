/* From findings to letters, and from letters to what holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "selftest.h"
#include "special.h"

/* The letter of a finding. The attribution's answer stands in its sentence, which is what a user
 * reads. */
static char letter(const struct cf_finding *f)
{
    static const char verdicts[CF_N_VERDICTS] = {
        [CF_PASS] = 'p', [CF_FAIL] = 'f', [CF_UNKNOWN] = 'u', [CF_SKIP] = 's'};

    if (strcmp(f->component, "attribution") != 0 || f->verdict == CF_SKIP)
        return verdicts[f->verdict];
    if (f->verdict == CF_PASS && strstr(f->reason, "Attribution: not rounding"))
        return 'n';
    return f->verdict == CF_PASS && strstr(f->reason, "Attribution: rounding") ? 'r' : '?';
}

static int is_of(const struct cf_finding *f, int configuration, const char *cell,
                 const char *component)
{
    return f->configuration == configuration && strcmp(f->component, component) == 0 &&
           (!cell || strcmp(f->suite, cell) == 0) &&
           (strcmp(component, "bits") != 0 || f->demand.scope == CF_TO_BASELINE);
}

/* The gravest: findings are sorted, worst first. A cell may have two groups. */
static const struct cf_finding *find(const struct cf_findings *findings, int configuration,
                                     const char *cell, const char *component)
{
    for (int i = 0; i < findings->n_findings; ++i)
        if (is_of(&findings->findings[i], configuration, cell, component))
            return &findings->findings[i];
    return NULL;
}

static int index_of(const struct cf_findings *findings, const char *configuration)
{
    for (int i = 0; i < findings->n_configurations; ++i)
        if (strcmp(findings->configurations[i].text, configuration) == 0)
            return i;
    return -1;
}

int cf_selftest_met(char expected, char got)
{
    switch (expected) {
    case '.':
        return 1;
    case 'o':
        return got == 'p' || got == 'u' || got == 's';
    case 'd':
        return got == 'f' || got == 'u' || got == 's';
    default:
        return expected == got;
    }
}

int cf_selftest_breaches(const struct cf_outcome *outcome)
{
    int n = 0;

    for (int c = 0; outcome->want.expected[c]; ++c)
        n += !cf_selftest_met(outcome->want.expected[c], outcome->got[c]);
    return n;
}

static struct cf_expectation copy(const struct cf_expectation *want)
{
    struct cf_expectation e = *want;

    e.bug = cf_strdup(want->bug);
    e.configuration = cf_strdup(want->configuration);
    e.cell = cf_strdup(want->cell);
    return e;
}

void cf_selftest_observe(struct cf_selftest *st, const struct cf_expectation *want,
                         const struct cf_findings *findings)
{
    const int at = index_of(findings, want->configuration);
    const char *reason = "the configuration did not run";
    struct cf_outcome outcome = {.want = copy(want)};

    for (int c = 0; want->expected[c]; ++c) {
        const struct cf_finding *f =
            at >= 0 ? find(findings, at, want->cell, cf_selftest_columns[want->kind][c]) : NULL;

        outcome.got[c] = f ? letter(f) : ' ';
        if (f && (c == 0 || !cf_selftest_met(want->expected[c], outcome.got[c]) ||
                  strcmp(f->component, "equivalence") == 0))
            reason = f->reason;
    }
    outcome.reason = cf_strdup(reason);
    st->outcome = cf_realloc(st->outcome, (size_t)(st->n + 1) * sizeof st->outcome[0]);
    st->outcome[st->n++] = outcome;
}

/* One pair: a configuration in a cell, all of its evidence together. */
struct pair {
    const char *cell;
    int is_false, is_undecided;
    const char *reason;
};

static int counts(const struct cf_finding *f)
{
    static const char *const components[] = {"equivalence", "attribution", "S1", "S2",
                                             "S3",          "S4",          "S5", "F"};

    for (int i = 0; i < CF_COUNT(components); ++i)
        if (strcmp(f->component, components[i]) == 0)
            return 1;
    return 0;
}

static void judge(struct pair *pair, const struct cf_finding *f)
{
    const char got = letter(f);

    if (got == 'f' || got == 'n') {
        pair->is_false = 1;
        pair->reason = f->reason;
    }
    /* A gate without a meaning for the fill is unknown and no lack of evidence. */
    if (strcmp(f->component, "equivalence") == 0 || f->n_seeds >= 20)
        pair->is_undecided |= got == 'u' || got == '?';
}

void cf_selftest_pair(struct cf_alarms *alarms, const struct cf_findings *findings, int index)
{
    for (int i = 0; i < findings->n_cells; ++i) {
        const struct cf_cell_finding *cell = &findings->cells[i];
        struct pair pair = {.cell = cell->suite};
        int n = 0;

        if (cell->configuration != index)
            continue;
        for (int k = 0; k < findings->n_findings; ++k) {
            const struct cf_finding *f = &findings->findings[k];

            if (f->configuration != index || strcmp(f->suite, cell->suite) != 0 || !counts(f))
                continue;
            judge(&pair, f);
            n += f->verdict != CF_SKIP;
        }
        alarms->n += n > 0;
        alarms->n_false += pair.is_false;
        alarms->n_undecided += !pair.is_false && pair.is_undecided;
        if (pair.is_false && !alarms->first)
            alarms->first = cf_format("%s in %s: %s", findings->configurations[index].text,
                                      cell->suite, pair.reason);
    }
    alarms->upper = alarms->n > 0 ? cf_clopper_upper_d(alarms->n_false, alarms->n, CF_ALPHA) : 1;
}

void cf_selftest_count_levels(struct cf_selftest *st, const struct cf_findings *findings)
{
    for (int i = 0; i < findings->n_cells; ++i) {
        ++st->n_levels;
        st->n_anomalies += strstr(findings->cells[i].reason, "order anomaly") != NULL;
    }
}

/* A row that promises nothing about the bug is no promise. */
static int promises(const struct cf_outcome *o)
{
    return strspn(o->want.expected, ".") < strlen(o->want.expected);
}

/* Are the outcomes first .. of one bug? They stand next to one another. */
static int same_bug(const struct cf_outcome *a, const struct cf_outcome *b)
{
    return a->want.kind == b->want.kind &&
           strcmp(a->want.configuration, b->want.configuration) == 0;
}

struct cf_detection cf_selftest_detection(const struct cf_selftest *st)
{
    struct cf_detection d = {0};

    for (int i = 0, end; i < st->n; i = end) {
        int breaches = 0, n = 0;

        for (end = i; end < st->n && same_bug(&st->outcome[i], &st->outcome[end]); ++end) {
            breaches += cf_selftest_breaches(&st->outcome[end]);
            n += promises(&st->outcome[end]);
        }
        d.n += n > 0;
        d.n_caught += n > 0 && breaches == 0;
    }
    d.lower = d.n > 0 ? cf_clopper_lower_d(d.n_caught, d.n, CF_ALPHA) : 0;
    return d;
}

/* What a form must have counted at least. */
#define PAIRS_NEEDED 299

static char *alarm_verdict(const char *what, const struct cf_alarms *a, int needed)
{
    if (a->n_false > 0)
        return cf_format("%d of %d %s that differ by rounding alone were accused, the first being "
                         "%s",
                         a->n_false, a->n, what, a->first);
    return a->n >= needed ? NULL
                          : cf_format("only %d of %d %s could be compared", a->n, needed, what);
}

/* At the margin itself a paired judge grants with the very probability alpha, so that no number of
 * trials shows it to be less: what is asked is that it is not shown to be more. */
static char *boundary_verdict(const struct cf_selftest *st)
{
    for (int i = 0; i < st->n_boundaries; ++i) {
        const struct cf_boundary *b = &st->boundary[i];

        if (b->kind == CF_BOUNDARY_NULL && !(b->n_fail == 0))
            return cf_format("%d of %d configurations without any change failed", b->n_fail, b->n);
        if (b->kind != CF_BOUNDARY_NULL && !(b->lower <= CF_ALPHA))
            return cf_format("at the margin (%s) %d of %d were granted: a rate of %.3g to %.3g, "
                             "where %.2g is allowed",
                             cf_boundary_name(b->kind), b->n_pass, b->n, b->lower, b->upper,
                             CF_ALPHA);
    }
    return st->n_boundaries > 0 ? NULL : cf_strdup("the margin was not tried");
}

/* A stronger level that passes while a weaker one fails is an accident of a finite sample. */
static char *anomaly_verdict(const struct cf_selftest *st)
{
    if (st->n_levels > 0 && cf_clopper_lower_d(st->n_anomalies, st->n_levels, CF_ALPHA) <= CF_ALPHA)
        return NULL;
    return cf_format("%d of %d levels are order anomalies, more than %.2g can be", st->n_anomalies,
                     st->n_levels, CF_ALPHA);
}

char *cf_selftest_verdict(const struct cf_selftest *st)
{
    const struct cf_detection d = cf_selftest_detection(st);
    char *why = alarm_verdict("training runs", &st->training, st->full ? PAIRS_NEEDED : 20);

    if (!why)
        why = alarm_verdict("sums", &st->sums, PAIRS_NEEDED);
    if (!why)
        why = boundary_verdict(st);
    if (!why)
        why = anomaly_verdict(st);
    for (int i = 0; i < st->n && !why; ++i) {
        const struct cf_outcome *o = &st->outcome[i];

        if (cf_selftest_breaches(o) > 0)
            why = cf_format("%d of %d planted bugs are not what they must be, the first being `%s` "
                            "in %s",
                            d.n - d.n_caught, d.n, o->want.bug, o->want.cell);
    }
    return why ? why : d.n > 0 ? NULL : cf_strdup("no bug was planted");
}

void cf_selftest_free(struct cf_selftest *st)
{
    for (int i = 0; i < st->n; ++i) {
        free((char *)st->outcome[i].want.bug);
        free((char *)st->outcome[i].want.configuration);
        free((char *)st->outcome[i].want.cell);
        free(st->outcome[i].reason);
    }
    free(st->outcome);
    free(st->training.first);
    free(st->sums.first);
    free(st->folder);
    *st = (struct cf_selftest){.n = 0};
}
