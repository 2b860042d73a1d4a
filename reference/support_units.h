/* units: what the references of the qualification's ops (chain, mix, memory) share. Their outputs
 * are defined by a fully specified order of operations, so they have one right answer, to the bit:
 * terms is 0 and leaves no room for another. kernels/vector/vector.h writes the orders out. */
#ifndef CF_UNITS_H
#define CF_UNITS_H

#include "reference.h"

#define CF_UNITS_TABLE 256

/* x [n], t [256] -> out [passes, n]; n a positive multiple of 128, or a sentence. */
int cf_units_shape(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                   struct cf_error *err);

/* Operands from the seed: floating numbers are multiples of 2^-p in [-1, 1), all bits in use;
 * integers are any. */
int cf_units_draw(const struct cf_case *c, struct cf_tensor in[], int n_inputs);

int64_t cf_units_terms(const struct cf_case *c, int o, int64_t i);

#endif
