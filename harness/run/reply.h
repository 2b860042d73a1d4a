/* reply: one line of a worker or adapter, and what it means for the request. Whatever is no reply
 * is the fate protocol with a sentence that says why. */
#ifndef CF_REPLY_H
#define CF_REPLY_H

#include <stddef.h>

#include "config.h"
#include "record.h"
#include "tensor.h"

#define CF_REPLY_MAX (1 << 20) /* bytes of a line */

struct cf_reply {
    enum cf_fate fate; /* CF_RAN: hello was answered well, or the kernel ran */
    int64_t wall_ns;   /* -1 unknown */
    char reason[400];  /* a sentence for every fate but CF_RAN; state changes noted for CF_RAN */
    char chosen[CF_CHOSEN_MAX]; /* run: what the library chose to run; "": it said nothing */
    char *effective; /* hello: what is in effect, as sorted JSON; NULL: not said. Owned */
    void *outputs;   /* run: all outputs back to back; owned */
    uint64_t n_bytes;
};

/* `line` without its end. Compares what the configuration asks for with what is in effect. */
void cf_reply_hello(struct cf_reply *reply, const char *line, size_t n, int64_t id,
                    const struct cf_config *config);

/* Reads the outputs y0, y1, ... of these types and shapes from the file at `path`, when the line
 * says that they are there; removes the file. */
void cf_reply_run(struct cf_reply *reply, const char *line, size_t n, int64_t id,
                  const struct cf_tensor expected[], int n_expected, const char *path);

void cf_reply_free(struct cf_reply *reply);

/* Sets fate and sentence; the sentence is made printable and cut to fit. */
void cf_reply_set(struct cf_reply *reply, enum cf_fate fate, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
