/* log: y[i] = log(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(log, mpfr_log, "the natural logarithm", 0x1p-120, 0x1p120, 1);
