/* The extent of a suite's full plan, from its own lists. */
#include <stdlib.h>

#include "measure.h"

struct extent {
    double n_max, n_outputs;
};

static void add_case(struct extent *extent, const struct cf_case *c, const struct cf_op *op)
{
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];

    if (!op->element || op->shape(c, in, out, NULL) != 0)
        return;
    for (int o = 0; o < op->n_outputs; ++o) {
        const int64_t n = cf_tensor_count(&out[o]), ends[] = {0, n / 2, n - 1};

        extent->n_outputs += (double)n;
        for (int k = 0; k < CF_COUNT(ends) && n > 0; ++k) {
            const double terms = (double)op->terms(c, o, ends[k]);

            extent->n_max = terms > extent->n_max ? terms : extent->n_max;
        }
    }
}

static int add_line(const char *line, void *context)
{
    struct cf_case c;

    if (cf_case_parse(&c, line, cf_op_grammar, NULL) != 0)
        return 0;
    add_case(context, &c, cf_op_find(c.op));
    cf_case_free(&c);
    return 0;
}

double cf_measure_lambda(const struct cf_suite *suite)
{
    struct extent extent = {1, 1};

    if (!suite)
        return cf_accuracy_lambda(0x1p18, 1e6);
    for (const struct cf_case_list *list = suite->lists; list->line; ++list)
        cf_pairs_expand(list->line, add_line, &extent, NULL);
    return cf_accuracy_lambda(extent.n_max, extent.n_outputs);
}
