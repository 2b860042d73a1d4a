#include "model.h"

#include <stdlib.h>

struct cf_tc_operand *cf_model_take(const float *x, int64_t rows, int64_t columns, int transposed,
                                    enum cf_tc_type type, int flush)
{
    struct cf_tc_operand *all = malloc((size_t)(rows * columns + 1) * sizeof all[0]);

    for (int64_t i = 0; all && i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            all[transposed ? j * rows + i : i * columns + j] =
                cf_tc_take(x[i * columns + j], type, flush);
    return all;
}
