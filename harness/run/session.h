/* session: one process of one configuration, from its start to its end: hello, requests one at a
 * time, time limits, and what became of it. Runs on a libuv loop; every callback comes from it. */
#ifndef CF_SESSION_H
#define CF_SESSION_H

#include <uv.h>

#include "config.h"
#include "reply.h"

struct cf_session;

struct cf_session_options {
    const char *worker;   /* path of conform-worker */
    int64_t memory_mb;    /* of the process; 0: as cf_launch_make says */
    int start_timeout_ms; /* load and hello */
    int request_timeout_ms;
    int grace_ms; /* from SIGTERM to SIGKILL, both to the whole process group */
};

struct cf_session_events {
    /* Once: hello was answered well (CF_RAN; ask away) or the session is over. */
    void (*opened)(void *context, struct cf_session *, struct cf_reply *);
    /* Once a request; the reply's memory may be taken over. */
    void (*answered)(void *context, struct cf_session *, struct cf_reply *);
    /* Once, last, also after opened has said that it is over: process and descriptors are gone and
     * the session is freed when this returns. */
    void (*closed)(void *context, struct cf_session *);
};

/* What is asked: members of the request's params in JSON, without braces, "in" and all but "out";
 * what must come back; where it is to be written. Lives until it is answered. */
struct cf_ask {
    const char *params;
    const struct cf_tensor *outputs;
    int n_outputs;
    const char *out;
};

/* Starts the process; never fails: what goes wrong is told to `opened`. */
struct cf_session *cf_session_start(uv_loop_t *, const struct cf_config *,
                                    const struct cf_session_options *,
                                    const struct cf_session_events *, void *context);

/* May it be asked? Not before it has opened, while a request is in work, nor after a fate from
 * which it did not come back whole: then it is replaced. */
int cf_session_ready(const struct cf_session *);
int cf_session_is_open(const struct cf_session *); /* `opened` was called */
void cf_session_ask(struct cf_session *, const struct cf_ask *);

/* Lets the process leave by itself: bye, five seconds, then as for a time-out. `closed` follows. */
void cf_session_leave(struct cf_session *);
/* Kills the group at once; a request in work is not answered any more. `closed` follows. */
void cf_session_kill(struct cf_session *);

pid_t cf_session_pid(const struct cf_session *); /* 0 when there is no process */

#endif
