/* A CUDA driver without a device: memory is the host's, and a function is the kernel's twin on the
 * host (kernels/cuda/grid.h). Two devices. Lies:
 *   no-device      cuInit finds none          no-context     the device gives no context
 *   out-of-memory  allocations of 4096 bytes and more fail
 *   launch-fails   a launch is refused        lost           a launch loses the context
 *   past           a launch writes past the end of the newest operand
 *   before         a launch writes before the start of the newest operand
 *   input          a launch changes the first operand
 *   silent         a launch does nothing
 *   no-module      a module is refused (no code for this device)
 *   no-capture     a stream does not record
 *   graph-empty    a stream that records forgets
 *   graph-silent   a graph that is replayed does nothing
 *   bad-sm         multiprocessor 77 of the second device flips bit 3 of an element of each of its
 *                  blocks of a burn in f64, and 78 of every other one
 *   hangs          the second device never ends a sum by shuffles
 *   mig            there is one device, an instance: that of CUDA_VISIBLE_DEVICES, else the first
 *   timeless       no time passes between events
 *   flip           the second device flips bit 17 of element 5 of a tiled product of doubles
 *   frail          it does so once, when there is a file FAKE_GPU_ONCE, which goes; and it loses
 *                  its context in a product by slices */
#include <time.h>
#include <unistd.h>

#include "fake.h"
#include "grid.h"
#include "parameters.h"

enum {
    OK = 0,
    INVALID = 1,
    NO_MEMORY = 2,
    NO_DEVICE = 100,
    NO_BINARY = 209,
    NOT_FOUND = 500,
    LOST = 700,
    UNSUPPORTED = 900
};
#define GUARD 256

/* The operands of a call, in the order of their allocation: two inputs and an output for a dot. */
static char *block[64];
static size_t size[64];
static int n_blocks;
static size_t current; /* device whose context it is */

static const char *visible; /* when the driver was initialized */

EXPORT int cuInit(unsigned flags)
{
    visible = getenv("CUDA_VISIBLE_DEVICES");
    return flags != 0 ? INVALID : fake_lies("no-device") ? NO_DEVICE : OK;
}

EXPORT int cuDriverGetVersion(int *version)
{
    *version = 13000;
    return OK;
}

/* The sixteen bytes of a UUID start here: 0x00 and 0x10 of the devices, 0x20 and 0x30 of instances;
 * -1: no such instance. */
static int first_byte(int device)
{
    if (!fake_lies("mig"))
        return 16 * (device - 40);
    if (!visible || strncmp(visible, "MIG-20212223-", 13) == 0)
        return 0x20;
    return strncmp(visible, "MIG-30313233-", 13) == 0 ? 0x30 : -1;
}

EXPORT int cuDeviceGetCount(int *count)
{
    *count = !fake_lies("mig") ? 2 : first_byte(40) >= 0;
    return OK;
}

EXPORT int cuDeviceGet(int *device, int ordinal)
{
    *device = ordinal + 40; /* a handle is no index */
    return ordinal < 2 ? OK : INVALID;
}

EXPORT int cuDeviceGetName(char *name, int length, int device)
{
    strncpy(name, device == 40 ? "Fake A" : "Fake B", (size_t)length);
    return OK;
}

EXPORT int cuDeviceGetUuid_v2(unsigned char uuid[16], int device)
{
    for (int i = 0; i < 16; ++i)
        uuid[i] = (unsigned char)(first_byte(device) + i);
    return OK;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    (void)device;
    *value = attribute == 16 ? 132 : attribute == 75 ? 9 : 0;
    return OK;
}

EXPORT int cuDeviceTotalMem_v2(size_t *n_bytes, int device)
{
    (void)device;
    *n_bytes = (size_t)1 << 30;
    return OK;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device)
{
    *context = (void *)(size_t)device;
    return fake_lies("no-context") ? NO_MEMORY : OK;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device)
{
    return device >= 40 ? OK : INVALID;
}

EXPORT int cuCtxSetCurrent(void *context)
{
    current = (size_t)context;
    return context ? OK : INVALID;
}

EXPORT int cuCtxSynchronize(void)
{
    return OK;
}

/* A module is contracted if its PTX has products that may be (mul.f32; those that may not are
 * mul.rn.f32). A function is a kernel's twin and whether its module is contracted. */
struct function {
    cf_grid_entry *entry;
    int fma;
};
static int contracted[2] = {0, 1};

EXPORT int cuModuleLoadData(void **module, const void *image)
{
    static const unsigned magic = 0xba55ed50; /* of a fatbin; its length is at byte 8 */
    unsigned long long n_bytes;

    if (fake_lies("no-module") || memcmp(image, &magic, sizeof magic) != 0)
        return NO_BINARY;
    memcpy(&n_bytes, (const char *)image + 8, sizeof n_bytes);
    *module = &contracted[memmem(image, (size_t)n_bytes, "mul.f32", 7) != NULL];
    return OK;
}

EXPORT int cuModuleGetFunction(void **function, void *module, const char *name)
{
    struct function *found = malloc(sizeof *found); /* lives as long as the process, as a module */

    found->entry = module ? cf_grid_find(name) : NULL;
    found->fma = module && *(int *)module;
    *function = found;
    return found->entry ? OK : NOT_FOUND;
}

EXPORT int cuMemAlloc_v2(unsigned long long *pointer, size_t n_bytes)
{
    char *memory = n_bytes == 0 || (fake_lies("out-of-memory") && n_bytes >= 4096)
                       ? NULL
                       : aligned_alloc(256, (n_bytes + 255) / 256 * 256);

    if (!memory)
        return n_bytes == 0 ? INVALID : NO_MEMORY;
    if (n_blocks < 64) {
        block[n_blocks] = memory;
        size[n_blocks++] = n_bytes;
    }
    *pointer = (unsigned long long)(size_t)memory;
    return OK;
}

EXPORT int cuMemFree_v2(unsigned long long pointer)
{
    for (int i = 0; i < n_blocks; ++i)
        if ((size_t)block[i] == pointer) {
            memmove(block + i, block + i + 1, sizeof block[0] * (size_t)(n_blocks - i - 1));
            memmove(size + i, size + i + 1, sizeof size[0] * (size_t)(n_blocks - i - 1));
            --n_blocks;
            break;
        }
    free((void *)(size_t)pointer);
    return OK;
}

EXPORT int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t n_bytes)
{
    memcpy((void *)(size_t)to, from, n_bytes);
    return OK;
}

EXPORT int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t n_bytes)
{
    memcpy(to, (const void *)(size_t)from, n_bytes);
    return OK;
}

EXPORT int cuMemsetD8_v2(unsigned long long to, unsigned char byte, size_t n)
{
    memset((void *)(size_t)to, byte, n);
    return OK;
}

static void misbehave(void)
{
    const int out = n_blocks > 2 ? 2 : n_blocks - 1;

    if (size[out] < 2 * GUARD) /* scratch: no zones to write into */
        return;
    if (fake_lies("past"))
        block[out][size[out] - GUARD] = 0;
    if (fake_lies("before"))
        block[out][GUARD - 1] = 0;
    if (fake_lies("input"))
        block[0][GUARD] = 1;
}

/* After the launch, as a bad lane of the device would. */
static void flip(const struct cf_grid_launch *launch)
{
    const struct cf_cuda_matrix *p = launch->parameters;
    const char *once = getenv("FAKE_GPU_ONCE");

    if (current != 41 || launch->entry != cf_grid_find("cf_cuda_tiled_f64") ||
        !(fake_lies("flip") || (fake_lies("frail") && once && unlink(once) == 0)))
        return;
    ((unsigned long long *)p->c)[5] ^= 1ull << 17;
}

/* The twin has written down where each block ran. */
static void flip_places(const struct cf_grid_launch *launch)
{
    const struct cf_cuda_burn *p = launch->parameters;

    if (current != 41 || launch->entry != cf_grid_find("cf_cuda_burn_f64") || !p->processor ||
        !fake_lies("bad-sm"))
        return;
    for (unsigned b = 0, odd = 0; b < launch->grid.x; ++b) {
        const unsigned sm = p->processor[b];

        if (sm == 77 || (sm == 78 && odd++ % 2 == 0))
            ((unsigned long long *)p->out)[b * 256 + 9] ^= 8;
    }
}

static int start(const struct function *function, const void *parameters, unsigned x, unsigned y,
                 unsigned threads, unsigned shared, int cooperative)
{
    const struct cf_grid_launch launch = {.entry = function->entry,
                                          .fma = function->fma,
                                          .parameters = parameters,
                                          .grid = {x, y, 1},
                                          .block = {threads, 1, 1},
                                          .shared_bytes = shared,
                                          .cooperative = cooperative};

    if (fake_lies("launch-fails"))
        return INVALID;
    if (fake_lies("lost"))
        return LOST;
    if (fake_lies("frail") && current == 41 && launch.entry == cf_grid_find("cf_cuda_split_f32"))
        return LOST;
    if (fake_lies("silent"))
        return OK;
    while (fake_lies("hangs") && current == 41 &&
           launch.entry == cf_grid_find("cf_cuda_shuffle_f64"))
        pause();
    misbehave();
    if (cf_grid_run(&launch) != 0)
        return INVALID;
    flip(&launch);
    flip_places(&launch);
    return OK;
}

/* What a stream records, and what a graph is: a launch, with its parameters as they were then. */
struct launch {
    const struct function *function;
    unsigned x, y, threads, shared;
    int cooperative, n;
    char parameters[256];
};

struct stream {
    int records;
    struct launch recorded;
};

static int launch(void *function, const unsigned grid[3], const unsigned threads[3],
                  unsigned shared, struct stream *stream, void **parameters, int cooperative)
{
    struct launch *to = stream ? &stream->recorded : NULL;

    if (grid[2] * threads[1] * threads[2] != 1)
        return INVALID;
    if (!stream || !stream->records)
        return start(function, parameters[0], grid[0], grid[1], threads[0], shared, cooperative);
    *to =
        (struct launch){function, grid[0], grid[1], threads[0], shared, cooperative, to->n + 1, ""};
    memcpy(to->parameters, parameters[0], sizeof to->parameters);
    return OK;
}

EXPORT int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned bx,
                          unsigned by, unsigned bz, unsigned shared, void *stream,
                          void **parameters, void **extra)
{
    return extra ? INVALID
                 : launch(function, (unsigned[]){x, y, z}, (unsigned[]){bx, by, bz}, shared, stream,
                          parameters, 0);
}

EXPORT int cuLaunchCooperativeKernel(void *function, unsigned x, unsigned y, unsigned z,
                                     unsigned bx, unsigned by, unsigned bz, unsigned shared,
                                     void *stream, void **parameters)
{
    return launch(function, (unsigned[]){x, y, z}, (unsigned[]){bx, by, bz}, shared, stream,
                  parameters, 1);
}

EXPORT int cuStreamCreate(void **stream, unsigned flags)
{
    (void)flags;
    *stream = calloc(1, sizeof(struct stream));
    return OK;
}

EXPORT int cuStreamDestroy_v2(void *stream)
{
    free(stream);
    return OK;
}

EXPORT int cuStreamBeginCapture_v2(void *stream, int mode)
{
    struct stream *s = stream;

    if (fake_lies("no-capture"))
        return UNSUPPORTED;
    if (!s || s->records || mode != 1)
        return INVALID;
    *s = (struct stream){.records = 1};
    return OK;
}

EXPORT int cuStreamEndCapture(void *stream, void **graph)
{
    struct stream *s = stream;

    if (!s || !s->records)
        return INVALID;
    s->records = 0;
    *graph = malloc(sizeof s->recorded);
    memcpy(*graph, &s->recorded, sizeof s->recorded);
    if (fake_lies("graph-empty"))
        ((struct launch *)*graph)->n = 0;
    return OK;
}

EXPORT int cuGraphGetNodes(void *graph, void **nodes, size_t *n)
{
    *n = (size_t)((struct launch *)graph)->n;
    return nodes ? INVALID : OK;
}

EXPORT int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags)
{
    *executable = malloc(sizeof(struct launch));
    memcpy(*executable, graph, sizeof(struct launch));
    return flags == 0 ? OK : INVALID;
}

EXPORT int cuGraphLaunch(void *executable, void *stream)
{
    const struct launch *l = executable;

    if (!stream || ((struct stream *)stream)->records || l->n != 1)
        return INVALID;
    return fake_lies("graph-silent") ? OK
                                     : start(l->function, l->parameters, l->x, l->y, l->threads,
                                             l->shared, l->cooperative);
}

EXPORT int cuGraphDestroy(void *graph)
{
    free(graph);
    return OK;
}

EXPORT int cuGraphExecDestroy(void *executable)
{
    free(executable);
    return OK;
}

EXPORT int cuEventCreate(void **event, unsigned flags)
{
    *event = calloc(1, sizeof(struct timespec));
    return flags == 0 ? OK : INVALID;
}

EXPORT int cuEventRecord(void *event, void *stream)
{
    return stream ? INVALID : clock_gettime(CLOCK_MONOTONIC, event);
}

EXPORT int cuEventSynchronize(void *event)
{
    return event ? OK : INVALID;
}

EXPORT int cuEventElapsedTime(float *ms, void *from, void *to)
{
    const struct timespec *a = from, *b = to;

    *ms = fake_lies("timeless")
              ? 0
              : (float)(b->tv_sec - a->tv_sec) * 1e3f + (float)(b->tv_nsec - a->tv_nsec) * 1e-6f;
    return OK;
}

EXPORT int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t n_bytes,
                                void *stream)
{
    memcpy((void *)(size_t)to, (const void *)(size_t)from, n_bytes);
    return stream ? INVALID : OK;
}

EXPORT int cuGetErrorName(int error, const char **name)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {{INVALID, "CUDA_ERROR_INVALID_VALUE"},
                 {NO_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
                 {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
                 {NO_BINARY, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                 {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
                 {LOST, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                 {UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (names[i].error == error) {
            *name = names[i].name;
            return OK;
        }
    return INVALID;
}
