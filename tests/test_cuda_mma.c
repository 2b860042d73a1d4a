/* cuda_mma: the matrix unit on the host. Three accounts of where an element lies in the registers
 * of a warp have to agree: that of the kernels (mma.cu, from the register to the element), that of
 * the host's mma.sync (support_mma.c, from the element to the register), and the strides of CuTe's
 * traits, here. The arithmetic is the model's, so that whole products have to have the bits of the
 * backend model. */
#include <criterion/criterion.h>

#include "cuda_problems.h"
#include "infer.h"

/* ---- Where elements lie ---- */

/* Lane 4 g + t, operand u of word v + 2 w: element row + rows * k is the sum of each times its
 * stride. CUTLASS 3, include/cute/atom/mma_traits_sm80.hpp and mma_traits_sm89.hpp. */
struct layout {
    int t, g, u, v, w;
};

/* The encodings of 0.5, 1, 1.5 and 2; the sign is the highest of an operand's bits. */
static const struct {
    int unit, per_word;
    struct layout a, b;
    unsigned numbers[4];
} units[] = {
    {CF_CUDA_MMA_F16, 2, {32, 1, 16, 8, 128}, {16, 1, 8, 64, 0}, {0x3800, 0x3c00, 0x3e00, 0x4000}},
    {CF_CUDA_MMA_F16_F16,
     2,
     {32, 1, 16, 8, 128},
     {16, 1, 8, 64, 0},
     {0x3800, 0x3c00, 0x3e00, 0x4000}},
    {CF_CUDA_MMA_BF16, 2, {32, 1, 16, 8, 128}, {16, 1, 8, 64, 0}, {0x3f00, 0x3f80, 0x3fc0, 0x4000}},
    {CF_CUDA_MMA_TF32,
     1,
     {16, 1, 0, 8, 64},
     {8, 1, 0, 32, 0},
     {0x3f000000, 0x3f800000, 0x3fc00000, 0x40000000}},
    {CF_CUDA_MMA_E4M3, 4, {64, 1, 16, 8, 256}, {32, 1, 8, 128, 0}, {0x30, 0x38, 0x3c, 0x40}},
    {CF_CUDA_MMA_E5M2, 4, {64, 1, 16, 8, 256}, {32, 1, 8, 128, 0}, {0x38, 0x3c, 0x3e, 0x40}},
};
static const double numbers[4] = {0.5, 1, 1.5, 2};

/* What one warp multiplies: a [16,32], b [8,32], as indices of numbers; 4 and above: negative. */
struct tile {
    int number, exchange;
    int a[16 * 32], b[8 * 32];
    float d[16 * 8];
};

static unsigned word_of(const struct tile *tile, const int of[], const struct layout *s, int word)
{
    const int unit = tile->number, per_word = units[unit].per_word, bits = 32 / per_word;
    const int lane = (int)cf_grid_now.thread.x;
    unsigned result = 0;

    for (int u = 0; u < per_word; ++u) {
        const int i =
            lane % 4 * s->t + lane / 4 * s->g + u * s->u + word % 2 * s->v + word / 2 * s->w;
        const unsigned sign = of[i] > 3 ? 1u << (bits - 1) : 0;

        result |= (units[unit].numbers[of[i] % 4] | sign) << u * bits;
    }
    return result;
}

/* One mma.sync with registers filled and read by CuTe's strides; sums:
 * ((4,8),(2,2)):((32,1),(16,8)).
 */
static void multiply_tile(const void *parameters)
{
    struct tile *tile = (struct tile *)(uintptr_t)parameters;
    const int unit = tile->number, lane = (int)cf_grid_now.thread.x;
    unsigned a[4], b[2], halves[2] = {0, 0};
    float d[4] = {0, 0, 0, 0};

    for (int w = 0; w < 4; ++w)
        a[w] = word_of(tile, tile->a, &units[unit].a, w);
    for (int w = 0; w < 2; ++w)
        b[w] = word_of(tile, tile->b, &units[unit].b, w);
    if (tile->exchange) { /* the liar: the words of rows g + 8 and of later k change places */
        const unsigned kept = a[1];

        a[1] = a[2];
        a[2] = kept;
    }
    cf_grid_mma(units[unit].unit,
                units[unit].unit == CF_CUDA_MMA_F16_F16 ? (void *)halves : (void *)d, a, b);
    for (int v = 0; v < 4; ++v) {
        const int i = lane % 4 * 32 + lane / 4 + v % 2 * 16 + v / 2 * 8;

        tile->d[i % 16 * 8 + i / 16] = units[unit].unit == CF_CUDA_MMA_F16_F16
                                           ? cf_grid_widen(halves[v / 2] >> v % 2 * 16 & 0xffff)
                                           : d[v];
    }
}

static double value_of(int index)
{
    return index > 3 ? -numbers[index % 4] : numbers[index];
}

/* Sums that are not those of the matrices. */
static int count_wrong(struct tile *tile)
{
    const struct cf_grid_launch launch = {
        .entry = multiply_tile, .parameters = tile, .grid = {1, 1, 1}, .block = {32, 1, 1}};
    int wrong = 0;

    cr_assert_eq(cf_grid_run(&launch), 0);
    for (int i = 0; i < 16; ++i)
        for (int j = 0; j < 8; ++j) {
            double sum = 0;

            for (int l = 0; l < 8 * units[tile->number].per_word; ++l)
                sum += value_of(tile->a[l * 16 + i]) * value_of(tile->b[l * 8 + j]);
            wrong += !(tile->d[i * 8 + j] == sum);
        }
    return wrong;
}

Test(cuda_mma, fragments_are_those_of_cute)
{
    const struct cf_stream stream = {3, 9};
    uint64_t word = 0;

    for (int unit = 0; unit < CF_COUNT(units); ++unit) {
        struct tile tile = {.number = unit};

        for (int i = 0; i < 16 * 32; ++i)
            tile.a[i] = (int)(cf_stream_word(&stream, word++) % 8);
        for (int i = 0; i < 8 * 32; ++i)
            tile.b[i] = (int)(cf_stream_word(&stream, word++) % 8);
        cr_expect_eq(count_wrong(&tile), 0, "unit %d: %d sums", unit, count_wrong(&tile));
        tile.exchange = 1;
        cr_expect_gt(count_wrong(&tile), 64, "unit %d: exchanged words are not seen", unit);
    }
}

/* ---- Whole products ---- */

static const struct cf_kernel *kernel_of(const char *backend, const char *op, const char *name)
{
    const struct cf_kernel *kernel = cf_kernel_find(cf_backend_find(backend), op, name);

    cr_assert(kernel != NULL, "%s has no %s %s", backend, op, name);
    return kernel;
}

static const struct cf_pairs none;

/* Do two kernels give a product the same bits? */
static int agree(struct cf_library *x, const struct cf_kernel *a, struct cf_library *y,
                 const struct cf_kernel *b, enum cf_dtype dtype, const int64_t size[4])
{
    struct cf_tensor in[2] = {tensor(dtype, 2, (int64_t[4]){size[0], size[2]}),
                              tensor(dtype, 2, (int64_t[4]){size[2], size[1]})};
    struct cf_tensor got = tensor(dtype, 2, size), wanted = tensor(dtype, 2, size);
    int same;

    draw(&in[0], 1);
    draw(&in[1], 2);
    cr_assert_eq(a->run(x, &none, in, &got), CF_DONE);
    cr_assert_eq(b->run(y, &none, in, &wanted), CF_DONE);
    same = memcmp(got.bits, wanted.bits, cf_tensor_bytes(&got)) == 0;
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&got);
    cf_tensor_free(&wanted);
    return same;
}

static const struct {
    const char *kernel, *configuration, *other;
    enum cf_dtype dtype;
    int same;
} pairs[] = {
    {"mma-f16", "model device=h100", "f16", CF_F32, 1},
    {"mma-bf16", "model device=h200", "bf16", CF_F32, 1},
    {"mma-tf32", "model device=h100", "tf32", CF_F32, 1},
    {"mma-f16-f16", "model device=h100", "f16-f16", CF_F32, 1},
    {"mma-f64", "model device=h100", "f64", CF_F64, 1},
    {"mma-f64", "plain", "fma", CF_F64, 1},
    {"mma-f16", "model device=a100", "f16", CF_F32, 0},
    {"mma-f16", "model device=h100", "bf16", CF_F32, 0},
    {"mma-f16-f16", "model device=h100", "f16", CF_F32, 0},
    {"mma-e4m3", "model device=h100", "e4m3", CF_F32, 0}, /* wgmma's unit, not mma.sync's */
};
static const int64_t sizes[][4] = {
    {1, 1, 1}, {16, 8, 16}, {17, 9, 33}, {40, 35, 100}, {3, 70, 520}};

Test(cuda_mma, products_have_the_bits_of_the_model)
{
    struct cf_library *cuda = open_here("cuda device=cpu flags=shuffled");

    for (int i = 0; i < CF_COUNT(pairs); ++i) {
        char backend[8];
        struct cf_library *other = open_here(pairs[i].configuration);
        const struct cf_kernel *a = kernel_of("cuda", "gemm", pairs[i].kernel), *b;
        int n_same = 0;

        snprintf(backend, sizeof backend, "%.5s", pairs[i].configuration);
        b = kernel_of(backend, "gemm", pairs[i].other);
        for (int s = 0; s < CF_COUNT(sizes); ++s)
            n_same += agree(cuda, a, other, b, pairs[i].dtype, sizes[s]);
        if (pairs[i].same)
            cr_expect_eq(n_same, CF_COUNT(sizes), "%s against %s: %d", pairs[i].kernel,
                         pairs[i].other, n_same);
        else
            cr_expect_lt(n_same, CF_COUNT(sizes), "%s has all bits of %s %s", pairs[i].kernel,
                         pairs[i].configuration, pairs[i].other);
        b->backend->close(other);
    }
    cf_backend_cuda.close(cuda);
}

/* Every probe of the op, against what the parameters of an H100 predict. */
static int count_unpredicted(struct cf_library *cuda, const char *kernel, enum cf_tc_type type,
                             const struct cf_tensorcore *core, int number)
{
    const struct cf_probe probe = {type, number, cf_probe_k(number, type), 1};
    const enum cf_dtype dtype = type == CF_TC_F64 ? CF_F64 : CF_F32;
    const int64_t rows = cf_probe_count(&probe), both[4] = {rows, probe.k};
    struct cf_tensor in[3] = {tensor(dtype, 2, both), tensor(dtype, 2, both),
                              tensor(dtype, 1, both)};
    struct cf_tensor out = tensor(dtype, 1, both);
    struct cf_probe_row row;
    char text[64];
    struct cf_pairs attributes;
    int n = 0;

    for (int64_t i = 0; cf_probe_make(&probe, i, &row) == 0; ++i) {
        for (int64_t l = 0; l < probe.k; ++l) {
            cf_tensor_set(&in[0], i * probe.k + l, row.a[l]);
            cf_tensor_set(&in[1], i * probe.k + l, row.b[l]);
        }
        cf_tensor_set(&in[2], i, row.c);
    }
    snprintf(text, sizeof text, "mma type=%s", cf_tc_type_name(type));
    cr_assert_eq(cf_pairs_parse(&attributes, "a test", text, NULL), 0);
    if (rows > 0)
        cr_assert_eq(kernel_of("cuda", "mma", kernel)->run(cuda, &attributes, in, &out), CF_DONE);
    for (int64_t i = 0; i < rows; ++i)
        n += cf_tensor_encoding(&out, i) != cf_predict(&core->parameters, &probe, i);
    for (int i = 0; i < 3; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&out);
    cf_pairs_free(&attributes);
    return n;
}

Test(cuda_mma, probes_are_answered_as_predicted)
{
    static const struct {
        const char *kernel;
        enum cf_tc_type type;
    } asked[] = {{"f16", CF_TC_F16},
                 {"bf16", CF_TC_BF16},
                 {"tf32", CF_TC_TF32},
                 {"f64", CF_TC_F64},
                 {"f16-f16", CF_TC_F16}};
    struct cf_library *cuda = open_here("cuda device=cpu");

    for (int i = 0; i < CF_COUNT(asked); ++i) {
        const struct cf_tensorcore *core = strcmp(asked[i].kernel, "f16-f16") == 0
                                               ? cf_tensorcore_find_half("h100")
                                               : cf_tensorcore_find("h100", asked[i].type);
        const struct cf_tensorcore *a100 = cf_tensorcore_find("a100", asked[i].type);
        int n_other = 0;

        for (int number = 1; number <= CF_PROBES; ++number) {
            cr_expect_eq(count_unpredicted(cuda, asked[i].kernel, asked[i].type, core, number), 0,
                         "%s, probe %d", asked[i].kernel, number);
            n_other += count_unpredicted(cuda, asked[i].kernel, asked[i].type, a100, number);
        }
        cr_expect(n_other > 0 || asked[i].type == CF_TC_F64, "%s answers as an A100",
                  asked[i].kernel);
    }
    cf_backend_cuda.close(cuda);
}

/* fp8 as sm_90 runs it (test_cuda_code.c): M, -M and 2^-14 elsewhere. Products l and j are in one
 * instruction when l mod 4 and j mod 4 are both below 2, or neither is; c is added at the end, to
 * nearest. */
static const struct {
    int at; /* of -M; M is at 0 */
    float little, c, sum;
} rows[] = {
    {1, 0x1p-14f, 0, 16 * 0x1p-14f},           /* what is in the second survives */
    {2, 0x1p-14f, 0, 0},                       /* nothing does: it meets M, or M as its c */
    {17, 0x1p-14f, 0x1p-14f, 17 * 0x1p-14f},   /* so do those of the same half of a later word */
    {2, 0x1p-14f, 0x1p-14f, 0x1p-14f},         /* c meets no M */
    {1, 0x1p-28f, 1 + 0x1p-23f, 1 + 0x1p-22f}, /* a tie with 16 2^-28, to even */
};

Test(cuda_mma, fp8_adds_as_two_of_f16_and_an_addition)
{
    struct cf_library *cuda = open_here("cuda device=cpu");
    const int64_t n = CF_COUNT(rows), both[4] = {n, 32};
    struct cf_tensor in[3] = {tensor(CF_F32, 2, both), tensor(CF_F32, 2, both),
                              tensor(CF_F32, 1, both)};
    struct cf_tensor out = tensor(CF_F32, 1, both);
    struct cf_pairs attributes;

    for (int i = 0; i < n; ++i) {
        for (int l = 0; l < 32; ++l) {
            const int is_much = l == 0 || l == rows[i].at;
            const float root = is_much ? 128 : sqrtf(rows[i].little);

            cf_tensor_set(&in[0], i * 32 + l, l == rows[i].at ? -root : root);
            cf_tensor_set(&in[1], i * 32 + l, root);
        }
        cf_tensor_set(&in[2], i, rows[i].c);
    }
    cr_assert_eq(cf_pairs_parse(&attributes, "a test", "mma type=e5m2", NULL), 0);
    cr_assert_eq(kernel_of("cuda", "mma", "e5m2")->run(cuda, &attributes, in, &out), CF_DONE);
    for (int i = 0; i < n; ++i)
        cr_expect_eq((float)cf_tensor_get(&out, i), rows[i].sum, "row %d: %a, not %a", i,
                     cf_tensor_get(&out, i), rows[i].sum);
    cf_pairs_free(&attributes);
    for (int i = 0; i < 3; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&out);
    cf_backend_cuda.close(cuda);
}

/* ---- Operands ---- */

/* x times 1 is x rounded to the type, whatever x is. */
Test(cuda_mma, operands_are_packed_without_loss)
{
    static const struct {
        const char *kernel;
        enum cf_tc_type type;
        int fraction;
    } types[] = {{"mma-f16", CF_TC_F16, 10},
                 {"mma-bf16", CF_TC_BF16, 7},
                 {"mma-tf32", CF_TC_TF32, 10},
                 {"mma-e4m3", CF_TC_E4M3, 3},
                 {"mma-e5m2", CF_TC_E5M2, 2}};
    const float special[] = {0,    INFINITY, -INFINITY, NAN,   448, 464,
                             1e9f, -1e9f,    65519,     65520, 1,   -1};
    struct cf_library *cuda = open_here("cuda device=cpu");
    struct cf_tensor in[2] = {tensor(CF_F32, 2, (int64_t[4]){512, 1}),
                              tensor(CF_F32, 2, (int64_t[4]){1, 1})};
    struct cf_tensor out = tensor(CF_F32, 2, in[0].dim);
    const struct cf_stream stream = {5, 9};

    cf_tensor_set(&in[1], 0, 1);
    for (int t = 0; t < CF_COUNT(types); ++t) {
        for (int i = 0; i < 512; ++i) {
            const uint64_t word = cf_stream_word(&stream, (uint64_t)i);
            const double x = ldexp((double)(word >> 11), (int)(word % 40) - 73);

            cf_tensor_set(&in[0], i, i < CF_COUNT(special) ? special[i] : word & 64 ? x : -x);
        }
        cr_assert_eq(kernel_of("cuda", "gemm", types[t].kernel)->run(cuda, &none, in, &out),
                     CF_DONE);
        for (int i = 0; i < 512; ++i) {
            const float x = (float)cf_tensor_get(&in[0], i), got = (float)cf_tensor_get(&out, i);
            const struct cf_tc_operand taken = cf_tc_take(x, types[t].type, 0);

            if (taken.exponent == CF_TC_NAN)
                cr_expect(isnan(got), "%s: NaN becomes %a", types[t].kernel, got);
            else if (taken.exponent == CF_TC_INFINITE)
                cr_expect_eq(got, taken.significand * INFINITY, "%s: %a becomes %a",
                             types[t].kernel, x, got);
            else
                cr_expect_eq(got,
                             ldexpf((float)taken.significand, taken.exponent - types[t].fraction),
                             "%s: %a becomes %a", types[t].kernel, x, got);
        }
    }
    for (int i = 0; i < 2; ++i)
        cf_tensor_free(&in[i]);
    cf_tensor_free(&out);
    cf_backend_cuda.close(cuda);
}
