/* bf16: inputs rounded to 8 significant bits, to nearest even; then ((0 + t[0]) + t[1]) + ... in
 * float. Double operands keep all their bits. A subject that says what it does. */
#define KEEP   8
#define KERNEL bf16
#include "reduced.h"
