/* sides: what each configuration answered to one case, laid side by side: distinct outputs, the
 * elements at which they differ, and their errors against the exact answer. */
#ifndef CF_SIDES_H
#define CF_SIDES_H

#include "reference.h"
#include "store.h"

#define CF_ANSWERS_MAX 16

/* One distinct output of one configuration. */
struct cf_answer {
    struct cf_digest digest;
    int n_times;
    char chosen[CF_CHOSEN_MAX]; /* what the library chose the first time (chosen.h), or "" */
    struct cf_tensor out[CF_OPERANDS_MAX]; /* bits owned */
};

struct cf_side {
    int n_ran, n_answers, n_more; /* n_more: runs whose answers found no room */
    enum cf_fate fate;            /* the last one that is not CF_RAN, or CF_RAN */
    char reason[400];
    struct cf_answer answer[CF_ANSWERS_MAX];
};

/* One element at which sides differ, or err most. */
struct cf_spot {
    int output, differs;
    int64_t element;
    double error; /* the largest of any answer, in units of u * scale; NaN when it has no meaning */
};

struct cf_sides {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX]; /* out: shapes only */
    struct cf_truth *truth[CF_OPERANDS_MAX];
    int n;
    struct cf_side *side;
    int64_t n_elements, n_different;
};

/* Reads the records of a case (id as in the store) for configurations 1 .. n. -1 and a sentence. */
int cf_sides_read(struct cf_sides *sides, struct cf_store *store, const char *case_text,
                  int64_t case_id, int n, struct cf_error *err);
void cf_sides_free(struct cf_sides *sides);

/* At most `max` spots, those that differ first, then by error. Returns how many. */
int cf_sides_spots(const struct cf_sides *sides, struct cf_spot spots[], int max);

/* abs(got - exact) / (u * scale) of an answer's element; 0 when both are the same special value,
 * NaN when it has no meaning. */
double cf_sides_error(const struct cf_sides *sides, const struct cf_answer *answer, int output,
                      int64_t element);

/* What a side is called: "a", "b", ... "z", "s26", ... */
const char *cf_side_name(int i, char name[16]);

#endif
