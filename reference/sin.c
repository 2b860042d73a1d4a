/* sin: y[i] = sin(x[i]).  x, y: [n]. See support_elementary.h. */
#include "support_elementary.h"

CF_ELEMENTARY_OP(sin, mpfr_sin, "the sine, x in radians", 0x1p-20, 0x1p30, 2);
