#include "support_softmax.h"

void cf_softmax_start(struct cf_softmax *s, const struct cf_tensor *x, int64_t row)
{
    const int64_t n = x->dim[1];

    *s = (struct cf_softmax){
        .n = n, .x = cf_mpfr_new(n), .y = cf_mpfr_new(n), .away = cf_mpfr_new(n)};
    mpfr_inits2(CF_GROUP_BITS, s->max, s->log_sum, s->spread, (mpfr_ptr)NULL);
    mpfr_set_inf(s->max, -1);
    for (int64_t j = 0; j < n; ++j) {
        cf_mpfr_take(s->x[j], x, row * n + j);
        mpfr_max(s->max, s->max, s->x[j], MPFR_RNDN);
    }
    mpfr_set_zero(s->log_sum, 1);
    for (int64_t j = 0; j < n; ++j) {
        mpfr_sub(s->away[j], s->x[j], s->max, MPFR_RNDN);
        mpfr_exp(s->y[j], s->away[j], MPFR_RNDN);
        mpfr_add(s->log_sum, s->log_sum, s->y[j], MPFR_RNDN);
        mpfr_abs(s->away[j], s->away[j], MPFR_RNDN);
    }
    mpfr_set_zero(s->spread, 1);
    for (int64_t j = 0; j < n; ++j) {
        mpfr_div(s->y[j], s->y[j], s->log_sum, MPFR_RNDN);
        mpfr_fma(s->spread, s->y[j], s->away[j], s->spread, MPFR_RNDN);
    }
    mpfr_log(s->log_sum, s->log_sum, MPFR_RNDN);
}

void cf_softmax_stop(struct cf_softmax *s)
{
    cf_mpfr_free(s->x, s->n);
    cf_mpfr_free(s->y, s->n);
    cf_mpfr_free(s->away, s->n);
    mpfr_clears(s->max, s->log_sum, s->spread, (mpfr_ptr)NULL);
}

void cf_softmax_scale(mpfr_t scale, const struct cf_softmax *s, int64_t j)
{
    mpfr_add_ui(scale, s->away[j], 1, MPFR_RNDN);
    mpfr_add(scale, scale, s->spread, MPFR_RNDN);
    mpfr_mul(scale, scale, s->y[j], MPFR_RNDN);
}

int64_t cf_softmax_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "c", 1);
}

struct cf_grid cf_softmax_grid(const struct cf_tensor in[], int o)
{
    (void)o;
    return (struct cf_grid){.outer = 1, .groups = in[0].dim[0], .inner = in[0].dim[1]};
}

int cf_softmax_shape(const struct cf_case *c, struct cf_tensor in[], int n_inputs,
                     struct cf_tensor *out, int reduced, struct cf_error *err)
{
    const int64_t n = cf_case_int(c, "n", 0), classes = cf_case_int(c, "c", 0);

    if (classes < 1)
        return cf_fail(err, "case `%s`: c must be at least 1", c->text);
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: %s is defined for f32 and f64", c->text, c->op);
    for (int o = 0; o < n_inputs; ++o)
        in[o] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {n, classes}};
    *out = (struct cf_tensor){.dtype = c->dtype, .rank = 2 - reduced, .dim = {n, classes}};
    return 0;
}
