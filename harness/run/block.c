#include "block.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors.h"

uint64_t cf_case_bytes(const struct cf_case *c)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    const struct cf_op *op = cf_op_find(c->op);
    uint64_t n_bytes = 0;

    CF_CHECK(cf_case_shape(c, op, in, out, NULL) == 0);
    for (int o = 0; o < op->n_inputs; ++o)
        n_bytes += cf_tensor_bytes(&in[o]);
    return n_bytes;
}

int cf_block_end(const struct cf_plan *plan, int first)
{
    uint64_t n_bytes = 0;
    int end = first;

    while (end < plan->n_cases) {
        n_bytes += cf_case_bytes(&plan->cases[end].c);
        if (end > first && n_bytes > CF_BLOCK_BYTES)
            break;
        ++end;
    }
    return end;
}

static json_t *shape_of(const struct cf_tensor *tensor)
{
    json_t *shape = json_array();

    for (int d = 0; d < tensor->rank; ++d)
        json_array_append_new(shape, json_integer(tensor->dim[d]));
    return shape;
}

static json_t *outputs_of(const struct cf_block_case *bc)
{
    json_t *outputs = json_array();

    for (int o = 0; o < bc->n_outputs; ++o)
        json_array_append_new(outputs, json_pack("{s:o,s:s,s:o}", "name", json_sprintf("y%d", o),
                                                 "dtype", cf_dtype_name(bc->outputs[o].dtype),
                                                 "shape", shape_of(&bc->outputs[o])));
    return outputs;
}

static void put_words(json_t *attrs, const struct cf_case *c, const char *list)
{
    struct cf_pairs words;

    CF_CHECK(cf_pairs_parse(&words, "the op's grammar", list, NULL) == 0);
    for (int i = 0; i < words.n; ++i) {
        const struct cf_pair *word = &words.pair[i];
        const char *key = word->key ? word->key : word->value;
        const char *value = cf_pairs_get(&c->keys, key);

        if (value || word->key)
            json_object_set_new(attrs, key, json_string(value ? value : word->value));
    }
    cf_pairs_free(&words);
}

/* Dims and options, defaults included. A variant's shapes are not those of its dims: then shapes
 * alone say how large it is. */
static json_t *attrs_of(const struct cf_case *c)
{
    static const char *const variants[] = {"row", "rowperm", "col", "colperm"};
    const struct cf_grammar *grammar = cf_op_grammar(c->op);
    json_t *attrs = json_object();
    int is_variant = 0;

    for (int i = 0; i < CF_COUNT(variants); ++i)
        is_variant |= cf_pairs_get(&c->keys, variants[i]) != NULL;
    if (!is_variant)
        put_words(attrs, c, grammar->dims);
    put_words(attrs, c, grammar->options);
    return attrs;
}

static char *params_of(const struct cf_block_case *bc, const struct cf_case *c, const char *in)
{
    json_t *params = json_pack("{s:s,s:s,s:s,s:o,s:s,s:o}", "case", c->text, "op", c->op, "dtype",
                               cf_dtype_name(c->dtype), "attrs", attrs_of(c), "in", in, "outputs",
                               outputs_of(bc));
    char *text = json_dumps(params, JSON_COMPACT);
    const size_t length = text ? strlen(text) : 0;

    json_decref(params);
    CF_CHECK(length > 2);
    memmove(text, text + 1, length - 2);
    text[length - 2] = '\0';
    return text;
}

/* What the threads of a draw share. */
struct draw {
    const struct cf_plan *plan;
    struct cf_block *block;
    const struct cf_workplace *place;
    atomic_int next, failed;
    pthread_mutex_t mutex;
    struct cf_error *err;
};

static int write_inputs(const struct cf_op *op, const struct cf_tensor in[], const char *path,
                        struct cf_error *err)
{
    struct cf_named_tensor named[CF_OPERANDS_MAX];

    for (int o = 0; o < op->n_inputs; ++o) {
        snprintf(named[o].name, sizeof named[o].name, "x%d", o);
        named[o].tensor = in[o];
    }
    return cf_safetensors_write(path, named, op->n_inputs, err);
}

static int draw_case(const struct draw *draw, struct cf_block_case *bc, struct cf_error *err)
{
    const struct cf_case *c = &draw->plan->cases[bc->index].c;
    const struct cf_op *op = cf_op_find(c->op);
    struct cf_tensor in[CF_OPERANDS_MAX];
    char *path = cf_format("%s/%d.in", draw->place->path, bc->index);
    int result = cf_case_draw(c, op, in, bc->outputs, err);

    bc->n_outputs = op->n_outputs;
    if (result == 0) {
        cf_inputs_digest(&bc->inputs, in, op->n_inputs);
        result = write_inputs(op, in, path, err);
        for (int o = 0; o < op->n_inputs; ++o)
            cf_tensor_free(&in[o]);
        bc->params = params_of(bc, c, path);
    }
    free(path);
    return result;
}

static void *draw_cases(void *context)
{
    struct draw *draw = context;
    int i;

    while (!draw->failed && (i = draw->next++) < draw->block->n) {
        struct cf_error err;

        if (draw_case(draw, &draw->block->cases[i], &err) == 0)
            continue;
        pthread_mutex_lock(&draw->mutex);
        if (!draw->failed && draw->err)
            *draw->err = err;
        draw->failed = 1;
        pthread_mutex_unlock(&draw->mutex);
    }
    return NULL;
}

static void draw_on(struct draw *draw, int threads)
{
    pthread_t thread[64];
    int n = 0;

    for (threads = threads > 64 ? 64 : threads; n < threads - 1; ++n)
        if (pthread_create(&thread[n], NULL, draw_cases, draw) != 0)
            break;
    draw_cases(draw);
    while (n > 0)
        pthread_join(thread[--n], NULL);
}

int cf_block_draw(struct cf_block *block, const struct cf_plan *plan, int first, int end,
                  const char want[], const struct cf_workplace *place, int threads,
                  struct cf_error *err)
{
    struct draw draw = {.plan = plan,
                        .block = block,
                        .place = place,
                        .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .err = err};

    *block = (struct cf_block){0, cf_alloc_zero((size_t)(end - first) * sizeof block->cases[0])};
    for (int i = first; i < end; ++i)
        if (want[i])
            block->cases[block->n++].index = i;
    draw_on(&draw, threads);
    if (!draw.failed)
        return 0;
    cf_workplace_empty(place);
    cf_block_free(block);
    return -1;
}

void cf_block_free(struct cf_block *block)
{
    for (int i = 0; i < block->n; ++i)
        free(block->cases[i].params);
    free(block->cases);
    *block = (struct cf_block){0, NULL};
}
