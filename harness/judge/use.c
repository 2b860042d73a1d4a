/* The functional gate of ops: a frozen classifier over gemm, bias and relu. Its classes agree with
 * the baseline's, it recognises as many held-out pictures, and no run fails. */
#include "judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

#define PICTURES_MAX  2048
#define TRAIN_PERCENT 80 /* of the split with which the classifier was trained */

/* What is known of each picture of the data: -1 not shown; the class in the configuration, or
 * CF_CLASSES where it gave none or more than one. */
struct classes {
    int8_t of[PICTURES_MAX];
};

/* The first of equal ones is no class: a decision needs a largest. NaN too. */
static int class_of(const struct cf_tensor *logits, int64_t row)
{
    for (int c = 0; c < CF_CLASSES; ++c) {
        int largest = 1;

        for (int k = 0; k < CF_CLASSES; ++k)
            largest &= k == c || cf_tensor_get(logits, row * CF_CLASSES + c) >
                                     cf_tensor_get(logits, row * CF_CLASSES + k);
        if (largest)
            return c;
    }
    return CF_CLASSES;
}

static int see_output(struct cf_judgement *j, const struct cf_ledger_case *one, int output,
                      int64_t n_pictures, struct classes *classes, struct cf_error *err)
{
    struct cf_tensor logits = {
        .dtype = one->c.dtype, .rank = 2, .dim = {cf_case_int(&one->c, "rows", 0), CF_CLASSES}};
    uint64_t n_bytes;

    logits.bits = cf_store_get_outputs(j->store, &one->output[output], &n_bytes, err);
    if (!logits.bits)
        return -1;
    for (int64_t i = 0; i < logits.dim[0]; ++i) {
        int8_t *class = &classes->of[cf_classifier_picture(&one->c, i, n_pictures)];
        const int8_t now = (int8_t)class_of(&logits, i);

        *class = *class >= 0 && *class != now ? CF_CLASSES : now;
    }
    free(logits.bits);
    return 0;
}

static int see_all(struct cf_judgement *j, int configuration, int group, int64_t n_pictures,
                   struct classes *classes, struct cf_error *err)
{
    memset(classes->of, -1, sizeof classes->of);
    for (int i = 0; i < j->ledger.n_cases; ++i) {
        const struct cf_ledger_case *one = &j->ledger.cases[i];
        int64_t n;
        const struct cf_ledger_record *records =
            cf_ledger_records(&j->ledger, i, configuration, &n);

        for (int64_t k = 0; one->group == group && k < n; ++k)
            if (records[k].fate == CF_RAN &&
                (k == 0 || records[k].output != records[k - 1].output) &&
                see_output(j, one, records[k].output, n_pictures, classes, err) != 0)
                return -1;
    }
    return 0;
}

struct using
{
    struct cf_evidence agreement, quality, failures;
};

/* Pictures that both have seen; those held out when the classifier was trained carry quality. */
static void compare(const struct classes *got, const struct classes *base,
                    const struct cf_digits *digits, const struct cf_split *split, struct using *use)
{
    double *x = cf_alloc((size_t)(digits->n + 1) * sizeof x[0]),
           *y = cf_alloc((size_t)(digits->n + 1) * sizeof y[0]), right = 0;
    long n = 0, bad = 0;
    int n_held = 0;

    for (int64_t i = 0; i < digits->n; ++i)
        if (got->of[i] >= 0 && base->of[i] >= 0) {
            ++n;
            bad += got->of[i] != base->of[i] || got->of[i] == CF_CLASSES;
        }
    for (int64_t k = 0; k < split->n_held; ++k) {
        const int32_t i = split->held[k];

        if (got->of[i] < 0 || base->of[i] < 0)
            continue;
        x[n_held] = got->of[i] == digits->label[i];
        y[n_held] = base->of[i] == digits->label[i];
        right += y[n_held++];
    }
    use->agreement = cf_gate_rate(bad, n, 0.01, "99 % agreement, MLPerf inference");
    use->quality = cf_gate_quality_paired(x, y, n_held, CF_HIGHER_IS_BETTER,
                                          n_held > 0 ? 0.01 * right / n_held : 0.01, CF_ALPHA,
                                          "1 % of the baseline's, MLPerf inference");
    free(x);
    free(y);
}

static void conclude(struct cf_judgement *j, struct cf_finding *f, const struct using *use)
{
    static const char *const names[] = {"agreement", "quality", "failures"};
    const struct cf_evidence *all[] = {&use->agreement, &use->quality, &use->failures};
    int at = 0;

    f->verdict = cf_evidence_all(all, 3);
    while (at < 2 && all[at]->verdict != f->verdict)
        ++at;
    f->estimate = all[at]->estimate;
    f->lower = all[at]->lower;
    f->upper = all[at]->upper;
    f->margin = isfinite(all[at]->high) ? all[at]->high : all[at]->low;
    f->margin_source = all[at]->margin_source;
    f->unit = all[at]->unit;
    f->n_compared = use->agreement.n;
    f->n_different = (int64_t)llround(use->agreement.estimate * use->agreement.n);
    f->n_seeds = all[at]->n;
    f->n_seeds_needed = all[at]->n_needed;
    f->reason = cf_arena_format(&j->arena, "%s: %s", names[at], all[at]->reason);
}

static void start(struct cf_finding *f)
{
    f->demand = (struct cf_demand){CF_FUNCTIONAL, CF_TO_BASELINE};
    f->component = "use";
    f->verdict = CF_SKIP;
    f->reason = "nothing ran here and in the baseline";
}

static int judge_group(struct cf_judgement *j, int configuration, int group,
                       const struct cf_digits *digits, const struct cf_split *split,
                       struct cf_error *err)
{
    const struct cf_coverage *mine = cf_judgement_coverage(j, configuration, group);
    struct cf_finding *f = cf_judgement_slot(j, configuration, group, CF_SLOT_USE);
    struct classes got, base;
    struct using use;

    start(f);
    if (mine->n_fates[CF_RAN] == 0 ||
        cf_judgement_coverage(j, j->ledger.baseline, group)->n_fates[CF_RAN] == 0)
        return 0;
    if (see_all(j, configuration, group, digits->n, &got, err) != 0 ||
        see_all(j, j->ledger.baseline, group, digits->n, &base, err) != 0)
        return -1;
    compare(&got, &base, digits, split, &use);
    use.failures = cf_gate_rate((long)(mine->n_recorded - mine->n_fates[CF_RAN]),
                                (long)mine->n_recorded, 0.05, "0 of 59, docs/levels.md, section 5");
    conclude(j, f, &use);
    return 0;
}

/* Groups whose op the classifier uses share its verdict; of the others nobody registered a use. */
static void share(struct cf_judgement *j, int configuration, int group)
{
    static const char *const used[] = {"gemm", "bias_fwd", "relu_fwd"};
    struct cf_finding *f = cf_judgement_slot(j, configuration, group, CF_SLOT_USE);
    const char *name = j->ledger.group[group].name, *type = strchr(name, ' ') + 1;

    start(f);
    f->verdict = CF_UNKNOWN;
    f->reason = "no registered use of this op ran; the suite decisions has one of gemm f32";
    for (int g = 0; g < j->ledger.n_groups; ++g) {
        const char *other = j->ledger.group[g].name;

        if (strncmp(other, "classify ", 9) != 0 || strcmp(other + 9, type) != 0)
            continue;
        for (int u = 0; u < CF_COUNT(used); ++u)
            if (strncmp(name, used[u], (size_t)(type - name - 1)) == 0 &&
                used[u][type - name - 1] == '\0') {
                const struct cf_finding *from = cf_judgement_slot(j, configuration, g, CF_SLOT_USE);
                const struct cf_finding own = *f;

                *f = *from;
                f->suite = own.suite;
                f->group = own.group;
                f->reason =
                    cf_arena_format(&j->arena, "by the classifier over it: %s", from->reason);
            }
    }
}

int cf_judge_use(struct cf_judgement *j, struct cf_error *err)
{
    struct cf_digits digits;
    struct cf_split split;
    int result = 0;

    cf_digits_load(&digits);
    CF_CHECK(digits.n <= PICTURES_MAX);
    cf_split_make(&split, &digits, TRAIN_PERCENT, 0);
    for (int i = 0; i < j->ledger.n_configurations && result == 0; ++i)
        for (int g = 0; g < j->ledger.n_groups && result == 0; ++g)
            if (strncmp(j->ledger.group[g].name, "classify ", 9) == 0)
                result = judge_group(j, i, g, &digits, &split, err);
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g)
            if (strncmp(j->ledger.group[g].name, "classify ", 9) != 0 &&
                cf_judgement_kind(j, g) != CF_GROUP_TRAINING)
                share(j, i, g);
    cf_split_free(&split);
    cf_digits_free(&digits);
    return result;
}
