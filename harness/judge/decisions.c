/* Decisions that a user takes from an output: the sign of each element, the order of each pair of
 * neighbours (the registered pairs: 0 and 1, 2 and 3, ...), and the position of the largest (of
 * each row where rows are the classes of a picture). A
 * decision is certain when its exact margin exceeds 2 lambda sqrt(n) u S: no accurate computation
 * can then come to another (docs/levels.md, section 5); otherwise anything is allowed. */
#include "accuracy.h"

#include <math.h>
#include <string.h>

struct deciding {
    struct cf_gate_tally *tally;
    const struct cf_reference *reference;
    const struct cf_tensor *out;
    double lambda;
    int o;
};

int cf_decisions_of(const struct cf_op *op)
{
    static const char *const ops[] = {"dot",      "gemv",       "gemm",
                                      "classify", "conv2d_fwd", "conv2d_bwd_data"};

    for (int i = 0; i < CF_COUNT(ops); ++i)
        if (strcmp(op->grammar.op, ops[i]) == 0)
            return 1;
    return 0;
}

/* The margin that makes a decision about element i certain; NaN, which nothing exceeds, where the
 * exact value is not finite. */
static double needed(const struct deciding *d, int64_t i)
{
    const struct cf_truth *truth = &d->reference->truth[d->o][i];
    const double n = (double)d->reference->terms[d->o][i];

    if (!isfinite(truth->rounded) || !isfinite(truth->scale))
        return NAN;
    return 2 * d->lambda * sqrt(n) * cf_dtype_u(d->out->dtype) * truth->scale +
           n * cf_dtype_eta(d->out->dtype);
}

/* In truth element i exceeds what it is compared with by `margin`; here it is `got` against `than`.
 */
static void decide(const struct deciding *d, int64_t i, double margin, double need, double got,
                   double than)
{
    const int agrees = margin > 0 ? got > than : got < than;
    const struct cf_truth *truth = &d->reference->truth[d->o][i];
    const struct cf_gate_tally one = {.n_judged = 1,
                                      .n_failed = !agrees,
                                      .element = i,
                                      .output = d->o,
                                      .got = got,
                                      .exact = truth->rounded,
                                      .error = fabs(cf_accuracy_error(truth, got, d->out->dtype)),
                                      .allowed =
                                          need / 2 / truth->scale / cf_dtype_u(d->out->dtype)};

    if (fabs(margin) > need)
        cf_gate_tally_add(d->tally, &one);
}

/* For a decision between two elements. */
static double needed_by_both(const struct deciding *d, int64_t i, int64_t k)
{
    const double a = needed(d, i), b = needed(d, k);

    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static double exact(const struct deciding *d, int64_t i)
{
    return d->reference->truth[d->o][i].rounded;
}

static void decide_pair(const struct deciding *d, int64_t i, int64_t k)
{
    decide(d, i, exact(d, i) - exact(d, k), needed_by_both(d, i, k), cf_tensor_get(d->out, i),
           cf_tensor_get(d->out, k));
}

/* The largest against the runner-up: the others are further off. In `out` it must beat all. */
static void decide_largest(const struct deciding *d, int64_t start, int64_t n)
{
    int64_t first = start, second = -1, rival = -1;

    for (int64_t i = start; i < start + n; ++i) {
        if (!isfinite(exact(d, i)))
            return;
        if (i > start && exact(d, i) > exact(d, first)) {
            second = first;
            first = i;
        } else if (i > start && (second < 0 || exact(d, i) > exact(d, second))) {
            second = i;
        }
    }
    for (int64_t i = start; i < start + n; ++i)
        if (i != first &&
            (rival < 0 || !(cf_tensor_get(d->out, i) <= cf_tensor_get(d->out, rival))))
            rival = i;
    if (rival >= 0)
        decide(d, first, exact(d, first) - exact(d, second), needed_by_both(d, first, second),
               cf_tensor_get(d->out, first), cf_tensor_get(d->out, rival));
}

void cf_decisions_judge(struct cf_gate_tally *tally, const struct cf_reference *reference,
                        double lambda, const struct cf_tensor *out, int o)
{
    const struct deciding d = {tally, reference, out, lambda, o};
    const int is_classes = strcmp(reference->op->grammar.op, "classify") == 0;
    const int64_t n = cf_tensor_count(out), row = is_classes ? out->dim[1] : n;

    if (!cf_decisions_of(reference->op))
        return;
    for (int64_t i = 0; i < n; ++i)
        decide(&d, i, exact(&d, i), needed(&d, i), cf_tensor_get(out, i), 0);
    for (int64_t i = 0; i + 1 < n; i += 2)
        decide_pair(&d, i, i + 1);
    for (int64_t i = 0; i < n; i += row)
        decide_largest(&d, i, row);
}
