/* discover: the matrix of a machine about which nobody said anything. Files are found by where
 * distributions and wheels put them; none is loaded or opened. */
#ifndef CF_DISCOVER_H
#define CF_DISCOVER_H

#include "matrix.h"

/* Fills an empty matrix from the file system below `root` ("" for the machine itself): each library
 * once by its real path, over threads, core types (those that `flags`, the CPU's words as in
 * /proc/cpuinfo, can run; NULL: those of this machine) and alignments, then our own orders of
 * summation, and where there is a GPU what is measured on it (discover_gpu.h). The baseline is the
 * first OpenBLAS with pthreads on one thread, else the reference BLAS, else the pairwise order. For
 * the suite convolutions (`suite`; NULL: any) oneDNN and FFTW are looked for too, our own orders
 * are those of convolutions, and the baseline is the order canon, which has every op in every type.
 */
int cf_discover(struct cf_matrix *matrix, const char *root, const char *flags, const char *suite,
                struct cf_error *err);

#endif
