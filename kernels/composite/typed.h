/* An elementwise function is written once, over REAL. A file that defines TYPED_FILE as its own
 * name before it includes this header is included twice from here, with REAL float and double, and
 * TYPED(x) for its names. */
#ifdef TYPED_FILE
#define REAL     float
#define ROOT     sqrtf
#define TYPED(x) x##_f32
#include TYPED_FILE
#undef REAL
#undef ROOT
#undef TYPED
#define REAL     double
#define ROOT     sqrt
#define TYPED(x) x##_f64
#include TYPED_FILE
#undef REAL
#undef ROOT
#undef TYPED
#undef TYPED_FILE
#endif
