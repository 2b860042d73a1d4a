#include "support_rows.h"

int cf_rows_shape_1(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err)
{
    const int64_t m = cf_case_int(c, "m", 1), n = cf_case_int(c, "n", 0);

    (void)err;
    out[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 1, .dim = {m}};
    in[0] = (struct cf_tensor){.dtype = c->dtype, .rank = 2, .dim = {m, n}};
    return 0;
}

int cf_rows_shape_2(const struct cf_case *c, struct cf_tensor in[], struct cf_tensor out[],
                    struct cf_error *err)
{
    const int result = cf_rows_shape_1(c, in, out, err);

    in[1] = in[0];
    return result;
}

int64_t cf_rows_terms(const struct cf_case *c, int o, int64_t i)
{
    (void)o;
    (void)i;
    return cf_case_int(c, "n", 0);
}

void cf_rows_places(const struct cf_case *c, const struct cf_tensor in[], int64_t i,
                    int64_t first[], int64_t second[])
{
    (void)c;
    for (int64_t j = 0; j < in[0].dim[1]; ++j)
        first[j] = second[j] = i * in[0].dim[1] + j;
}
