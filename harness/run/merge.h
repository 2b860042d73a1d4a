/* merge: stores of several machines, or of the shards of one run, made into one store. Nothing is
 * judged. The result is a function of the set of stores: their order on the command line does not
 * matter. */
#ifndef CF_MERGE_H
#define CF_MERGE_H

#include <stdint.h>

#include "error.h"

/* Writes a new store `out`. A store that says which machine of a fleet it is (meta "node"), or that
 * says neither this nor a shard (then its file's name is the machine's), gives its configurations
 * the key node=; shards of one run fall together. The machine's kind (vendor, family, model,
 * stepping and flags of the processor, product) becomes "node.NAME.kind"; what the environments
 * have in common stays "env.*", the rest becomes "env.NAME.*".
 *
 * expect > 0: how many stores there should be. *missing (owned by the caller) becomes the sentence
 * that says which are not there, NULL when all are.
 *
 * -1 and a sentence, and no store is left: stores of different versions of the program or made for
 * different levels; two stores of one machine and shard, which would count twice; one case with
 * different inputs or numbers of repetitions. */
int cf_merge(const char *out, const char *const paths[], int n, int64_t expect, char **missing,
             struct cf_error *err);

#endif
