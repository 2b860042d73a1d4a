#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "golden.h"
#include "signature.h"
#include "talk.h"
#include "task.h"

/* What the pack of this program holds; data/golden/README.md says why these. */
static const char *const standard[] = {
    "chain {f64,f32} n=128 rounds=20000 passes={10,100} seed={1..4}",
    "chain {f64,f32} n=128 rounds=20000 passes={10,40} fused=0 seed={1..4}",
    "mix i32 n=128 rounds=20000 passes={10,100} seed={1..4}",
    "memory i64 n=2097152 rounds=8 seed={1..4}",
    "gemm {f64,f32} m=128 n=128 k=512 fill=integer seed={1..4}"};

static int make(const struct cf_options *options, const char *path, struct cf_error *err)
{
    const int own = options->cases.n > 0;
    char *text =
        cf_golden_make(own ? options->cases.word : standard,
                       own ? options->cases.n : CF_COUNT(standard), (int)options->jobs + 1, err);
    int result = text ? cf_document_put(path, text, strlen(text), err) : -1;

    free(text);
    if (result == 0 && options->sign)
        result = cf_signature_make(path, options->sign, err);
    return result;
}

static char *read_all(const char *path, size_t *n_bytes, struct cf_error *err)
{
    FILE *in = fopen(path, "rb"), *out;
    char *text = NULL, block[4096];
    size_t n;

    if (!in) {
        cf_fail(err, "%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    out = open_memstream(&text, n_bytes);
    CF_CHECK(out != NULL);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        fwrite(block, 1, n, out);
    CF_CHECK(fclose(out) == 0);
    fclose(in);
    return text;
}

/* What became of the cases of a pack in one configuration. */
struct tally {
    int same, different, not_offered, not_measured;
};

static void check_case(struct cf_talk *talk, const char *configuration,
                       const struct cf_golden_case *g, struct tally *tally, struct cf_error *err)
{
    struct cf_tensor in[CF_OPERANDS_MAX] = {0}, out[CF_OPERANDS_MAX] = {0};
    struct cf_digest inputs, outputs = {{0}};
    struct cf_told told;

    CF_CHECK(cf_case_draw(&g->c, g->op, in, out, err) == 0);
    cf_inputs_digest(&inputs, in, g->op->n_inputs);
    cf_talk_run(talk, g->c.op, &g->c.keys, in, g->op->n_inputs, out, g->op->n_outputs, &told);
    if (told.fate == CF_RAN)
        cf_golden_digest(&outputs, out, g->op->n_outputs);
    if (told.fate == CF_NOT_OFFERED)
        ++tally->not_offered;
    else if (told.fate != CF_RAN || !cf_digest_equal(&inputs, &g->inputs))
        ++tally->not_measured;
    else if (cf_digest_equal(&outputs, &g->outputs))
        ++tally->same;
    else
        ++tally->different;
    if (told.fate == CF_RAN && !cf_digest_equal(&outputs, &g->outputs))
        printf("FAIL    %s\n  replay  conform replay \"%s\" \"%s\"\n", g->c.text, g->c.text,
               configuration);
    for (int o = 0; told.fate == CF_RAN && o < g->op->n_outputs; ++o)
        cf_tensor_free(&out[o]);
    for (int i = 0; i < g->op->n_inputs; ++i)
        cf_tensor_free(&in[i]);
}

static int check_configuration(const struct cf_golden *pack, const char *configuration,
                               const char *worker, struct tally *all, struct cf_error *err)
{
    struct cf_talk *talk = cf_talk_start(configuration, worker, 60000, err);
    struct tally tally = {0};

    if (!talk)
        return -1;
    for (int i = 0; i < pack->n; ++i)
        check_case(talk, configuration, &pack->cases[i], &tally, err);
    cf_talk_stop(talk);
    printf("%-40s %d same, %d different, %d not offered, %d not measured\n", configuration,
           tally.same, tally.different, tally.not_offered, tally.not_measured);
    all->same += tally.same;
    all->different += tally.different;
    all->not_measured += tally.not_measured;
    return 0;
}

static int check_pack(const struct cf_options *options, const struct cf_golden *pack,
                      struct cf_error *err)
{
    static const char *const own[] = {"plain",
                                      "vector kernel=scalar",
                                      "vector kernel=sse2",
                                      "vector kernel=sse41",
                                      "vector kernel=fma",
                                      "vector kernel=avx2",
                                      "vector kernel=avx512"};
    const int named = options->rest.n > 2;
    char *worker = cf_task_worker(err);
    struct tally all = {0};
    int result = worker ? 0 : -1;

    for (int i = 0; i < (named ? options->rest.n - 2 : CF_COUNT(own)) && result == 0; ++i)
        result = check_configuration(pack, named ? options->rest.word[i + 2] : own[i], worker, &all,
                                     err);
    free(worker);
    if (result != 0)
        return -1;
    return all.different > 0 ? 1 : all.not_measured > 0 || all.same == 0 ? 3 : 0;
}

static int check(const struct cf_options *options, const char *path, struct cf_error *err)
{
    static const char *const words[] = {"not signed", "signed by one of the signers",
                                        "signed; --signers=FILE would say by whom"};
    struct cf_golden pack;
    size_t n_bytes;
    char *text = read_all(path, &n_bytes, err);
    int signature, result = text ? cf_golden_parse(&pack, text, n_bytes, path, err) : -1;

    free(text);
    if (result != 0)
        return -1;
    signature = cf_signature_check(path, options->signers, err);
    if (signature >= 0) {
        printf("%s: %d cases, whole, %s\n", path, pack.n, words[signature]);
        result = check_pack(options, &pack, err);
    }
    cf_golden_free(&pack);
    return signature < 0 ? -1 : result;
}

int cf_command_golden(struct cf_options *options, struct cf_error *err)
{
    const char *verb = options->rest.n >= 2 ? options->rest.word[0] : "";

    if (strcmp(verb, "make") == 0 && options->rest.n == 2)
        return make(options, options->rest.word[1], err);
    if (strcmp(verb, "check") == 0)
        return check(options, options->rest.word[1], err);
    return cf_fail(err, "write `conform golden make FILE` or `conform golden check FILE "
                        "[CONFIGURATION...]`");
}
