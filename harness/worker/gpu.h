/* gpu: what backends of a GPU share: the CUDA driver and NVML, opened by name at run time, memory
 * with guard zones, launches, and what the device says of itself. Part of kernel.h.
 *
 * Nothing here is linked: libcuda.so.1 belongs to the kernel module of the machine and is found by
 * the system's loader (LD_LIBRARY_PATH decides); without it every GPU configuration is not opened
 * and says why. A device is the one of the driver's list with index or UUID device= (default 0), or
 * the host itself, where the memory is the process's own and a function is a C function: the same
 * calls, and no driver.
 *
 * Declarations follow cuda.h of CUDA 13.0 (CUDA Driver API reference) and nvml.h (NVML API
 * reference); a driver since CUDA 12.0 has all of them. An answer of the driver is 0 or an error
 * number. After an error that loses the context (an illegal address, an uncorrectable ECC error)
 * nothing that the process computes can be trusted: the worker aborts, and the next request gets
 * another. */
#ifndef CF_GPU_H
#define CF_GPU_H

#include <stddef.h>
#include <stdint.h>

#include "tensor.h"

struct cf_pairs;

/* The driver's entry points; the names in gpu.c, in the same order. */
struct cf_gpu_driver {
    int (*init)(unsigned flags);
    int (*driver_version)(int *version); /* 13000: CUDA 13.0 */
    int (*device_count)(int *count);
    int (*device_get)(int *device, int ordinal);
    int (*device_name)(char *name, int length, int device);
    int (*device_uuid)(unsigned char uuid[16], int device);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*device_memory)(size_t *n_bytes, int device);
    int (*context_retain)(void **context, int device);
    int (*context_release)(int device);
    int (*context_set)(void *context);
    int (*synchronize)(void);
    int (*module_load)(void **module, const void *image);
    int (*module_function)(void **function, void *module, const char *name);
    int (*allocate)(unsigned long long *pointer, size_t n_bytes);
    int (*release)(unsigned long long pointer);
    int (*to_device)(unsigned long long to, const void *from, size_t n_bytes);
    int (*to_host)(void *to, unsigned long long from, size_t n_bytes);
    int (*set_bytes)(unsigned long long to, unsigned char byte, size_t n);
    int (*launch)(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                  unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                  void *stream, void **parameters, void **extra);
    int (*launch_cooperative)(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                              unsigned block_x, unsigned block_y, unsigned block_z,
                              unsigned shared_bytes, void *stream, void **parameters);
    int (*stream_create)(void **stream, unsigned flags);
    int (*stream_destroy)(void *stream);
    int (*capture_begin)(void *stream, int mode); /* mode 1: of this thread */
    int (*capture_end)(void *stream, void **graph);
    int (*graph_nodes)(void *graph, void **nodes, size_t *n); /* nodes NULL: only *n is set */
    int (*graph_instantiate)(void **executable, void *graph, unsigned long long flags);
    int (*graph_launch)(void *executable, void *stream);
    int (*graph_destroy)(void *graph);
    int (*executable_destroy)(void *executable);
    int (*error_name)(int error, const char **name);
};

struct cf_gpu {
    struct cf_gpu_driver driver;
    char device[48];   /* as the configuration names it: "0", "GPU-...", "cpu" */
    char uuid[48];     /* "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", of a MIG instance "MIG-...";
                          "" on the host */
    int handle;        /* the driver's */
    int architecture;  /* 90 for sm_90; 0 on the host */
    int n_processors;  /* streaming multiprocessors */
    size_t align;      /* bytes past a 256-byte boundary at which operands start */
    void *driver_file; /* dlopen's; NULL on the host */
    void *nvml_file;   /* or NULL */
};

/* One operand on the device. `whole` is what was allocated, guard zones included. */
struct cf_gpu_buffer {
    unsigned long long whole, data;
    size_t n_bytes;
};

/* Opens device= of the keys, with its primary context current. 0, or -1 and a sentence: exit_code 2
 * where there is no driver or device, 3 where the device is not the one asked for. */
int cf_gpu_open(struct cf_gpu *gpu, const struct cf_pairs *keys, struct cf_error *err);
/* The host as a device. */
void cf_gpu_open_host(struct cf_gpu *gpu, const struct cf_pairs *keys);
void cf_gpu_close(struct cf_gpu *gpu);

/* What is read back: device, its name, UUID, architecture, memory, the driver's version; through
 * NVML: ECC and its errors, MIG, persistence, clocks, temperature, throttle reasons, VBIOS. */
void cf_gpu_state(const struct cf_gpu *gpu, void (*emit)(void *, const char *, const char *),
                  void *context);

/* These answer an enum cf_status, and say on stderr (the log) which call failed and how. */
int cf_gpu_check(const struct cf_gpu *gpu, int answer, const char *what);
/* Room between guard zones, filled from `from`. */
int cf_gpu_upload(const struct cf_gpu *gpu, struct cf_gpu_buffer *buffer, const void *from,
                  size_t n_bytes);
/* Waits for the device, then copies back. */
int cf_gpu_download(const struct cf_gpu *gpu, const struct cf_gpu_buffer *buffer, void *to);
/* Are the guard zones whole, and (where `original` is not NULL) is the operand as it was? */
int cf_gpu_inspect(const struct cf_gpu *gpu, const struct cf_gpu_buffer *buffer,
                   const void *original);
void cf_gpu_free(const struct cf_gpu *gpu, struct cf_gpu_buffer *buffer);

/* The operands of one call: uploads in and out (as they are: poisoned), calls body with the buffers
 * in that order, downloads the outputs, inspects all. body answers an enum cf_status. */
int cf_gpu_call(struct cf_gpu *gpu, const struct cf_tensor in[], int n_in, struct cf_tensor out[],
                int n_out, int (*body)(void *context, const struct cf_gpu_buffer *operand),
                void *context);

/* Switches of a backend: flags=NAME:NUMBER+NAME:NUMBER... The number of `name`, or fallback. */
int64_t cf_gpu_flag(const struct cf_pairs *keys, const char *name, int64_t fallback);
/* -1 and a sentence (exit_code 3) when flags= has a word that is not among the names (ended by
 * NULL), or no whole number behind it. */
int cf_gpu_flags_check(const struct cf_pairs *keys, const char *const names[],
                       struct cf_error *err);

/* A copy of the keys that has flags= alone and outlives them; cf_gpu_flags_free it (NULL: nothing
 * to do). NULL and a sentence. */
struct cf_pairs *cf_gpu_flags_copy(const struct cf_pairs *keys, struct cf_error *err);
void cf_gpu_flags_free(struct cf_pairs *copy);

/* Opens lib=, an absolute path, with all its symbols bound; says on failure what is wrong. */
void *cf_gpu_library(const struct cf_pairs *keys, const char *what, struct cf_error *err);

/* dlsym into a table of functions: names in the order of the table's members. NULL, or the first
 * name that the file lacks. */
const char *cf_gpu_bind(void *file, void *table, const char *const names[], int n);

#endif
