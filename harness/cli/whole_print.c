#include "whole_print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdicts[] = {
    [CF_WHOLE_SAME] = "same bits",     [CF_WHOLE_IMPROVED] = "improved",
    [CF_WHOLE_CHANGED] = "changed",    [CF_WHOLE_REGRESSED] = "regressed",
    [CF_WHOLE_WRONG] = "beyond bound", [CF_WHOLE_WITHIN] = "within bound"};
static const char *const whose[] = {"both wrong", "old right, new wrong", "new right, old wrong",
                                    "both right (NaNs of other bits)"};

/* 1,234,567 */
static const char *count(char text[32], int64_t n)
{
    char digits[24];
    int at = 0;
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);

    for (int i = 0; i < length; ++i) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static double value(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* u of the scale is half a unit in the last place at the lower end of a binade. */
double cf_whole_allowed(const struct cf_op *op)
{
    return (op->terms(NULL, 0, 0) + op->extra_roundings) / 2.0;
}

/* Among a answers that moved one way and b that moved the other: more than a fair coin does, or all
 * of them. Other roundings at random are neither better nor worse. */
static int outweighs(int64_t a, int64_t b)
{
    return a > 0 && (b == 0 || (double)(a - b) > 3 * sqrt((double)(a + b)));
}

enum cf_whole_verdict cf_whole_decide(const struct cf_whole_result *r,
                                      const struct cf_whole_order *order)
{
    const int64_t better = r->tally.differ[CF_NEW_RIGHT].n;
    const int64_t worse = r->tally.differ[CF_OLD_RIGHT].n;
    const double allowed = cf_whole_allowed(order->op), before = r->tally.side[0].worst;
    const double now = r->tally.side[order->n_sides - 1].worst;

    if (order->n_sides == 1)
        return now <= allowed ? CF_WHOLE_WITHIN : CF_WHOLE_WRONG;
    if (r->n_differ == 0)
        return CF_WHOLE_SAME;
    if (outweighs(worse, better) || !(now <= fmax(allowed, before)))
        return CF_WHOLE_REGRESSED;
    return outweighs(better, worse) ? CF_WHOLE_IMPROVED : CF_WHOLE_CHANGED;
}

static void print_side(FILE *out, const struct cf_whole_result *r,
                       const struct cf_whole_order *order, int k, const char *name)
{
    const struct cf_whole_side *side = &r->tally.side[k];
    char n[32], digest[33];
    uint32_t right;
    const double error = cf_whole_measure(order->op, side->x, side->got, &right);

    cf_digest_print(digest, &r->digest[k]);
    fprintf(out, "  %-8s %s not correctly rounded; ", name, count(n, side->n_wrong));
    if (!(side->worst > 0))
        fprintf(out, "no error at all\n");
    else if (side->got == right)
        fprintf(out, "largest error %.4f ulp at x = %a\n", error, value(side->x));
    else
        fprintf(out, "largest error %.4f ulp at x = %a,\n           got %a, correctly rounded %a\n",
                error, value(side->x), value(side->got), value(right));
    fprintf(out, "           digest xxh3:%s\n", digest);
}

static void print_difference(FILE *out, const struct cf_whole_order *order,
                             const struct cf_whole_difference *d, const char *name)
{
    char n[32];

    if (d->n == 0)
        return;
    fprintf(out, "  %s at %s, first at x = %a (0x%08x):\n", name, count(n, d->n), value(d->x),
            d->x);
    fprintf(out, "           old %a (0x%08x), new %a (0x%08x), correctly rounded %a (0x%08x)\n",
            value(d->got[0]), d->got[0], value(d->got[1]), d->got[1], value(d->right), d->right);
    fprintf(out,
            "           replay   conform replay \"%s f32 n=1 range=whole first=%u\" \"%s\" "
            "\"%s\"\n",
            order->op->grammar.op, d->x, order->line[0], order->line[1]);
}

static int64_t n_other(const struct cf_whole_result *r)
{
    int64_t n = 0;

    for (int who = 0; who < CF_N_WHO; ++who)
        n += r->tally.differ[who].n;
    return n;
}

void cf_whole_print(FILE *out, const struct cf_whole_result *r, const struct cf_whole_order *order)
{
    const enum cf_whole_verdict verdict = cf_whole_decide(r, order);
    char n[32], other[32];

    if (r->fate != CF_RAN) {
        fprintf(out, "%s f32\n  %-8s %s: %s\n", order->op->grammar.op,
                order->n_sides == 1 ? "answers"
                : r->side == 0      ? "old"
                                    : "new",
                cf_fate_name(r->fate), r->reason);
        return;
    }
    if (order->n_sides == 1)
        fprintf(out,
                verdict == CF_WHOLE_WRONG
                    ? "%s f32: %s inputs; beyond the %g ulp that the op allows\n"
                    : "%s f32: %s inputs; within the %g ulp of the op\n",
                order->op->grammar.op, count(n, r->tally.n), cf_whole_allowed(order->op));
    else if (r->n_differ == 0)
        fprintf(out, "%s f32: same bits at all %s inputs\n", order->op->grammar.op,
                count(n, r->tally.n));
    else
        fprintf(out, "%s f32: %s; bits differ at %s of %s inputs\n", order->op->grammar.op,
                verdicts[verdict], count(other, n_other(r)), count(n, r->tally.n));
    if (order->n_sides == 1 || r->n_differ == 0)
        print_side(out, r, order, 0, order->n_sides == 1 ? "answers" : "both");
    else {
        print_side(out, r, order, 0, "old");
        print_side(out, r, order, 1, "new");
    }
    for (int who = CF_N_WHO - 1; who >= 0; --who)
        print_difference(out, order, &r->tally.differ[who], whose[who]);
    fprintf(out,
            "  how      MPFR decided %s inputs; a proved bound the others, %s of them confirmed by "
            "MPFR\n",
            count(n, r->tally.n_asked), count(other, r->tally.n_sampled));
}

static json_t *encoding(uint32_t bits)
{
    return json_sprintf("0x%08x", bits);
}

static json_t *side_json(const struct cf_whole_result *r, const struct cf_whole_order *order, int k)
{
    const struct cf_whole_side *side = &r->tally.side[k];
    char digest[33];
    uint32_t right;
    const double error = cf_whole_measure(order->op, side->x, side->got, &right);

    cf_digest_print(digest, &r->digest[k]);
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:I}", "configuration", order->line[k],
                     "not_correctly_rounded", (json_int_t)side->n_wrong, "largest_error_ulp",
                     isfinite(error) ? json_real(error) : json_string("infinite"), "at",
                     encoding(side->x), "got", encoding(side->got), "right", encoding(right),
                     "digest", json_sprintf("xxh3:%s", digest), "subject_ns",
                     (json_int_t)r->wall_ns[k]);
}

static json_t *difference_json(const struct cf_whole_difference *d)
{
    json_t *object = json_pack("{s:I}", "n", (json_int_t)d->n);

    if (d->n > 0) {
        json_object_set_new(object, "first", encoding(d->x));
        json_object_set_new(object, "old", encoding(d->got[0]));
        json_object_set_new(object, "new", encoding(d->got[1]));
        json_object_set_new(object, "right", encoding(d->right));
    }
    return object;
}

json_t *cf_whole_json(const struct cf_whole_result *r, const struct cf_whole_order *order)
{
    static const char *const keys[CF_N_WHO] = {"both_wrong", "old_right_new_wrong",
                                               "new_right_old_wrong", "both_right"};
    json_t *object = json_pack("{s:s,s:s}", "case", order->text, "fate", cf_fate_name(r->fate));
    json_t *sides = json_array(), *differ = json_object();

    if (r->fate != CF_RAN)
        json_object_set_new(object, "reason", json_string(r->reason));
    for (int k = 0; k < order->n_sides && r->fate == CF_RAN; ++k)
        json_array_append_new(sides, side_json(r, order, k));
    for (int who = 0; who < CF_N_WHO && order->n_sides == 2 && r->fate == CF_RAN; ++who)
        json_object_set_new(differ, keys[who], difference_json(&r->tally.differ[who]));
    json_object_set_new(object, "sides", sides);
    json_object_set_new(object, "differ", differ);
    if (r->fate == CF_RAN) {
        json_object_set_new(object, "verdict", json_string(verdicts[cf_whole_decide(r, order)]));
        json_object_set_new(object, "inputs", json_integer(r->tally.n));
        json_object_set_new(object, "by_mpfr", json_integer(r->tally.n_asked));
        json_object_set_new(object, "confirmed", json_integer(r->tally.n_sampled));
        json_object_set_new(object, "blocks", json_integer(r->n_blocks));
        json_object_set_new(object, "blocks_that_differ", json_integer(r->n_differ));
    }
    return object;
}
