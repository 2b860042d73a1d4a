/* fuzz exact: any bytes as operands of any reduction, on any instruction set, against MPFR. A
 * libFuzzer harness: built with clang and -fsanitize=fuzzer; a disagreement aborts. */
#include "exact_witness.h"

enum { MOST = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *isa, const struct cf_truth *exact, const struct cf_truth *got)
{
    fprintf(stderr, "%s: exact %a + %a scale %a, got %a + %a scale %a\n", isa, exact->rounded,
            exact->lo, exact->scale, got->rounded, got->lo, got->scale);
    abort();
}

struct input {
    enum witness_op op;
    enum cf_exact_format format;
    bool narrow;
    int n;
    double x[MOST], y[MOST];
    float xf[MOST], yf[MOST];
};

/* The first byte chooses; the others are the operands, x before y. */
static bool parse(struct input *in, const uint8_t *data, size_t size)
{
    if (size < 1)
        return false;
    in->op = (enum witness_op)(data[0] & 3);
    in->format = (enum cf_exact_format)(data[0] >> 2 & 3);
    in->narrow = (data[0] & 16) != 0;
    in->n = (int)((size - 1) / (in->narrow ? 8 : 16));
    in->n = in->n < MOST ? in->n : MOST;
    memcpy(in->narrow ? (void *)in->xf : (void *)in->x, data + 1,
           (size_t)in->n * (in->narrow ? 4 : 8));
    memcpy(in->narrow ? (void *)in->yf : (void *)in->y,
           data + 1 + (size_t)in->n * (in->narrow ? 4 : 8), (size_t)in->n * (in->narrow ? 4 : 8));
    for (int i = 0; in->narrow && i < in->n; ++i) {
        in->x[i] = (double)in->xf[i];
        in->y[i] = (double)in->yf[i];
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input in;
    struct cf_truth exact;
    struct witness w;

    if (!parse(&in, data, size))
        return 0;
    witness_start(&w);
    witness_sum(&w, in.op, in.x, in.y, in.n);
    exact = witness_truth(&w, in.format);
    for (int isa = 0; isa <= (int)cf_exact_best_isa(); ++isa) {
        struct cf_truth got;

        cf_exact_force_isa((enum cf_exact_isa)isa);
        got = in.narrow ? witness_got_f32(in.op, in.xf, in.yf, in.n, in.format, 1)
                        : witness_got(in.op, in.x, in.y, in.n, in.format, 1);
        if (!witness_agrees(&exact, &got, in.op))
            fail(cf_exact_isa_name((enum cf_exact_isa)isa), &exact, &got);
    }
    witness_stop(&w);
    return 0;
}
