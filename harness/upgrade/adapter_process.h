/* adapter_process: a program at the other end of the protocol, spoken to line by line. */
#ifndef CF_ADAPTER_PROCESS_H
#define CF_ADAPTER_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#define CF_ADAPTER_FD 7 /* not the default, which a program might have wired in */

struct cf_adapter_process {
    pid_t pid;
    int requests, replies; /* -1: closed */
    int timeout_ms;
    char *line; /* the last reply; owned */
    size_t n_line;
};

/* 0, or -1 with errno: stdout and stderr go to /dev/null, stdin is the requests. */
int cf_adapter_start(struct cf_adapter_process *p, const char *const argv[], int timeout_ms);
/* Kills what is left of its group. */
void cf_adapter_stop(struct cf_adapter_process *p);

/* One line to it; then, unless it is only said, one line from it. NULL: it said nothing in time, or
 * more than a line of 1 MiB, and `why` says what. */
int cf_adapter_say(struct cf_adapter_process *p, const char *text);
const char *cf_adapter_hear(struct cf_adapter_process *p, const char **why);
const char *cf_adapter_ask(struct cf_adapter_process *p, const char *text, const char **why);
/* Nothing more within so many ms: 1; it said something more: 0. */
int cf_adapter_is_quiet(struct cf_adapter_process *p, int ms);
/* The command with `--conform-case FOLDER`: one case and no conversation. Its exit code, as below.
 */
int cf_adapter_once(const char *const argv[], const char *folder, int timeout_ms);
/* Its exit code once it has gone, -1 when it has not within so many ms, -2 for a signal. */
int cf_adapter_wait(struct cf_adapter_process *p, int ms);

#endif
