/* cos: y[i] = cos(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(cos, mpfr_cos, "the cosine, x in radians", 0x1p-20, 0x1p30, 2);
