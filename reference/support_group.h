/* support_group: what the references of operations with shared statistics (a softmax row, a
 * normalised channel) have in common. Their values are irrational or quotients, so that MPFR
 * carries CF_GROUP_BITS; a group's values are made together, and `fast` makes every group once. */
#ifndef CF_SUPPORT_GROUP_H
#define CF_SUPPORT_GROUP_H

#include "reference.h"

/* More than 2 * 53 + 64, and room for what subtracting a mean cancels. */
#define CF_GROUP_BITS 384

/* Every implementation of exp and log that the suites meet is taken to be within so many u of the
 * value; the error tables of libm, of oneDNN's and of MKL's vector functions are below 4. */
#define CF_ELEMENTARY_U 8

/* The float nearest to 1e-5: what batch and layer norm add to the variance, for every type. */
#define CF_NORM_EPSILON 0x1.4f8b58p-17

/* A tensor seen as [outer][groups][inner]: element j of group g is element j % inner of block j /
 * inner. */
struct cf_grid {
    int64_t outer, groups, inner;
};
int64_t cf_grid_size(const struct cf_grid *grid); /* elements of a group */
int64_t cf_grid_index(const struct cf_grid *grid, int64_t group, int64_t j);

/* Initialised to 0 with CF_GROUP_BITS. */
mpfr_t *cf_mpfr_new(int64_t n);
void cf_mpfr_free(mpfr_t *x, int64_t n);
/* x = element i of t, exactly. */
void cf_mpfr_take(mpfr_t x, const struct cf_tensor *t, int64_t i);
/* sum += abs(x). */
void cf_mpfr_add_abs(mpfr_t sum, const mpfr_t x);

struct cf_grouped {
    struct cf_grid (*grid)(const struct cf_tensor in[], int o); /* of output o */
    /* exact[j] and scale[j], j < cf_grid_size, of one group of output o. */
    void (*values)(mpfr_t exact[], mpfr_t scale[], const struct cf_tensor in[], int o,
                   int64_t group);
};

/* cf_op.element and cf_op.fast of such an operation. */
void cf_grouped_element(const struct cf_grouped *grouped, mpfr_t exact, mpfr_t scale,
                        const struct cf_tensor in[], int o, int64_t i);
void cf_grouped_fast(const struct cf_grouped *grouped, struct cf_truth truth[],
                     const struct cf_tensor in[], int o);

/* Defines them, as `element` and `fast`, of a grid and its values. */
#define CF_GROUPED_FUNCTIONS(GRID, VALUES)                                                         \
    static const struct cf_grouped grouped = {GRID, VALUES};                                       \
    static void element(mpfr_t exact, mpfr_t scale, const struct cf_case *c,                       \
                        const struct cf_tensor in[], int o, int64_t i)                             \
    {                                                                                              \
        (void)c;                                                                                   \
        cf_grouped_element(&grouped, exact, scale, in, o, i);                                      \
    }                                                                                              \
    static void fast(struct cf_truth truth[], const struct cf_case *c,                             \
                     const struct cf_tensor in[], int o, int threads)                              \
    {                                                                                              \
        (void)c;                                                                                   \
        (void)threads;                                                                             \
        cf_grouped_fast(&grouped, truth, in, o);                                                   \
    }

/* Rounds once to the type of an output; the scale upwards. */
struct cf_truth cf_truth_of(const mpfr_t exact, const mpfr_t scale, enum cf_dtype dtype);

#endif
