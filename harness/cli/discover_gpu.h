/* discover_gpu: the configurations of a machine's GPU, found by names of files as in discover.h. */
#ifndef CF_DISCOVER_GPU_H
#define CF_DISCOVER_GPU_H

#include "matrix.h"

/* Why a GPU cannot be measured on this machine (below `root`), or NULL: it can. */
const char *cf_discover_gpu_missing(const char *root);

/* Adds what is measured on the first GPU for a suite (NULL: any): our own kernels, and each cuBLAS
 * and cuDNN that is installed; whether or not there is a GPU. */
int cf_discover_gpu(struct cf_matrix *matrix, const char *root, const char *suite,
                    struct cf_error *err);

#endif
