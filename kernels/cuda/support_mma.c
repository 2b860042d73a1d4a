/* mma.sync on the host. Which element of which matrix a register of a lane is, is written down here
 * once more and the other way round than in mma.cu (from the element to the register), so that a
 * wrong index there shows. The arithmetic is not the twin's own: it is the model of an H100's
 * tensor core (tensorcore.h). For e4m3 and e5m2 it is that of f16, whose instructions sm_90 runs,
 * two one after the other, each with 16 products. */
#include <string.h>

#include "grid.h"
#include "kernel.h"
#include "parameters.h"

/* How operands are packed: `per_word` of them, of 32 / per_word bits. */
struct packing {
    enum cf_tc_type type; /* what they are */
    enum cf_tc_type unit; /* whose arithmetic it is */
    int per_word, exponent_bits, fraction;
};

static const struct packing packings[] = {
    [CF_CUDA_MMA_F16] = {CF_TC_F16, CF_TC_F16, 2, 5, 10},
    [CF_CUDA_MMA_BF16] = {CF_TC_BF16, CF_TC_BF16, 2, 8, 7},
    [CF_CUDA_MMA_TF32] = {CF_TC_TF32, CF_TC_TF32, 1, 8, 23},
    [CF_CUDA_MMA_E4M3] = {CF_TC_E4M3, CF_TC_F16, 4, 4, 3},
    [CF_CUDA_MMA_E5M2] = {CF_TC_E5M2, CF_TC_F16, 4, 5, 2},
    [CF_CUDA_MMA_F16_F16] = {CF_TC_F16, CF_TC_F16, 2, 5, 10},
};

/* The value of an encoding. */
static float value_of(const struct packing *p, unsigned bits)
{
    const int bias = (1 << (p->exponent_bits - 1)) - 1, most = (1 << p->exponent_bits) - 1;
    const int e = (int)(bits >> p->fraction) & most;
    const unsigned f = bits & ((1u << p->fraction) - 1);
    const float sign = bits >> (p->exponent_bits + p->fraction) & 1 ? -1 : 1;

    if (e == most && p->type == CF_TC_E4M3)
        return f == 7 ? NAN : sign * ldexpf((float)(f + 8), e - bias - 3);
    if (e == most)
        return f ? NAN : sign * INFINITY;
    return sign *
           ldexpf((float)(f + (e ? 1u << p->fraction : 0)), (e ? e : 1) - bias - p->fraction);
}

/* Operand l of row (or column) `row`, from what all lanes gave from word `first` on. */
static struct cf_tc_operand find(const struct packing *p, const unsigned *all, int first, int row,
                                 int l)
{
    const int n_rows_of_words = first == 0 ? 2 : 1; /* of a: rows g and g + 8 */
    const int lane = row % 8 * 4 + l / p->per_word % 4;
    const int word = row / 8 + l / p->per_word / 4 * n_rows_of_words;
    const unsigned bits =
        all[lane * CF_GRID_WORDS + first + word] >> l % p->per_word * (32 / p->per_word);

    return cf_tc_take(value_of(p, bits & (unsigned)((1ull << 32 / p->per_word) - 1)), p->unit, 0);
}

static float quiet(float x)
{
    const unsigned nan = 0x7fffffff;

    if (isnan(x))
        memcpy(&x, &nan, sizeof x);
    return x;
}

/* Sum i of this lane with `sum` as its c. */
static float add(int unit, const unsigned *all, int i, float sum)
{
    const struct packing *p = &packings[unit];
    const struct cf_tensorcore *core = unit == CF_CUDA_MMA_F16_F16
                                           ? cf_tensorcore_find_half("h100")
                                           : cf_tensorcore_find("h100", p->unit);
    const int lane = (int)cf_grid_now.thread.x % 32, n = 8 * p->per_word;
    const int split = p->type != p->unit;
    struct cf_tc_operand a[32], b[32];

    for (int l = 0; l < n; ++l) {
        const int at = split ? l / 4 * 2 + l % 2 + (l % 4 < 2 ? 0 : n / 2) : l;

        a[at] = find(p, all, 0, lane / 4 + (i & 2) * 4, l);
        b[at] = find(p, all, 4, lane % 4 * 2 + (i & 1), l);
    }
    if (split)
        return quiet(sum + cf_tc_dot(&core->parameters, p->unit, 0, a, b, n));
    return cf_tc_dot(&core->parameters, p->unit, sum, a, b, n);
}

/* m8n8k4: lane 4 r + l has element (r, l) of a, and element (l, r) of b. */
static void add_doubles(double d[2], const unsigned *all)
{
    const struct cf_tensorcore *core = cf_tensorcore_find("h100", CF_TC_F64);
    const unsigned lane = cf_grid_now.thread.x % 32;
    double a[4], b[4];

    for (unsigned i = 0; i < 2; ++i) {
        for (unsigned l = 0; l < 4; ++l) {
            memcpy(&a[l], all + (lane / 4 * 4 + l) * CF_GRID_WORDS, sizeof a[l]);
            memcpy(&b[l], all + ((lane % 4 * 2 + i) * 4 + l) * CF_GRID_WORDS + 2, sizeof b[l]);
        }
        d[i] = cf_tc_dot_f64(&core->parameters, d[i], a, b, 4);
    }
}

unsigned cf_grid_narrow(float value)
{
    const struct cf_tc_operand x = cf_tc_take(value, CF_TC_F16, 0);
    const unsigned magnitude = (unsigned)(x.significand < 0 ? -x.significand : x.significand);
    const unsigned sign = signbit(value) ? 0x8000 : 0;

    if (x.exponent == CF_TC_NAN)
        return 0x7fff;
    if (x.exponent == CF_TC_INFINITE)
        return sign | 0x7c00;
    return sign | (magnitude >> 10 ? (unsigned)(x.exponent + 14) * 1024 + magnitude : magnitude);
}

float cf_grid_widen(unsigned bits)
{
    return quiet(value_of(&packings[CF_CUDA_MMA_F16], bits));
}

void cf_grid_mma(int unit, void *d, const void *a, const void *b)
{
    const int wide = unit == CF_CUDA_MMA_F64;
    unsigned words[CF_GRID_WORDS] = {0}, *halves = d;
    const unsigned *all;
    float sum[4];

    memcpy(words, a, wide ? 8 : 16);
    memcpy(words + (wide ? 2 : 4), b, 8);
    all = cf_grid_share(words);
    if (wide) {
        add_doubles(d, all);
        return;
    }
    for (int i = 0; i < 4; ++i) {
        sum[i] = unit == CF_CUDA_MMA_F16_F16 ? cf_grid_widen(halves[i / 2] >> i % 2 * 16 & 0xffff)
                                             : ((const float *)d)[i];
        sum[i] = add(unit, all, i, sum[i]);
    }
    if (unit == CF_CUDA_MMA_F16_F16)
        for (int i = 0; i < 2; ++i)
            halves[i] = cf_grid_narrow(sum[2 * i]) | cf_grid_narrow(sum[2 * i + 1]) << 16;
    else
        memcpy(d, sum, sizeof sum);
}
