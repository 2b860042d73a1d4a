#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"
#include "record.h"
#include "suggest.h"

const struct cf_op *cf_op_find(const char *name)
{
    for (const struct cf_op *const *op = cf_ops; *op; ++op)
        if (strcmp((*op)->grammar.op, name) == 0)
            return *op;
    return NULL;
}

const struct cf_grammar *cf_op_grammar(const char *name)
{
    const struct cf_op *op = cf_op_find(name);

    return op ? &op->grammar : NULL;
}

/* Elements of a tensor seen as lines along one dim: j along the dim, line over the rest in
 * row-major order. */
static void place_of(struct cf_fill_place *place, const struct cf_tensor *t, int dim, int64_t i)
{
    int64_t inner = 1;

    if (dim < 0) {
        place->j = i;
        place->line = 0;
        place->n = cf_tensor_count(t);
        return;
    }
    for (int d = dim + 1; d < t->rank; ++d)
        inner *= t->dim[d];
    place->n = t->dim[dim];
    place->j = i / inner % place->n;
    place->line = i / inner / place->n * inner + i % inner;
}

static int64_t most_terms(const struct cf_case *c, const struct cf_op *op,
                          const struct cf_tensor out[])
{
    int64_t most = 0;

    for (int o = 0; o < op->n_outputs; ++o) {
        const int64_t count = cf_tensor_count(&out[o]), step = count > 64 ? count / 61 : 1;

        for (int64_t i = 0; i < count; i += step)
            if (op->terms(c, o, i) > most)
                most = op->terms(c, o, i);
    }
    return most;
}

static void draw_one(const struct cf_case *c, const struct cf_op *op, const struct cf_fill *fill,
                     struct cf_tensor *t, int operand, int64_t n_terms, enum cf_dtype output)
{
    struct cf_fill_place place = {.dtype = t->dtype,
                                  .operand = operand,
                                  .n_inputs = op->n_inputs,
                                  .n_terms = n_terms,
                                  .digits = cf_dtype_digits(output),
                                  .seed = c->seed};
    const int64_t count = cf_tensor_count(t);

    cf_tensor_alloc(t);
    for (int64_t i = 0; i < count; ++i) {
        place_of(&place, t, op->reduce_dim[operand], i);
        cf_tensor_set(t, i, fill->value(&place, (uint64_t)i));
    }
}

/* The variant of one axis: positions[0..n-1] of the base case that this case computes. */
struct variant {
    int64_t *positions, n;
};

static int read_variant(struct variant *v, const struct cf_case *c, const struct cf_axis *axis,
                        int64_t extent, struct cf_error *err)
{
    char key[32];
    int64_t one, seed;
    const int64_t none = -1;

    *v = (struct variant){0};
    snprintf(key, sizeof key, "%sperm", axis->key);
    if (cf_pairs_int(&c->keys, axis->key, none, &one, err) != 0 ||
        cf_pairs_int(&c->keys, key, none, &seed, err) != 0)
        return -1;
    if (one != none && (one < 0 || one >= extent))
        return cf_fail(err, "case `%s`: %s=%lld is outside 0..%lld", c->text, axis->key,
                       (long long)one, (long long)extent - 1);
    if (one == none && seed == none)
        return 0;
    v->n = one != none ? 1 : extent;
    v->positions = cf_alloc((size_t)(v->n + 1) * sizeof v->positions[0]);
    v->positions[0] = one;
    if (one == none)
        cf_stream_permutation(&(struct cf_stream){(uint64_t)seed, 0x70657264}, v->positions, v->n);
    return 0;
}

/* Keeps `positions` of dim `dim`, in that order. */
static void gather(struct cf_tensor *t, int dim, const struct variant *v)
{
    struct cf_tensor from = *t;
    size_t inner = cf_dtype_size(t->dtype);
    int64_t outer = 1;

    for (int d = dim + 1; d < t->rank; ++d)
        inner *= (size_t)t->dim[d];
    for (int d = 0; d < dim; ++d)
        outer *= t->dim[d];
    t->dim[dim] = v->n;
    if (!from.bits)
        return;
    cf_tensor_alloc(t);
    for (int64_t a = 0; a < outer; ++a)
        for (int64_t j = 0; j < v->n; ++j)
            memcpy((char *)t->bits + (size_t)(a * v->n + j) * inner,
                   (char *)from.bits + (size_t)(a * from.dim[dim] + v->positions[j]) * inner,
                   inner);
    cf_tensor_free(&from);
}

static int apply_axis(const struct cf_case *c, const struct cf_op *op, const struct cf_axis *axis,
                      struct cf_tensor in[], struct cf_tensor out[], struct cf_error *err)
{
    struct variant v;

    if (read_variant(&v, c, axis, out[0].dim[axis->out_dim], err) != 0)
        return -1;
    if (!v.positions)
        return 0;
    for (int o = 0; o < op->n_inputs; ++o)
        if (axis->in_mask >> o & 1)
            gather(&in[o], axis->in_dim[o], &v);
    for (int o = 0; o < op->n_outputs; ++o)
        out[o].dim[axis->out_dim] = v.n;
    free(v.positions);
    return 0;
}

/* A variant key that no axis of the op stands behind would be ignored in silence. */
static int check_variants(const struct cf_case *c, const struct cf_op *op, struct cf_error *err)
{
    static const char *const keys[] = {"row", "rowperm", "col", "colperm"};

    for (int i = 0; i < CF_COUNT(keys); ++i) {
        int found = !cf_pairs_get(&c->keys, keys[i]);

        for (int a = 0; a < CF_AXES_MAX; ++a)
            found |= op->axis[a].key && strncmp(keys[i], op->axis[a].key, 3) == 0;
        if (!found)
            return cf_fail(err, "case `%s`: %s has no axis for %s=; leave it out", c->text, c->op,
                           keys[i]);
    }
    return 0;
}

static int apply_axes(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                      struct cf_tensor out[], struct cf_error *err)
{
    int result = 0;

    for (int a = 0; a < CF_AXES_MAX && result == 0; ++a)
        if (op->axis[a].key)
            result = apply_axis(c, op, &op->axis[a], in, out, err);
    return result;
}

static int no_fill(const struct cf_case *c, struct cf_error *err)
{
    const char *names[32];
    int n = 0;
    char *hint;

    for (; cf_fills[n].name && n < CF_COUNT(names); ++n)
        names[n] = cf_fills[n].name;
    hint = cf_suggest_words(c->fill, names, n);
    cf_fail(err, "case `%s`: there is no fill `%s`%s", c->text, c->fill,
            *hint ? hint : "; `conform list fills` names them");
    free(hint);
    return -1;
}

/* Shapes of the base case; no bits. */
static int shape_base(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                      struct cf_tensor out[], struct cf_error *err)
{
    if (!op->draw && !cf_fill_find(c->fill))
        return no_fill(c, err);
    if (check_variants(c, op, err) != 0 || op->shape(c, in, out, err) != 0)
        return -1;
    for (int o = 0; o < op->n_inputs; ++o)
        in[o].bits = NULL;
    for (int o = 0; o < op->n_outputs; ++o)
        out[o].bits = NULL;
    return 0;
}

int cf_case_shape(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                  struct cf_tensor out[], struct cf_error *err)
{
    return shape_base(c, op, in, out, err) != 0 ? -1 : apply_axes(c, op, in, out, err);
}

int cf_case_draw(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                 struct cf_tensor out[], struct cf_error *err)
{
    int result = shape_base(c, op, in, out, err);

    if (result != 0)
        return -1;
    if (op->draw)
        return op->draw(c, in, err);
    for (int o = 0; o < op->n_inputs; ++o)
        draw_one(c, op, cf_fill_find(c->fill), &in[o], o, most_terms(c, op, out), out[0].dtype);
    result = apply_axes(c, op, in, out, err);
    for (int o = 0; result != 0 && o < op->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    return result;
}

/* i of the variant's output to i of the base's: one axis after the other, the last applied first
 * undone. */
static int64_t undo_axis(const struct cf_case *c, const struct cf_axis *axis,
                         const struct cf_tensor *base, int64_t extent, int64_t i, int64_t *n)
{
    struct variant v;
    int64_t inner = 1, outer, j;

    CF_CHECK(read_variant(&v, c, axis, extent, NULL) == 0);
    *n = v.positions ? v.n : extent;
    if (!v.positions)
        return i;
    for (int d = axis->out_dim + 1; d < base->rank; ++d)
        inner *= base->dim[d];
    outer = i / inner / v.n;
    j = v.positions[i / inner % v.n];
    free(v.positions);
    return (outer * extent + j) * inner + i % inner;
}

int64_t cf_case_base_index(const struct cf_case *c, const struct cf_op *op, int o, int64_t i)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX], shape[CF_AXES_MAX];
    int64_t n;

    CF_CHECK(op->shape(c, in, out, NULL) == 0);
    /* shape[a] is the output's shape before axis a was applied. */
    for (int a = 0; a < CF_AXES_MAX; ++a) {
        shape[a] = out[o];
        if (op->axis[a].key) {
            undo_axis(c, &op->axis[a], &out[o], out[0].dim[op->axis[a].out_dim], 0, &n);
            out[o].dim[op->axis[a].out_dim] = n;
            out[0].dim[op->axis[a].out_dim] = n;
        }
    }
    for (int a = CF_AXES_MAX - 1; a >= 0; --a)
        if (op->axis[a].key)
            i = undo_axis(c, &op->axis[a], &shape[a], shape[a].dim[op->axis[a].out_dim], i, &n);
    return i;
}

void cf_inputs_digest(struct cf_digest *digest, const struct cf_tensor in[], int n_inputs)
{
    struct cf_digest all[CF_OPERANDS_MAX];

    for (int o = 0; o < n_inputs; ++o)
        cf_digest_of(&all[o], in[o].bits, cf_tensor_bytes(&in[o]));
    cf_digest_of(digest, all, (uint64_t)n_inputs * sizeof all[0]);
}
