/* The backend API of the fake cuDNN: a descriptor is a bag of attributes; an operation is run by
 * the legacy functions (fakes/cudnn.c). */
#include <stdint.h>
#include <stdio.h>

#include "fake.h"

enum { OK = 0, BAD = 2000, UNSUPPORTED = 3000 };
enum { ENGINE = 2, CONFIG = 3, HEURISTIC = 4, PLAN = 5, ATTRIBUTES = 12, BYTES = 40 };

int cudnnCreate(void **handle);
int cudnnSetTensor4dDescriptor(void *desc, int format, int type, int n, int c, int h, int w);
int cudnnSetConvolution2dDescriptor(void *desc, int pad_h, int pad_w, int stride_h, int stride_w,
                                    int dilation_h, int dilation_w, int mode, int compute);
int cudnnSetConvolutionGroupCount(void *desc, int n);
int cudnnConvolutionForward(void *, const void *, void *, const void *, void *, const void *,
                            void *, int, void *, size_t, const void *, void *, void *);
int cudnnConvolutionBackwardData(void *, const void *, void *, const void *, void *, const void *,
                                 void *, int, void *, size_t, const void *, void *, void *);
int cudnnConvolutionBackwardFilter(void *, const void *, void *, const void *, void *, const void *,
                                   void *, int, void *, size_t, const void *, void *, void *);

struct bag {
    int type, final, n;
    struct {
        int name, type;
        int64_t count;
        char bytes[BYTES];
    } attribute[ATTRIBUTES];
};

static const size_t sizes[25] = {[0] = 8, [1] = 4, [3] = 8, [4] = 4,  [5] = 8, [6] = 8,
                                 [7] = 4, [8] = 4, [9] = 4, [11] = 4, [15] = 8};

EXPORT int cudnnBackendCreateDescriptor(int type, void **desc)
{
    struct bag *bag = calloc(1, sizeof *bag);

    bag->type = type;
    *desc = bag;
    return OK;
}

EXPORT int cudnnBackendDestroyDescriptor(void *desc)
{
    free(desc);
    return OK;
}

EXPORT int cudnnBackendSetAttribute(void *desc, int name, int type, int64_t n, const void *values)
{
    struct bag *bag = desc;

    if (!bag || bag->final || bag->n == ATTRIBUTES || type > 15 || sizes[type] == 0 ||
        (size_t)n * sizes[type] > BYTES)
        return BAD;
    bag->attribute[bag->n].name = name;
    bag->attribute[bag->n].type = type;
    bag->attribute[bag->n].count = n;
    memcpy(bag->attribute[bag->n++].bytes, values, (size_t)n * sizes[type]);
    return OK;
}

/* The bytes of an attribute that has to be there. */
static const void *find(const void *desc, int name)
{
    const struct bag *bag = desc;

    for (int i = 0; bag && i < bag->n; ++i)
        if (bag->attribute[i].name == name)
            return bag->attribute[i].bytes;
    return NULL;
}

static void *inner(const void *desc, int name)
{
    void *value = NULL;
    const void *bytes = find(desc, name);

    if (bytes)
        memcpy(&value, bytes, sizeof value);
    return value;
}

static int64_t number(const void *desc, int name, int i)
{
    int64_t value = -1;
    const char *bytes = find(desc, name);

    if (bytes)
        memcpy(&value, bytes + 8 * i, sizeof value);
    return value;
}

EXPORT int cudnnBackendFinalize(void *desc)
{
    struct bag *bag = desc;
    int status = OK;

    if (bag->type == ENGINE) {
        const int64_t index = number(desc, 1301, 0);

        status = !find(desc, 1300) || index < 0 ? BAD : index == 2 || index > 3 ? UNSUPPORTED : OK;
    }
    if (bag->type == PLAN) {
        const void *engine = inner(inner(desc, 401), 300);

        status = !find(desc, 400) || !engine    ? BAD
                 : number(engine, 1301, 0) == 2 ? UNSUPPORTED
                                                : OK;
    }
    bag->final = status == OK;
    return status;
}

/* A configuration of engine `index` over the heuristic's graph, into a descriptor that was made. */
static void fill(struct bag *config, void *graph, int64_t index)
{
    void *engine;

    cudnnBackendCreateDescriptor(ENGINE, &engine);
    cudnnBackendSetAttribute(engine, 1300, 15, 1, &graph);
    cudnnBackendSetAttribute(engine, 1301, 3, 1, &index);
    config->n = 0;
    cudnnBackendSetAttribute(config, 300, 15, 1, &engine);
    config->final = 1;
}

EXPORT int cudnnBackendGetAttribute(void *desc, int name, int type, int64_t wanted, int64_t *n,
                                    void *values)
{
    static const int64_t orders[][4] = {{1, 2, 0, 3}, {2, 0, 1, 3}};
    const int64_t *order = orders[fake_lies("other-engine")];
    const struct bag *bag = desc;
    const int64_t index = number(desc, 1301, 0);

    (void)type;
    *n = 0;
    if (name == 1303) { /* notes */
        const int note = index == 0 ? 0 : 4;

        if (index == 0 || index == 1) {
            memcpy(values, &note, sizeof note);
            *n = 1;
        }
        return wanted >= 10 ? OK : BAD;
    }
    *n = 1;
    if (name == 1301)
        memcpy(values, &index, sizeof index);
    else if (name == 302) { /* knobs: those that were set, else tile 7 of knob 1 */
        const void *knob = inner(desc, 302);
        const int first = 1;
        const int64_t value = 7;

        if (wanted < 1)
            return BAD;
        if (knob)
            memcpy(*(void **)values, knob, sizeof(struct bag));
        else if (cudnnBackendSetAttribute(*(void **)values, 600, 9, 1, &first) != OK ||
                 cudnnBackendSetAttribute(*(void **)values, 601, 3, 1, &value) != OK)
            return BAD;
    } else if (name == 600 && find(desc, 600))
        memcpy(values, find(desc, 600), sizeof(int));
    else if (name == 601 && find(desc, 601))
        memcpy(values, find(desc, 601), sizeof(int64_t));
    else if (name == 402)
        *(int64_t *)values = 128;
    else if (name == 300) /* the engine of a configuration, into one that was made */
        memcpy(*(void **)values, inner(desc, 300), sizeof(struct bag));
    else if (name == 202 && bag->type == HEURISTIC && bag->final && wanted >= 4)
        for (*n = 0; *n < 4; ++*n)
            fill(((void **)values)[*n], inner(desc, 201), order[*n]);
    else
        return BAD;
    return OK;
}

struct shape {
    int type, n, c, h, w, nhwc;
};

static struct shape shape_of(const void *tensor)
{
    int type = -1;

    memcpy(&type, find(tensor, 901), sizeof type);
    return (struct shape){type,
                          (int)number(tensor, 902, 0),
                          (int)number(tensor, 902, 1),
                          (int)number(tensor, 902, 2),
                          (int)number(tensor, 902, 3),
                          !fake_lies("layout") && number(tensor, 903, 1) == 1 &&
                              number(tensor, 903, 3) != 1};
}

/* The data of a tensor by its id. */
static void *data_of(const void *pack, const void *tensor)
{
    for (int i = 0; i < 3; ++i)
        if (number(pack, 1000, i) == number(tensor, 906, 0))
            return (void *)(size_t)number(pack, 1001, i);
    return NULL;
}

EXPORT int cudnnBackendExecute(void *handle, void *plan, void *pack)
{
    static const int role[3][3] = {{704, 703, 705}, {716, 715, 717}, {710, 709, 711}};
    const void *engine = inner(inner(plan, 401), 300), *operation = inner(inner(engine, 1300), 801);
    const int way = ((const struct bag *)operation)->type - 10; /* fwd, filter, data */
    const void *conv = inner(operation, way == 0 ? 702 : way == 1 ? 714 : 708);
    const int algorithm = number(engine, 1301, 0) == 1 ? 0 : 1; /* 0 differs backwards */
    struct shape shape[3];
    void *data[3], *workspace = inner(pack, 1003), *window[64] = {0};
    const float one = 1, zero = 0;

    for (int i = 0; i < 3; ++i) {
        const void *tensor = inner(operation, role[way][i]);

        shape[i] = shape_of(tensor);
        data[i] = data_of(pack, tensor);
        if (!data[i])
            return BAD;
    }
    cudnnSetConvolution2dDescriptor(window, (int)number(conv, 105, 0), (int)number(conv, 105, 1),
                                    (int)number(conv, 103, 0), (int)number(conv, 103, 1),
                                    (int)number(conv, 102, 0), (int)number(conv, 102, 1), 1, 0);
    cudnnSetConvolutionGroupCount(window, shape[0].c / shape[1].c);
    if (way == 0)
        return cudnnConvolutionForward(handle, &one, &shape[0], data[0], &shape[1], data[1], window,
                                       algorithm, workspace, 128, &zero, &shape[2], data[2]);
    if (way == 2)
        return cudnnConvolutionBackwardData(handle, &one, &shape[1], data[1], &shape[2], data[2],
                                            window, algorithm, workspace, 128, &zero, &shape[0],
                                            data[0]);
    return cudnnConvolutionBackwardFilter(handle, &one, &shape[0], data[0], &shape[2], data[2],
                                          window, algorithm, workspace, 128, &zero, &shape[1],
                                          data[1]);
}
