/* The operands on which the orders of kernels/cuda are told apart, for tests of them on the host
 * and on a device. */
#ifndef CF_CUDA_PROBLEMS_H
#define CF_CUDA_PROBLEMS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda.h"
#include "philox.h"
#include "registry.h"

#define ROWS 6 /* enough that two orders do not agree on all by chance */

/* NULL and a sentence on stderr where it does not open. */
static inline struct cf_library *open_here(const char *configuration)
{
    struct cf_error err = {{0}, 0};
    struct cf_pairs keys;
    struct cf_library *library;
    const struct cf_backend *backend;

    CF_CHECK(cf_pairs_parse(&keys, "the configuration", configuration, &err) == 0);
    backend = cf_backend_find(keys.pair[0].value);
    library = backend->open(&keys, &err);
    if (!library)
        fprintf(stderr, "%s: %s\n", configuration, err.text);
    cf_pairs_free(&keys);
    return library;
}

/* Kernels without a twin on the host: fast math and CUB. */
static inline int is_for_devices(const struct cf_kernel *kernel)
{
    return strstr(kernel->name, "fast") != NULL || strncmp(kernel->name, "cub-", 4) == 0;
}

/* Kernels of matrix units, whose operands are rounded first: judged in test_cuda_mma.c. */
static inline int is_of_units(const struct cf_kernel *kernel)
{
    return strcmp(kernel->op, "mma") == 0 || strncmp(kernel->name, "mma-", 4) == 0;
}

/* Full significands, both signs, exponents over a few binades: every order shows. */
static inline void draw(struct cf_tensor *t, uint64_t seed)
{
    const struct cf_stream stream = {seed, 7};

    for (int64_t i = 0; i < cf_tensor_count(t); ++i) {
        const uint64_t word = cf_stream_word(&stream, (uint64_t)i);

        const double value = ldexp((double)(word >> 11), (int)(word % 7) - 56);

        cf_tensor_set(t, i, word & 8 ? value : -value);
    }
}

static inline struct cf_tensor tensor(enum cf_dtype dtype, int rank, const int64_t dim[4])
{
    struct cf_tensor t = {.dtype = dtype, .rank = rank};

    memcpy(t.dim, dim, (size_t)rank * sizeof dim[0]);
    cf_tensor_alloc(&t);
    return t;
}

/* The operands of an op at a size where every order has room to show. */
struct problem {
    const char *op;
    struct cf_pairs attributes;
    int n_in, n_out;
    struct {
        int rank;
        int64_t dim[4];
    } operand[6]; /* inputs, then outputs */
};

#define POOL                                                                                       \
    {                                                                                              \
        .n = 4, .pair = { {"r", "3"}, {"s", "3"}, {"stride", "2"}, {"pad", "1"} }                  \
    }

static const struct problem problems[] = {
    {"sum", {0}, 1, 1, {{2, {ROWS, 5000}}, {1, {ROWS}}}},
    {"asum", {0}, 1, 1, {{2, {ROWS, 5000}}, {1, {ROWS}}}},
    {"dot", {0}, 2, 1, {{2, {ROWS, 5000}}, {2, {ROWS, 5000}}, {1, {ROWS}}}},
    {"nrm2", {0}, 1, 1, {{2, {ROWS, 5000}}, {1, {ROWS}}}},
    {"gemm", {0}, 2, 1, {{2, {9, 2100}}, {2, {2100, 7}}, {2, {9, 7}}}},
    {"gemv", {0}, 2, 1, {{2, {9, 2100}}, {1, {2100}}, {1, {9}}}},
    {"conv2d_fwd", {0}, 2, 1, {{4, {8, 4, 9, 9}}, {4, {5, 4, 3, 3}}, {4, {8, 5, 7, 7}}}},
    {"conv2d_bwd_data", {0}, 2, 1, {{4, {8, 5, 7, 7}}, {4, {5, 4, 3, 3}}, {4, {8, 4, 9, 9}}}},
    {"conv2d_bwd_filter", {0}, 2, 1, {{4, {8, 4, 9, 9}}, {4, {8, 5, 7, 7}}, {4, {5, 4, 3, 3}}}},
    {"relu_fwd", {0}, 1, 1, {{4, {8, 3, 9, 9}}, {4, {8, 3, 9, 9}}}},
    {"relu_bwd", {0}, 2, 1, {{4, {8, 3, 9, 9}}, {4, {8, 3, 9, 9}}, {4, {8, 3, 9, 9}}}},
    {"bias_fwd", {0}, 2, 1, {{4, {8, 3, 9, 9}}, {1, {3}}, {4, {8, 3, 9, 9}}}},
    {"bias_bwd", {0}, 1, 1, {{4, {8, 3, 9, 9}}, {1, {3}}}},
    {"allreduce", {0}, 1, 1, {{2, {300, 9}}, {1, {9}}}},
    {"embedding_bwd", {0}, 2, 1, {{1, {300}}, {2, {300, 9}}, {2, {5, 9}}}},
    {"gelu_fwd", {0}, 1, 1, {{1, {900}}, {1, {900}}}},
    {"softmax_fwd", {0}, 1, 1, {{2, {9, 40}}, {2, {9, 40}}}},
    {"softmax_bwd", {0}, 2, 1, {{2, {9, 40}}, {2, {9, 40}}, {2, {9, 40}}}},
    {"crossentropy_fwd", {0}, 2, 1, {{2, {9, 40}}, {2, {9, 40}}, {1, {9}}}},
    {"crossentropy_bwd", {0}, 2, 1, {{2, {9, 40}}, {2, {9, 40}}, {2, {9, 40}}}},
    {"maxpool_fwd", POOL, 1, 1, {{4, {2, 3, 25, 25}}, {4, {2, 3, 13, 13}}}},
    {"maxpool_bwd", POOL, 2, 1, {{4, {2, 3, 25, 25}}, {4, {2, 3, 13, 13}}, {4, {2, 3, 25, 25}}}},
    {"avgpool_fwd", POOL, 1, 1, {{4, {2, 3, 25, 25}}, {4, {2, 3, 13, 13}}}},
    {"avgpool_bwd", POOL, 1, 1, {{4, {2, 3, 13, 13}}, {4, {2, 3, 25, 25}}}},
    {"batchnorm_fwd", {0}, 3, 1, {{4, {6, 5, 8, 8}}, {1, {5}}, {1, {5}}, {4, {6, 5, 8, 8}}}},
    {"batchnorm_bwd",
     {0},
     3,
     3,
     {{4, {6, 5, 8, 8}}, {1, {5}}, {4, {6, 5, 8, 8}}, {4, {6, 5, 8, 8}}, {1, {5}}, {1, {5}}}},
    {"layernorm_fwd", {0}, 3, 1, {{2, {90, 40}}, {1, {40}}, {1, {40}}, {2, {90, 40}}}},
    {"layernorm_bwd",
     {0},
     3,
     3,
     {{2, {90, 40}}, {1, {40}}, {2, {90, 40}}, {2, {90, 40}}, {1, {40}}, {1, {40}}}},
};
#undef POOL

static inline const struct problem *problem_of(const char *op)
{
    for (int i = 0; i < CF_COUNT(problems); ++i)
        if (strcmp(problems[i].op, op) == 0)
            return &problems[i];
    return NULL;
}

struct answer {
    struct cf_tensor out[3];
    int n_out;
    enum cf_status status;
};

/* The terms of each row from the last to the first. */
static inline void turn_round(struct cf_tensor *x)
{
    for (int64_t j = 0; j < cf_tensor_count(x); ++j) {
        const int64_t n = x->dim[1], there = j / n * n + n - 1 - j % n;
        const double here = cf_tensor_get(x, j);

        if (j < there) {
            cf_tensor_set(x, j, cf_tensor_get(x, there));
            cf_tensor_set(x, there, here);
        }
    }
}

/* The answer of a kernel to a problem; `reverse`: rows of the inputs from their last term on.
 * Outputs of 16-bit convolutions are f32. */
static inline struct answer ask(struct cf_library *library, const struct cf_kernel *kernel,
                                const struct problem *problem, enum cf_dtype dtype, int reverse)
{
    const int widens = dtype != CF_F64 && strncmp(problem->op, "conv2d", 6) == 0;
    struct answer a = {.n_out = problem->n_out};
    struct cf_tensor in[3] = {{0}};

    for (int i = 0; i < problem->n_in + problem->n_out; ++i) {
        const int is_out = i >= problem->n_in;
        struct cf_tensor *t = is_out ? &a.out[i - problem->n_in] : &in[i];

        *t = tensor(is_out && widens ? CF_F32 : dtype, problem->operand[i].rank,
                    problem->operand[i].dim);
        if (is_out)
            continue;
        draw(t, (uint64_t)i + 1);
        if (i == 0 && strcmp(problem->op, "embedding_bwd") == 0)
            for (int64_t j = 0; j < cf_tensor_count(t); ++j)
                cf_tensor_set(t, j, (double)(j * j % 5)); /* tokens */
        if (reverse)
            turn_round(t);
    }
    a.status = kernel->run(library, &problem->attributes, in, a.out);
    for (int i = 0; i < problem->n_in; ++i)
        cf_tensor_free(&in[i]);
    return a;
}

static inline int same_bits(const struct answer *a, const struct answer *b)
{
    for (int o = 0; o < a->n_out; ++o)
        if (memcmp(a->out[o].bits, b->out[o].bits, cf_tensor_bytes(&a->out[o])) != 0)
            return 0;
    return 1;
}

static inline void discard(struct answer *a)
{
    for (int o = 0; o < a->n_out; ++o)
        cf_tensor_free(&a->out[o]);
}

#endif
