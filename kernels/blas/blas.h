/* blas: any library that exports CBLAS, by path. Shapes are those of the ops: rows are contiguous
 * (CblasRowMajor, increment 1), m vectors are m calls; alpha = 1, beta = 0. The order of operations
 * is the library's own. */
#ifndef CF_BLAS_H
#define CF_BLAS_H

#include "kernel.h"

extern const struct cf_backend cf_backend_blas;

enum cf_blas_symbol {
    CF_SDOT,
    CF_DDOT,
    CF_SASUM,
    CF_DASUM,
    CF_SNRM2,
    CF_DNRM2,
    CF_SGEMV,
    CF_DGEMV,
    CF_SGEMM,
    CF_DGEMM,
    CF_SSYMV,
    CF_DSYMV,
    CF_BLAS_N_SYMBOLS
};

struct cf_blas_provider;

/* Names are found as prefix + name + suffix: scipy_cblas_ddot64_. */
struct cf_library {
    void *handle;
    char *path;                              /* as configured; owned */
    const char *prefix, *suffix;             /* literals; NULL: no CBLAS symbol at all */
    int ilp64;                               /* integers are int64_t, else int */
    const char *width_source;                /* how that is known */
    const struct cf_blas_provider *provider; /* by its own symbols; never NULL */
    void (*symbol[CF_BLAS_N_SYMBOLS])(void); /* NULL where the library has none */
};

/* How a library family says what it is. `sign` is the symbol by which it is known. Any function may
 * be NULL: the family cannot. threads returns -1 where it cannot tell. */
struct cf_blas_provider {
    const char *name, *sign;
    int (*ilp64)(const struct cf_library *library);
    void (*set_threads)(const struct cf_library *library, int threads);
    int (*threads)(const struct cf_library *library);
    void (*state)(const struct cf_library *library,
                  void (*emit)(void *, const char *key, const char *value), void *context);
};

extern const struct cf_blas_provider *const cf_blas_providers[]; /* the last one fits all */

/* A function of the library by its plain name, through prefix and suffix, or bare; NULL if none. */
void (*cf_blas_find(const struct cf_library *library, const char *name))(void);

/* dlopen, symbols, provider, integer width: nothing is called but what says the width. -1: the
 * loader's own words in *err. */
int cf_blas_load(struct cf_library *library, const char *path, int declared_ilp64,
                 struct cf_error *err);
const char *cf_blas_symbol_name(enum cf_blas_symbol symbol); /* "cblas_sdot" */

/* A dot product with a known answer and an increment of -1: 64-bit integers behind 32-bit names
 * crash or answer wrongly. 1: right; 0: wrong; -1: the library has no dot. */
int cf_blas_smoke(const struct cf_library *library);

/* Loads and smokes in a child process, so that what crashes, exits or reads wild memory there is a
 * sentence here: exit_code 2 when loading fails, 3 when the answer is wrong. */
int cf_blas_probe(const char *path, int declared_ilp64, struct cf_error *err);

/* Opens the file for comparison: absolute, readable, and writable by nobody but its owner, unless
 * `unsafe`. The descriptor or -1. */
int cf_blas_file_open(const char *path, int unsafe, struct cf_error *err);
/* Is the file behind the descriptor among the mappings of this process? */
int cf_blas_file_is_mapped(int fd);

/* Could any object that is loaded, less the system's own, start a thread? */
int cf_blas_imports_threads(void);

/* Can the function be called: is it there, are all operands of one floating type, and does every
 * dim fit the library's integers? */
int cf_blas_fits(const struct cf_library *library, void (*function)(void),
                 const struct cf_tensor in[], int n_in, const struct cf_tensor *out);

#endif
