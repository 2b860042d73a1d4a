/* exp: y[i] = exp(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(exp, mpfr_exp, "e to the x", -80, 80, 0);
