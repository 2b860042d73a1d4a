/* knobs: settings that may bring a library's old bits back, one at a time. */
#ifndef CF_KNOBS_H
#define CF_KNOBS_H

#include "config.h"

#define CF_KNOBS_MAX 48

struct cf_knob {
    char *line; /* the configuration with the knob moved; owned */
    char *what; /* "coretype=Haswell"; owned */
};

/* Every knob that makes sense for a configuration, given what its worker said is in effect (a JSON
 * object). A value that is in effect already is left out. Returns how many. */
int cf_knobs_list(struct cf_knob knobs[CF_KNOBS_MAX], const struct cf_config *config,
                  const char *effective);
void cf_knobs_free(struct cf_knob knobs[], int n);

/* Did moving the knob move anything that can be read back? A setting that was ignored proves
 * nothing. Both are JSON objects of effective state; "{}" is no state. */
int cf_knob_took_effect(const char *before, const char *after);

/* The files that two workers had mapped, by component (the name less its version): those that
 * differ, as "libscipy_openblas64_ 0.3.27 -> 0.3.31, ...", at most four and a count. The caller
 * frees; "" when none moved. */
struct cf_component {
    const char *path, *sha256, *version;
};
char *cf_components_moved(const struct cf_component old[], int n_old,
                          const struct cf_component new[], int n_new);

/* Keys of the effective state whose words differ: "coretype Haswell -> Zen, ...", at most four. The
 * caller frees. */
char *cf_state_moved(const char *old, const char *new);

#endif
