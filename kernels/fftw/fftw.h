/* fftw: one library of FFTW 3, by path (lib=): libfftw3f for f32, libfftw3 for f64. Plans are made
 * by FFTW_ESTIMATE: no measurement picks an algorithm, so that runs repeat. */
#ifndef CF_FFTW_H
#define CF_FFTW_H

#include "kernel.h"

extern const struct cf_backend cf_backend_fftw;

struct cf_library {
    void *file;
    const char *version;
    enum cf_dtype dtype; /* the library's one type */
    /* real [rows][columns] to complex [rows][columns / 2 + 1] (pairs), and back without 1 / N. */
    void *(*plan_forward)(int rows, int columns, void *real, void *complex, unsigned flags);
    void *(*plan_backward)(int rows, int columns, void *complex, void *real, unsigned flags);
    void (*execute)(void *plan);
    void (*destroy_plan)(void *plan);
};

#endif

/* A file that defines TYPED_FILE as its own name before it includes this header is included twice
 * from here, with REAL float and double, and TYPED(x) for names of its own. */
#ifdef TYPED_FILE
#define REAL     float
#define TYPED(x) x##_f32
#include TYPED_FILE
#undef REAL
#undef TYPED
#define REAL     double
#define TYPED(x) x##_f64
#include TYPED_FILE
#undef REAL
#undef TYPED
#undef TYPED_FILE
#endif
