#include "divergence.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "talk.h"
#include "train.h"

#define ELEMENTS_MAX 4096 /* of an output that MPFR judges */

const char *cf_divergence_name(enum cf_divergence_kind kind)
{
    static const char *const names[] = {
        "none",     "other data",       "benign rounding", "faulty operation",
        "upstream", "not deterministic"};

    return names[kind];
}

int64_t cf_divergence_first(const int64_t *x, const int64_t *y, int64_t n, int64_t stride)
{
    int64_t low = 0, high = n; /* below low equal, from high on different */

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (x[middle * stride] == y[middle * stride])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One run of the case, perhaps with details. */
static int run(struct cf_train_result *result, const char *case_line, const char *words,
               const char *configuration, const char *worker, struct cf_error *err)
{
    const struct cf_train_options options = {.worker = worker};
    char *line = cf_format("%s %s", case_line, words);
    const int failed = cf_train(line, configuration, &options, result, err);

    free(line);
    return failed;
}

static const int64_t *hashes(const struct cf_train_result *r, int64_t step)
{
    return (const int64_t *)r->out[CF_OUT_HASHES].bits + step * CF_N_STAGES;
}

/* step and stage of the first difference of two runs. 1: they differ. */
static int compare(struct cf_divergence *d, const struct cf_train_result *x,
                   const struct cf_train_result *y)
{
    const int64_t steps = x->out[CF_OUT_HASHES].dim[0];

    d->step = cf_divergence_first(hashes(x, 0) + CF_STAGE_LINK, hashes(y, 0) + CF_STAGE_LINK, steps,
                                  CF_N_STAGES);
    if (d->step == steps) {
        d->step = -1;
        return 0;
    }
    d->stage = 0;
    while (d->stage < CF_STAGE_LINK && hashes(x, d->step)[d->stage] == hashes(y, d->step)[d->stage])
        ++d->stage;
    return 1;
}

/* A call as listed in CF_OUT_CALLS. */
struct call {
    const char *op;
    int n_in, n_out;
    struct cf_tensor operand[CF_CALL_OPERANDS];
    int64_t hash[CF_CALL_OPERANDS];
};

static int read_call(struct call *c, const struct cf_train_result *r, int i)
{
    const int64_t *row = (const int64_t *)r->out[CF_OUT_CALLS].bits + (int64_t)i * CF_CALL_NUMBERS;

    *c = (struct call){0};
    if (i >= CF_CALLS_MAX || row[1] == 0)
        return 0;
    c->op = cf_primitive_name((int)row[0]);
    c->n_in = (int)row[1];
    c->n_out = (int)row[2];
    if (!c->op || c->n_in < 0 || c->n_out < 0 || c->n_in + c->n_out > CF_CALL_OPERANDS)
        return 0;
    for (int o = 0; o < c->n_in + c->n_out; ++o) {
        const int64_t *place = row + 3 + 6 * o;

        c->operand[o].dtype = r->out[CF_OUT_LOSS].dtype;
        c->operand[o].rank = (int)place[0];
        for (int k = 0; k < c->operand[o].rank; ++k)
            c->operand[o].dim[k] = place[1 + k];
        c->hash[o] = place[5];
    }
    return 1;
}

static int operands_equal(const struct call *x, const struct call *y, int first, int last)
{
    for (int o = first; o < last; ++o)
        if (x->hash[o] != y->hash[o])
            return 0;
    return 1;
}

/* The first call whose outputs differ; -1: none is listed. */
static int find_call(const struct cf_train_result *x, const struct cf_train_result *y,
                     struct call *a, struct call *b)
{
    for (int i = 0; read_call(a, x, i) && read_call(b, y, i); ++i) {
        const int all = a->n_in + a->n_out;

        if (a->n_in != b->n_in || a->n_out != b->n_out || !operands_equal(a, b, a->n_in, all))
            return i;
    }
    return -1;
}

/* The case line that names an operation of the models by its operands. */
static void name_operation(char text[160], const struct call *c)
{
    const int64_t *x = c->operand[0].dim, *y = c->operand[1].dim;
    const int64_t *z = c->operand[c->n_in].dim;
    const char *type = cf_dtype_name(c->operand[0].dtype);

#define SAY(...) snprintf(text, 160, __VA_ARGS__)
#define N(value) (long long)(value)
    if (strcmp(c->op, "gemm") == 0)
        SAY("gemm %s m=%lld n=%lld k=%lld", type, N(x[0]), N(y[1]), N(x[1]));
    else if (strncmp(c->op, "conv2d_bwd_data", 15) == 0)
        SAY("%s %s n=%lld c=%lld h=%lld w=%lld k=%lld r=3 s=3 pad=1", c->op, type, N(x[0]), N(y[1]),
            N(z[2]), N(z[3]), N(x[1]));
    else if (strncmp(c->op, "conv2d", 6) == 0)
        SAY("%s %s n=%lld c=%lld h=%lld w=%lld k=%lld r=3 s=3 pad=1", c->op, type, N(x[0]), N(x[1]),
            N(x[2]), N(x[3]), strcmp(c->op, "conv2d_fwd") == 0 ? N(y[0]) : N(y[1]));
    else if (strncmp(c->op, "maxpool", 7) == 0)
        SAY("%s %s n=%lld c=%lld h=%lld w=%lld r=2 s=2 stride=2", c->op, type, N(x[0]), N(x[1]),
            N(x[2]), N(x[3]));
    else if (strcmp(c->op, "embedding_bwd") == 0)
        SAY("embedding_bwd %s n=%lld v=%lld c=%lld", type, N(y[0]), N(z[0]), N(y[1]));
    else if (strcmp(c->op, "allreduce") == 0)
        SAY("allreduce %s parts=%lld n=%lld", type, N(x[0]), N(x[1]));
    else if (c->operand[0].rank == 4)
        SAY("%s %s n=%lld c=%lld h=%lld w=%lld", c->op, type, N(x[0]), N(x[1]), N(x[2]), N(x[3]));
    else if (strcmp(c->op, "gemv") == 0 || strcmp(c->op, "sum") == 0 || strcmp(c->op, "dot") == 0 ||
             strcmp(c->op, "nrm2") == 0)
        SAY("%s %s m=%lld n=%lld", c->op, type, N(x[0]), N(x[1]));
    else
        SAY("%s %s n=%lld c=%lld", c->op, type, N(x[0]), N(x[1]));
#undef SAY
#undef N
}

/* Operands of the captured call: views into the capture. 0: too large to have been captured. */
static int view_capture(struct call *c, const struct cf_train_result *r)
{
    const struct cf_tensor *all = &r->out[CF_OUT_CAPTURED];
    int64_t at = 0;

    for (int o = 0; o < c->n_in + c->n_out; ++o) {
        c->operand[o].bits = (char *)all->bits + (size_t)at * cf_dtype_size(all->dtype);
        at += cf_tensor_count(&c->operand[o]);
    }
    return at <= CF_CAPTURE_MAX;
}

/* Largest error of one output in u * scale against MPFR; *allowed: terms + extra of that element,
 * with underflow's share. Returns 1 when every element that was looked at is within its own. */
static int judge(const struct cf_case *c, const struct cf_op *op, const struct cf_tensor in[],
                 const struct cf_tensor *got, int o, double *worst, double *allowed)
{
    const int64_t n = cf_tensor_count(got), stride = n / ELEMENTS_MAX + 1;
    const double u = cf_dtype_u(got->dtype), eta = cf_dtype_eta(got->dtype);
    int within = 1;
    mpfr_t exact, scale;

    mpfr_inits2(64, exact, scale, (mpfr_ptr)NULL);
    for (int64_t i = 0; i < n; i += stride) {
        const double terms = (double)op->terms(c, o, i);
        double error, size;

        op->element(exact, scale, c, in, o, i);
        mpfr_prec_round(exact, mpfr_get_prec(exact) + 2200, MPFR_RNDN);
        mpfr_sub_d(exact, exact, cf_tensor_get(got, i), MPFR_RNDN);
        error = fabs(mpfr_get_d(exact, MPFR_RNDA));
        size = mpfr_get_d(scale, MPFR_RNDU);
        within &= error <= (terms + op->extra_roundings) * u * size + terms * eta / 2;
        if (error != 0 && !isnan(*worst) && !(error / (u * size) <= *worst)) {
            *worst = error / (u * size);
            *allowed = terms + op->extra_roundings;
        }
    }
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    return within;
}

/* One operation alone: asked of a configuration twice. */
struct alone {
    struct cf_told told;
    struct cf_tensor out[CF_CALL_OPERANDS];
    int is_fickle;
};

static void free_outputs(struct cf_tensor out[], int n)
{
    for (int o = 0; o < n; ++o)
        cf_tensor_free(&out[o]);
}

static void ask_alone(struct alone *r, const struct call *c, const struct cf_case *what,
                      const char *configuration, const char *worker)
{
    struct cf_talk *talk = cf_talk_start(configuration, worker, 60000, NULL);
    struct cf_tensor again[CF_CALL_OPERANDS];

    *r = (struct alone){.told = {.fate = CF_PROTOCOL}};
    if (!talk)
        return;
    memcpy(r->out, c->operand + c->n_in, (size_t)c->n_out * sizeof r->out[0]);
    memcpy(again, r->out, sizeof again);
    cf_talk_run(talk, c->op, &what->keys, c->operand, c->n_in, r->out, c->n_out, &r->told);
    if (r->told.fate == CF_RAN) {
        struct cf_told told;

        cf_talk_run(talk, c->op, &what->keys, c->operand, c->n_in, again, c->n_out, &told);
        for (int o = 0; told.fate == CF_RAN && o < c->n_out; ++o)
            r->is_fickle |= memcmp(again[o].bits, r->out[o].bits, cf_tensor_bytes(&again[o])) != 0;
        if (told.fate == CF_RAN)
            free_outputs(again, c->n_out);
    }
    cf_talk_stop(talk);
}

static void count_different(struct cf_divergence *d, const struct call *a, const struct call *b)
{
    for (int o = a->n_in; o < a->n_in + a->n_out; ++o) {
        const int64_t n = cf_tensor_count(&a->operand[o]);

        d->n_elements += n;
        for (int64_t i = 0; i < n; ++i)
            d->n_different +=
                cf_tensor_encoding(&a->operand[o], i) != cf_tensor_encoding(&b->operand[o], i);
    }
}

/* What each wrote within the run (same inputs), and what each gives alone, against MPFR. */
static void judge_call(struct cf_divergence *d, const struct call *a, const struct call *b,
                       const struct cf_case *what, const char *const configuration[2],
                       const char *worker)
{
    const struct cf_op *op = cf_op_find(what->op);
    const struct call *const side[2] = {a, b};
    double *const error[2] = {&d->error_a, &d->error_b};
    int within[2] = {1, 1}, fickle = 0;

    d->error_a = d->error_b = d->allowed = 0;
    for (int s = 0; s < 2; ++s) {
        struct alone alone;

        ask_alone(&alone, side[s], what, configuration[s], worker);
        for (int o = 0; o < a->n_out; ++o) {
            within[s] &= judge(what, op, side[s]->operand, &side[s]->operand[a->n_in + o], o,
                               error[s], &d->allowed);
            if (alone.told.fate == CF_RAN)
                within[s] &=
                    judge(what, op, side[s]->operand, &alone.out[o], o, error[s], &d->allowed);
        }
        fickle |= alone.is_fickle;
        if (alone.told.fate == CF_RAN)
            free_outputs(alone.out, a->n_out);
    }
    d->kind = !within[0] || !within[1] ? CF_FAULTY_OPERATION
              : fickle                 ? CF_NOT_DETERMINISTIC
                                       : CF_BENIGN_ROUNDING;
    snprintf(d->sentence, sizeof d->sentence,
             "first difference at step %" PRId64 ", %s: call %d, `%s`: %" PRId64 " of %" PRId64
             " elements differ on the same inputs; a errs by at most %.3g and b by %.3g, where any "
             "order may err by %.3g (in units of u times the sum of the terms' sizes): %s%s",
             d->step, cf_stage_name(d->stage), d->call, d->operation, d->n_different, d->n_elements,
             d->error_a, d->error_b, d->allowed, cf_divergence_name(d->kind),
             within[0] == within[1] ? ""
             : within[0]            ? ", in b"
                                    : ", in a");
}

/* Runs both again with the call captured, and judges it. */
static int replay(struct cf_divergence *d, struct call *a, struct call *b, const char *case_line,
                  const char *const configuration[2], const char *worker, struct cf_error *err)
{
    char *words = cf_format("detail=%" PRId64 " capture=%d", d->step, d->call);
    struct cf_train_result x, y;
    struct cf_case what;
    int result = run(&x, case_line, words, configuration[0], worker, err);

    if (result == 0 && (result = run(&y, case_line, words, configuration[1], worker, err)) != 0)
        cf_train_result_free(&x);
    free(words);
    if (result != 0)
        return -1;
    if (!view_capture(a, &x) || !view_capture(b, &y) ||
        cf_case_parse(&what, d->operation, cf_op_grammar, NULL) != 0) {
        d->kind = CF_BENIGN_ROUNDING;
        d->error_a = d->error_b = d->allowed = NAN;
        snprintf(d->sentence, sizeof d->sentence,
                 "first difference at step %" PRId64 ", %s: call %d, `%s`, on the same inputs; it "
                 "is too large to be captured and was not judged",
                 d->step, cf_stage_name(d->stage), d->call, d->operation);
    } else {
        count_different(d, a, b);
        judge_call(d, a, b, &what, configuration, worker);
        cf_case_free(&what);
    }
    cf_train_result_free(&x);
    cf_train_result_free(&y);
    return 0;
}

/* The calls of the step in both, and the first that differs. */
static int look_closer(struct cf_divergence *d, const char *case_line,
                       const char *const configuration[2], const char *worker, struct cf_error *err)
{
    char *words = cf_format("detail=%" PRId64, d->step);
    struct cf_train_result x, y;
    struct call a, b;
    int result = run(&x, case_line, words, configuration[0], worker, err);

    if (result == 0 && (result = run(&y, case_line, words, configuration[1], worker, err)) != 0)
        cf_train_result_free(&x);
    free(words);
    if (result != 0)
        return -1;
    d->call = find_call(&x, &y, &a, &b);
    cf_train_result_free(&x);
    cf_train_result_free(&y);
    if (d->call < 0 || a.op != b.op || !operands_equal(&a, &b, 0, a.n_in)) {
        d->kind = CF_UPSTREAM;
        snprintf(d->sentence, sizeof d->sentence,
                 "first difference at step %" PRId64 ", %s, before call %d: it comes from "
                 "arithmetic between the calls of primitives, which is the same code in both: look "
                 "at the floating-point control (mxcsr) of the two",
                 d->step, cf_stage_name(d->stage), d->call);
        return 0;
    }
    name_operation(d->operation, &a);
    return replay(d, &a, &b, case_line, configuration, worker, err);
}

/* Does a configuration agree with itself? Its own first difference is then the answer. */
static int check_itself(struct cf_divergence *d, const char *which, const char *case_line,
                        const char *configuration, const char *worker,
                        const struct cf_train_result *once, struct cf_error *err)
{
    struct cf_divergence own = *d;
    struct cf_train_result again;

    if (run(&again, case_line, "", configuration, worker, err) != 0)
        return -1;
    if (compare(&own, once, &again)) {
        *d = own;
        d->kind = CF_NOT_DETERMINISTIC;
        snprintf(d->sentence, sizeof d->sentence,
                 "%s differs from itself: two runs of `%s` part at step %" PRId64 ", %s", which,
                 configuration, d->step, cf_stage_name(d->stage));
    }
    cf_train_result_free(&again);
    return 0;
}

static int explain(struct cf_divergence *d, const struct cf_train_result *x,
                   const struct cf_train_result *y, const char *case_line,
                   const char *const configuration[2], const char *worker, struct cf_error *err)
{
    if (check_itself(d, "a", case_line, configuration[0], worker, x, err) != 0)
        return -1;
    if (d->kind == CF_NO_DIVERGENCE &&
        check_itself(d, "b", case_line, configuration[1], worker, y, err) != 0)
        return -1;
    if (d->kind == CF_NOT_DETERMINISTIC)
        return 0;
    if (!compare(d, x, y)) {
        snprintf(d->sentence, sizeof d->sentence, "all %" PRId64 " links of the chain are equal",
                 x->out[CF_OUT_HASHES].dim[0]);
        return 0;
    }
    if (d->stage < CF_STAGE_ACTIVATIONS) {
        d->kind = CF_OTHER_DATA;
        snprintf(d->sentence, sizeof d->sentence,
                 "not the same data: the %s of step %" PRId64 " differ; nothing is compared",
                 cf_stage_name(d->stage), d->step);
        return 0;
    }
    return look_closer(d, case_line, configuration, worker, err);
}

int cf_divergence_find(struct cf_divergence *d, const char *case_line, const char *a, const char *b,
                       const char *worker, struct cf_error *err)
{
    const char *const configuration[2] = {a, b};
    struct cf_train_result x, y;
    int result;

    *d = (struct cf_divergence){
        .step = -1, .call = -1, .error_a = NAN, .error_b = NAN, .allowed = NAN};
    if (run(&x, case_line, "", a, worker, err) != 0)
        return -1;
    result = run(&y, case_line, "", b, worker, err);
    if (result == 0) {
        result = explain(d, &x, &y, case_line, configuration, worker, err);
        cf_train_result_free(&y);
    }
    cf_train_result_free(&x);
    return result;
}
