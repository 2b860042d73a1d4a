/* kernels: the module: every kernel of this folder for float and double,
 * and those of matrix units. */
#include "grid.h"
#include "parameters.h"

#include "mma.cu"

#define REAL     float
#define TYPED(x) x##_f32
#include "layers.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "window.cu"
#undef REAL
#undef TYPED
#define REAL     double
#define TYPED(x) x##_f64
#include "layers.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "window.cu"
