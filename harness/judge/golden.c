#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "truth.h"

#define HEAD     "conform-golden/1\n"
#define MANIFEST "manifest sha256 "

static int has_one_answer(const struct cf_case *c, const struct cf_op *op)
{
    if (!op->element || !op->terms)
        return 0;
    if (op->terms(c, 0, 0) == 0 && op->extra_roundings == 0)
        return 1;
    return op->integer_exact && (strcmp(c->fill, "integer") == 0 || strcmp(c->fill, "spike") == 0);
}

static double by_element(const struct cf_case *c, const struct cf_op *op,
                         const struct cf_tensor in[], int o, int64_t i)
{
    mpfr_t exact, scale;
    double value;

    mpfr_inits2(64, exact, scale, (mpfr_ptr)0);
    op->element(exact, scale, c, in, o, i);
    value = mpfr_get_d(exact, MPFR_RNDN); /* exact: it has one right answer of the type */
    mpfr_clears(exact, scale, (mpfr_ptr)0);
    return value;
}

static void answer_one(const struct cf_case *c, const struct cf_op *op, const struct cf_tensor in[],
                       struct cf_tensor *out, int o, int threads)
{
    const int64_t n = cf_tensor_count(out);
    struct cf_truth *truth = op->fast ? cf_alloc((size_t)(n + 1) * sizeof truth[0]) : NULL;

    cf_tensor_alloc(out);
    if (truth)
        cf_reference_fast(truth, c, op, in, o, threads);
    for (int64_t i = 0; i < n; ++i)
        cf_tensor_set(out, i, truth ? truth[i].rounded : by_element(c, op, in, o, i));
    free(truth);
}

int cf_golden_answer(const struct cf_case *c, const struct cf_op *op, struct cf_tensor out[],
                     int threads, struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX] = {0};

    if (!has_one_answer(c, op))
        return cf_fail(err,
                       "`%s` has more than one right answer; a golden pack takes chain, mix, "
                       "memory, and sums with fill=integer or fill=spike",
                       c->text);
    if (cf_case_draw(c, op, in, out, err) != 0)
        return -1;
    for (int o = 0; o < op->n_outputs; ++o)
        answer_one(c, op, in, &out[o], o, threads);
    for (int i = 0; i < op->n_inputs; ++i)
        cf_tensor_free(&in[i]);
    return 0;
}

void cf_golden_digest(struct cf_digest *digest, const struct cf_tensor out[], int n_outputs)
{
    size_t n_bytes = 0, at = 0;
    char *all;

    for (int o = 0; o < n_outputs; ++o)
        n_bytes += cf_tensor_bytes(&out[o]);
    all = cf_alloc(n_bytes + 1);
    for (int o = 0; o < n_outputs; ++o) {
        memcpy(all + at, out[o].bits, cf_tensor_bytes(&out[o]));
        at += cf_tensor_bytes(&out[o]);
    }
    cf_digest_of(digest, all, n_bytes);
    free(all);
}

/* Lines as they are made. */
struct maker {
    int n, threads;
    char **line;
    struct cf_error *err;
};

static int inputs_of(const struct cf_case *c, const struct cf_op *op, struct cf_digest *digest,
                     struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX] = {0}, out[CF_OPERANDS_MAX] = {0};

    if (cf_case_draw(c, op, in, out, err) != 0)
        return -1;
    cf_inputs_digest(digest, in, op->n_inputs);
    for (int i = 0; i < op->n_inputs; ++i)
        cf_tensor_free(&in[i]);
    return 0;
}

static int make_line(struct maker *maker, const struct cf_case *c)
{
    const struct cf_op *op = cf_op_find(c->op);
    struct cf_tensor out[CF_OPERANDS_MAX] = {0};
    struct cf_digest inputs, outputs;
    char a[33], b[33];

    if (inputs_of(c, op, &inputs, maker->err) != 0 ||
        cf_golden_answer(c, op, out, maker->threads, maker->err) != 0)
        return -1;
    cf_golden_digest(&outputs, out, op->n_outputs);
    for (int o = 0; o < op->n_outputs; ++o)
        cf_tensor_free(&out[o]);
    cf_digest_print(a, &inputs);
    cf_digest_print(b, &outputs);
    maker->line = cf_realloc(maker->line, (size_t)(maker->n + 1) * sizeof maker->line[0]);
    maker->line[maker->n++] = cf_format("%s %s %s\n", a, b, c->text);
    return 0;
}

static int make_each(const char *line, void *context)
{
    struct maker *maker = context;
    struct cf_case c;
    int result;

    if (cf_case_parse(&c, line, cf_op_grammar, maker->err) != 0)
        return -1;
    result = make_line(maker, &c);
    cf_case_free(&c);
    return result;
}

/* By case text, which starts behind two digests. */
static int by_case(const void *a, const void *b)
{
    return strcmp(*(char *const *)a + 66, *(char *const *)b + 66);
}

static char *join(struct maker *maker)
{
    char *text = NULL, hash[65];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    CF_CHECK(out != NULL);
    qsort(maker->line, (size_t)maker->n, sizeof maker->line[0], by_case);
    fputs(HEAD, out);
    for (int i = 0; i < maker->n; ++i)
        if (i == 0 || strcmp(maker->line[i], maker->line[i - 1]) != 0)
            fputs(maker->line[i], out);
    fflush(out);
    cf_bytes_sha256(text, size, hash);
    fprintf(out, MANIFEST "%s\n", hash);
    CF_CHECK(fclose(out) == 0);
    return text;
}

char *cf_golden_make(const char *const lines[], int n, int threads, struct cf_error *err)
{
    struct maker maker = {.threads = threads, .err = err};
    char *text = NULL;
    int result = 0;

    for (int i = 0; i < n && result == 0; ++i)
        result = cf_pairs_expand(lines[i], make_each, &maker, err);
    if (result == 0 && maker.n == 0)
        result = cf_fail(err, "a golden pack needs cases; give them with --case=TEXT");
    if (result == 0)
        text = join(&maker);
    for (int i = 0; i < maker.n; ++i)
        free(maker.line[i]);
    free(maker.line);
    return text;
}

static int digit(char c)
{
    const char *at = c ? strchr("0123456789abcdef", c) : NULL;

    return at ? (int)(at - "0123456789abcdef") : -1;
}

static int take_digest(struct cf_digest *digest, const char *text)
{
    for (int i = 0; i < 16; ++i) {
        const int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);

        if (low < 0)
            return -1;
        digest->byte[i] = (uint8_t)(high << 4 | low);
    }
    return text[32] == ' ' ? 0 : -1;
}

static int take_line(struct cf_golden *pack, const char *line, int number, const char *name,
                     struct cf_error *err)
{
    struct cf_golden_case *g;

    pack->cases = cf_realloc(pack->cases, (size_t)(pack->n + 1) * sizeof pack->cases[0]);
    g = &pack->cases[pack->n];
    *g = (struct cf_golden_case){0};
    if (strlen(line) < 67 || take_digest(&g->inputs, line) != 0 ||
        take_digest(&g->outputs, line + 33) != 0)
        return cf_fail_with(err, 3, "%s, line %d: no two digests and a case", name, number);
    if (cf_case_parse(&g->c, line + 66, cf_op_grammar, err) != 0)
        return -1;
    g->op = cf_op_find(g->c.op);
    ++pack->n;
    return 0;
}

/* The manifest is the last line, and of all that stands above it. */
static int check_manifest(const char *text, size_t n_bytes, size_t *n_above, const char *name,
                          struct cf_error *err)
{
    const size_t length = strlen(MANIFEST) + 65;
    char hash[65];

    if (n_bytes < strlen(HEAD) + length || strncmp(text, HEAD, strlen(HEAD)) != 0)
        return cf_fail_with(err, 3, "%s is no golden pack of version 1", name);
    *n_above = n_bytes - length;
    cf_bytes_sha256(text, *n_above, hash);
    if (strncmp(text + *n_above, MANIFEST, strlen(MANIFEST)) != 0 ||
        strncmp(text + *n_above + strlen(MANIFEST), hash, 64) != 0 || text[n_bytes - 1] != '\n')
        return cf_fail_with(err, 3,
                            "%s was changed or cut: its manifest does not match; get it "
                            "again from where it was made",
                            name);
    return 0;
}

int cf_golden_parse(struct cf_golden *pack, const char *text, size_t n_bytes, const char *name,
                    struct cf_error *err)
{
    size_t n_above = 0;
    char *copy, *rest = NULL;
    int number = 2, result = 0;

    *pack = (struct cf_golden){0};
    if (check_manifest(text, n_bytes, &n_above, name, err) != 0)
        return -1;
    copy = strndup(text + strlen(HEAD), n_above - strlen(HEAD));
    for (char *line = strtok_r(copy, "\n", &rest); line && result == 0;
         line = strtok_r(NULL, "\n", &rest))
        result = take_line(pack, line, number++, name, err);
    free(copy);
    if (result != 0)
        cf_golden_free(pack);
    return result;
}

void cf_golden_free(struct cf_golden *pack)
{
    for (int i = 0; i < pack->n; ++i)
        cf_case_free(&pack->cases[i].c);
    free(pack->cases);
    *pack = (struct cf_golden){0};
}

/* The file as it stands, inside the program. */
__asm__(".section .rodata\n"
        ".globl cf_golden_text\n"
        "cf_golden_text: .incbin \"" CF_GOLDEN_PATH "\"\n"
        ".globl cf_golden_end\n"
        "cf_golden_end: .byte 0\n"
        ".previous\n");
extern const char cf_golden_text[], cf_golden_end[];

int cf_golden_builtin(struct cf_golden *pack, struct cf_error *err)
{
    return cf_golden_parse(pack, cf_golden_text, (size_t)(cf_golden_end - cf_golden_text),
                           "the pack of this program", err);
}
