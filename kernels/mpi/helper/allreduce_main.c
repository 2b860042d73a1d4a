/* The ranks: conform-mpi REQUESTS REPLIES. Rank 0 first writes {ranks, forced algorithm} and 160
 * bytes of version, then answers requests {bytes of an element, parts, n} and parts * n elements
 * with {do all ranks hold the same bits} and n elements; -1 bytes of an element ends it. */
#include <fcntl.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int rank, ranks, requests = -1, replies = -1;

static void give_up(const char *what)
{
    fprintf(stderr, "conform-mpi: rank %d: %s\n", rank, what);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

static void read_all(void *bytes, size_t n)
{
    for (char *at = bytes; n > 0;) {
        const ssize_t done = read(requests, at, n);

        if (done <= 0)
            give_up("the requests ended");
        at += done;
        n -= (size_t)done;
    }
}

static void write_all(const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        const ssize_t done = write(replies, at, n);

        if (done <= 0)
            give_up("nobody reads the replies");
        at += done;
        n -= (size_t)done;
    }
}

/* What is in force, by the tool interface: the number, or -1 if nobody knows. */
static int forced_algorithm(void)
{
    int provided, index, count, value = -1, dynamic = 0;
    MPI_T_cvar_handle handle;

    MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);
    if (MPI_T_cvar_get_index("coll_tuned_use_dynamic_rules", &index) == MPI_SUCCESS &&
        MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS) {
        unsigned char flag[8] = {0};

        MPI_T_cvar_read(handle, flag);
        dynamic = flag[0] != 0;
        MPI_T_cvar_handle_free(&handle);
    }
    if (MPI_T_cvar_get_index("coll_tuned_allreduce_algorithm", &index) == MPI_SUCCESS &&
        MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS) {
        MPI_T_cvar_read(handle, &value);
        MPI_T_cvar_handle_free(&handle);
    }
    MPI_T_finalize();
    return dynamic ? value : 0;
}

static void greet(void)
{
    const int64_t numbers[2] = {ranks, forced_algorithm()};
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "", sent[160] = "";
    int length;

    if (rank != 0)
        return;
    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",")] = '\0';
    snprintf(sent, sizeof sent, "%.150s", version);
    write_all(numbers, sizeof numbers);
    write_all(sent, sizeof sent);
}

static void add_f32(float *to, const float *x, int64_t n)
{
    for (int64_t j = 0; j < n; ++j)
        to[j] += x[j];
}

static void add_f64(double *to, const double *x, int64_t n)
{
    for (int64_t j = 0; j < n; ++j)
        to[j] += x[j];
}

/* This rank's parts, forward from zero. */
static void add_parts(char *sum, const char *x, const int64_t request[3])
{
    const int64_t parts = request[1], n = request[2];

    memset(sum, 0, (size_t)(n * request[0]));
    for (int64_t p = parts * rank / ranks; p < parts * (rank + 1) / ranks; ++p)
        if (request[0] == 8)
            add_f64((double *)(void *)sum, (const double *)(const void *)(x + p * n * 8), n);
        else
            add_f32((float *)(void *)sum, (const float *)(const void *)(x + p * n * 4), n);
}

static void answer(const int64_t request[3], char *x, char *sum, char *all, char *first)
{
    const MPI_Datatype type = request[0] == 8 ? MPI_DOUBLE : MPI_FLOAT;
    const int n = (int)request[2], n_bytes = (int)(request[2] * request[0]);
    int same, agree;

    if (rank == 0)
        read_all(x, (size_t)(request[1] * n_bytes));
    for (int64_t p = 0; p < request[1]; ++p) /* by part: a count is an int */
        MPI_Bcast(x + p * n_bytes, n_bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    add_parts(sum, x, request);
    MPI_Allreduce(sum, all, n, type, MPI_SUM, MPI_COMM_WORLD);
    memcpy(first, all, (size_t)n_bytes);
    MPI_Bcast(first, n_bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    same = memcmp(first, all, (size_t)n_bytes) == 0;
    MPI_Reduce(&same, &agree, 1, MPI_INT, MPI_MIN, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        const int64_t word = agree;

        write_all(&word, sizeof word);
        write_all(all, (size_t)n_bytes);
    }
}

static void serve(const int64_t request[3])
{
    const size_t vector = (size_t)(request[2] * request[0]) + 16;
    char *x = malloc(vector * (size_t)(request[1] + 1)), *sums = malloc(3 * vector);

    if (!x || !sums)
        give_up("no memory");
    answer(request, x, sums, sums + vector / 16 * 16, sums + vector / 16 * 32);
    free(x);
    free(sums);
}

int main(int argc, char **argv)
{
    int64_t request[3] = {0, 0, 0};

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc != 3)
        give_up("usage: conform-mpi REQUESTS REPLIES");
    if (rank == 0) {
        requests = open(argv[1], O_RDONLY);
        replies = open(argv[2], O_WRONLY);
        if (requests < 0 || replies < 0)
            give_up("the pipes cannot be opened");
    }
    greet();
    for (;;) {
        if (rank == 0)
            read_all(request, sizeof request);
        MPI_Bcast(request, (int)sizeof request, MPI_BYTE, 0, MPI_COMM_WORLD);
        if (request[0] < 0)
            break;
        serve(request);
    }
    MPI_Finalize();
    return 0;
}
