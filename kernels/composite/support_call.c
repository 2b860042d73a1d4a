/* Primitives: looked up, called, listed. */
#include <stdlib.h>
#include <string.h>

#include "composite.h"

const struct cf_kernel *cf_composite_resolve(const char *op)
{
    const struct cf_opened *opened = cf_opened();
    const struct cf_backend *plain = cf_backend_find("plain");
    const struct cf_kernel *kernel = cf_kernel_find(opened->backend, op, opened->kernel);

    if (!kernel)
        kernel = cf_kernel_find(opened->backend, op, NULL);
    if (!kernel && plain)
        kernel = cf_kernel_find(plain, op, opened->kernel);
    return kernel || !plain ? kernel : cf_kernel_find(plain, op, NULL);
}

int cf_offers(const char *op)
{
    return cf_composite_resolve(op) != NULL;
}

/* plain, opened beside the library under test with one thread; NULL: no memory. Kept: one worker
 * has one configuration. */
static struct cf_library *fallback_library(const struct cf_backend *plain)
{
    static struct cf_library *library;
    static struct cf_pairs keys;

    if (!library && keys.n == 0 && cf_pairs_parse(&keys, "the fallback", "threads=1", NULL) == 0)
        library = plain->open(&keys, NULL);
    return library;
}

/* threads= counts ranks only where the configuration names an order of all-reduce: otherwise more
 * threads for the products would be other ranks for the gradients too. */
static int is_one_rank(const struct cf_kernel *kernel)
{
    const char *asked = cf_opened()->kernel;

    return strcmp(kernel->op, "allreduce") == 0 && strcmp(kernel->backend->name, "plain") == 0 &&
           !(asked && strcmp(asked, kernel->name) == 0);
}

static struct cf_library *library_of(const struct cf_kernel *kernel)
{
    const struct cf_opened *opened = cf_opened();

    return kernel->backend == opened->backend && !is_one_rank(kernel)
               ? opened->library
               : fallback_library(kernel->backend);
}

/* What the models use of an op's options. */
static const struct cf_pairs *attributes_of(const char *op)
{
    static const struct {
        const char *op;
        struct cf_pairs attributes;
    } rows[] = {
        {"conv2d", {.n = 3, .pair = {{"pad", "1"}, {"r", "3"}, {"s", "3"}}}},
        {"maxpool", {.n = 3, .pair = {{"stride", "2"}, {"r", "2"}, {"s", "2"}}}},
        {"", {.n = 0}},
    };
    int i = 0;

    while (strncmp(op, rows[i].op, strlen(rows[i].op)) != 0)
        ++i;
    return &rows[i].attributes;
}

static uint64_t hash_of(const struct cf_tensor *x)
{
    return cf_hash(x->bits, cf_tensor_bytes(x));
}

static void list_operand(int64_t *row, int o, const struct cf_tensor *x)
{
    int64_t *place = row + 3 + 6 * o;

    place[0] = x->rank;
    for (int d = 0; d < x->rank; ++d)
        place[1 + d] = x->dim[d];
    place[5] = (int64_t)hash_of(x);
}

static void capture(struct cf_tensor *to, const struct cf_tensor *x, int64_t *at)
{
    const size_t size = cf_dtype_size(x->dtype);
    const int64_t count = cf_tensor_count(x);

    if (*at + count <= CF_CAPTURE_MAX)
        memcpy((char *)to->bits + (size_t)*at * size, x->bits, (size_t)count * size);
    *at += count;
}

/* Adds the call to the list of the step whose detail is wanted. */
static void list_call(struct cf_training *t, int number, int n_in, const struct cf_tensor in[],
                      int n_out, const struct cf_tensor out[])
{
    const int64_t *plan;
    int64_t *row, at = 0;

    if (t->phase == CF_HELD_OUT_PASS)
        return;
    plan = t->in[CF_IN_PLAN].bits;
    row = (int64_t *)t->out[CF_OUT_CALLS].bits + t->n_calls * CF_CALL_NUMBERS;
    if (t->step != plan[CF_DETAIL] || t->n_calls == CF_CALLS_MAX)
        return;
    row[0] = number;
    row[1] = n_in;
    row[2] = n_out;
    for (int o = 0; o < n_in + n_out; ++o)
        list_operand(row, o, o < n_in ? &in[o] : &out[o - n_in]);
    if (t->n_calls++ != plan[CF_CAPTURE])
        return;
    for (int o = 0; o < n_in + n_out; ++o)
        capture(&t->out[CF_OUT_CAPTURED], o < n_in ? &in[o] : &out[o - n_in], &at);
}

void cf_call(struct cf_training *t, const char *op, int n_in, const struct cf_tensor in[],
             int n_out, struct cf_tensor out[])
{
    const int number = cf_primitive_number(op);
    struct cf_library *library;

    CF_CHECK(number >= 0 && number < CF_PRIMITIVES_MAX && n_in + n_out <= CF_CALL_OPERANDS);
    if (t->status != CF_DONE)
        return;
    if (!t->kernel[number])
        t->kernel[number] = cf_composite_resolve(op);
    if (!t->kernel[number]) {
        t->status = CF_UNSUPPORTED;
        return;
    }
    library = library_of(t->kernel[number]);
    t->status =
        library ? t->kernel[number]->run(library, attributes_of(op), in, out) : CF_NO_MEMORY;
    if (t->status != CF_DONE)
        return;
    if (t->phase == CF_FORWARD)
        for (int o = 0; o < n_out; ++o)
            cf_fold(t, CF_STAGE_ACTIVATIONS, out[o].bits, cf_tensor_bytes(&out[o]));
    list_call(t, number, n_in, in, n_out, out);
}
