/* tanh: y[i] = tanh(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(tanh, mpfr_tanh, "the hyperbolic tangent", -10, 10, 0);
