#include "probe.h"

#include <math.h>
#include <string.h>

#include "philox.h"

/* The making of rows: the one that is wanted is kept, the others are counted. */
struct maker {
    const struct cf_probe *probe;
    int64_t wanted, n;
    struct cf_probe_row *row;
    struct cf_probe_row scratch; /* of the row in work */
    int fits;                    /* are its operands exact in the type? */
};

static void start(struct maker *m, double c)
{
    memset(&m->scratch, 0, sizeof m->scratch);
    m->scratch.c = c;
    m->fits = 1;
}

/* Can significand * 2^exponent, with 1 <= significand < 2, be held? */
static int can_hold(const struct maker *m, double significand, int exponent)
{
    const enum cf_tc_type type = m->probe->type;
    const int lowest = significand == 1 ? cf_tc_e_tiny(type) : cf_tc_e_min(type);

    return exponent >= lowest && exponent <= cf_tc_e_max(type);
}

/* Product l is significand * 2^exponent, its factors about equally large. */
static void put(struct maker *m, int64_t l, double significand, int exponent)
{
    const int half = (exponent - (exponent < 0)) / 2, rest = exponent - half;
    const double magnitude = fabs(significand);

    if (l >= m->probe->k || !can_hold(m, magnitude, rest) || !can_hold(m, 1, half)) {
        m->fits = 0;
        return;
    }
    m->scratch.a[l] = ldexp(significand, rest);
    m->scratch.b[l] = ldexp(1, half);
}

static void finish(struct maker *m)
{
    if (!m->fits)
        return;
    if (m->n == m->wanted)
        *m->row = m->scratch;
    ++m->n;
}

/* The exponent that stands for 1: small products of e4m3 are not small enough below 1. */
static int one(const struct maker *m)
{
    return m->probe->type == CF_TC_E4M3 ? 14 : 0;
}

static void kept_bits(struct maker *m)
{
    for (int j = 1; j <= 32; ++j) {
        start(m, ldexp(1, one(m)));
        put(m, 0, -1, one(m));
        put(m, 1, 1, one(m) - j);
        finish(m);
    }
}

static void rounding(struct maker *m)
{
    for (int sign = 1; sign >= -1; sign -= 2)
        for (int s = 12; s <= 23; s += s == 12 ? 1 : s == 13 ? 9 : 1) {
            start(m, 0); /* three quarters of the last bit above 2 */
            put(m, 0, sign, one(m) + 1);
            put(m, 1, sign * 1.5, one(m) - s - 1);
            finish(m);
            start(m, ldexp(sign, one(m))); /* the sum carries: 2 and three halves of its last bit */
            put(m, 0, sign, one(m));
            for (int l = 1; l <= 3; ++l)
                put(m, l, sign, one(m) - s);
            finish(m);
        }
}

static void small_terms(struct maker *m)
{
    for (int s = 12; s <= 30; ++s) {
        start(m, ldexp(1, one(m)));
        for (int64_t l = 0; l < m->probe->k; ++l)
            put(m, l, 1, one(m) - s);
        finish(m);
        start(m, ldexp(1, one(m))); /* one and a half of it, that rounding to nearest lifts */
        for (int64_t l = 0; l < m->probe->k; ++l)
            put(m, l, 1.5, one(m) - s);
        finish(m);
        start(m, ldexp(1, one(m))); /* the same, with nothing large left in the sum */
        for (int64_t l = 0; l < m->probe->k; ++l)
            put(m, l, 1.5, one(m) - s);
        put(m, 0, -1, one(m));
        finish(m);
    }
}

/* Survivors of masking: (M, -M, ones), Xie et al., FPRev, USENIX ATC 2025. */
static void mask(struct maker *m, int64_t at, int much, int little, int64_t step)
{
    const int64_t k = m->probe->k;

    for (int64_t j = at == 0; j < k - (at > 0); j += step) {
        start(m, 0);
        for (int64_t l = 0; l < k; ++l)
            put(m, l, 1, little);
        put(m, at, 1, much);
        put(m, j, -1, much);
        finish(m);
    }
}

static void masking(struct maker *m)
{
    mask(m, 0, 14, m->probe->type == CF_TC_E4M3 ? -12 : -14, 1);
}

/* All that is little together is less than what M keeps, or the order would not show; steps in j
 * keep the rows few. */
static void order(struct maker *m)
{
    const int much = m->probe->type == CF_TC_E4M3 ? 16 : 14;

    mask(m, 0, much, -18, 4);
    mask(m, m->probe->k - 1, much, -18, 4);
}

static void subnormals(struct maker *m)
{
    const int tiny = cf_tc_e_tiny(m->probe->type);

    start(m, 0);
    m->scratch.a[0] = ldexp(1, tiny);
    m->scratch.b[0] = 4;
    finish(m);
    start(m, 0);
    m->scratch.a[0] = ldexp(1, tiny);
    m->scratch.b[0] = ldexp(1, cf_tc_e_max(m->probe->type) < 20 ? 7 : 20);
    finish(m);
    start(m, ldexp(1, -149));
    finish(m);
    start(m, ldexp(1, -130));
    finish(m);
    start(m, ldexp(3, -128));
    put(m, 0, -1, -127);
    finish(m);
    start(m, 0);
    put(m, 0, 1, -140);
    finish(m);
}

static void monotone(struct maker *m)
{
    for (int s = 14; s <= 24; s += 10)
        for (int below = 1; below >= 0; --below) {
            start(m, ldexp(1 - below * ldexp(1, -s), one(m)));
            for (int l = 0; l < 4; ++l)
                put(m, l, 1, one(m) - s);
            finish(m);
        }
}

static void input_rounding(struct maker *m)
{
    if (m->probe->type != CF_TC_TF32)
        return;
    start(m, 0);
    m->scratch.a[0] = 1 + ldexp(1, -11) + ldexp(1, -12);
    m->scratch.b[0] = 1;
    finish(m);
}

static void narrow_accumulator(struct maker *m)
{
    if (m->probe->type != CF_TC_E4M3 && m->probe->type != CF_TC_E5M2)
        return;
    for (int j = 13; j <= 14; ++j) {
        start(m, 0);
        put(m, 0, 1, 0);
        put(m, 1, 1, -j);
        put(m, 2, -1, 0);
        finish(m);
    }
    start(m, 0);
    for (int l = 0; l < 31; ++l)
        put(m, l, 1, 0);
    put(m, 31, 1, -10);
    finish(m);
}

/* In [-1, 1), full significands. */
static double draw(const struct cf_stream *stream, uint64_t i)
{
    return ldexp((double)(int64_t)(cf_stream_word(stream, i) >> 10), -53) - 1;
}

static void doubles(struct maker *m)
{
    const struct cf_stream stream = {m->probe->seed, 0x70726f62u};
    uint64_t word = 0;

    for (int i = 0; i < 16 && m->probe->type == CF_TC_F64; ++i) {
        start(m, draw(&stream, word++));
        for (int64_t l = 0; l < m->probe->k; ++l) {
            m->scratch.a[l] = draw(&stream, word++);
            m->scratch.b[l] = draw(&stream, word++);
        }
        finish(m);
    }
}

static void (*const probes[CF_PROBES])(struct maker *) = {
    kept_bits, rounding,       small_terms,        masking, subnormals,
    monotone,  input_rounding, narrow_accumulator, doubles, order};

static int64_t make(const struct cf_probe *probe, int64_t wanted, struct cf_probe_row *row)
{
    struct maker m = {.probe = probe, .wanted = wanted, .row = row};

    if (probe->number >= 1 && probe->number <= CF_PROBES && probe->k >= 1 &&
        probe->k <= CF_PROBE_K_MAX)
        probes[probe->number - 1](&m);
    return m.n;
}

int64_t cf_probe_count(const struct cf_probe *probe)
{
    return make(probe, -1, NULL);
}

int cf_probe_make(const struct cf_probe *probe, int64_t i, struct cf_probe_row *row)
{
    return i >= 0 && make(probe, i, row) > i ? 0 : -1;
}

int64_t cf_probe_k(int number, enum cf_tc_type type)
{
    const int fp8 = type == CF_TC_E4M3 || type == CF_TC_E5M2;

    if (number == 10)
        return fp8 ? 128 : 64;
    return fp8 ? 32 : 16;
}
