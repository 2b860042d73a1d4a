/* draw: the inputs of a case from its text: integer arithmetic and exact scaling, one rounding to
 * the type at the end; so the same bits on every machine. Part of reference.h. */
#ifndef CF_DRAW_H
#define CF_DRAW_H

/* What a fill needs to know beside its stream. */
struct cf_fill_place {
    enum cf_dtype dtype;
    int operand, n_inputs; /* which input of how many */
    int64_t line, j, n;    /* element j of the n that are summed with each other; which such line */
    int64_t n_terms;       /* most terms that any output sums */
    int digits;            /* of the outputs' significand: what exact partial sums must fit */
    uint64_t seed;
};

/* A fill: how input bits are drawn, and what it would catch. `gates` are the letters of levels.md,
 * section 5. */
struct cf_fill {
    const char *name, *why;
    double (*value)(const struct cf_fill_place *place,
                    uint64_t i); /* flat index i of the operand */
};
extern const struct cf_fill cf_fills[]; /* ended by name NULL */
const struct cf_fill *cf_fill_find(const char *name);

/* Draws the inputs of a case (bits allocated; the caller frees each) with its variant applied, and
 * shapes the outputs (no bits). -1 and a sentence when the case makes no sense: then nothing is
 * allocated. */
int cf_case_draw(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                 struct cf_tensor out[], struct cf_error *err);

/* Types and shapes only, with the variant applied; every bits is NULL. -1 and a sentence. */
int cf_case_shape(const struct cf_case *c, const struct cf_op *op, struct cf_tensor in[],
                  struct cf_tensor out[], struct cf_error *err);

/* The flat index in the base case's output o of element i of this (variant) case's output o. */
int64_t cf_case_base_index(const struct cf_case *c, const struct cf_op *op, int o, int64_t i);

/* XXH3-128 over the digests of all inputs: what "same data" means. */
void cf_inputs_digest(struct cf_digest *digest, const struct cf_tensor in[], int n_inputs);

#endif
