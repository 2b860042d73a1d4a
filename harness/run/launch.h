/* launch: how the process of a configuration is started. */
#ifndef CF_LAUNCH_H
#define CF_LAUNCH_H

#include "config.h"

#define CF_LAUNCH_WORDS 32

/* The command line: the worker with the configuration as its argument; with sysroot=DIR the worker
 * under that directory's dynamic loader and libraries; with command=... those words. argv is
 * NULL-terminated and points into text. */
struct cf_launch {
    char *text; /* owned */
    const char *argv[CF_LAUNCH_WORDS + 1];
    char **environment; /* owned: cf_config_environment and CONFORM_FD=3 */
};

/* -1 and a sentence when sysroot holds no loader for this machine, or the command has no words or
 * too many. */
int cf_launch_make(struct cf_launch *launch, const struct cf_config *config, const char *worker,
                   struct cf_error *err);
void cf_launch_free(struct cf_launch *launch);

#endif
