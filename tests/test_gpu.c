/* gpu: what the worker does with a device, met on fakes (tests/fakes) that compute on the host and
 * lie on demand: each error of a driver becomes the right fate and a sentence, what is read back is
 * what the device says, and damage on the device is found. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "gpu_client.h"

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
    client.pid = 0;
}

TestSuite(gpu, .fini = tear_down);

static void start(const char *configuration, const char *lie)
{
    gpu_client_start(&client, configuration, lie);
}

/* Has this build device code? The fakes take a module only if it is one. */
static int has_code(void)
{
    json_t *reply;
    int none;

    start("cuda device=0", "");
    reply = client_hello(&client, 5000);
    none = strstr(reply_message(reply), "no device code") != NULL;
    if (none)
        fprintf(stderr, "skip: %s\n", reply_message(reply));
    else
        cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    json_decref(reply);
    return !none;
}

static const struct {
    const char *configuration, *lie, *code, *says;
} refused[] = {
    {"cuda device=0", "no-device", "not-opened", "cuInit answers CUDA_ERROR_NO_DEVICE"},
    {"cuda device=0", "no-context", "not-opened", "gives no context: CUDA_ERROR_OUT_OF_MEMORY"},
    {"cuda device=2", "", "state-mismatch", "device=2 was asked for; the CUDA driver has 2"},
    {"cuda device=x", "", "not-opened", "device=x is neither"},
    {"cuda device=GPU-00000000-0000-0000-0000-000000000000", "", "state-mismatch", "2 devices"},
    {"cuda device=0 flags=shuffled", "", "state-mismatch", "goes with device=cpu"},
    {"cuda device=cpu flags=graph", "", "state-mismatch", "knows only flags=shuffled"},
    {"cuda device=cpu flags=x", "", "state-mismatch", "knows only flags=shuffled"},
    {"cuda device=cpu lib=libcudart.so.13", "", "not-opened", "no absolute path"},
};

Test(gpu, what_cannot_be_opened_is_said_in_a_sentence)
{
    const int built = has_code();

    for (int i = 0; i < CF_COUNT(refused); ++i) {
        json_t *reply;

        if (!built && !strstr(refused[i].configuration, "device=cpu"))
            continue;
        start(refused[i].configuration, refused[i].lie);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), refused[i].code, "%s: %s", refused[i].configuration,
                         reply_message(reply));
        cr_expect(strstr(reply_message(reply), refused[i].says), "%s: %s", refused[i].configuration,
                  reply_message(reply));
        json_decref(reply);
    }
}

/* Without a driver at all: the machine of most readers. */
Test(gpu, no_driver_is_one_sentence)
{
    json_t *reply;

    if (!has_code() || access("/dev/nvidiactl", F_OK) == 0)
        return;
    client_stop(&client);
    client_start(&client, "cuda device=0");
    reply = client_hello(&client, 5000);
    cr_expect_str_eq(reply_code(reply), "not-opened");
    cr_expect_str_eq(reply_message(reply), "no CUDA driver: libcuda.so.1 is not found");
    json_decref(reply);
}

/* Keys of the effective state, on device B by its UUID. */
static const struct {
    const char *key, *value;
} effective[] = {{"device", "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f"},
                 {"device_name", "Fake B"},
                 {"architecture", "sm_90"},
                 {"multiprocessors", "132"},
                 {"memory_mb", "1024"},
                 {"driver_api", "13.0"},
                 {"driver", "580.159"},
                 {"ecc", "on"},
                 {"pending", "ecc changes at the next reset"},
                 {"mig", "off"},
                 {"persistence", "unknown"},
                 {"clock_sm_mhz", "345"},
                 {"clock_memory_mhz", "3201"},
                 {"temperature_c", "87"},
                 {"throttle", "thermal-software thermal-hardware"},
                 {"ecc_corrected", "7"},
                 {"ecc_uncorrected", "1"}};

Test(gpu, the_state_of_the_device_is_read_back)
{
    json_t *reply;

    if (!has_code())
        return;
    start("cuda device=GPU-10111213-1415-1617-1819-1a1b1c1d1e1f", "");
    reply = client_hello(&client, 5000);
    for (int i = 0; i < CF_COUNT(effective); ++i)
        cr_expect_str_eq(gpu_client_said(reply, effective[i].key), effective[i].value, "%s: %s",
                         effective[i].key, gpu_client_said(reply, effective[i].key));
    json_decref(reply);
    start("cuda device=1", "nvml-silent");
    reply = client_hello(&client, 5000);
    cr_expect_str_eq(gpu_client_said(reply, "device_name"), "Fake B");
    cr_expect_str_eq(gpu_client_said(reply, "nvml"), "does not know the device");
    cr_expect_str_eq(gpu_client_said(reply, "clock_sm_mhz"), "nothing");
    json_decref(reply);
}

/* A process sees one instance, which has to be the one asked for. */
static const struct {
    const char *device, *lie, *code, *uuid, *instance, *parent;
} instances[] = {
    {"MIG-30313233-3435-3637-3839-3a3b3c3d3e3f", "mig", "",
     "MIG-30313233-3435-3637-3839-3a3b3c3d3e3f", "9", "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"},
    {"0", "mig", "", "MIG-20212223-2425-2627-2829-2a2b2c2d2e2f", "7",
     "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"},
    {"0", "", "", "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f", "nothing", "nothing"},
    {"MIG-40414243-4445-4647-4849-4a4b4c4d4e4f", "mig", "not-opened", "nothing", "nothing",
     "nothing"},
    {"MIG-30313233-3435-3637-3839-3a3b3c3d3e3f", "", "state-mismatch", "nothing", "nothing",
     "nothing"},
};

Test(gpu, a_mig_instance_is_opened_by_its_uuid)
{
    for (int i = 0; has_code() && i < CF_COUNT(instances); ++i) {
        char *configuration = cf_format("cuda device=%s", instances[i].device);
        json_t *reply;

        start(configuration, instances[i].lie);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), instances[i].code, "%s: %s", configuration,
                         reply_message(reply));
        cr_expect_str_eq(gpu_client_said(reply, "device_uuid"), instances[i].uuid);
        cr_expect_str_eq(gpu_client_said(reply, "gpu_instance"), instances[i].instance);
        cr_expect_str_eq(gpu_client_said(reply, "mig_parent"), instances[i].parent);
        if (*instances[i].lie && !*instances[i].code) {
            cr_expect_str_eq(gpu_client_said(reply, "mig"), "on");
            cr_expect_str_eq(gpu_client_said(reply, "mig_instances"),
                             "MIG-20212223-2425-2627-2829-2a2b2c2d2e2f "
                             "MIG-30313233-3435-3637-3839-3a3b3c3d3e3f");
        }
        json_decref(reply);
        free(configuration);
    }
}

static const struct {
    const char *lie, *code, *graph; /* the fate, and that with flags=graph */
} lies[] = {
    {"", "", ""},
    {"past", "broke", "broke"},
    {"before", "broke", "broke"},
    {"input", "broke", "broke"},
    {"silent", "broke", "broke"}, /* the poison survives */
    {"launch-fails", "broke", "broke"},
    {"no-module", "broke", "broke"},
    {"no-capture", "", "broke"},
    {"graph-empty", "", "broke"},
    {"graph-silent", "", "broke"},
    {"lost", "no answer", "no answer"}, /* the worker ends: nothing after it can be trusted */
    {"out-of-memory", "out-of-memory", "out-of-memory"}};

Test(gpu, every_lie_of_a_device_has_its_fate)
{
    static const char *const kernels[] = {"tree", "grid", "atomic", "fixed"};

    for (int i = 0; has_code() && i < 2 * CF_COUNT(lies) * CF_COUNT(kernels); ++i) {
        const int graph = i % 2, which = i / 2 / CF_COUNT(kernels);
        const char *lie = lies[which].lie, *kernel = kernels[i / 2 % CF_COUNT(kernels)];
        const char *code = graph ? lies[which].graph : lies[which].code;
        double out[2] = {0, 0};
        json_t *reply;

        start(graph ? "cuda device=0 flags=graph" : "cuda device=0", lie);
        json_decref(client_hello(&client, 5000));
        reply = client_run_eights(&client, "dot", kernel, out, 0);
        if (strcmp(lie, "silent") == 0 && strcmp(kernel, "atomic") == 0)
            cr_expect_str_eq(reply_code(reply), "broke");
        else if (strcmp(lie, "out-of-memory") == 0)
            cr_expect_str_eq(reply_code(reply), "", "small operands fit");
        else
            cr_expect_str_eq(reply_code(reply), code, "%s, %s%s: %s (%s)", lie, kernel,
                             graph ? " in a graph" : "", reply_code(reply), reply_message(reply));
        if (strcmp(reply_code(reply), "") == 0)
            cr_expect(out[0] == exact[0] && out[1] == exact[1], "%s: %a %a", kernel, out[0],
                      out[1]);
        json_decref(reply);
    }
}

/* An operand that does not fit; alignment reaches the device. */
Test(gpu, memory_that_is_not_there_is_no_bug)
{
    struct cf_tensor x = make_tensor(CF_F64, 2, 1000), y = make_tensor(CF_F64, 2, -1);
    json_t *reply;

    if (!has_code())
        return;
    start("cuda device=0 align=8", "out-of-memory");
    json_decref(client_hello(&client, 5000));
    reply = client_run(&client, "sum", "tree", &x, 1, &y, 0);
    cr_expect_str_eq(reply_code(reply), "out-of-memory", "%s", reply_message(reply));
    json_decref(reply);
    start("cuda device=0 align=8", "");
    reply = client_hello(&client, 5000);
    cr_expect_str_eq(reply_code(reply), "");
    json_decref(reply);
    reply = client_run(&client, "sum", "shuffle", &x, 1, &y, 0);
    cr_expect_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    json_decref(reply);
    cf_tensor_free(&x);
    cf_tensor_free(&y);
}
