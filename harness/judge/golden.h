/* golden: a pack of cases with the digests of their only right answers, in one text file:
 *
 *   conform-golden/1
 *   INPUTS OUTPUTS CASE         one line a case: two XXH3-128 digests in hexadecimal, the text
 *   manifest sha256 HEX         of everything above it
 *
 * The answers come from the exact reference, or from integers that follow a fully specified order
 * of operations; never from a library or a processor's own arithmetic on the case. Only cases with
 * one right answer can be in a pack: ops whose order is their definition, and sums that no order
 * rounds (fills integer and spike). Lines are sorted, so that equal cases give equal bytes. */
#ifndef CF_GOLDEN_H
#define CF_GOLDEN_H

#include "reference.h"

struct cf_golden_case {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_digest inputs, outputs; /* outputs: all bits of all outputs, back to back */
};

struct cf_golden {
    int n;
    struct cf_golden_case *cases;
};

/* -1 and a sentence that names the line: another version, a manifest that does not match (a changed
 * or cut file), an unknown op, a case that is no case. `name`: of the pack, for the sentence. */
int cf_golden_parse(struct cf_golden *pack, const char *text, size_t n_bytes, const char *name,
                    struct cf_error *err);
void cf_golden_free(struct cf_golden *pack);

/* The pack of these case lines (braces make products) as text; NULL and a sentence when one has
 * more than one right answer. The caller frees. */
char *cf_golden_make(const char *const lines[], int n, int threads, struct cf_error *err);

/* The right outputs of a case (shaped, bits allocated; the caller frees each); -1 and a sentence.
 */
int cf_golden_answer(const struct cf_case *c, const struct cf_op *op, struct cf_tensor out[],
                     int threads, struct cf_error *err);

void cf_golden_digest(struct cf_digest *digest, const struct cf_tensor out[], int n_outputs);

/* The pack that is part of the program, which `conform qualify` uses: data/golden/qualify.golden.
 */
int cf_golden_builtin(struct cf_golden *pack, struct cf_error *err);

#endif
