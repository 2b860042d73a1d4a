#include <math.h>
#include <stdlib.h>

#include "cublas.h"

/* Sign, biased exponent, fraction; the smallest normal exponent e_min has the biased exponent 1 and
 * shares it with the subnormals, whose is 0 (OCP 8-bit Floating Point Specification, 1.0, section
 * 5). */
unsigned char cf_cublas_fp8(double x, enum cf_tc_type type)
{
    const int fraction = cf_tc_e_min(type) - cf_tc_e_tiny(type);
    const struct cf_tc_operand taken = cf_tc_take((float)x, type, 0);
    const int magnitude = abs(taken.significand), hidden = 1 << fraction;
    const int biased = magnitude < hidden ? 0 : taken.exponent - cf_tc_e_min(type) + 1;
    const unsigned sign = signbit(x) ? 0x80 : 0;

    if (taken.exponent == CF_TC_NAN)
        return (unsigned char)(sign | 0x7f);
    if (taken.exponent == CF_TC_INFINITE)
        return (unsigned char)(sign | 0x7c); /* of e5m2 alone */
    return (unsigned char)(sign | (unsigned)biased << fraction |
                           (unsigned)(magnitude & (hidden - 1)));
}

int cf_cublas_fp8_take(struct cf_tensor *to, const struct cf_tensor *from, int transposed,
                       enum cf_tc_type type)
{
    const int64_t rows = from->dim[0], columns = from->dim[1];
    unsigned char *bytes = malloc((size_t)(rows * columns) + 1);

    *to = (struct cf_tensor){.dtype = CF_U8, .rank = 2, .dim = {rows, columns}, .bits = bytes};
    if (transposed) {
        to->dim[0] = columns;
        to->dim[1] = rows;
    }
    for (int64_t i = 0; bytes && i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            bytes[transposed ? j * rows + i : i * columns + j] =
                cf_cublas_fp8(cf_tensor_get(from, i * columns + j), type);
    return bytes ? CF_DONE : CF_NO_MEMORY;
}
