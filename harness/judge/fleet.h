/* fleet: machines of a merged store next to the majority of the machines of their kind. A machine
 * is a value of node= in the configurations; its kind is the store's "node.NAME.kind". */
#ifndef CF_FLEET_JUDGE_H
#define CF_FLEET_JUDGE_H

#include "judgement.h"

/* Fills findings.nodes and n_nodes; nothing when no configuration says node=. For each case and
 * configuration, and among the machines of one kind, bits that more than half of the machines have
 * are the majority's; who has others is an outlier. Where no bits have more than half, or fewer
 * than two machines answered, no side is taken. A machine whose repeats differ from one another
 * has no bits of its own. -1 and a sentence when stored outputs cannot be read. */
int cf_judge_fleet(struct cf_judgement *j, struct cf_error *err);

#endif
