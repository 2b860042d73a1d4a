/* talk: one configuration asked one thing after another, waiting for each answer: for what decides
 * from an answer what to ask next (training with checkpoints, finding a first divergence). */
#ifndef CF_TALK_H
#define CF_TALK_H

#include "case.h"
#include "record.h"
#include "tensor.h"

struct cf_talk;

/* A conversation with the worker (path) in a configuration; the process starts with the first
 * request, and `timeout_ms` is for each. NULL and a sentence when the configuration is none. */
struct cf_talk *cf_talk_start(const char *configuration, const char *worker, int timeout_ms,
                              struct cf_error *err);
void cf_talk_stop(struct cf_talk *talk);

/* What a request came to. */
struct cf_told {
    enum cf_fate fate;
    int64_t wall_ns;  /* the kernel's own time; -1 unknown */
    char reason[400]; /* for every fate but CF_RAN */
};

/* Runs an op once on inputs; outputs come with type and shape and get bits of their own when (and
 * only when) the fate is CF_RAN. `attributes` are the case's keys, or NULL: none. A worker that did
 * not survive is started again at the next request. */
void cf_talk_run(struct cf_talk *talk, const char *op, const struct cf_pairs *attributes,
                 const struct cf_tensor in[], int n_in, struct cf_tensor out[], int n_out,
                 struct cf_told *told);

/* What is in effect, as the worker said when it greeted (JSON); "{}" before the first request. The
 * talk keeps it. */
const char *cf_talk_effective(const struct cf_talk *talk);

#endif
