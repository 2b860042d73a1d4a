/* channel: requests in, replies out, out of a library's reach. Both ends are moved to high
 * descriptors that close on exec; descriptor 0 becomes the null device, and a library that writes
 * to stdout or stderr writes into a log. */
#ifndef CF_CHANNEL_H
#define CF_CHANNEL_H

#include <jansson.h>
#include <stdio.h>

#include "error.h"

struct cf_channel {
    FILE *requests;
    int reply_fd;
    char *line; /* owned; the request in work */
    size_t capacity;
};

/* Requests come from stdin; replies go to the descriptor that $CONFORM_FD names, 3 if it is unset.
 * -1 and a sentence when that is no open descriptor. */
int cf_channel_open(struct cf_channel *channel, struct cf_error *err);

/* The next request, or NULL at the end of input (*error NULL) or when a line is no JSON object or
 * longer than 1 MiB (*error says what). The caller owns the reference. */
json_t *cf_channel_read(struct cf_channel *channel, const char **error);

/* One line. -1: the other side has gone. */
int cf_channel_write(struct cf_channel *channel, const json_t *reply);

#endif
