#include "confine.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "worker.h"

/* The id of hello: nothing else can have been asked yet. */
static void refuse(const char *why)
{
    struct cf_channel channel;
    json_t *reply;

    if (cf_channel_open(&channel, NULL) != 0)
        return;
    reply = cf_worker_error("not-opened", "%s", why);
    json_object_set_new(reply, "id", json_integer(0));
    cf_channel_write(&channel, reply);
    json_decref(reply);
}

int cf_confine_exec(int64_t memory_mb, const char *cpus, char *const argv[])
{
    struct cf_error err;

    if (cf_confine(memory_mb, cpus, &err) == 0) {
        execvp(argv[0], argv);
        cf_fail(&err, "%s cannot be started: %s", argv[0], strerror(errno));
    }
    refuse(err.text);
    return 127;
}
