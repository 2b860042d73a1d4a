/* gating: what became of every case from an old to a new version, and because of what. */
#ifndef CF_GATING_H
#define CF_GATING_H

#include <stdio.h>

#include "history.h"
#include "versions.h"
#include "waivers.h"

struct cf_gated {
    struct cf_moved moved;
    struct cf_standing old, new;
    int fails; /* counts against the gate, before waivers */
    int is_waived;
};

struct cf_cause {
    char *sentence;           /* owned; NULL: nothing changed */
    char *knob;               /* "coretype=Haswell", NAME="A B" of a variable, or NULL; owned */
    int n_tried, n_ignored;   /* settings whose effect was read back; those without one */
    double price;             /* time with the knob / time without; NaN unknown */
    int n_restored, n_probed; /* cases */
    /* The same knob on both sides, where none restores all on the new side alone: */
    char *both, *both_knob; /* what agrees then, as a sentence; its knob. Or NULL; owned */
    int n_agreed;           /* of the cases that are left */
    double both_price;      /* of the new side */
};

/* In which order, and in which arithmetic, the terms of a changed element are added. */
#define CF_GATED_ORDERS 3
struct cf_gated_order {
    int index; /* of the case */
    int64_t element;
    int is_known;   /* both sides answered */
    char *sentence; /* old -> new; owned; NULL: no element is known to differ */
};

struct cf_gate_result {
    const struct cf_versions *v;
    const struct cf_options *options;
    int old, new;         /* ends */
    struct cf_gated *one; /* a case; owned */
    int n[CF_N_MOVES], n_failing, n_waived, n_undecided;
    double ratio; /* geometric mean over cases with other bits of new / old RMS error; NaN */
    char *components, *state; /* what moved; owned */
    char *chosen; /* what the libraries chose otherwise, as a sentence; or NULL; owned */
    char *blame;  /* the component that alone explains a case, as a sentence; or NULL */
    struct cf_cause cause;
    int n_orders; /* of different ops or types */
    struct cf_gated_order order[CF_GATED_ORDERS];
    const struct cf_findings *findings; /* of the store, when a level was asked for; or NULL */
    char refusals[1024];                /* of waivers, one a line */
};

/* Decides every case. -1 and a sentence. */
int cf_gate_decide(struct cf_gate_result *g, const struct cf_versions *v,
                   const struct cf_options *options, int old, int new,
                   const struct cf_findings *findings, struct cf_error *err);
/* Takes what is waived off the failing cases. -1 and a sentence. */
int cf_gate_waive(struct cf_gate_result *g, const char *path, struct cf_error *err);
/* Moves one knob at a time on the new side until the old bits are back, for at most six cases of
 * different kinds; for what is left, on both sides until they agree. 0; 130 or 143; -1. */
int cf_gate_find_cause(struct cf_gate_result *g, struct cf_error *err);
/* What the mapped files, the effective states and the choices of the libraries say. When both sides
 * have a BLAS of their own mapped, the two files are called directly: where each gives its side's
 * bits, it is to blame. */
int cf_gate_find_components(struct cf_gate_result *g, struct cf_error *err);
/* Asks both sides for the order of additions of at most three changed cases. 0; -1. */
int cf_gate_find_orders(struct cf_gate_result *g, struct cf_error *err);
void cf_gate_free(struct cf_gate_result *g);

/* 0, 1 regressed, 3 could not be measured or decided. */
int cf_gate_exit_code(const struct cf_gate_result *g);
/* The first screen, then the failing cases with their replay lines. */
void cf_gate_print(FILE *out, const struct cf_gate_result *g);
/* schema conform-gate/1 (docs/gate.md). */
int cf_gate_put_json(const struct cf_gate_result *g, const char *path, struct cf_error *err);

#endif
