/* tf32: inputs rounded to 11 significant bits, to nearest even, as tensor cores take float
 * operands in this mode (NVIDIA A100 white paper, 2020); then ((0 + t[0]) + t[1]) + ... in float.
 * Double operands keep all their bits. A subject that says what it does. */
#define KEEP   11
#define KERNEL tf32
#include "reduced.h"
