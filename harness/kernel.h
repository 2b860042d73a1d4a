/* kernel: the contract of kernels/. Seen by the worker only.
 *
 * A folder of kernels/ is a backend: its backend.c defines `const struct cf_backend
 * cf_backend_<folder>`. Every other file X.c of it (not support*.c) defines `const struct cf_kernel
 * cf_kernels_<folder>_X[]`, ended by an entry whose op is NULL. The build finds them; nothing is
 * registered by hand.
 *
 * kernels/composite/ has no backend.c: its kernels have backend NULL. They are offered by every
 * backend and run over the primitives of the one that the worker has opened. */
#ifndef CF_KERNEL_H
#define CF_KERNEL_H

#include "gpu.h"
#include "pairs.h"
#include "philox.h"
#include "record.h"
#include "tensor.h"
#include "tensorcore.h"
#include "training.h"
#include "window.h"

enum cf_status { CF_DONE, CF_UNSUPPORTED, CF_BROKEN, CF_NO_MEMORY };

/* A backend's own: what it opened. */
struct cf_library;

struct cf_backend {
    const char *name, *why;
    const char *kernel; /* the name of the kernel that is taken when nobody names one; NULL: any */
    /* Opens the one library of this process. `keys` are the configuration's (lib=, threads=,
     * device=, ...). On failure returns NULL with a sentence in *err: exit_code 2 means the library
     * could not be opened (fate not-opened), 3 that its state is not the one asked for (fate
     * state-mismatch). */
    struct cf_library *(*open)(const struct cf_pairs *keys, struct cf_error *err);
    void (*close)(struct cf_library *library);
    /* Adds what was read back: emit(context, "version", "0.3.21"), "coretype", "threads",
     * "parallel", ... A key that has the name of a configuration key is compared with the request.
     */
    void (*state)(struct cf_library *library,
                  void (*emit)(void *, const char *key, const char *value), void *context);
};

/* The class of an algorithm is part of its contract.
 *
 * CF_CLASSICAL: every output is the sum of its terms in some order. Bit-exact on the fills whose
 * partial sums are exact (integer, spike, small); each element obeys the bound of its own terms.
 * CF_FAST: outputs come out of transforms (Winograd, FFT, Strassen), whose partial results are no
 * partial sums. On the fill `small` every output must round to the exact integer; otherwise the
 * bound is normwise, over a whole output with n = its most terms:
 *   abs(error) <= growth * (n + extra_roundings) * u * n * product over the inputs of max abs(x).
 */
enum cf_class { CF_CLASSICAL, CF_FAST };

struct cf_kernel {
    const char *op, *name; /* the op; the order or algorithm: forward, pairwise, kahan, cblas */
    const struct cf_backend *backend;
    /* Writes every element of every out (dense, row-major), reads in, allocates no tensor.
     * `attributes` are the case's dims and options by name ("m", "stride"). Unknown type or shape:
     * CF_UNSUPPORTED. */
    enum cf_status (*run)(struct cf_library *library, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[]);
    enum cf_class class; /* what the kernel claims to be */
    /* CF_FAST: how far the transforms may magnify: the product of their infinity norms (for two
     * dims, squared), or what the kernel's own comment derives. The worker reports it in hello's
     * effective state: "fast" = "conv2d_fwd=81 conv2d_bwd_data=81", the ops whose kernel in this
     * configuration is fast, with growth. No such key: all classical. */
    double growth;
};

/* An integer attribute or its fallback; the manager has checked that it is a whole number. */
int64_t cf_attribute(const struct cf_pairs *attributes, const char *key, int64_t fallback);

/* The kernel of an op by name in a backend, or NULL: composite ops call primitives through it.
 * `name` NULL: the backend's own choice, else its first. */
const struct cf_kernel *cf_kernel_find(const struct cf_backend *backend, const char *op,
                                       const char *name);

/* Says what the library chose to run in this call, where the choice is its own: cf_chose("engine",
 * "%d", 40). Called again with one key it adds to a set; see chosen.h for values. It goes into the
 * record, is told where bits differ, and promises may speak of it. */
void cf_chose(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For composites: what this worker has opened, valid during a run; and another backend built in. */
struct cf_opened {
    const struct cf_backend *backend;
    struct cf_library *library;
    const char *kernel; /* the configuration's kernel=, or NULL */
};
const struct cf_opened *cf_opened(void);
const struct cf_backend *cf_backend_find(const char *name); /* or NULL */

/* The kernel that composites take for a primitive in this worker, or NULL (kernels/composite/). */
const struct cf_kernel *cf_composite_resolve(const char *op);

#endif
