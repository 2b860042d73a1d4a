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
    int rank[3];
    int64_t dim[3][4]; /* two inputs (or one: rank 0), one output */
};
static const struct problem problems[] = {
    {"sum", {2, 0, 1}, {{ROWS, 5000}, {0}, {ROWS}}},
    {"asum", {2, 0, 1}, {{ROWS, 5000}, {0}, {ROWS}}},
    {"dot", {2, 2, 1}, {{ROWS, 5000}, {ROWS, 5000}, {ROWS}}},
    {"nrm2", {2, 0, 1}, {{ROWS, 5000}, {0}, {ROWS}}},
    {"gemm", {2, 2, 2}, {{9, 2100}, {2100, 7}, {9, 7}}},
    {"gemv", {2, 1, 1}, {{9, 2100}, {2100}, {9}}},
    {"conv2d_fwd", {4, 4, 4}, {{8, 4, 9, 9}, {5, 4, 3, 3}, {8, 5, 7, 7}}},
    {"conv2d_bwd_data", {4, 4, 4}, {{8, 5, 7, 7}, {5, 4, 3, 3}, {8, 4, 9, 9}}},
    {"conv2d_bwd_filter", {4, 4, 4}, {{8, 4, 9, 9}, {8, 5, 7, 7}, {5, 4, 3, 3}}},
    {"bias_bwd", {4, 0, 1}, {{8, 3, 9, 9}, {0}, {3}}},
    {"softmax_fwd", {2, 0, 2}, {{9, 40}, {0}, {9, 40}}},
};

static inline const struct problem *problem_of(const char *op)
{
    for (int i = 0; i < CF_COUNT(problems); ++i)
        if (strcmp(problems[i].op, op) == 0)
            return &problems[i];
    return NULL;
}

struct answer {
    struct cf_tensor out;
    enum cf_status status;
};

/* The answer of a kernel to a problem; `reverse`: rows of the inputs from their last term on. */
static inline struct answer ask(struct cf_library *library, const struct cf_kernel *kernel,
                                const struct problem *problem, enum cf_dtype dtype, int reverse)
{
    static const struct cf_pairs none = {0};
    struct answer a = {.out = tensor(dtype, problem->rank[2], problem->dim[2])};
    struct cf_tensor in[2] = {{0}};

    for (int i = 0; i < 2 && problem->rank[i] > 0; ++i) {
        in[i] = tensor(dtype, problem->rank[i], problem->dim[i]);
        draw(&in[i], (uint64_t)i + 1);
        for (int64_t j = 0; reverse && j < cf_tensor_count(&in[i]); ++j) {
            const int64_t n = in[i].dim[1], there = j / n * n + n - 1 - j % n;
            const double here = cf_tensor_get(&in[i], j);

            if (j < there) {
                cf_tensor_set(&in[i], j, cf_tensor_get(&in[i], there));
                cf_tensor_set(&in[i], there, here);
            }
        }
    }
    a.status = kernel->run(library, &none, in, &a.out);
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&in[i]);
    return a;
}

#endif
