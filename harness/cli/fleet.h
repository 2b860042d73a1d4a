/* fleet: which part of the work is this process's, and what this machine is called. Nothing is
 * asked over a network: the launcher says it in the environment. */
#ifndef CF_FLEET_H
#define CF_FLEET_H

#include <stdint.h>

#include "plan.h"

/* Part `index` of `count`, from 0. */
struct cf_shard {
    int64_t index, count;
};

/* "I/N", or "auto": the first pair that the environment holds of CONFORM_SHARD_INDEX and _COUNT,
 * TEST_SHARD_INDEX and TEST_TOTAL_SHARDS (Bazel), SLURM_ARRAY_TASK_ID, _COUNT and _MIN,
 * SLURM_PROCID and SLURM_NTASKS, OMPI_COMM_WORLD_RANK and _SIZE, PMI_RANK and PMI_SIZE,
 * JOB_COMPLETION_INDEX and JOB_COMPLETIONS (Kubernetes). -1 and a sentence. */
int cf_fleet_shard(const char *word, struct cf_shard *shard, struct cf_error *err);

/* Leaves out the cases of other shards. A case belongs to the shard that the digest of its text
 * without variants says, so that a variant stays with what it varies. Returns the number left. */
int cf_fleet_keep(struct cf_plan *plan, const struct cf_shard *shard);

/* Writes into the store what merge needs to know: "node", the name of this machine, when `name`
 * says it or per_node is set (then the launcher's index as "n<index>", or the host's name where no
 * launcher is); "shard", "I/N", when this run is one (NULL: none) or per_node with a launcher. */
int cf_fleet_describe(struct cf_store *store, const char *name, int per_node,
                      const struct cf_shard *shard, struct cf_error *err);

#endif
