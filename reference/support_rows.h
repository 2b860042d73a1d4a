/* support_rows: m reductions of n terms each. Inputs: [m,n]; out: [m]. Any m and n make sense. */
#ifndef CF_SUPPORT_ROWS_H
#define CF_SUPPORT_ROWS_H

#include "reference.h"

/* cf_op.shape with one input, and with two. */
int cf_rows_shape_1(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err);
int cf_rows_shape_2(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err);
/* cf_op.terms: n. */
int64_t cf_rows_terms(const struct cf_case *c, int o, int64_t i);
/* cf_op.places: row i of each input. */
void cf_rows_places(const struct cf_case *c, const struct cf_tensor in[], int64_t i,
                    int64_t first[], int64_t second[]);

#endif
