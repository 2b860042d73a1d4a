#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cf_library *open_model(const struct cf_pairs *keys, struct cf_error *err)
{
    const char *device = cf_pairs_get(keys, "device"), *kernel = cf_pairs_get(keys, "kernel");
    const int half = kernel && strcmp(kernel, "f16-f16") == 0;
    struct cf_library *library;
    enum cf_tc_type type = CF_TC_F16;

    if (!device || !cf_tensorcore_knows(device)) {
        cf_fail(err,
                "model %s; it knows device=v100, a100, h100, h200, b200 and ieee, as in `model "
                "device=h100 kernel=f16`",
                device ? "does not know this device" : "needs a device");
        return NULL;
    }
    if (half
            ? !cf_tensorcore_find_half(device)
            : kernel && cf_tc_type_parse(kernel, &type) == 0 && !cf_tensorcore_find(device, type)) {
        cf_fail(err, "the tensor cores of %s have no %s", device, kernel);
        return NULL;
    }
    library = cf_alloc_zero(sizeof *library);
    snprintf(library->device, sizeof library->device, "%s", device);
    library->type = type;
    library->half = half;
    return library;
}

static void close_model(struct cf_library *library)
{
    free(library);
}

static void emit_number(void (*emit)(void *, const char *, const char *), void *context,
                        const char *key, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    emit(context, key, text);
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    const struct cf_tensorcore *core = library->half
                                           ? cf_tensorcore_find_half(library->device)
                                           : cf_tensorcore_find(library->device, library->type);

    emit(context, "version", "1"); /* of the model: changes when its bits do */
    emit(context, "internal_api", "model");
    emit(context, "device", library->device);
    emit(context, "threads", "1");
    if (!core)
        return;
    emit(context, "source", core->source);
    emit_number(emit, context, "block", core->parameters.block);
    if (core->parameters.chain) {
        emit(context, "sum", "chain of fma");
        return;
    }
    emit(context, "sum", "aligned to the largest exponent, cut, added as integers");
    emit_number(emit, context, "fraction", core->parameters.fraction);
    emit_number(emit, context, "kept", core->parameters.kept);
}

const struct cf_backend cf_backend_model = {.name = "model",
                                            .why = "tensor cores of GPUs, bit for bit, on the CPU",
                                            .kernel = "f16",
                                            .open = open_model,
                                            .close = close_model,
                                            .state = state};
