#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define GUARD      256
#define GUARD_BYTE 0xC5

#define OPERANDS 8 /* of one call */

/* CUDA_ERROR_OUT_OF_MEMORY, and the errors after which the context is lost (cuda.h): ECC, NVLINK,
 * illegal address, launch timeout, assert, hardware stack, illegal instruction, misaligned, address
 * space, invalid PC, launch failed. */
#define NO_MEMORY 2
static const int fatal[] = {214, 220, 700, 702, 710, 714, 715, 716, 717, 718, 719};

int cf_gpu_check(const struct cf_gpu *gpu, int answer, const char *what)
{
    const char *name = NULL;

    if (answer == 0)
        return CF_DONE;
    if (gpu->driver.error_name(answer, &name) != 0 || !name)
        name = "an unknown error";
    fprintf(stderr, "device %s: %s: %s (%d)\n", gpu->device, what, name, answer);
    for (int i = 0; i < CF_COUNT(fatal); ++i)
        if (answer == fatal[i]) {
            fprintf(stderr, "device %s: the context is lost; this worker ends\n", gpu->device);
            abort();
        }
    return answer == NO_MEMORY ? CF_NO_MEMORY : CF_BROKEN;
}

int cf_gpu_upload(const struct cf_gpu *gpu, struct cf_gpu_buffer *buffer, const void *from,
                  size_t n_bytes)
{
    const struct cf_gpu_driver *driver = &gpu->driver;
    const size_t before = GUARD + gpu->align;
    int status;

    *buffer = (struct cf_gpu_buffer){.n_bytes = n_bytes};
    status = cf_gpu_check(gpu, driver->allocate(&buffer->whole, before + n_bytes + GUARD),
                          "memory for an operand");
    if (status != CF_DONE) {
        buffer->whole = 0;
        return status;
    }
    buffer->data = buffer->whole + before;
    status = cf_gpu_check(gpu, driver->set_bytes(buffer->whole, GUARD_BYTE, before), "guard zone");
    if (status == CF_DONE)
        status = cf_gpu_check(gpu, driver->set_bytes(buffer->data + n_bytes, GUARD_BYTE, GUARD),
                              "guard zone");
    if (status == CF_DONE && n_bytes > 0)
        status = cf_gpu_check(gpu, driver->to_device(buffer->data, from, n_bytes), "copy to it");
    return status;
}

int cf_gpu_download(const struct cf_gpu *gpu, const struct cf_gpu_buffer *buffer, void *to)
{
    const int status = cf_gpu_check(gpu, gpu->driver.synchronize(), "waiting for it");

    if (status != CF_DONE || buffer->n_bytes == 0)
        return status;
    return cf_gpu_check(gpu, gpu->driver.to_host(to, buffer->data, buffer->n_bytes),
                        "copy from it");
}

static int intact(const struct cf_gpu *gpu, unsigned long long zone, size_t n_bytes)
{
    unsigned char bytes[GUARD + 4096];

    if (gpu->driver.to_host(bytes, zone, n_bytes) != 0)
        return 0;
    return bytes[0] == GUARD_BYTE && memcmp(bytes, bytes + 1, n_bytes - 1) == 0;
}

static int unchanged(const struct cf_gpu *gpu, const struct cf_gpu_buffer *buffer,
                     const void *original)
{
    void *copy = malloc(buffer->n_bytes + 1);
    const int same = copy && gpu->driver.to_host(copy, buffer->data, buffer->n_bytes) == 0 &&
                     memcmp(copy, original, buffer->n_bytes) == 0;

    free(copy);
    return same;
}

int cf_gpu_inspect(const struct cf_gpu *gpu, const struct cf_gpu_buffer *buffer,
                   const void *original)
{
    const char *damage = NULL;

    if (!intact(gpu, buffer->whole, (size_t)(buffer->data - buffer->whole)))
        damage = "wrote before the start of an operand";
    else if (!intact(gpu, buffer->data + buffer->n_bytes, GUARD))
        damage = "wrote past the end of an operand";
    else if (original && buffer->n_bytes > 0 && !unchanged(gpu, buffer, original))
        damage = "changed an input";
    if (damage)
        fprintf(stderr, "device %s: %s\n", gpu->device, damage);
    return damage ? CF_BROKEN : CF_DONE;
}

void cf_gpu_free(const struct cf_gpu *gpu, struct cf_gpu_buffer *buffer)
{
    if (buffer->whole)
        gpu->driver.release(buffer->whole);
    buffer->whole = 0;
}

/* Operand i is in[i], then out[i - n_in]. */
static int finish(struct cf_gpu *gpu, const struct cf_gpu_buffer *operand,
                  const struct cf_tensor in[], int n_in, struct cf_tensor out[], int n_out)
{
    int status = CF_DONE;

    for (int i = 0; i < n_out && status == CF_DONE; ++i)
        status = cf_gpu_download(gpu, &operand[n_in + i], out[i].bits);
    for (int i = 0; i < n_in + n_out && status == CF_DONE; ++i)
        status = cf_gpu_inspect(gpu, &operand[i], i < n_in ? in[i].bits : NULL);
    return status;
}

int cf_gpu_call(struct cf_gpu *gpu, const struct cf_tensor in[], int n_in, struct cf_tensor out[],
                int n_out, int (*body)(void *context, const struct cf_gpu_buffer *operand),
                void *context)
{
    struct cf_gpu_buffer operand[OPERANDS] = {{0}};
    int status = CF_DONE;

    CF_CHECK(n_in + n_out <= OPERANDS);
    for (int i = 0; i < n_in + n_out && status == CF_DONE; ++i) {
        const struct cf_tensor *t = i < n_in ? &in[i] : &out[i - n_in];

        status = cf_gpu_upload(gpu, &operand[i], t->bits, cf_tensor_bytes(t));
    }
    if (status == CF_DONE)
        status = body(context, operand);
    if (status == CF_DONE)
        status = finish(gpu, operand, in, n_in, out, n_out);
    for (int i = 0; i < n_in + n_out; ++i)
        cf_gpu_free(gpu, &operand[i]);
    return status;
}
