#include "support_tape.h"

#include <stdlib.h>

#include "reference.h"

enum kind { LEAF, COPY, ADD, SUBTRACT, MULTIPLY, DIVIDE, EXP, LOG, SQRT, RELU, DOT, SUM };

struct cf_node {
    enum kind kind;
    int64_t a, b, step_a, step_b, n;
};

void cf_tape_start(struct cf_tape *tape, mpfr_prec_t precision)
{
    *tape = (struct cf_tape){.precision = precision};
}

void cf_tape_reset(struct cf_tape *tape)
{
    tape->n = 0;
}

void cf_tape_stop(struct cf_tape *tape)
{
    for (int64_t i = 0; i < tape->n_ready; ++i)
        mpfr_clears(tape->value[i], tape->slope[i], (mpfr_ptr)NULL);
    free(tape->node);
    free(tape->value);
    free(tape->slope);
    *tape = (struct cf_tape){0};
}

/* A new number's index, its value ready to be set. */
static int64_t push(struct cf_tape *tape, struct cf_node node)
{
    const int64_t i = tape->n++;

    if (i == tape->capacity) {
        tape->capacity = 2 * tape->capacity + 4096;
        tape->node = cf_realloc(tape->node, (size_t)tape->capacity * sizeof tape->node[0]);
        tape->value = cf_realloc(tape->value, (size_t)tape->capacity * sizeof tape->value[0]);
        tape->slope = cf_realloc(tape->slope, (size_t)tape->capacity * sizeof tape->slope[0]);
    }
    if (i == tape->n_ready) {
        mpfr_inits2(tape->precision, tape->value[i], tape->slope[i], (mpfr_ptr)NULL);
        ++tape->n_ready;
    }
    tape->node[i] = node;
    return i;
}

int64_t cf_tape_leaf(struct cf_tape *tape, double value)
{
    const int64_t i = push(tape, (struct cf_node){.kind = LEAF});

    mpfr_set_d(tape->value[i], value, MPFR_RNDN);
    return i;
}

int64_t cf_tape_leaf_mpfr(struct cf_tape *tape, mpfr_t value)
{
    const int64_t i = push(tape, (struct cf_node){.kind = LEAF});

    mpfr_set(tape->value[i], value, MPFR_RNDN);
    return i;
}

#define UNARY(name, KIND, expression)                                                              \
    int64_t name(struct cf_tape *tape, int64_t a)                                                  \
    {                                                                                              \
        const int64_t i = push(tape, (struct cf_node){.kind = KIND, .a = a});                      \
        mpfr_ptr y = tape->value[i];                                                               \
        mpfr_srcptr x = tape->value[a];                                                            \
                                                                                                   \
        expression;                                                                                \
        return i;                                                                                  \
    }
UNARY(cf_tape_copy, COPY, mpfr_set(y, x, MPFR_RNDN))
UNARY(cf_tape_exp, EXP, mpfr_exp(y, x, MPFR_RNDN))
UNARY(cf_tape_log, LOG, mpfr_log(y, x, MPFR_RNDN))
UNARY(cf_tape_sqrt, SQRT, mpfr_sqrt(y, x, MPFR_RNDN))
UNARY(cf_tape_relu, RELU, mpfr_sgn(x) > 0 ? (void)mpfr_set(y, x, MPFR_RNDN) : mpfr_set_zero(y, 1))

#define BINARY(name, KIND, function)                                                               \
    int64_t name(struct cf_tape *tape, int64_t a, int64_t b)                                       \
    {                                                                                              \
        const int64_t i = push(tape, (struct cf_node){.kind = KIND, .a = a, .b = b});              \
                                                                                                   \
        function(tape->value[i], tape->value[a], tape->value[b], MPFR_RNDN);                       \
        return i;                                                                                  \
    }
BINARY(cf_tape_add, ADD, mpfr_add)
BINARY(cf_tape_subtract, SUBTRACT, mpfr_sub)
BINARY(cf_tape_multiply, MULTIPLY, mpfr_mul)
BINARY(cf_tape_divide, DIVIDE, mpfr_div)

int64_t cf_tape_dot(struct cf_tape *tape, int64_t a, int64_t step_a, int64_t b, int64_t step_b,
                    int64_t n)
{
    const struct cf_node node = {DOT, a, b, step_a, step_b, n};
    const int64_t i = push(tape, node);
    mpfr_ptr y = tape->value[i];

    mpfr_set_zero(y, 1);
    for (int64_t j = 0; j < n; ++j)
        mpfr_fma(y, tape->value[a + j * step_a], tape->value[b + j * step_b], y, MPFR_RNDN);
    return i;
}

int64_t cf_tape_sum(struct cf_tape *tape, int64_t a, int64_t step_a, int64_t n)
{
    const int64_t i = push(tape, (struct cf_node){.kind = SUM, .a = a, .step_a = step_a, .n = n});
    mpfr_ptr y = tape->value[i];

    mpfr_set_zero(y, 1);
    for (int64_t j = 0; j < n; ++j)
        mpfr_add(y, y, tape->value[a + j * step_a], MPFR_RNDN);
    return i;
}

struct cf_grid_of cf_tape_product(struct cf_tape *tape, struct cf_grid_of a, struct cf_grid_of b,
                                  int b_transposed)
{
    const int64_t columns = b_transposed ? b.rows : b.columns;
    const struct cf_grid_of c = {tape->n, a.rows, columns};

    CF_CHECK(a.columns == (b_transposed ? b.columns : b.rows));
    for (int64_t i = 0; i < a.rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            cf_tape_dot(tape, a.at + i * a.columns, 1, b.at + (b_transposed ? j * b.columns : j),
                        b_transposed ? 1 : b.columns, a.columns);
    return c;
}

struct cf_grid_of cf_tape_plus(struct cf_tape *tape, struct cf_grid_of a, struct cf_grid_of b)
{
    const struct cf_grid_of c = {tape->n, a.rows, a.columns};

    CF_CHECK(a.columns == b.columns && (b.rows == 1 || b.rows == a.rows));
    for (int64_t i = 0; i < a.rows * a.columns; ++i)
        cf_tape_add(tape, a.at + i, b.at + (b.rows == 1 ? i % b.columns : i));
    return c;
}

struct cf_grid_of cf_tape_relus(struct cf_tape *tape, struct cf_grid_of a)
{
    const struct cf_grid_of c = {tape->n, a.rows, a.columns};

    for (int64_t i = 0; i < a.rows * a.columns; ++i)
        cf_tape_relu(tape, a.at + i);
    return c;
}

/* exp(x) over its sum, as it is defined: the range of MPFR's exponent needs no shift. */
struct cf_grid_of cf_tape_softmax(struct cf_tape *tape, struct cf_grid_of a)
{
    const struct cf_grid_of e = {tape->n, a.rows, a.columns};
    int64_t sums, at;

    for (int64_t i = 0; i < a.rows * a.columns; ++i)
        cf_tape_exp(tape, a.at + i);
    sums = tape->n;
    for (int64_t i = 0; i < a.rows; ++i)
        cf_tape_sum(tape, e.at + i * a.columns, 1, a.columns);
    at = tape->n;
    for (int64_t i = 0; i < a.rows * a.columns; ++i)
        cf_tape_divide(tape, e.at + i, sums + i / a.columns);
    return (struct cf_grid_of){at, a.rows, a.columns};
}

/* slope[of] += factor * slope[i]. */
static void pass(struct cf_tape *tape, int64_t of, int64_t i, mpfr_t factor)
{
    mpfr_fma(tape->slope[of], factor, tape->slope[i], tape->slope[of], MPFR_RNDN);
}

static void plain_pass(struct cf_tape *tape, int64_t of, int64_t i, int sign)
{
    (sign > 0 ? mpfr_add : mpfr_sub)(tape->slope[of], tape->slope[of], tape->slope[i], MPFR_RNDN);
}

static void pass_dot(struct cf_tape *tape, const struct cf_node *k, int64_t i)
{
    for (int64_t j = 0; j < k->n; ++j) {
        const int64_t a = k->a + j * k->step_a, b = k->b + j * k->step_b;

        pass(tape, a, i, tape->value[b]);
        pass(tape, b, i, tape->value[a]);
    }
}

/* The derivative of a function of one number, or of a quotient, in t. */
static void pass_curved(struct cf_tape *tape, const struct cf_node *k, int64_t i, mpfr_t t)
{
    mpfr_ptr x = tape->value[k->a], y = tape->value[i];

    if (k->kind == EXP)
        mpfr_set(t, y, MPFR_RNDN);
    else if (k->kind == LOG)
        mpfr_ui_div(t, 1, x, MPFR_RNDN);
    else if (k->kind == SQRT) {
        mpfr_ui_div(t, 1, y, MPFR_RNDN);
        mpfr_div_2ui(t, t, 1, MPFR_RNDN);
    } else
        mpfr_ui_div(t, 1, tape->value[k->b], MPFR_RNDN);
    pass(tape, k->a, i, t);
    if (k->kind == DIVIDE) {
        mpfr_mul(t, t, y, MPFR_RNDN);
        mpfr_neg(t, t, MPFR_RNDN);
        pass(tape, k->b, i, t);
    }
}

static void pass_node(struct cf_tape *tape, int64_t i, mpfr_t t)
{
    const struct cf_node *k = &tape->node[i];

    switch (k->kind) {
    case LEAF:
        break;
    case RELU:
        if (mpfr_sgn(tape->value[k->a]) > 0)
            plain_pass(tape, k->a, i, 1);
        break;
    case COPY:
        plain_pass(tape, k->a, i, 1);
        break;
    case ADD:
    case SUBTRACT:
        plain_pass(tape, k->a, i, 1);
        plain_pass(tape, k->b, i, k->kind == ADD ? 1 : -1);
        break;
    case MULTIPLY:
        pass(tape, k->a, i, tape->value[k->b]);
        pass(tape, k->b, i, tape->value[k->a]);
        break;
    case DOT:
        pass_dot(tape, k, i);
        break;
    case SUM:
        for (int64_t j = 0; j < k->n; ++j)
            plain_pass(tape, k->a + j * k->step_a, i, 1);
        break;
    default:
        pass_curved(tape, k, i, t);
    }
}

void cf_tape_differentiate(struct cf_tape *tape, int64_t of)
{
    mpfr_t t;

    mpfr_init2(t, tape->precision);
    for (int64_t i = 0; i < tape->n; ++i)
        mpfr_set_zero(tape->slope[i], 1);
    mpfr_set_ui(tape->slope[of], 1, MPFR_RNDN);
    for (int64_t i = of; i >= 0; --i)
        if (!mpfr_zero_p(tape->slope[i]))
            pass_node(tape, i, t);
    mpfr_clear(t);
}
