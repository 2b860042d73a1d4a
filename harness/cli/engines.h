/* engines: what cuDNN would offer for convolutions on a device that is described by a file: asked
 * of the library itself in a program of its own, conform-engines; no GPU is needed. */
#ifndef CF_ENGINES_H
#define CF_ENGINES_H

#include <jansson.h>

#include "case.h"
#include "options.h"

/* The file of cuDNN 9: `named` (a file, or a folder that holds it) or, when that is NULL, that of
 * $CUDA_HOME, of the usual folders, of a Python wheel. NULL and a sentence (exit 3) when there is
 * none. The caller frees. */
char *cf_engines_library(const char *named, struct cf_error *err);

/* One line of the program for a case of conv2d_fwd, conv2d_bwd_data or conv2d_bwd_filter; NULL and
 * a sentence for other ops. The caller frees. */
char *cf_engines_line(const struct cf_case *c, struct cf_error *err);

/* Asks about n lines: an array whose first element is {"version": N}, then one object a line, as
 * kernels/catalogue/helper/engines_main.c says. NULL and a sentence. */
json_t *cf_engines_ask(const char *library, const char *device, const char *const lines[], int n,
                       struct cf_error *err);

int cf_list_engines(const struct cf_options *options, struct cf_error *err);

#endif
