#include "kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sight {
    const struct cf_case *c;
    const struct cf_op *op;
    const struct cf_tensor *in, *out;
    struct cf_check *check;
    double sum; /* of squares */
};

static struct cf_truth truth_of(const struct sight *s, int o, int64_t i)
{
    const int wide = s->out[o].dtype == CF_F64;
    struct cf_truth truth;
    mpfr_t exact, scale;

    mpfr_inits2(53, exact, scale, (mpfr_ptr)NULL);
    s->op->element(exact, scale, s->c, s->in, o, i);
    truth.rounded = wide ? mpfr_get_d(exact, MPFR_RNDN) : (double)mpfr_get_flt(exact, MPFR_RNDN);
    mpfr_sub_d(exact, exact, truth.rounded, MPFR_RNDN);
    truth.lo = mpfr_get_d(exact, MPFR_RNDN);
    truth.scale = mpfr_get_d(scale, MPFR_RNDU);
    mpfr_clears(exact, scale, (mpfr_ptr)NULL);
    return truth;
}

static void look(struct sight *s, const struct cf_truth *truth, int o, int64_t i)
{
    const double u = cf_dtype_u(s->out[o].dtype), eta = cf_dtype_eta(s->out[o].dtype);
    const double got = cf_tensor_get(&s->out[o], i);
    const double error = fabs((got - truth->rounded) - truth->lo);
    const int64_t terms = s->op->terms(s->c, o, i);
    const double allowed =
        (double)(terms + s->op->extra_roundings) * u * truth->scale + (double)terms * eta / 2;
    const double ratio = error == 0 ? 0 : error / allowed;
    struct cf_check *check = s->check;

    check->n_inexact += !(got == truth->rounded);
    check->n_unrounded += !(nearbyint(got) == truth->rounded);
    check->bound = ratio <= check->bound ? check->bound : isnan(ratio) ? INFINITY : ratio;
    check->normwise = error <= check->normwise ? check->normwise : isnan(error) ? INFINITY : error;
    check->n_terms = terms > check->n_terms ? terms : check->n_terms;
    s->sum += truth->scale > 0 ? pow(error / (u * truth->scale), 2) : 0;
    ++check->n;
}

static double largest(const struct cf_tensor *t)
{
    double most = 0;

    for (int64_t i = 0; i < cf_tensor_count(t); ++i)
        most = fmax(most, fabs(cf_tensor_get(t, i)));
    return most;
}

static void compare(struct sight *s)
{
    const int n_inputs = s->op->n_inputs;
    double norm = cf_dtype_u(s->out[0].dtype);

    for (int o = 0; o < s->op->n_outputs; ++o) {
        const int64_t n = cf_tensor_count(&s->out[o]);
        struct cf_truth *truth = cf_alloc((size_t)(n + 1) * sizeof truth[0]);

        if (s->op->fast)
            s->op->fast(truth, s->c, s->in, o, 2);
        for (int64_t i = 0; i < n; ++i) {
            if (!s->op->fast)
                truth[i] = truth_of(s, o, i);
            look(s, &truth[i], o, i);
        }
        free(truth);
    }
    for (int o = 0; o < n_inputs; ++o)
        norm *= largest(&s->in[o]);
    norm *= (double)s->check->n_terms * (double)(s->check->n_terms + s->op->extra_roundings);
    s->check->normwise = s->check->normwise == 0 ? 0 : s->check->normwise / norm;
    s->check->rms = s->check->n > 0 ? sqrt(s->sum / (double)s->check->n) : 0;
}

struct cf_check cf_check_kernel(const struct cf_kernel *kernel, struct cf_library *library,
                                const char *line)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_check check = {.status = CF_UNSUPPORTED};
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    if (cf_case_parse(&c, line, cf_op_grammar, &err) != 0)
        fprintf(stderr, "%s\n", err.text);
    CF_CHECK(err.text[0] == 0);
    const struct cf_op *op = cf_op_find(c.op);
    if (cf_case_draw(&c, op, in, out, &err) != 0)
        fprintf(stderr, "%s\n", err.text);
    CF_CHECK(err.text[0] == 0);
    for (int o = 0; o < op->n_outputs; ++o) {
        cf_tensor_alloc(&out[o]);
        memset(out[o].bits, 0xff, cf_tensor_bytes(&out[o])); /* NaN: an output left alone shows */
    }
    check.status = kernel->run(library, &c.keys, in, out);
    struct sight s = {&c, op, in, out, &check, 0};
    if (check.status == CF_DONE)
        compare(&s);
    for (int o = 0; o < op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    for (int o = 0; o < op->n_outputs; ++o)
        cf_tensor_free(&out[o]);
    cf_case_free(&c);
    return check;
}
