/* libm: the elementary functions of a C library's libm, by the path of its file. A libm of another
 * release needs that release's C library: name its folder by sysroot=, and the worker runs under
 * its loader. */
#ifndef CF_LIBM_H
#define CF_LIBM_H

#include "kernel.h"

enum cf_libm_function { CF_EXP, CF_LOG, CF_SIN, CF_COS, CF_TANH, CF_ERF, CF_N_FUNCTIONS };

struct cf_library {
    void *handle;
    char *path;
    double (*of_f64[CF_N_FUNCTIONS])(double); /* NULL: the library has no such symbol */
    float (*of_f32[CF_N_FUNCTIONS])(float);
};

extern const struct cf_backend cf_backend_libm;

#endif
