/* conv: kernels of conv2d_fwd that misbehave on purpose, one planted fault each, and one that does
 * not. They claim to be classical. */
#ifndef CF_LIARS_CONV_H
#define CF_LIARS_CONV_H

#include "kernel.h"

extern const struct cf_kernel cf_liars_conv[]; /* ended by op NULL */

#endif
