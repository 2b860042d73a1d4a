#include "kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Outputs back to back in one block, as a store holds them. */
static char *place_outputs(struct cf_tensor out[], int n_outputs, uint64_t *n_bytes)
{
    char *bits;

    *n_bytes = 0;
    for (int o = 0; o < n_outputs; ++o)
        *n_bytes += cf_tensor_bytes(&out[o]);
    bits = cf_alloc(*n_bytes + 1);
    memset(bits, 0xff, *n_bytes); /* NaN: an output that is left alone shows */
    *n_bytes = 0;
    for (int o = 0; o < n_outputs; ++o) {
        out[o].bits = bits + *n_bytes;
        *n_bytes += cf_tensor_bytes(&out[o]);
    }
    return bits;
}

static void must(int failed, const struct cf_error *err)
{
    if (failed)
        fprintf(stderr, "%s\n", err->text);
    CF_CHECK(!failed);
}

struct cf_check cf_check_kernel(const struct cf_kernel *kernel, struct cf_library *library,
                                const char *line)
{
    const struct cf_accuracy_rule rule = {.lambda = cf_accuracy_lambda(0x1p18, 1e6),
                                          .growth = kernel->class == CF_FAST ? kernel->growth : 0};
    struct cf_check check = {.status = CF_UNSUPPORTED};
    struct cf_error err = {{0}, 0};
    struct cf_reference reference;
    uint64_t n_bytes;
    struct cf_case c;

    must(cf_case_parse(&c, line, cf_op_grammar, &err) != 0, &err);
    must(cf_reference_open(&reference, &c, cf_op_find(c.op), NULL, 1, 0, &err) != 0, &err);
    struct cf_tensor out[CF_OPERANDS_MAX];
    memcpy(out, reference.out, sizeof out);
    char *bits = place_outputs(out, reference.op->n_outputs, &n_bytes);
    check.status = kernel->run(library, &c.keys, reference.in, out);
    if (check.status == CF_DONE)
        must(cf_accuracy_judge(&check.accuracy, &reference, &rule, bits, n_bytes, &err) != 0, &err);
    free(bits);
    cf_reference_close(&reference);
    cf_case_free(&c);
    return check;
}

void cf_check_failures(char text[32], const struct cf_check *check)
{
    text[0] = '\0';
    for (int g = 0; g <= CF_S4; ++g)
        if (check->accuracy.gate[g].n_failed > 0)
            snprintf(text + strlen(text), 32 - strlen(text), "S%d ", g + 1);
}

double cf_check_rms(const struct cf_check *check)
{
    const double n = (double)check->accuracy.n_errors;

    return n > 0 ? sqrt(check->accuracy.sum_squares / n) : 0;
}
