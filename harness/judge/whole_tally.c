#include "whole_tally.h"

#include <math.h>
#include <string.h>

#include "truth.h"

/* Arguments of one binade, with what is known of them. */
struct piece {
    int64_t n;
    const uint32_t *x;
    double y[CF_WHOLE_PIECE], bound; /* the values, within that */
    uint32_t right[CF_WHOLE_PIECE];  /* the correctly rounded ones */
};

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static int is_nan(uint32_t bits)
{
    return (bits & 0x7fffffff) > 0x7f800000;
}

static int is_same(uint32_t got, uint32_t right)
{
    return got == right || (is_nan(got) && is_nan(right));
}

/* 1 / the unit in the last place of y as a float. */
static double per_ulp(double y)
{
    const uint64_t smallest = 1023 - 126, largest = 1023 + 127;
    uint64_t bits, field;
    double scale;

    memcpy(&bits, &y, sizeof bits);
    field = bits >> 52 & 0x7ff;
    field = field < smallest ? smallest : field > largest ? largest : field;
    bits = (1023 + 23 + 1023 - field) << 52;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

/* MPFR's word on one argument. */
static struct cf_truth ask(const struct cf_op *op, uint32_t x)
{
    float argument = float_of(x);
    const struct cf_tensor in = {.dtype = CF_F32, .rank = 1, .dim = {1}, .bits = &argument};
    const struct cf_tensor out = {.dtype = CF_F32, .rank = 1, .dim = {1}};
    struct cf_truth truth;

    cf_reference_element(&truth, NULL, op, &in, &out, 0, 0);
    return truth;
}

/* got and exact as numbers or not; right: is got the correctly rounded one? */
static double error_of(uint32_t got, double exact, int right)
{
    const double g = float_of(got), reach = isinf(g) ? copysign(0x1p128, g) : g;

    if (right && !isfinite(g))
        return 0;
    return isnan(g) || !isfinite(exact) ? (double)INFINITY : fabs(reach - exact) * per_ulp(exact);
}

double cf_whole_measure(const struct cf_op *op, uint32_t x, uint32_t got, uint32_t *right)
{
    const struct cf_truth truth = ask(op, x);
    const double g = float_of(got), exact = truth.rounded + truth.lo;

    *right = bits_of((float)truth.rounded);
    if (!isfinite(g) || !isfinite(truth.rounded))
        return error_of(got, exact, is_same(got, *right));
    return fabs(g - truth.rounded - truth.lo) * per_ulp(exact);
}

/* One decided argument of the piece: is it as MPFR has it? */
static void confirm(const struct piece *piece, const struct cf_op *op, int64_t i)
{
    const struct cf_truth truth = ask(op, piece->x[i]);
    const double exact = truth.rounded + truth.lo;

    CF_CHECK(is_same(bits_of((float)truth.rounded), piece->right[i]));
    if (isfinite(exact) && fabs(exact) >= CF_VALUES_LEAST)
        CF_CHECK(fabs(piece->y[i] - truth.rounded - truth.lo) <=
                 piece->bound * 1.0001 * fabs(exact));
}

/* Fills right; the two roundings are those of the ends of the interval, moved outward by what
 * computing them may err. */
static void decide(struct cf_whole_tally *tally, struct piece *piece, const struct cf_op *op)
{
    float x[CF_WHOLE_PIECE], low[CF_WHOLE_PIECE], high[CF_WHOLE_PIECE];
    const size_t n_bytes = (size_t)piece->n * sizeof x[0];
    double wide;

    memcpy(x, piece->x, n_bytes);
    piece->bound = op->values(piece->y, x, piece->n);
    wide = piece->bound + 0x1p-51;
    for (int64_t i = 0; i < piece->n; ++i) {
        low[i] = (float)(piece->y[i] * (1 - wide));
        high[i] = (float)(piece->y[i] * (1 + wide));
    }
    memcpy(piece->right, low, n_bytes);
    if (memcmp(low, high, n_bytes) == 0)
        return;
    for (int64_t i = 0; i < piece->n; ++i)
        if (!is_same(bits_of(low[i]), bits_of(high[i]))) {
            piece->right[i] = bits_of((float)ask(op, piece->x[i]).rounded);
            ++tally->n_asked;
        }
}

/* Of every CF_WHOLE_SAMPLE arguments one, not always in the same place. */
static void sample(struct cf_whole_tally *tally, const struct piece *piece, const struct cf_op *op)
{
    const int64_t before = (tally->n + CF_WHOLE_SAMPLE - 1) / CF_WHOLE_SAMPLE;
    const int64_t after = (tally->n + piece->n + CF_WHOLE_SAMPLE - 1) / CF_WHOLE_SAMPLE;

    if (before == after)
        return;
    confirm(piece, op, (piece->x[0] * 2654435761u >> 8) % piece->n);
    ++tally->n_sampled;
}

static void judge_side(struct cf_whole_side *side, const struct piece *piece, const uint32_t got[])
{
    int64_t n_wrong = 0;

    for (int64_t i = 0; i < piece->n; ++i) {
        const double error = fabs((double)float_of(got[i]) - piece->y[i]) * per_ulp(piece->y[i]);

        n_wrong += got[i] != piece->right[i];
        if (!(error <= side->worst)) { /* rare, but for NaN and infinity */
            const int right = is_same(got[i], piece->right[i]);
            const double e = error_of(got[i], piece->y[i], right);

            n_wrong -= right && got[i] != piece->right[i];
            if (!(e <= side->worst)) {
                side->worst = e;
                side->x = piece->x[i];
                side->got = got[i];
            }
        }
    }
    side->n_wrong += n_wrong;
}

static void judge_difference(struct cf_whole_tally *tally, const struct piece *piece, int64_t i,
                             uint32_t old, uint32_t new)
{
    const uint32_t right = piece->right[i];
    struct cf_whole_difference *d =
        &tally->differ[is_same(old, right) * CF_OLD_RIGHT + is_same(new, right) * CF_NEW_RIGHT];

    if (d->n++ == 0)
        *d = (struct cf_whole_difference){1, piece->x[i], {old, new}, right};
}

static void judge_piece(struct cf_whole_tally *tally, struct piece *piece, const struct cf_op *op,
                        const uint32_t *old, const uint32_t *new)
{
    decide(tally, piece, op);
    sample(tally, piece, op);
    tally->n += piece->n;
    judge_side(&tally->side[0], piece, old);
    if (!new)
        return;
    judge_side(&tally->side[1], piece, new);
    if (memcmp(old, new, (size_t)piece->n * sizeof old[0]) != 0)
        for (int64_t i = 0; i < piece->n; ++i)
            if (old[i] != new[i])
                judge_difference(tally, piece, i, old[i], new[i]);
}

void cf_whole_judge(struct cf_whole_tally *tally, const struct cf_op *op, const uint32_t x[],
                    const uint32_t *const got[2], int64_t n)
{
    struct piece piece;

    CF_CHECK(op->values != NULL);
    for (int64_t i = 0; i < n; i += piece.n) {
        for (piece.n = 1;
             i + piece.n < n && piece.n < CF_WHOLE_PIECE && x[i + piece.n] >> 23 == x[i] >> 23;)
            ++piece.n;
        piece.x = x + i;
        judge_piece(tally, &piece, op, got[0] + i, got[1] ? got[1] + i : NULL);
    }
}

static void add_side(struct cf_whole_side *into, const struct cf_whole_side *from)
{
    const int64_t n_wrong = into->n_wrong + from->n_wrong;

    if (!(from->worst <= into->worst))
        *into = *from;
    into->n_wrong = n_wrong;
}

void cf_whole_add(struct cf_whole_tally *into, const struct cf_whole_tally *from)
{
    into->n += from->n;
    into->n_asked += from->n_asked;
    into->n_sampled += from->n_sampled;
    for (int k = 0; k < 2; ++k)
        add_side(&into->side[k], &from->side[k]);
    for (int who = 0; who < CF_N_WHO; ++who) {
        const int64_t n = into->differ[who].n + from->differ[who].n;

        if (into->differ[who].n == 0)
            into->differ[who] = from->differ[who];
        into->differ[who].n = n;
    }
}
