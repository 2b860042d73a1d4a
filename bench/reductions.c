/* reductions: what part of a GPU's memory bandwidth the sums of kernels/cuda reach.
 *
 *   bench-reductions [device [MiB [rounds]]]
 *
 * Operands of MiB (256) lie on the device; in each round (15, behind one that is not counted) a
 * copy from device to device and each kernel run once, timed by events of the device. Rows: op,
 * type, kernel, GB/s of what it reads (median), and its part of the copy's bandwidth of the same
 * round, which reads and writes (minimum, median, maximum). The goal is 0.9. Every sum is looked
 * at: the operands are ones. Exit 0: measured, whatever came of it; 1: a sum is wrong, or the
 * device failed; 3: there is no GPU. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda.h"
#include "registry.h"

#define GOAL       0.9
#define ROUNDS_MAX 101
#define CHUNK      (1 << 20)

static const char *const kernels[] = {"tree",   "shuffle",       "last",  "grid",
                                      "atomic", "atomic-double", "fixed", "wide"};

/* Of the driver, in this order. */
struct clockwork {
    int (*create)(void **event, unsigned flags);
    int (*record)(void *event, void *stream);
    int (*wait)(void *event);
    int (*elapsed)(float *ms, void *from, void *to);
    int (*copy)(unsigned long long to, unsigned long long from, size_t n_bytes, void *stream);
};
static const char *const clockwork_names[] = {"cuEventCreate", "cuEventRecord",
                                              "cuEventSynchronize", "cuEventElapsedTime",
                                              "cuMemcpyDtoDAsync_v2"};

struct bench {
    struct cf_library *library;
    struct clockwork clockwork;
    void *from, *to;            /* events */
    unsigned long long x, y, z; /* operands; where the copy goes, and the sum */
    size_t n_bytes;
    int rounds;
    double copy_ms[ROUNDS_MAX];
    int n_reached, n_rows;
};

static void must(int answer, const char *what)
{
    if (answer == 0)
        return;
    printf("bench-reductions: %s failed (%d); stderr says more\n", what, answer);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void start_clock(struct bench *b)
{
    must(b->library->gpu.driver.synchronize(), "waiting");
    must(b->clockwork.record(b->from, NULL), "an event");
}

static double stop_clock(struct bench *b)
{
    float ms = 0;

    must(b->clockwork.record(b->to, NULL), "an event");
    must(b->clockwork.wait(b->to), "waiting for an event");
    must(b->clockwork.elapsed(&ms, b->from, b->to), "the time between events");
    if (!(ms > 0)) {
        printf("bench-reductions: the device says that no time has passed\n");
        exit(1);
    }
    return ms;
}

static double time_copy(struct bench *b)
{
    start_clock(b);
    must(b->clockwork.copy(b->z, b->x, b->n_bytes, NULL), "a copy");
    return stop_clock(b);
}

static void check_sum(struct bench *b, const struct cf_cuda_sums *sums, const char *kernel)
{
    const double n = (double)sums->p.n;
    double wide = NAN, value;
    float narrow = NAN;
    const int is_wide = sums->dtype == CF_F64;

    must(b->library->gpu.driver.to_host(is_wide ? (void *)&wide : &narrow, b->z, is_wide ? 8 : 4),
         "a copy back");
    value = is_wide ? wide : (double)narrow;
    if (fabs(value - n) <= 1e-4 * n)
        return;
    printf("bench-reductions: %s of %s: %g is not the sum of %g ones\n", kernel,
           cf_dtype_name(sums->dtype), value, n);
    exit(1);
}

/* Less than one answer in z is never taken for one: it is NaN before each launch. */
static double time_kernel(struct bench *b, struct cf_cuda_sums *sums, const char *kernel)
{
    double ms;

    must(b->library->gpu.driver.set_bytes(b->z, 0xff, 8), "a poison");
    must(cf_cuda_sums_again(sums), "zeroing");
    start_clock(b);
    must(cf_cuda_sums_launch(sums), kernel);
    ms = stop_clock(b);
    check_sum(b, sums, kernel);
    return ms;
}

static struct cf_cuda_sums sums_of(const struct bench *b, enum cf_dtype dtype, int op,
                                   const char *kernel)
{
    return (struct cf_cuda_sums){.library = b->library,
                                 .order = cf_cuda_order(kernel),
                                 .dtype = dtype,
                                 .m = 1,
                                 .p = {.x = (void *)(uintptr_t)b->x,
                                       .y = (void *)(uintptr_t)(op == CF_CUDA_DOT ? b->y : b->x),
                                       .out = (void *)(uintptr_t)b->z,
                                       .n = (long long)(b->n_bytes / cf_dtype_size(dtype)),
                                       .op = op}};
}

static void print_row(struct bench *b, enum cf_dtype dtype, int op, const char *kernel, double ms[],
                      double part[])
{
    const double n_bytes = (double)b->n_bytes * (op == CF_CUDA_DOT ? 2 : 1);

    qsort(ms, (size_t)b->rounds, sizeof ms[0], by_value);
    qsort(part, (size_t)b->rounds, sizeof part[0], by_value);
    printf("%s\t%s\t%s\t%.1f\t%.3f\t%.3f\t%.3f\n", op == CF_CUDA_DOT ? "dot" : "sum",
           cf_dtype_name(dtype), kernel, n_bytes / ms[b->rounds / 2] * 1e-6, part[0],
           part[b->rounds / 2], part[b->rounds - 1]);
    b->n_reached += part[b->rounds / 2] >= GOAL;
    ++b->n_rows;
}

/* All kernels of an op and type, in turn with the copy. */
static void measure(struct bench *b, enum cf_dtype dtype, int op)
{
    double ms[CF_COUNT(kernels)][ROUNDS_MAX], part[CF_COUNT(kernels)][ROUNDS_MAX];
    struct cf_cuda_sums sums[CF_COUNT(kernels)];
    const double reads = op == CF_CUDA_DOT ? 2 : 1;

    for (int k = 0; k < CF_COUNT(kernels); ++k) {
        sums[k] = sums_of(b, dtype, op, kernels[k]);
        must(cf_cuda_sums_begin(&sums[k]), "scratch memory");
    }
    for (int r = -1; r < b->rounds; ++r) {
        const double copy = time_copy(b);

        for (int k = 0; k < CF_COUNT(kernels); ++k) {
            double now;

            if (dtype == CF_F64 && strcmp(kernels[k], "atomic-double") == 0)
                continue;
            now = time_kernel(b, &sums[k], kernels[k]);
            if (r < 0)
                continue;
            ms[k][r] = now;
            part[k][r] = reads / now / (2 / copy);
        }
        if (r >= 0)
            b->copy_ms[r] = copy;
    }
    for (int k = 0; k < CF_COUNT(kernels); ++k) {
        cf_cuda_sums_end(&sums[k]);
        if (dtype == CF_F32 || strcmp(kernels[k], "atomic-double") != 0)
            print_row(b, dtype, op, kernels[k], ms[k], part[k]);
    }
}

/* Ones everywhere, a chunk at a time. */
static void fill(struct bench *b, enum cf_dtype dtype)
{
    char *ones = cf_alloc(CHUNK);

    for (int i = 0; i < CHUNK / 8; ++i) {
        const float two[2] = {1, 1};
        const double one = 1;

        memcpy(ones + 8 * i, dtype == CF_F64 ? (const void *)&one : two, 8);
    }
    for (size_t at = 0; at < b->n_bytes; at += CHUNK) {
        must(b->library->gpu.driver.to_device(b->x + at, ones, CHUNK), "a copy to it");
        must(b->library->gpu.driver.to_device(b->y + at, ones, CHUNK), "a copy to it");
    }
    free(ones);
}

static int skip(const char *why)
{
    printf("bench-reductions: skipped: %s\n", why);
    return 3;
}

static void prepare(struct bench *b)
{
    const struct cf_gpu_driver *driver = &b->library->gpu.driver;
    const char *missing = cf_gpu_bind(b->library->gpu.driver_file, &b->clockwork, clockwork_names,
                                      CF_COUNT(clockwork_names));

    if (missing) {
        printf("bench-reductions: the driver has no %s\n", missing);
        exit(1);
    }
    must(b->clockwork.create(&b->from, 0), "an event");
    must(b->clockwork.create(&b->to, 0), "an event");
    must(driver->allocate(&b->x, b->n_bytes), "memory");
    must(driver->allocate(&b->y, b->n_bytes), "memory");
    must(driver->allocate(&b->z, b->n_bytes), "memory");
}

static void print_end(struct bench *b)
{
    qsort(b->copy_ms, (size_t)b->rounds, sizeof b->copy_ms[0], by_value);
    printf("copy\t-\t-\t%.1f\t-\t-\t-\n",
           2 * (double)b->n_bytes / b->copy_ms[b->rounds / 2] * 1e-6);
    printf("%d of %d rows reach %.1f of the bandwidth of a copy (medians)\n", b->n_reached,
           b->n_rows, GOAL);
}

int main(int argc, char **argv)
{
    struct bench b = {.n_bytes = (size_t)(argc > 2 ? atoi(argv[2]) : 256) * CHUNK,
                      .rounds = argc > 3 ? atoi(argv[3]) : 15};
    char *text = cf_format("cuda device=%s", argc > 1 ? argv[1] : "0");
    struct cf_error err = {{0}, 0};
    struct cf_pairs keys;

    if (b.n_bytes < CHUNK || b.rounds < 1 || b.rounds > ROUNDS_MAX ||
        cf_pairs_parse(&keys, "the device", text, &err) != 0) {
        printf("bench-reductions: at least 1 MiB and 1 to %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    b.library = cf_backend_cuda.open(&keys, &err);
    if (!b.library)
        return skip(err.text);
    if (b.library->on_host)
        return skip("device=cpu has no memory of a device");
    prepare(&b);
    printf("op\ttype\tkernel\tGB/s\tmin\tmedian\tmax\n");
    for (int t = 0; t < 2; ++t) {
        fill(&b, t ? CF_F64 : CF_F32);
        measure(&b, t ? CF_F64 : CF_F32, CF_CUDA_SUM);
        measure(&b, t ? CF_F64 : CF_F32, CF_CUDA_DOT);
    }
    print_end(&b);
    cf_backend_cuda.close(b.library);
    cf_pairs_free(&keys);
    free(text);
    return 0;
}
