/* gate_probing: one side of an upgrade with its settings moved one at a time, for a few cases. */
#ifndef CF_GATE_PROBING_H
#define CF_GATE_PROBING_H

#include "gating.h"
#include "knobs.h"

#define CF_KNOB_PROBES 6

struct cf_probes {
    int n, at[CF_KNOB_PROBES]; /* cases of the gate's plan */
};

struct cf_probing {
    const struct cf_gate_result *g;
    const struct cf_probes *probes;
    struct cf_knob knob[CF_KNOBS_MAX];
    int n_knobs;
    char *effective[CF_KNOBS_MAX + 1]; /* [0]: the side as it is; then one a knob */
    struct cf_store *store;
    char *path;
    struct cf_history history;
    int has_history;
};

/* Runs the cases on side `end` as it is (configuration 0) and with each of its knobs k (1 + k). The
 * probing starts as zeros, outlives its probes, and is closed whatever came of it. 0; 130 or 143:
 * interrupted; -1 and a sentence. */
int cf_probing_run(struct cf_probing *p, const struct cf_gate_result *g,
                   const struct cf_probes *probes, int end, struct cf_error *err);
void cf_probing_close(struct cf_probing *p);

/* Was the knob read back? One that was ignored proves nothing. */
int cf_probing_took(const struct cf_probing *p, int knob);
/* The one answer of a configuration to a probe. 0: it has none, or more than one. wall_ns: its
 * time, or -1; may be NULL. */
int cf_probing_digest(const struct cf_probing *p, int configuration, int probe,
                      struct cf_digest *digest, int64_t *wall_ns);

/* A knob as people write it: NAME="A B" of env.NAME=A B. The caller frees. */
char *cf_knob_words(const char *what);

#endif
