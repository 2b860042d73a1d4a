#include "sides.h"

#include <stdio.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct cf_sides *sides;
    struct cf_store *store;
    int64_t case_id;
    struct cf_error *err;
};

/* MPFR's answer in the form of the fast path's. */
static struct cf_truth evaluate(const struct cf_sides *s, int o, int64_t i)
{
    struct cf_truth truth;
    mpfr_t exact, scale;

    if (!s->op->element) /* a training run: no number compares with its truth */
        return (struct cf_truth){.rounded = NAN};
    mpfr_inits2(64, exact, scale, (mpfr_ptr)0);
    s->op->element(exact, scale, &s->c, s->in, o, i);
    truth.rounded = mpfr_get_d(exact, MPFR_RNDN);
    truth.scale = mpfr_get_d(scale, MPFR_RNDU);
    mpfr_set_prec(scale, mpfr_get_prec(exact) + 64);
    mpfr_sub_d(scale, exact, truth.rounded, MPFR_RNDN);
    truth.lo = isfinite(truth.rounded) ? mpfr_get_d(scale, MPFR_RNDN) : 0;
    mpfr_clears(exact, scale, (mpfr_ptr)0);
    return truth;
}

static void find_truth(struct cf_sides *s)
{
    for (int o = 0; o < s->op->n_outputs; ++o) {
        const int64_t count = cf_tensor_count(&s->out[o]);

        s->truth[o] = cf_alloc_zero((unsigned long)(count + 1) * sizeof s->truth[o][0]);
        s->n_elements += count;
        if (s->op->fast)
            s->op->fast(s->truth[o], &s->c, s->in, o, 1);
        for (int64_t i = 0; !s->op->fast && i < count; ++i)
            s->truth[o][i] = evaluate(s, o, i);
    }
}

/* Cuts the bytes of all outputs, back to back, into tensors of their own. */
static int cut(struct cf_answer *answer, const struct cf_sides *s, const char *bytes,
               uint64_t n_bytes, struct cf_error *err)
{
    uint64_t at = 0;

    for (int o = 0; o < s->op->n_outputs; ++o) {
        const size_t size = cf_tensor_bytes(&s->out[o]);

        if (at + size > n_bytes)
            return cf_fail_with(err, 3, "the outputs stored for `%s` are too short", s->c.text);
        answer->out[o] = s->out[o];
        cf_tensor_alloc(&answer->out[o]);
        memcpy(answer->out[o].bits, bytes + at, size);
        at += size;
    }
    return 0;
}

static int add_answer(struct reading *r, struct cf_side *side, const struct cf_record *record)
{
    const struct cf_digest *digest = &record->digest;
    struct cf_answer *answer = &side->answer[side->n_answers];
    uint64_t n_bytes;
    void *bytes;
    int result;

    for (int i = 0; i < side->n_answers; ++i)
        if (cf_digest_equal(&side->answer[i].digest, digest)) {
            ++side->answer[i].n_times;
            return 0;
        }
    if (side->n_answers == CF_ANSWERS_MAX) {
        ++side->n_more;
        return 0;
    }
    bytes = cf_store_get_outputs(r->store, digest, &n_bytes, r->err);
    if (!bytes)
        return -1;
    *answer = (struct cf_answer){.digest = *digest, .n_times = 1};
    memcpy(answer->chosen, record->chosen, sizeof answer->chosen);
    result = cut(answer, r->sides, bytes, n_bytes, r->err);
    ++side->n_answers;
    free(bytes);
    return result;
}

static int put_record(void *context, const struct cf_record *record)
{
    struct reading *r = context;
    struct cf_side *side;

    if (record->case_id != r->case_id || record->configuration < 1 ||
        record->configuration > r->sides->n)
        return 0;
    side = &r->sides->side[record->configuration - 1];
    if (record->fate == CF_RAN) {
        ++side->n_ran;
        return add_answer(r, side, record);
    }
    side->fate = record->fate;
    memcpy(side->reason, record->reason, sizeof side->reason);
    return 0;
}

/* The first answer of any side is what the others are held against. */
static const struct cf_answer *first_answer(const struct cf_sides *s)
{
    for (int i = 0; i < s->n; ++i)
        if (s->side[i].n_answers > 0)
            return &s->side[i].answer[0];
    return NULL;
}

static int differs(const struct cf_sides *s, const struct cf_answer *first, int o, int64_t element)
{
    const uint64_t bits = cf_tensor_encoding(&first->out[o], element);

    for (int i = 0; i < s->n; ++i)
        for (int k = 0; k < s->side[i].n_answers; ++k)
            if (cf_tensor_encoding(&s->side[i].answer[k].out[o], element) != bits)
                return 1;
    return 0;
}

int cf_sides_read(struct cf_sides *s, struct cf_store *store, const char *case_text,
                  int64_t case_id, int n, struct cf_error *err)
{
    struct reading reading = {.sides = s, .store = store, .case_id = case_id, .err = err};
    const struct cf_answer *first;

    *s = (struct cf_sides){.n = n, .side = cf_alloc_zero((unsigned long)n * sizeof *s->side)};
    if (cf_case_parse(&s->c, case_text, cf_op_grammar, err) != 0)
        return -1;
    s->op = cf_op_find(s->c.op);
    if (cf_case_draw(&s->c, s->op, s->in, s->out, err) != 0)
        return -1;
    find_truth(s);
    if (cf_store_each_record(store, put_record, &reading) != 0)
        return -1;
    first = first_answer(s);
    for (int o = 0; first && o < s->op->n_outputs; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&s->out[o]); ++i)
            s->n_different += differs(s, first, o, i);
    return 0;
}

void cf_sides_free(struct cf_sides *s)
{
    for (int i = 0; i < s->n && s->side; ++i)
        for (int k = 0; k < s->side[i].n_answers; ++k)
            for (int o = 0; o < CF_OPERANDS_MAX; ++o)
                cf_tensor_free(&s->side[i].answer[k].out[o]);
    for (int o = 0; o < CF_OPERANDS_MAX; ++o) {
        cf_tensor_free(&s->in[o]);
        free(s->truth[o]);
    }
    cf_case_free(&s->c);
    free(s->side);
    *s = (struct cf_sides){0};
}

double cf_sides_error(const struct cf_sides *s, const struct cf_answer *answer, int output,
                      int64_t element)
{
    const struct cf_truth *truth = &s->truth[output][element];
    const double got = cf_tensor_get(&answer->out[output], element);
    const enum cf_dtype dtype =
        cf_dtype_digits(s->out[output].dtype) ? s->out[output].dtype : s->c.dtype;
    const double distance = fabs((got - truth->rounded) - truth->lo);

    if (got == truth->rounded || (isnan(got) && isnan(truth->rounded)))
        return isfinite(got) && truth->scale > 0
                   ? fabs(truth->lo) / (cf_dtype_u(dtype) * truth->scale)
                   : 0;
    if (!isfinite(distance))
        return isfinite(truth->rounded) || isfinite(got) ? INFINITY : NAN;
    return distance / (cf_dtype_u(dtype) * truth->scale);
}

static double worst_error(const struct cf_sides *s, int o, int64_t element)
{
    double worst = 0;

    for (int i = 0; i < s->n; ++i)
        for (int k = 0; k < s->side[i].n_answers; ++k) {
            const double error = cf_sides_error(s, &s->side[i].answer[k], o, element);

            worst = !(error <= worst) ? error : worst;
        }
    return worst;
}

static int before(const struct cf_spot *a, const struct cf_spot *b)
{
    return a->differs != b->differs ? a->differs > b->differs : !(a->error <= b->error);
}

int cf_sides_spots(const struct cf_sides *s, struct cf_spot spots[], int max)
{
    const struct cf_answer *first = first_answer(s);
    int n = 0;

    for (int o = 0; first && o < s->op->n_outputs; ++o)
        for (int64_t i = 0; i < cf_tensor_count(&s->out[o]); ++i) {
            const struct cf_spot spot = {o, differs(s, first, o, i), i, worst_error(s, o, i)};
            int k = n < max ? n++ : max;

            for (; k > 0 && before(&spot, &spots[k - 1]); --k)
                if (k < max)
                    spots[k] = spots[k - 1];
            if (k < max)
                spots[k] = spot;
        }
    return n;
}

const char *cf_side_name(int i, char name[16])
{
    if (i < 26)
        snprintf(name, 16, "%c", 'a' + i);
    else
        snprintf(name, 16, "s%d", i);
    return name;
}
