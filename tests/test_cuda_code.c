/* cuda_code: what nvcc made of the kernels. The modules in the worker hold sm_90 machine code (ELF)
 * and PTX; a claim that a variant contracts products and sums, or does not, is read there. Opcodes
 * of sm_90 are the low 9 bits of a 16-byte instruction (bits 9 to 11 say where operands come from):
 * found by compiling known lines, and checked here the same way: each variant is the other's liar.
 */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cuda.h"

enum {
    FMUL = 0x020,
    FADD = 0x021,
    FFMA = 0x023,
    DMUL = 0x028,
    DADD = 0x029,
    DFMA = 0x02b,
    HMMA = 0x03c,
    F2FP = 0x03e, /* converts pairs */
    DMMA = 0x03f,
    QMMA = 0x07a,
    LDG = 0x181
};

struct code {
    const unsigned char *text;
    size_t n_bytes;
};

/* The section .text.NAME of the ELF file at `elf`; text NULL: there is none. */
static struct code section_of(const unsigned char *elf, const char *name)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)elf;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(elf + head->e_shoff);
    const char *names = (const char *)elf + sections[head->e_shstrndx].sh_offset;
    char wanted[96];

    snprintf(wanted, sizeof wanted, ".text.%s", name);
    for (int i = 0; i < head->e_shnum; ++i)
        if (strcmp(names + sections[i].sh_name, wanted) == 0)
            return (struct code){elf + sections[i].sh_offset, sections[i].sh_size};
    return (struct code){NULL, 0};
}

static const unsigned char *elf_of(struct cf_cuda_image image)
{
    return memmem(image.bytes, image.n_bytes, ELFMAG, SELFMAG);
}

static int count(struct code code, unsigned opcode)
{
    int n = 0;

    for (size_t at = 0; at + 16 <= code.n_bytes; at += 16) {
        unsigned short word;

        memcpy(&word, code.text + at, sizeof word);
        n += (word & 0x1ff) == opcode;
    }
    return n;
}

/* Kernels that multiply and add, and do nothing else that could hold an fma. */
static const char *const kernels[] = {
    "cf_cuda_tree",  "cf_cuda_grid",       "cf_cuda_serial",          "cf_cuda_tiled",
    "cf_cuda_split", "cf_cuda_window_fwd", "cf_cuda_window_bwd_data", "cf_cuda_window_bwd_filter"};

static void check(enum cf_cuda_variant variant, const char *kernel, int wide)
{
    const unsigned char *elf = elf_of(cf_cuda_image(variant));
    const unsigned fma = wide ? DFMA : FFMA, mul = wide ? DMUL : FMUL;
    char name[64];
    struct code code;

    snprintf(name, sizeof name, "%s_%s", kernel, wide ? "f64" : "f32");
    cr_assert(elf != NULL, "the module holds no machine code");
    code = section_of(elf, name);
    cr_assert(code.text != NULL, "%s is not in the module", name);
    if (variant == CF_CUDA_PLAIN)
        cr_expect(count(code, fma) == 0 && count(code, mul) > 0,
                  "%s rounds once: %d fma, %d products", name, count(code, fma), count(code, mul));
    else
        cr_expect(count(code, fma) > 0 && count(code, mul) == 0,
                  "%s is not contracted: %d fma, %d products", name, count(code, fma),
                  count(code, mul));
}

/* Instructions of a kernel, with what bits 64 on say under a mask. */
static int count_kind(struct code code, unsigned opcode, unsigned mask, unsigned kind)
{
    int n = 0;

    for (size_t at = 0; at + 16 <= code.n_bytes; at += 16) {
        unsigned short word;
        unsigned high;

        memcpy(&word, code.text + at, sizeof word);
        memcpy(&high, code.text + at + 8, sizeof high);
        n += (word & 0x1ff) == opcode && (high & mask) == kind;
    }
    return n;
}

static int is_built(void)
{
    if (cf_cuda_image(CF_CUDA_PLAIN).n_bytes > 0)
        return 1;
    fprintf(stderr, "skip: this build has no device code (nvcc is not there, or CF_CUDA=OFF)\n");
    return 0;
}

Test(cuda_code, contracted_where_it_says_so_and_nowhere_else)
{
    for (int i = 0; is_built() && i < CF_COUNT(kernels); ++i)
        for (int wide = 0; wide < 2; ++wide) {
            check(CF_CUDA_PLAIN, kernels[i], wide);
            check(CF_CUDA_FMA, kernels[i], wide);
        }
    /* In wide a product and its sum lie in different blocks here and there, and are not contracted
     * then: there is no kernel wide-fma. */
    for (int wide = 0; is_built() && wide < 2; ++wide)
        check(CF_CUDA_PLAIN, "cf_cuda_wide", wide);
}

/* PTX, which a driver compiles for other devices, has to say the same: mul.rn and add.rn may not be
 * contracted by ptxas (PTX ISA, section 9.7.3). */
Test(cuda_code, ptx_says_the_same)
{
    static const struct {
        enum cf_cuda_variant variant;
        const char *has, *lacks;
    } words[] = {{CF_CUDA_PLAIN, "mul.rn.f32", "mul.f32"}, {CF_CUDA_FMA, "fma.rn.f32", NULL}};

    for (int i = 0; is_built() && i < CF_COUNT(words); ++i) {
        const struct cf_cuda_image image = cf_cuda_image(words[i].variant);
        const char *ptx = memmem(image.bytes, image.n_bytes, ".version ", 9);
        const size_t n = ptx ? image.n_bytes - (size_t)(ptx - (const char *)image.bytes) : 0;

        cr_assert(ptx != NULL, "module %d holds no PTX", i);
        cr_expect(memmem(ptx, n, words[i].has, strlen(words[i].has)), "no %s", words[i].has);
        if (words[i].lacks)
            cr_expect(!memmem(ptx, n, words[i].lacks, strlen(words[i].lacks)), "has %s",
                      words[i].lacks);
    }
}

/* Vectors are 16 bytes in one load, and four of them are asked for in a row: bits 73 to 75 of a
 * load say how much it takes. */
Test(cuda_code, wide_sums_ask_for_sixteen_bytes_at_once)
{
    for (int wide = 0; is_built() && wide < 2; ++wide) {
        const struct code code = section_of(elf_of(cf_cuda_image(CF_CUDA_PLAIN)),
                                            wide ? "cf_cuda_wide_f64" : "cf_cuda_wide_f32");
        const struct code tree = section_of(elf_of(cf_cuda_image(CF_CUDA_PLAIN)),
                                            wide ? "cf_cuda_tree_f64" : "cf_cuda_tree_f32");

        cr_assert(code.text && tree.text);
        cr_expect_geq(count_kind(code, LDG, 0xe00, 0xc00), 16);
        cr_expect_eq(count_kind(tree, LDG, 0xe00, 0xc00), 0);
        cr_expect_gt(count_kind(tree, LDG, 0xe00, wide ? 0xa00 : 0x800), 0);
    }
}

/* Matrix instructions by what they hold: of HMMA bit 11 says 16 products of 16-bit operands, bit 12
 * sums in f32, bits 18 and 19 bf16 and tf32; the lowest eight the register of c, 255: zero. */
#define KIND 0xc1800
#define C    0xff
static const struct {
    const char *kernel, *ptx;
    unsigned opcode, kind;
} units[] = {
    {"f16_f32", "m16n8k16.row.col.f32.f16.f16.f32", HMMA, 0x01800},
    {"bf16_f32", "m16n8k16.row.col.f32.bf16.bf16.f32", HMMA, 0x41800},
    {"tf32_f32", "m16n8k8.row.col.f32.tf32.tf32.f32", HMMA, 0x81000},
    {"f16_f16", "m16n8k16.row.col.f16.f16.f16.f16", HMMA, 0x00800},
    {"e4m3_f32", "m16n8k32.row.col.f32.e4m3.e4m3.f32", HMMA, 0x01800},
    {"e5m2_f32", "m16n8k32.row.col.f32.e5m2.e5m2.f32", HMMA, 0x01800},
    {"f64", "m8n8k4.row.col.f64.f64.f64.f64", DMMA, 0},
};

static struct code code_of(enum cf_cuda_variant variant, const char *kernel)
{
    const unsigned char *elf = elf_of(cf_cuda_image(variant));
    char name[64];
    struct code code;

    snprintf(name, sizeof name, "cf_cuda_mma_%s", kernel);
    cr_assert(elf != NULL);
    code = section_of(elf, name);
    cr_assert(code.text != NULL, "%s is not in the module", name);
    return code;
}

Test(cuda_code, matrix_units_are_used_for_what_they_hold)
{
    for (int i = 0; is_built() && i < CF_COUNT(units); ++i) {
        const struct code code = code_of(CF_CUDA_PLAIN, units[i].kernel);
        const int right =
            count_kind(code, units[i].opcode, units[i].opcode == HMMA ? KIND : 0, units[i].kind);
        const struct cf_cuda_image image = cf_cuda_image(CF_CUDA_PLAIN);
        char ptx[96];

        cr_expect_gt(right, 0, "%s has no such instruction", units[i].kernel);
        cr_expect_eq(count(code, HMMA) + count(code, DMMA) + count(code, QMMA), right,
                     "%s has others", units[i].kernel);
        cr_expect_eq(count(code, FFMA) + count(code, DFMA), 0, "%s multiplies beside it",
                     units[i].kernel);
        snprintf(ptx, sizeof ptx, "mma.sync.aligned.%s", units[i].ptx);
        cr_expect(memmem(image.bytes, image.n_bytes, ptx, strlen(ptx)), "no %s", ptx);
    }
}

/* Of each mma.sync of fp8 two of f16, the first with c = 0, and four additions of f32 behind
 * conversions; of all others the sums themselves go in as c, and there is no addition. */
Test(cuda_code, fp8_is_two_instructions_of_f16_and_an_addition)
{
    for (int i = 0; is_built() && i < CF_COUNT(units); ++i) {
        const struct code code = code_of(CF_CUDA_PLAIN, units[i].kernel);
        const int n = count(code, HMMA), from_zero = count_kind(code, HMMA, C, C);

        if (units[i].kernel[0] == 'e') {
            cr_expect_eq(2 * from_zero, n, "%s: %d of %d from zero", units[i].kernel, from_zero, n);
            cr_expect_eq(count(code, FADD), 4 * from_zero, "%s: %d additions", units[i].kernel,
                         count(code, FADD));
            cr_expect_eq(count(code, F2FP), 12 * from_zero, "%s: %d conversions", units[i].kernel,
                         count(code, F2FP));
        } else {
            cr_expect_eq(from_zero + count(code, FADD), 0, "%s: %d, %d", units[i].kernel, from_zero,
                         count(code, FADD));
        }
    }
}

/* The PTX of one kernel, to the start of the next; n_bytes 0: there is none. */
static struct code ptx_of(enum cf_cuda_variant variant, const char *kernel)
{
    const struct cf_cuda_image image = cf_cuda_image(variant);
    const char *end = (const char *)image.bytes + image.n_bytes, *from, *to;
    char head[96];

    if (image.n_bytes == 0)
        return (struct code){NULL, 0};
    snprintf(head, sizeof head, ".entry %s(", kernel);
    from = memmem(image.bytes, image.n_bytes, head, strlen(head));
    if (!from)
        return (struct code){NULL, 0};
    to = memmem(from + 1, (size_t)(end - from) - 1, ".entry ", 7);
    return (struct code){(const unsigned char *)from, (size_t)((to ? to : end) - from)};
}

/* Quotients and roots hold fma of their own in machine code, but are one word of PTX: what norms
 * contract is read there. */
Test(cuda_code, norms_are_contracted_where_they_say_so)
{
    static const char *const norms[] = {"cf_cuda_norm_statistics_f32", "cf_cuda_norm_sums_f32",
                                        "cf_cuda_norm_parameters_f32", "cf_cuda_norm_fwd_f32"};

    for (int i = 0; is_built() && i < CF_COUNT(norms); ++i) {
        const struct code once = ptx_of(CF_CUDA_PLAIN, norms[i]);
        const struct code fused = ptx_of(CF_CUDA_FMA, norms[i]);

        cr_assert(once.text && fused.text, "%s is not in the module", norms[i]);
        cr_expect(memmem(once.text, once.n_bytes, "mul.rn.f32", 10), "%s", norms[i]);
        cr_expect(!memmem(once.text, once.n_bytes, "fma.rn.f32", 10), "%s", norms[i]);
        cr_expect(memmem(fused.text, fused.n_bytes, "fma.rn.f32", 10), "%s", norms[i]);
    }
}

/* Products that are to round in themselves do, whatever is made of their uses. */
Test(cuda_code, a_product_that_is_to_round_does)
{
    const struct code sums = ptx_of(CF_CUDA_FMA, "cf_cuda_norm_sums_f32");
    const struct code back = ptx_of(CF_CUDA_FMA, "cf_cuda_norm_bwd_f32");

    if (!is_built())
        return;
    cr_assert(sums.text && back.text);
    cr_expect(memmem(sums.text, sums.n_bytes, "mul.rn.f32", 10));
    cr_expect(memmem(back.text, back.n_bytes, "mul.rn.f32", 10));
    cr_expect(!memmem(back.text, back.n_bytes, "fma.rn.f32", 10));
}

/* Where a block ran is asked of the device, by burn alone. */
Test(cuda_code, burn_asks_on_which_multiprocessor_it_runs)
{
    const struct cf_cuda_image image = cf_cuda_image(CF_CUDA_PLAIN);
    const char *at = is_built() ? image.bytes : NULL, *const end = at ? at + image.n_bytes : NULL;
    int n = 0;

    while (at && (at = memmem(at, (size_t)(end - at), "%smid", 5))) {
        ++n;
        at += 5;
    }
    cr_expect(!end || n == 2, "%%smid is read %d times: once in f32 and once in f64", n);
}

/* Every kernel of the module has its twin on the host, and the other way round. */
Test(cuda_code, device_and_host_have_the_same_kernels)
{
    const unsigned char *elf = is_built() ? elf_of(cf_cuda_image(CF_CUDA_PLAIN)) : NULL;
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)elf;
    int n = 0;

    if (!elf)
        return;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(elf + head->e_shoff);
    const char *names = (const char *)elf + sections[head->e_shstrndx].sh_offset;
    for (int i = 0; i < head->e_shnum; ++i) {
        const char *name = names + sections[i].sh_name;

        if (strncmp(name, ".text.", 6) != 0)
            continue;
        cr_expect(cf_grid_find(name + 6) != NULL, "%s has no twin on the host", name + 6);
        ++n;
    }
    cr_expect_geq(n, 130, "%d kernels", n);
    cr_expect_null(cf_grid_find("cf_cuda_absent_f32"));
}
