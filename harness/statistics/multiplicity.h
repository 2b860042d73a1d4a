/* multiplicity: many tests at once. An adjusted p is compared with alpha as if it were alone.
 *
 * A p that is NaN or above 1 counts as 1: it rejects nothing, and still counts as a test. Ties and
 * the order of the tests change nothing. adjusted may be p itself. */
#ifndef CF_MULTIPLICITY_H
#define CF_MULTIPLICITY_H

/* Family-wise error: P(any false rejection) <= alpha under any dependence. Holm, Scandinavian
 * Journal of Statistics 6, 1979. For fails, over the plan of the whole matrix. */
void cf_holm(double *adjusted, const double *p, int n);

/* False discovery rate, independent or positively dependent tests. Benjamini and Hochberg, Journal
 * of the Royal Statistical Society B 57, 1995. For a published list of passing configurations. */
void cf_benjamini_hochberg(double *adjusted, const double *p, int n);

#endif
