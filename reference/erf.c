/* erf: y[i] = erf(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(erf, mpfr_erf,
                 "the error function, 2 / sqrt(pi) times the integral of exp(-t t) from 0 to x", -4,
                 4, 0);
