/* kernels: the module: every kernel of this folder for float and double; products, sums and
 * convolutions for 16-bit operands too, whose arithmetic is in float; and those of matrix units. */
#include "grid.h"
#include "parameters.h"

#include "mma.cu"

#define REAL           float
#define ELEMENT        float
#define CF_CUDA_FORMAT 0
#define TYPED(x)       x##_f32
#include "elements.cu"
#include "embedding.cu"
#include "burn.cu"
#include "layers.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "wide.cu"
#include "window.cu"
/* These use the trees of reduce.cu and the windows of window.cu. */
#include "norms.cu"
#include "pooling.cu"
#undef REAL
#undef ELEMENT
#undef TYPED
#define REAL     double
#define ELEMENT  double
#define TYPED(x) x##_f64
#include "elements.cu"
#include "embedding.cu"
#include "burn.cu"
#include "layers.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "wide.cu"
#include "window.cu"
/* As above. */
#include "norms.cu"
#include "pooling.cu"
#undef REAL
#undef ELEMENT
#undef TYPED
#undef CF_CUDA_FORMAT
#define REAL           float
#define ELEMENT        unsigned short
#define CF_CUDA_FORMAT 16
#define TYPED(x)       x##_f16
#include "elements.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "window.cu"
#undef TYPED
#undef CF_CUDA_FORMAT
#define CF_CUDA_FORMAT 8
#define TYPED(x)       x##_bf16
#include "elements.cu"
#include "matrix.cu"
#include "reduce.cu"
#include "window.cu"
