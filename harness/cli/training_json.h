/* training_json: what train, sources and divergence found, for programs. Every value is an object
 * with a member "schema"; a number that is none is null. The caller owns the reference. */
#ifndef CF_TRAINING_JSON_H
#define CF_TRAINING_JSON_H

#include <jansson.h>

#include "divergence.h"
#include "sources.h"
#include "train.h"

/* {"schema": "conform-train/1", "case", "configuration", "from", "weights": "xxh3:...", "loss",
 * "accuracy", "distance": [{"step", "from_true"}, ...]}; distance[k] is that after step 2^k. */
json_t *cf_train_json(const char *case_line, const char *configuration,
                      const struct cf_train_result *result, const double distance[], int64_t n);

/* {"schema": "conform-sources/1", "case", "configuration", "sources": [{"source", "words",
 * "configuration", "reason" or "first": {stage: step or null}, "weights", "loss", "accuracy"}]} */
json_t *cf_sources_json(const struct cf_source sources[], const struct cf_source_result results[],
                        int n);

/* {"schema": "conform-divergence/1", "case", "a", "b", "kind", "step", "stage", "operation",
 * "elements", "different", "error_a", "error_b", "allowed", "sentence"} */
json_t *cf_divergence_json(const char *case_line, const char *a, const char *b,
                           const struct cf_divergence *found);

#endif
