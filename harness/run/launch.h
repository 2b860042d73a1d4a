/* launch: how the process of a configuration is started. */
#ifndef CF_LAUNCH_H
#define CF_LAUNCH_H

#include "config.h"

#define CF_LAUNCH_WORDS 32

#define CF_LAUNCH_LIMITS 6 /* words before those of an adapter */

/* The command line: the worker with the configuration as its argument; with sysroot=DIR the worker
 * under that directory's dynamic loader and libraries; with command=... those words, which the
 * worker becomes after it has taken on its limits. argv is NULL-terminated and points into text. */
struct cf_launch {
    char *text, memory[40]; /* text: owned */
    const char *argv[CF_LAUNCH_LIMITS + CF_LAUNCH_WORDS + 1];
    char **environment; /* owned: cf_config_environment and CONFORM_FD=3 */
};

/* Most memory (RLIMIT_DATA): memory_mb; 0: an adapter may have three quarters of what the machine
 * or the control group has, and the worker all. -1 and a sentence when sysroot holds no loader for
 * this machine, or the command has no words or too many. */
int cf_launch_make(struct cf_launch *launch, const struct cf_config *config, const char *worker,
                   int64_t memory_mb, struct cf_error *err);
/* The words before those of an adapter's command, NULL-terminated; they point into `launch`,
 * `worker` and `cpus` (NULL: all CPUs). Returns how many. */
int cf_launch_limits(struct cf_launch *launch, const char *worker, int64_t memory_mb,
                     const char *cpus);
void cf_launch_free(struct cf_launch *launch);

#endif
