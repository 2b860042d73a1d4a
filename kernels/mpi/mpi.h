/* mpi: MPI_Allreduce as the machine's Open MPI does it. The ranks are a program of their own
 * (helper/allreduce_main.c), started by mpirun when the backend is opened and kept; rank 0 speaks
 * with this process over two named pipes. threads= is the number of ranks; kernel= the algorithm
 * of Open MPI's component "tuned" that is forced. */
#ifndef CF_MPI_H
#define CF_MPI_H

#include <sys/types.h>

#include "kernel.h"

extern const struct cf_backend cf_backend_mpi;

#define CF_MPI_ALGORITHMS 7

/* "default" (Open MPI chooses by ranks and length), then numbers 1 .. 6 of
 * coll_tuned_allreduce_algorithm. */
extern const char *const cf_mpi_algorithm[CF_MPI_ALGORITHMS];

struct cf_library {
    pid_t pid; /* mpirun */
    int requests, replies;
    char folder[64], version[160];
    int ranks, algorithm;      /* as asked for */
    int ranks_got, forced_got; /* as read back; forced_got: the number, or 0 */
};

/* Reads or writes exactly n bytes, waiting as long as mpirun lives. 0, or -1. */
int cf_mpi_read(struct cf_library *library, void *bytes, size_t n);
int cf_mpi_write(struct cf_library *library, const void *bytes, size_t n);

#endif
