/* session_internal: what the files of the session share; nobody else includes it. */
#ifndef CF_SESSION_INTERNAL_H
#define CF_SESSION_INTERNAL_H

#include "capture.h"
#include "session.h"

enum phase { LOADING, IDLE, RUNNING, LEAVING, CLOSING };

/* How far a worker that must die has been helped on. */
enum force { NONE, TERMINATED, KILLED, GIVEN_UP };

struct cf_session {
    const struct cf_config *config;
    struct cf_session_options options;
    const struct cf_session_events *events;
    void *context;
    uv_loop_t *loop;
    uv_process_t process;
    uv_pipe_t requests, replies, log;
    uv_timer_t timer;
    int n_handles; /* not closed yet */
    enum phase phase;
    enum force force;
    int pid, exited, exit_status, exit_signal;
    int has_process, hung_up; /* a handle for it was made; it has closed its replies */
    int is_told, is_mute;     /* opened was called; nobody wants an answer */
    long oom_kills;
    int64_t id;
    struct cf_ask ask;
    struct cf_reply doom; /* fate that is told when the process is gone; CF_RAN: none yet */
    char *line;           /* of the reply in work */
    size_t n_line, room;
    char spoiled[80]; /* it said something unasked between requests */
    struct cf_capture capture;
    char block[65536];
};

/* The loop's own clock stands still while it works, for example at drawing inputs. */
void cf_session_start_timer(struct cf_session *, int ms);
/* An adapter may use what all CPUs give in so many milliseconds, from now on. */
void cf_session_limit_cpu(const struct cf_session *, int ms);
/* One line to the worker's stdin; takes the text over. */
void cf_session_send(struct cf_session *, char *text);
/* Callbacks of the handles. */
void cf_session_on_exit(uv_process_t *, int64_t status, int number);
void cf_session_on_reply(uv_stream_t *, ssize_t n, const uv_buf_t *);
void cf_session_on_log(uv_stream_t *, ssize_t n, const uv_buf_t *);
void cf_session_give_block(uv_handle_t *, size_t wanted, uv_buf_t *);

#endif
