/* block: cases whose inputs lie in files at the same time. Inputs are drawn once a block and read
 * by every worker. */
#ifndef CF_BLOCK_H
#define CF_BLOCK_H

#include "plan.h"
#include "reference.h"
#include "workplace.h"

#define CF_BLOCK_BYTES (256u << 20)

/* One case of the block. */
struct cf_block_case {
    int index;    /* into the plan's cases */
    char *params; /* of the run request: JSON members without braces and without "out". Owned */
    int n_outputs;
    struct cf_tensor outputs[CF_OPERANDS_MAX]; /* types and shapes; no bits */
    struct cf_digest inputs;
};

struct cf_block {
    int n;
    struct cf_block_case *cases;
};

/* Bytes of all inputs of a case. */
uint64_t cf_case_bytes(const struct cf_case *c);

/* The end of the block that begins with case `first`: at most CF_BLOCK_BYTES of inputs, or one
 * case. */
int cf_block_end(const struct cf_plan *plan, int first);

/* Draws the cases whose want[] is not zero, first..end-1, on `threads` threads, and writes the
 * inputs into the workplace. -1 and a sentence, with nothing left behind. */
int cf_block_draw(struct cf_block *block, const struct cf_plan *plan, int first, int end,
                  const char want[], const struct cf_workplace *place, int threads,
                  struct cf_error *err);
void cf_block_free(struct cf_block *block);

#endif
