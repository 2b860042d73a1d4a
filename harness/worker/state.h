/* state: what a library can change behind its caller's back: the floating-point control of the
 * calling thread, and what belongs to the whole process. Read before load, after load and after
 * each call. */
#ifndef CF_STATE_H
#define CF_STATE_H

#include <jansson.h>
#include <sys/types.h>

#define CF_STATE_SIGNALS 7

struct cf_state {
    unsigned control; /* MXCSR without its sticky flags; FPCR on ARM; 0 elsewhere */
    unsigned x87;     /* x87 control word; 0 elsewhere */
    int rounding;     /* fegetround */
    dev_t cwd_device; /* the working directory */
    ino_t cwd_inode;
    void (*handler[CF_STATE_SIGNALS])(int); /* SEGV, FPE, ILL, BUS, INT, TERM, CHLD */
    char locale[128];
    mode_t umask;
};

void cf_state_read(struct cf_state *state);

/* An array of words: what differs: "mxcsr", "rounding", "x87", "cwd", "handler SIGFPE", "locale",
 * "umask". The caller owns the reference. */
json_t *cf_state_changed(const struct cf_state *before, const struct cf_state *after);

/* "nearest", "upward", "downward", "toward-zero", "unknown". */
const char *cf_state_rounding(const struct cf_state *state);

#endif
