#include <stdio.h>

#include "cuda.h"

static int run_on_host(struct cf_library *library, const struct cf_cuda_launch *launch,
                       const char *name, const void *parameters)
{
    const struct cf_grid_launch grid = {
        .entry = cf_grid_find(name),
        .parameters = parameters,
        .grid = {(unsigned)launch->grid_x, (unsigned)launch->grid_y, 1},
        .block = {CF_CUDA_THREADS, 1, 1},
        .shared_bytes = (unsigned)launch->shared_bytes,
        .cooperative = launch->cooperative,
        .shuffled = library->shuffled,
        .fma = launch->variant == CF_CUDA_FMA};

    if (launch->variant == CF_CUDA_FAST)
        return CF_UNSUPPORTED;
    CF_CHECK(grid.entry != NULL);
    return cf_grid_run(&grid) == 0 ? CF_DONE : CF_NO_MEMORY;
}

static int take_module(struct cf_library *library, enum cf_cuda_variant variant)
{
    const struct cf_gpu *gpu = &library->gpu;

    if (library->module[variant])
        return CF_DONE;
    return cf_gpu_check(
        gpu, gpu->driver.module_load(&library->module[variant], cf_cuda_image(variant).bytes),
        "loading the module");
}

/* A kernel ready to go. */
struct shot {
    const struct cf_gpu *gpu;
    const struct cf_cuda_launch *launch;
    void *function, *words[1];
    const char *name;
};

static int shoot(struct shot *shot, void *stream)
{
    const struct cf_gpu_driver *driver = &shot->gpu->driver;
    const struct cf_cuda_launch *launch = shot->launch;
    const unsigned x = (unsigned)launch->grid_x, y = (unsigned)launch->grid_y,
                   shared = (unsigned)launch->shared_bytes;

    return cf_gpu_check(shot->gpu,
                        launch->cooperative
                            ? driver->launch_cooperative(shot->function, x, y, 1, CF_CUDA_THREADS,
                                                         1, 1, shared, stream, shot->words)
                            : driver->launch(shot->function, x, y, 1, CF_CUDA_THREADS, 1, 1, shared,
                                             stream, shot->words, NULL),
                        shot->name);
}

/* Into a graph of one kernel; nothing is run. */
static int capture(struct shot *shot, void *stream, void **graph)
{
    const struct cf_gpu *gpu = shot->gpu;
    int status = cf_gpu_check(gpu, gpu->driver.capture_begin(stream, 1), "begin of a capture"), end;
    size_t n = 0;

    if (status != CF_DONE)
        return status;
    status = shoot(shot, stream);
    end = cf_gpu_check(gpu, gpu->driver.capture_end(stream, graph), "end of a capture");
    if (status == CF_DONE)
        status = end;
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.graph_nodes(*graph, NULL, &n), "nodes of a graph");
    if (status == CF_DONE && n != 1) {
        fprintf(stderr, "device %s: one launch was captured as %zu nodes\n", gpu->device, n);
        status = CF_BROKEN;
    }
    return status;
}

static int replay(struct shot *shot)
{
    const struct cf_gpu *gpu = shot->gpu;
    void *stream = NULL, *graph = NULL, *executable = NULL;
    int status = cf_gpu_check(gpu, gpu->driver.stream_create(&stream, 0), "a stream");

    if (status == CF_DONE)
        status = capture(shot, stream, &graph);
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.graph_instantiate(&executable, graph, 0), "a graph");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.graph_launch(executable, stream), shot->name);
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, gpu->driver.synchronize(), shot->name);
    if (executable)
        gpu->driver.executable_destroy(executable);
    if (graph)
        gpu->driver.graph_destroy(graph);
    if (stream)
        gpu->driver.stream_destroy(stream);
    return status;
}

static int run_on_device(struct cf_library *library, const struct cf_cuda_launch *launch,
                         const char *name, const void *parameters)
{
    const struct cf_gpu *gpu = &library->gpu;
    struct shot shot = {
        .gpu = gpu, .launch = launch, .words = {(void *)(uintptr_t)parameters}, .name = name};
    int status = take_module(library, launch->variant);

    if (status == CF_DONE)
        status = cf_gpu_check(
            gpu,
            gpu->driver.module_function(&shot.function, library->module[launch->variant], name),
            name);
    if (status != CF_DONE)
        return status;
    return library->graph ? replay(&shot) : shoot(&shot, NULL);
}

int cf_cuda_run(struct cf_library *library, const struct cf_cuda_launch *launch,
                const void *parameters)
{
    char name[64];

    if (launch->grid_x == 0 || launch->grid_y == 0)
        return CF_DONE;
    if (launch->grid_x > 0x7fffffff || launch->grid_y > 65535)
        return CF_UNSUPPORTED;
    snprintf(name, sizeof name, "%s_%s", launch->name, cf_dtype_name(launch->dtype));
    return (library->on_host ? run_on_host : run_on_device)(library, launch, name, parameters);
}

int cf_cuda_scratch(struct cf_library *library, struct cf_gpu_buffer *buffer, size_t n_bytes)
{
    const struct cf_gpu *gpu = &library->gpu;
    int status;

    *buffer = (struct cf_gpu_buffer){.n_bytes = n_bytes};
    status = cf_gpu_check(gpu, gpu->driver.allocate(&buffer->whole, n_bytes + 1), "memory");
    if (status != CF_DONE) {
        buffer->whole = 0;
        return status;
    }
    buffer->data = buffer->whole;
    return cf_gpu_check(gpu, gpu->driver.set_bytes(buffer->data, 0, n_bytes + 1), "zeroing");
}

int cf_cuda_zero(struct cf_library *library, enum cf_dtype dtype, void *sum, long long n)
{
    const struct cf_cuda_layer zero = {.y = sum, .rows = n, .columns = 1, .plane = 1};

    return cf_cuda_run(
        library,
        &(struct cf_cuda_launch){
            .name = "cf_cuda_zero", .dtype = dtype, .grid_x = cf_cuda_blocks(n), .grid_y = 1},
        &zero);
}
