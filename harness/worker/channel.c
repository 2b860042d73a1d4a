#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIGH        100
#define REQUEST_MAX (1 << 20)

/* To a high number, or wherever the limit allows; the old one is closed. */
static int move(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

    if (high < 0)
        high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (high >= 0)
        close(fd);
    return high;
}

int cf_channel_open(struct cf_channel *channel, struct cf_error *err)
{
    const char *name = getenv("CONFORM_FD");
    const int fd = name ? atoi(name) : 3;
    int request_fd, null;

    *channel = (struct cf_channel){.reply_fd = -1};
    if (fd < 3 || (channel->reply_fd = move(fd)) < 0)
        return cf_fail(err,
                       "replies go to descriptor %d, which is not open; start the worker with "
                       "CONFORM_FD=N and N open for writing, as in `3>replies`",
                       fd);
    request_fd = move(STDIN_FILENO);
    channel->requests = request_fd < 0 ? NULL : fdopen(request_fd, "r");
    if (!channel->requests)
        return cf_fail(err, "requests come from standard input, which is closed");
    null = open("/dev/null", O_RDONLY);
    if (null > STDIN_FILENO)
        close(null); /* 0 was taken: nothing of ours is there */
    return 0;
}

json_t *cf_channel_read(struct cf_channel *channel, const char **error)
{
    const ssize_t length = getline(&channel->line, &channel->capacity, channel->requests);
    json_t *request;

    *error = NULL;
    if (length <= 0)
        return NULL;
    request = length > REQUEST_MAX
                  ? NULL
                  : json_loadb(channel->line, (size_t)length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(request)) {
        *error = "a request must be one JSON object of at most 1 MiB on one line";
        json_decref(request);
        return NULL;
    }
    return request;
}

int cf_channel_write(struct cf_channel *channel, const json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT);
    size_t left, done = 0;

    CF_CHECK(text != NULL);
    left = strlen(text);
    text[left++] = '\n'; /* over the NUL: a reply is bytes from here on */
    while (left > 0) {
        const ssize_t n = write(channel->reply_fd, text + done, left);

        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
    free(text);
    return left == 0 ? 0 : -1;
}
