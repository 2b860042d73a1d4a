/* layers: kernels of layers with one planted fault each, beside honest ones of the same code. f32.
 */
#ifndef CF_LIARS_LAYERS_H
#define CF_LIARS_LAYERS_H

#include "kernel.h"

extern const struct cf_kernel cf_liars_layers[]; /* ended by op NULL */

#endif
