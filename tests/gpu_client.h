/* A worker whose driver and libraries are the fakes of tests/fakes, for tests. */
#ifndef CF_GPU_CLIENT_H
#define CF_GPU_CLIENT_H

#include "worker_client.h"

#define FAKES CF_BINARY_DIR "/fakes"

/* Ends the worker of the test before, if there is one, and starts another that is lied to. */
static inline void gpu_client_start(struct client *client, const char *configuration,
                                    const char *lie)
{
    const char *const argv[] = {WORKER, configuration, NULL};
    char *lies = cf_format("FAKE_GPU=%s", lie);
    const char *const environment[] = {"CONFORM_FD=3",           "LC_ALL=C", SANITIZER_OPTIONS,
                                       "LD_LIBRARY_PATH=" FAKES, lies,       NULL};

    if (client->pid > 0)
        client_stop(client);
    client_spawn(client, argv, environment);
    free(lies);
}

/* A key of the effective state of a hello's reply. */
static inline const char *gpu_client_said(const json_t *reply, const char *key)
{
    const char *value = json_string_value(
        json_object_get(json_object_get(json_object_get(reply, "result"), "effective"), key));

    return value ? value : "nothing";
}

#endif
