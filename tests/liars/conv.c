#include "conv.h"

#include <stdlib.h>
#include <string.h>

/* One lie each; all others zero. */
struct lie {
    int pad;        /* added to the padding */
    int border;     /* drops the last tap of windows that reach into the padding */
    int swap;       /* stride and dilation change places */
    int bleed;      /* the last channel of a group is the next group's first */
    int input_bits; /* significand bits of the operands, as TF32 has 11 */
    int sum_bits;   /* of the running sum, as bf16 has 8 */
    int stale;      /* the workspace of the call before is not cleared */
};

static float rounded(float x, int bits)
{
    uint32_t word;

    if (bits == 0)
        return x;
    memcpy(&word, &x, sizeof word);
    word += (1u << (23 - bits)) + ((word >> (24 - bits)) & 1) - 1 + 0u;
    word &= ~((1u << (24 - bits)) - 1);
    memcpy(&x, &word, sizeof x);
    return x;
}

struct place {
    const struct cf_window *g;
    const struct lie *lie;
    int64_t n, k, p, q, c, r, s;
};

/* The pixel under a tap, as the lie has it; -1: none. */
static int64_t pixel(const struct place *at)
{
    const struct cf_window *g = at->g;
    const int64_t cg = g->c / g->groups, group = at->k / (g->k / g->groups);
    const int64_t stride = at->lie->swap ? g->dilation : g->stride;
    const int64_t dilation = at->lie->swap ? g->stride : g->dilation;
    const int64_t pad = g->pad + at->lie->pad;
    const int64_t h = at->p * stride - pad + at->r * dilation;
    const int64_t w = at->q * stride - pad + at->s * dilation;
    int64_t c = group * cg + at->c;

    if (at->lie->bleed && at->c == cg - 1)
        c = (group * cg + cg) % g->c;
    if (at->lie->border && at->r == g->r - 1 && at->s == g->s - 1 &&
        (at->p * stride < pad || at->q * stride < pad))
        return -1;
    return h < 0 || h >= g->h || w < 0 || w >= g->w ? -1
                                                    : ((at->n * g->c + c) * g->h + h) * g->w + w;
}

static float output(struct place *at, const float *x, const float *w, float start)
{
    const struct cf_window *g = at->g;
    const int64_t cg = g->c / g->groups;
    float sum = start;

    for (at->c = 0; at->c < cg; ++at->c)
        for (at->r = 0; at->r < g->r; ++at->r)
            for (at->s = 0; at->s < g->s; ++at->s) {
                const int64_t from = pixel(at);
                const int64_t tap = ((at->k * cg + at->c) * g->r + at->r) * g->s + at->s;

                if (from >= 0)
                    sum = rounded(sum + rounded(x[from], at->lie->input_bits) *
                                            rounded(w[tap], at->lie->input_bits),
                                  at->lie->sum_bits);
            }
    return sum;
}

/* A float and narrower, widened. The caller frees. */
static float *widened(const struct cf_tensor *t)
{
    const int64_t n = cf_tensor_count(t);
    float *wide = cf_alloc((size_t)(n + 1) * sizeof wide[0]);

    for (int64_t i = 0; i < n; ++i)
        wide[i] = (float)cf_tensor_get(t, i);
    return wide;
}

static enum cf_status run(const struct lie *lie, const struct cf_pairs *attributes,
                          const struct cf_tensor in[], struct cf_tensor out[])
{
    static float workspace[64]; /* what a stale kernel forgets to clear */
    struct cf_window g;
    int64_t i = 0;

    if (cf_window_read(&g, CF_FWD, attributes, in, out) != CF_DONE || out[0].dtype != CF_F32)
        return CF_UNSUPPORTED;
    float *x = widened(&in[0]), *w = widened(&in[1]);
    for (int64_t n = 0; n < g.n; ++n)
        for (int64_t k = 0; k < g.k; ++k)
            for (int64_t p = 0; p < g.p; ++p)
                for (int64_t q = 0; q < g.q; ++q, ++i) {
                    struct place at = {.g = &g, .lie = lie, .n = n, .k = k, .p = p, .q = q};
                    float *slot = &workspace[i % 64];

                    ((float *)out[0].bits)[i] = output(&at, x, w, lie->stale ? *slot : 0);
                    *slot = ((float *)out[0].bits)[i];
                }
    free(x);
    free(w);
    return CF_DONE;
}

#define LIAR(name, ...)                                                                            \
    static enum cf_status name(struct cf_library *library, const struct cf_pairs *attributes,      \
                               const struct cf_tensor in[], struct cf_tensor out[])                \
    {                                                                                              \
        static const struct lie lie = {__VA_ARGS__};                                               \
                                                                                                   \
        (void)library;                                                                             \
        return run(&lie, attributes, in, out);                                                     \
    }
LIAR(honest, 0)
LIAR(pad_off_by_one, .pad = 1)
LIAR(tap_dropped_at_border, .border = 1)
LIAR(stride_swapped, .swap = 1)
LIAR(group_bleed, .bleed = 1)
LIAR(tf32_inputs, .input_bits = 11)
LIAR(bf16_accumulator, .sum_bits = 8)
LIAR(stale_workspace, .stale = 1)

/* Winograd F(2,3) under a classical name. */
static enum cf_status winograd_as_classical(struct cf_library *library,
                                            const struct cf_pairs *attributes,
                                            const struct cf_tensor in[], struct cf_tensor out[])
{
    extern const struct cf_kernel cf_kernels_plain_winograd[];

    return cf_kernels_plain_winograd[0].run(library, attributes, in, out);
}

#define ENTRY(name_)                                                                               \
    {                                                                                              \
        .op = "conv2d_fwd", .name = #name_, .run = name_                                           \
    }
const struct cf_kernel cf_liars_conv[] = {ENTRY(honest),
                                          ENTRY(pad_off_by_one),
                                          ENTRY(tap_dropped_at_border),
                                          ENTRY(stride_swapped),
                                          ENTRY(group_bleed),
                                          ENTRY(tf32_inputs),
                                          ENTRY(bf16_accumulator),
                                          ENTRY(stale_workspace),
                                          ENTRY(winograd_as_classical),
                                          {.op = NULL}};
