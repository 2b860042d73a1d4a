/* train_block: one transformer block on the 16 patches of a picture (Vaswani et al., Attention is
 * all you need, 2017, section 3.2, with one head and the norms before the sublayers); training.h.
 *   x = E[token] + P;  y = x + softmax(q k' / sqrt(H)) v O;  z = y + relu(norm(y) W + b) W + b */
#include <string.h>

#include "composite.h"

struct norm {
    struct cf_weight gamma, beta;
    struct cf_tensor x; /* what came in */
};

struct block {
    struct cf_tensor words, places; /* [B 16, 65] and [16, B 16]: ones in the right places */
    struct cf_tensor tokens;        /* [B 16] */
    struct cf_weight embedding, position, query, key, value, out, w1, b1, w2, b2;
    struct norm first, second;
    struct cf_tensor h, q, k, v, attention, mixed, z, linear, hidden;
};

/* Rows first .. first + n - 1 of a matrix: a view. */
static struct cf_tensor rows_of(struct cf_tensor x, int64_t first, int64_t n)
{
    x.bits = (char *)x.bits + (size_t)(first * x.dim[1]) * cf_dtype_size(x.dtype);
    x.dim[0] = n;
    return x;
}

/* The token of a patch: the sum of four pixels of sixteenths is exact, and 0..4. */
static int token_of(const struct cf_tensor *x, int64_t row, int64_t patch)
{
    const int64_t at = row * CF_PIXELS + patch / 4 * 16 + patch % 4 * 2;
    const double sum = cf_tensor_get(x, at) + cf_tensor_get(x, at + 1) + cf_tensor_get(x, at + 8) +
                       cf_tensor_get(x, at + 9);

    return sum >= 0 && sum <= 4 ? (int)(16 * sum) : 0;
}

static void place_tokens(struct cf_training *t, const struct cf_batch *b, struct block *k)
{
    k->words = cf_new(t, b->rows * CF_TOKENS, CF_VOCABULARY);
    k->tokens = cf_new(t, b->rows * CF_TOKENS, 0);
    k->places = cf_new(t, CF_TOKENS, b->rows * CF_TOKENS);
    for (int64_t i = 0; t->status == CF_DONE && i < b->rows * CF_TOKENS; ++i) {
        const int64_t place = i % CF_TOKENS;
        const int token = token_of(&b->x, i / CF_TOKENS, place);

        cf_tensor_set(&k->tokens, i, token);
        cf_tensor_set(&k->words, i * CF_VOCABULARY + token, 1);
        cf_tensor_set(&k->places, place * b->rows * CF_TOKENS + i, 1);
    }
}

/* `times` copies of x, one under another. */
static struct cf_tensor repeat(struct cf_training *t, struct cf_tensor x, int64_t times)
{
    struct cf_tensor y = cf_new(t, times * x.dim[0], x.dim[1]);

    for (int64_t i = 0; t->status == CF_DONE && i < times; ++i)
        memcpy(rows_of(y, i * x.dim[0], x.dim[0]).bits, x.bits, cf_tensor_bytes(&x));
    return y;
}

static struct cf_tensor normalize(struct cf_training *t, struct norm *n, struct cf_weights *w,
                                  struct cf_tensor x)
{
    struct cf_tensor y = cf_like(t, &x), in[3] = {x};

    n->x = x;
    n->gamma = cf_take_weight(w, t->hidden, 0);
    n->beta = cf_take_weight(w, t->hidden, 0);
    in[1] = n->gamma.value;
    in[2] = n->beta.value;
    cf_call(t, "layernorm_fwd", 3, in, 1, &y);
    return y;
}

static struct cf_tensor normalize_back(struct cf_training *t, struct norm *n, struct cf_tensor dy)
{
    const struct cf_tensor in[3] = {n->x, n->gamma.value, dy};
    struct cf_tensor out[3] = {cf_like(t, &n->x), n->gamma.gradient, n->beta.gradient};

    cf_call(t, "layernorm_bwd", 3, in, 3, out);
    return out[0];
}

/* to_i = a_i b_i for each picture's rows; a or b may be transposed. */
static void multiply_each(struct cf_training *t, struct cf_tensor to, struct cf_tensor a,
                          int a_transposed, struct cf_tensor b, int b_transposed)
{
    for (int64_t i = 0; t->status == CF_DONE && i < to.dim[0] / CF_TOKENS; ++i) {
        struct cf_tensor in[2] = {rows_of(a, i * CF_TOKENS, CF_TOKENS),
                                  rows_of(b, i * CF_TOKENS, CF_TOKENS)};
        struct cf_tensor out = rows_of(to, i * CF_TOKENS, CF_TOKENS);

        if (a_transposed)
            in[0] = cf_transpose(t, in[0]);
        if (b_transposed)
            in[1] = cf_transpose(t, in[1]);
        cf_call(t, "gemm", 2, in, 1, &out);
    }
}

static struct cf_tensor attend(struct cf_training *t, struct block *k)
{
    struct cf_tensor scores = cf_new(t, k->h.dim[0], CF_TOKENS);

    k->q = cf_multiply(t, k->h, k->query.value);
    k->k = cf_multiply(t, k->h, k->key.value);
    k->v = cf_multiply(t, k->h, k->value.value);
    multiply_each(t, scores, k->q, 0, k->k, 1);
    cf_scale(t, &scores, cf_hyper(t, CF_QUERY_SCALE));
    k->attention = cf_like(t, &scores);
    cf_call(t, "softmax_fwd", 1, &scores, 1, &k->attention);
    k->mixed = cf_like(t, &k->v);
    multiply_each(t, k->mixed, k->attention, 0, k->v, 0);
    return cf_multiply(t, k->mixed, k->out.value);
}

/* Gradient in the norm's output h, from the gradient in what attend gave. */
static struct cf_tensor attend_back(struct cf_training *t, struct block *k, struct cf_tensor d)
{
    const struct cf_tensor dmixed = cf_linear_back(t, k->mixed, &k->out, NULL, d, 1);
    struct cf_tensor in[2] = {k->attention, cf_like(t, &k->attention)}, part;
    struct cf_tensor dscores = cf_like(t, &k->attention), dv = cf_like(t, &k->v);
    struct cf_tensor dq = cf_like(t, &k->q), dk = cf_like(t, &k->k), dh;

    multiply_each(t, in[1], dmixed, 0, k->v, 1);
    multiply_each(t, dv, k->attention, 1, dmixed, 0);
    cf_call(t, "softmax_bwd", 2, in, 1, &dscores);
    cf_scale(t, &dscores, cf_hyper(t, CF_QUERY_SCALE));
    multiply_each(t, dq, dscores, 0, k->k, 0);
    multiply_each(t, dk, dscores, 1, k->q, 0);
    dh = cf_linear_back(t, k->h, &k->query, NULL, dq, 1);
    part = cf_linear_back(t, k->h, &k->key, NULL, dk, 1);
    cf_add(t, &dh, &part);
    part = cf_linear_back(t, k->h, &k->value, NULL, dv, 1);
    cf_add(t, &dh, &part);
    return dh;
}

/* The mean over the tokens of each picture, by gemv. */
static struct cf_tensor pool(struct cf_training *t, struct cf_tensor x)
{
    const int64_t n = x.dim[0] / CF_TOKENS;
    struct cf_tensor y = cf_new(t, n, x.dim[1]), weights = cf_new(t, CF_TOKENS, 0);

    for (int i = 0; t->status == CF_DONE && i < CF_TOKENS; ++i)
        cf_tensor_set(&weights, i, cf_hyper(t, CF_TOKEN_WEIGHT));
    for (int64_t i = 0; t->status == CF_DONE && i < n; ++i) {
        const struct cf_tensor in[2] = {cf_transpose(t, rows_of(x, i * CF_TOKENS, CF_TOKENS)),
                                        weights};
        struct cf_tensor out = rows_of(y, i, 1);

        out.rank = 1;
        out.dim[0] = x.dim[1];
        cf_call(t, "gemv", 2, in, 1, &out);
    }
    return y;
}

static struct cf_tensor pool_back(struct cf_training *t, struct cf_tensor d)
{
    struct cf_tensor dx = cf_new(t, d.dim[0] * CF_TOKENS, d.dim[1]);

    cf_scale(t, &d, cf_hyper(t, CF_TOKEN_WEIGHT));
    for (int64_t i = 0; t->status == CF_DONE && i < dx.dim[0]; ++i)
        memcpy(rows_of(dx, i, 1).bits, rows_of(d, i / CF_TOKENS, 1).bits,
               (size_t)d.dim[1] * cf_dtype_size(d.dtype));
    return dx;
}

/* Masks of a picture lie one token after another, 2 H units each. */
static struct cf_tensor drop_units(struct cf_training *t, const struct cf_batch *b,
                                   struct cf_tensor x)
{
    struct cf_tensor picture = x, y;

    picture.dim[0] = b->rows;
    picture.dim[1] = CF_TOKENS * x.dim[1];
    y = cf_dropout(t, b, picture, 0);
    x.bits = y.bits;
    return x;
}

static struct cf_tensor forward(struct cf_training *t, struct cf_batch *b, struct block *k,
                                struct cf_weights *w)
{
    const int64_t h = t->hidden;
    struct cf_tensor x, y, part;

    place_tokens(t, b, k);
    k->embedding = cf_take_weight(w, CF_VOCABULARY, h);
    k->position = cf_take_weight(w, CF_TOKENS, h);
    x = cf_multiply(t, k->words, k->embedding.value);
    part = repeat(t, k->position.value, b->rows);
    cf_add(t, &x, &part);
    k->h = normalize(t, &k->first, w, x);
    k->query = cf_take_weight(w, h, h);
    k->key = cf_take_weight(w, h, h);
    k->value = cf_take_weight(w, h, h);
    k->out = cf_take_weight(w, h, h);
    y = attend(t, k);
    cf_add(t, &y, &x);
    k->z = normalize(t, &k->second, w, y);
    k->w1 = cf_take_weight(w, h, 2 * h);
    k->b1 = cf_take_weight(w, 2 * h, 0);
    k->w2 = cf_take_weight(w, 2 * h, h);
    k->b2 = cf_take_weight(w, h, 0);
    k->linear = cf_linear(t, k->z, &k->w1, &k->b1);
    k->hidden = drop_units(t, b, cf_relu(t, k->linear));
    part = cf_linear(t, k->hidden, &k->w2, &k->b2);
    cf_add(t, &part, &y);
    return part;
}

/* By a backend's own scatter where it has one; else as a product with the tokens' matrix. */
static void look_up_back(struct cf_training *t, struct block *k, struct cf_tensor d)
{
    const struct cf_tensor in[2] = {k->tokens, d};

    if (cf_offers("embedding_bwd"))
        cf_call(t, "embedding_bwd", 2, in, 1, &k->embedding.gradient);
    else
        cf_linear_back(t, k->words, &k->embedding, NULL, d, 0);
}

static void backward(struct cf_training *t, struct cf_batch *b, struct block *k, struct cf_tensor d)
{
    struct cf_tensor part = cf_linear_back(t, k->hidden, &k->w2, &k->b2, d, 1);
    struct cf_tensor in[2] = {k->places, d};

    part = cf_relu_back(t, k->linear, drop_units(t, b, part));
    part = normalize_back(t, &k->second, cf_linear_back(t, k->z, &k->w1, &k->b1, part, 1));
    cf_add(t, &d, &part);
    part = normalize_back(t, &k->first, attend_back(t, k, d));
    cf_add(t, &d, &part);
    cf_call(t, "gemm", 2, in, 1, &k->position.gradient);
    look_up_back(t, k, d);
}

static void pass(struct cf_training *t, struct cf_batch *b, struct cf_tensor *gradient)
{
    struct cf_weights weights = {t, gradient, 0};
    struct block k;
    struct cf_tensor d = cf_head(t, b, pool(t, forward(t, b, &k, &weights)), &weights);

    if (gradient)
        backward(t, b, &k, pool_back(t, d));
}

static enum cf_status run(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    (void)library; /* the primitives find it */
    (void)attributes;
    return cf_composite_train(pass, in, out);
}

extern const struct cf_kernel cf_kernels_composite_train_block[];
const struct cf_kernel cf_kernels_composite_train_block[] = {
    {.op = "train_block", .name = "step", .backend = NULL, .run = run}, {.op = NULL}};
