#include "inject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "golden.h"
#include "measure.h"
#include "talk.h"

/* Small, so that every kernel of an op can be asked thousands of times; n = 1000 still makes one
 * element a thousandth of a sum. */
static const char *const standard[] = {
    "{sum,dot,asum,nrm2} {f64,f32} m=2 n=1000 fill={uniform,integer} seed=1",
    "gemv {f64,f32} m=2 n=1000 fill={uniform,integer} seed=1",
    "gemm {f64,f32} m=2 n=2 k=1000 fill={uniform,integer} seed=1",
    "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f64,f32} n=1 c=3 h=6 w=6 k=2 r=3 s=3 "
    "fill={uniform,small} seed=1",
    "{bias_fwd,bias_bwd,relu_fwd,relu_bwd} {f64,f32} n=2 c=3 h=4 w=4 fill=uniform seed=1",
    "{batchnorm_fwd,batchnorm_bwd} {f64,f32} n=2 c=3 h=4 w=4 fill=uniform seed=1",
    "{layernorm_fwd,layernorm_bwd,softmax_fwd,softmax_bwd} {f64,f32} n=2 c=64 fill=uniform seed=1",
    "{crossentropy_fwd,crossentropy_bwd} {f64,f32} n=4 c=16 fill=uniform seed=1",
    "{avgpool_fwd,avgpool_bwd,maxpool_fwd,maxpool_bwd} {f64,f32} n=1 c=2 h=6 w=6 r=2 s=2 "
    "fill=uniform seed=1",
    "allreduce {f64,f32} parts=4 n=64 fill=uniform seed=1",
    "chain {f64,f32} n=128 rounds=500 passes=1 fused={0,1} fill=uniform seed=1",
    "mix i32 n=128 rounds=500 passes=1 fill=uniform seed=1",
    "memory i64 n=65536 rounds=8 fill=uniform seed=1"};

/* A case with its truth, drawn once. */
struct probe {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_reference reference;
    int has_golden;
    struct cf_digest golden;
};

struct work {
    const struct cf_inject_options *options;
    struct cf_injection *result;
    struct cf_error *err;
    int n_probes, n_configurations;
    struct probe **probe; /* each keeps its place: its reference points into it */
    char **configuration;
    double lambda;
};

/* One kernel on one case. */
struct subject {
    struct work *work;
    const struct probe *probe;
    const char *configuration; /* kept by the result */
    struct cf_talk *talk;
    struct cf_accuracy_rule rule;
    struct cf_digest right; /* of the outputs */
};

/* What the checks said, as bits 1 << enum cf_sight. */
struct look {
    unsigned judged, failed;
};

static char *keep(struct cf_injection *result, char *text)
{
    result->text = cf_realloc(result->text, (size_t)(result->n_text + 1) * sizeof result->text[0]);
    result->text[result->n_text++] = text;
    return text;
}

static int add_probe(const char *line, void *context)
{
    struct work *work = context;
    struct cf_tensor out[CF_OPERANDS_MAX] = {0};
    struct probe *probe;

    work->probe = cf_realloc(work->probe, (size_t)(work->n_probes + 1) * sizeof work->probe[0]);
    probe = work->probe[work->n_probes++] = cf_alloc_zero(sizeof *probe);
    if (cf_case_parse(&probe->c, line, cf_op_grammar, work->err) != 0)
        return -1;
    probe->op = cf_op_find(probe->c.op);
    if (!probe->op->element)
        return cf_fail(work->err, "`%s` has no exact answer an element, so no check sees one bit",
                       probe->c.text);
    if (cf_reference_open(&probe->reference, &probe->c, probe->op, NULL, 1, 0, work->err) != 0)
        return -1;
    probe->has_golden = cf_golden_answer(&probe->c, probe->op, out, 1, NULL) == 0;
    if (probe->has_golden)
        cf_golden_digest(&probe->golden, out, probe->op->n_outputs);
    for (int o = 0; probe->has_golden && o < probe->op->n_outputs; ++o)
        cf_tensor_free(&out[o]);
    return 0;
}

static int add_configuration(const char *line, void *context)
{
    struct work *work = context;
    struct cf_config config;

    if (cf_config_parse(&config, line, work->err) != 0)
        return -1;
    work->configuration = cf_realloc(work->configuration, (size_t)(work->n_configurations + 1) *
                                                              sizeof work->configuration[0]);
    work->configuration[work->n_configurations++] = keep(work->result, cf_strdup(config.text));
    cf_config_free(&config);
    return 0;
}

static int has_configuration(const struct work *work, const char *text)
{
    for (int i = 0; i < work->n_configurations; ++i)
        if (strcmp(work->configuration[i], text) == 0)
            return 1;
    return 0;
}

/* "plain kernel=forward", ... of one backend, each once. */
static int add_kernels(struct work *work, const char *backend, const json_t *kernels)
{
    const char *op;
    json_t *names, *name;
    size_t i;
    int result = 0;

    json_object_foreach((json_t *)kernels, op, names) json_array_foreach(names, i, name)
    {
        char *line = cf_format("%s kernel=%s", backend, json_string_value(name));
        int wanted = 0;

        for (int p = 0; p < work->n_probes && !wanted; ++p)
            wanted = strcmp(work->probe[p]->c.op, op) == 0;
        if (wanted && result == 0 && !has_configuration(work, line))
            result = add_configuration(line, work);
        free(line);
    }
    return result;
}

static int add_all_kernels(struct work *work)
{
    static const char *const own[] = {"plain", "vector"};
    json_t *list = cf_backends_ask(work->err), *backend;
    int result = list ? 0 : -1;
    size_t i;

    json_array_foreach(json_object_get(list, "backends"), i, backend)
    {
        const char *name = json_string_value(json_object_get(backend, "name"));

        for (int k = 0; k < CF_COUNT(own) && result == 0; ++k)
            if (name && strcmp(name, own[k]) == 0)
                result = add_kernels(work, name, json_object_get(backend, "kernels"));
    }
    json_decref(list);
    return result;
}

static int is_near(double got, const struct cf_truth *truth)
{
    const double exact = truth->rounded;

    if (isnan(exact) || isinf(exact))
        return isnan(exact) ? isnan(got) : got == exact;
    return fabs(got - exact) <= CF_INJECT_TOLERANCE * fabs(exact);
}

static int all_near(const struct probe *probe, const struct cf_tensor out[])
{
    for (int o = 0; o < probe->op->n_outputs; ++o)
        for (int64_t i = 0, n = cf_tensor_count(&out[o]); i < n; ++i)
            if (!is_near(cf_tensor_get(&out[o], i), &probe->reference.truth[o][i]))
                return 0;
    return 1;
}

static int look_at_gates(const struct subject *subject, const struct cf_tensor out[],
                         struct look *look)
{
    const struct probe *probe = subject->probe;
    struct cf_accuracy accuracy;
    size_t n_bytes = 0, at = 0;
    char *all;
    int result;

    for (int o = 0; o < probe->op->n_outputs; ++o)
        n_bytes += cf_tensor_bytes(&out[o]);
    all = cf_alloc(n_bytes + 1);
    for (int o = 0; o < probe->op->n_outputs; ++o) {
        memcpy(all + at, out[o].bits, cf_tensor_bytes(&out[o]));
        at += cf_tensor_bytes(&out[o]);
    }
    result = cf_accuracy_judge(&accuracy, &probe->reference, &subject->rule, all, n_bytes,
                               subject->work->err);
    free(all);
    for (int g = CF_S1; g <= CF_S4; ++g) {
        look->judged |= (unsigned)(accuracy.gate[g].n_judged > 0) << (CF_SEES_S1 + g - CF_S1);
        look->failed |= (unsigned)(accuracy.gate[g].n_failed > 0) << (CF_SEES_S1 + g - CF_S1);
    }
    return result;
}

/* The checks as a run and a qualification have them. */
static int look_at(const struct subject *subject, const struct cf_tensor out[], struct look *look)
{
    struct cf_digest digest;

    *look = (struct look){.judged = 1u << CF_SEES_BITS | 1u << CF_SEES_TOLERANCE};
    cf_golden_digest(&digest, out, subject->probe->op->n_outputs);
    look->failed |= (unsigned)!cf_digest_equal(&digest, &subject->right) << CF_SEES_BITS;
    look->failed |= (unsigned)!all_near(subject->probe, out) << CF_SEES_TOLERANCE;
    return look_at_gates(subject, out, look);
}

static void flip(struct cf_tensor *tensor, int64_t element, int bit)
{
    uint8_t *bytes = tensor->bits;

    bytes[(size_t)element * cf_dtype_size(tensor->dtype) + (size_t)bit / 8] ^=
        (uint8_t)(1u << bit % 8);
}

static void release(const struct probe *probe, struct cf_tensor out[])
{
    for (int o = 0; o < probe->op->n_outputs; ++o)
        cf_tensor_free(&out[o]);
}

/* Outputs of the kernel for these inputs. */
static enum cf_fate ask(const struct subject *subject, const struct cf_tensor in[],
                        struct cf_tensor out[])
{
    const struct probe *probe = subject->probe;
    struct cf_tensor shapes[CF_OPERANDS_MAX];
    struct cf_told told;

    CF_CHECK(cf_case_shape(&probe->c, probe->op, shapes, out, NULL) == 0);
    cf_talk_run(subject->talk, probe->c.op, &probe->c.keys, in, probe->op->n_inputs, out,
                probe->op->n_outputs, &told);
    return told.fate;
}

/* A kernel that does not survive its inputs, or leaves the answer out, is caught by everybody. */
static int look_after(const struct subject *subject, const struct cf_tensor in[], struct look *look)
{
    struct cf_tensor out[CF_OPERANDS_MAX] = {0};
    int result = 0;

    *look = (struct look){.failed = ~0u};
    if (ask(subject, in, out) == CF_RAN) {
        result = look_at(subject, out, look);
        release(subject->probe, out);
    }
    return result;
}

static struct cf_flip_finding *add_flip(const struct subject *subject, char *operand,
                                        const struct cf_tensor *tensor,
                                        const struct look *unflipped)
{
    struct cf_injection *result = subject->work->result;
    const int digits = cf_dtype_digits(tensor->dtype);
    const int n_bits = 8 * (int)cf_dtype_size(tensor->dtype);
    struct cf_flip_finding *f;

    result->flip = cf_realloc(result->flip, (size_t)(result->n + 1) * sizeof result->flip[0]);
    f = &result->flip[result->n++];
    *f = (struct cf_flip_finding){.configuration = subject->configuration,
                                  .case_text = subject->probe->c.text,
                                  .operand = keep(result, operand),
                                  .n_bits = n_bits,
                                  .n_mantissa = digits > 0 ? digits - 1 : n_bits};
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        f->judged[s] = (int)(unflipped->judged >> s & 1) * (unflipped->failed >> s & 1 ? -1 : 1);
        f->always[s] = f->judged[s] == 1 ? UINT64_MAX >> (64 - n_bits) : 0;
    }
    return f;
}

static void count(struct cf_flip_finding *f, int bit, const struct look *look)
{
    for (int s = 0; s < CF_N_SIGHTS; ++s) {
        const int caught = look->failed >> s & 1;

        f->n_caught[s] += f->judged[s] == 1 && caught;
        if (!caught)
            f->always[s] &= ~(UINT64_C(1) << bit);
    }
}

/* Flips every bit of some elements of operand[k]; outputs are looked at as they are, inputs go
 * through the kernel. */
static int flip_operand(const struct subject *subject, struct cf_tensor operand[], int k,
                        int is_input, const struct look *unflipped)
{
    const int64_t n = cf_tensor_count(&operand[k]), at[] = {0, n / 2, n - 1};
    struct cf_flip_finding *f = add_flip(
        subject, cf_format("%s %d", is_input ? "input" : "output", k), &operand[k], unflipped);
    const struct cf_inject_options *options = subject->work->options;
    struct look look;
    int result = 0;

    for (int p = 0; p < CF_INJECT_POSITIONS && result == 0; ++p) {
        if (p > 0 && at[p] <= at[p - 1])
            continue;
        ++f->n_positions;
        for (int bit = 0; bit < f->n_bits && result == 0; ++bit) {
            if (options->stopped && *options->stopped)
                return cf_fail_with(subject->work->err, 130, "stopped while bits were flipped");
            flip(&operand[k], at[p], bit);
            result =
                is_input ? look_after(subject, operand, &look) : look_at(subject, operand, &look);
            flip(&operand[k], at[p], bit);
            count(f, bit, &look);
        }
    }
    return result;
}

static int flip_all(const struct subject *subject, struct cf_tensor out[])
{
    const struct probe *probe = subject->probe;
    struct cf_tensor in[CF_OPERANDS_MAX];
    struct look unflipped;
    int result = look_at(subject, out, &unflipped);

    for (int o = 0; o < probe->op->n_outputs && result == 0; ++o)
        result = flip_operand(subject, out, o, 0, &unflipped);
    memcpy(in, probe->reference.in, sizeof in);
    for (int i = 0; i < probe->op->n_inputs && result == 0; ++i) {
        cf_tensor_alloc(&in[i]); /* the reference keeps its own, unflipped */
        memcpy(in[i].bits, probe->reference.in[i].bits, cf_tensor_bytes(&in[i]));
        if (cf_tensor_count(&in[i]) > 0)
            result = flip_operand(subject, in, i, 1, &unflipped);
        cf_tensor_free(&in[i]);
        in[i] = probe->reference.in[i];
    }
    return result;
}

static int try_probe(struct work *work, struct cf_talk *talk, const char *configuration,
                     const struct probe *probe)
{
    struct subject subject = {
        .work = work, .probe = probe, .configuration = configuration, .talk = talk};
    struct cf_tensor out[CF_OPERANDS_MAX] = {0};
    const enum cf_fate fate = ask(&subject, probe->reference.in, out);
    int result;

    if (fate != CF_RAN) {
        work->result->n_not_measured += fate != CF_NOT_OFFERED;
        return 0;
    }
    subject.rule = (struct cf_accuracy_rule){
        .lambda = work->lambda, .growth = cf_measure_growth(cf_talk_effective(talk), probe->c.op)};
    if (probe->has_golden)
        subject.right = probe->golden;
    else
        cf_golden_digest(&subject.right, out, probe->op->n_outputs);
    result = flip_all(&subject, out);
    release(probe, out);
    return result;
}

static int try_configuration(struct work *work, int k)
{
    const struct cf_inject_options *options = work->options;
    struct cf_talk *talk = cf_talk_start(work->configuration[k], options->worker, 60000, work->err);
    int result = talk ? 0 : -1;

    for (int p = 0; p < work->n_probes && result == 0; ++p) {
        result = try_probe(work, talk, work->configuration[k], work->probe[p]);
        if (options->progress)
            options->progress(options->context, (int64_t)k * work->n_probes + p,
                              (int64_t)work->n_configurations * work->n_probes, "flips");
    }
    if (talk)
        cf_talk_stop(talk);
    return result;
}

static int by_case(const void *a, const void *b)
{
    const struct cf_flip_finding *x = a, *y = b;
    int order = strcmp(x->case_text, y->case_text);

    if (order == 0)
        order = -strcmp(x->operand, y->operand); /* outputs first */
    if (order == 0)
        order = strcmp(x->configuration, y->configuration);
    return order;
}

static int prepare(struct work *work)
{
    const struct cf_inject_options *options = work->options;
    const int own = options->n_cases > 0, n = own ? options->n_cases : CF_COUNT(standard);
    int result = 0;

    work->lambda = cf_measure_lambda(NULL);
    for (int i = 0; i < n && result == 0; ++i)
        result = cf_pairs_expand(own ? options->cases[i] : standard[i], add_probe, work, work->err);
    for (int i = 0; i < options->n_configurations && result == 0; ++i)
        result = cf_pairs_expand(options->configurations[i], add_configuration, work, work->err);
    if (result == 0 && options->n_configurations == 0)
        result = add_all_kernels(work);
    return result;
}

int cf_inject(struct cf_injection *result, const struct cf_inject_options *options,
              struct cf_error *err)
{
    struct work work = {.options = options, .result = result, .err = err};
    int code;

    *result = (struct cf_injection){0};
    code = prepare(&work);
    for (int k = 0; k < work.n_configurations && code == 0; ++k)
        code = try_configuration(&work, k);
    for (int64_t i = 0; i < result->n; ++i)
        result->flip[i].case_text = keep(result, cf_strdup(result->flip[i].case_text));
    if (result->n > 0)
        qsort(result->flip, (size_t)result->n, sizeof result->flip[0], by_case);
    for (int p = 0; p < work.n_probes; ++p) {
        if (work.probe[p]->reference.op)
            cf_reference_close(&work.probe[p]->reference);
        cf_case_free(&work.probe[p]->c);
        free(work.probe[p]);
    }
    free(work.probe);
    free(work.configuration);
    if (code != 0)
        cf_injection_free(result);
    return code;
}

void cf_injection_free(struct cf_injection *result)
{
    for (int i = 0; i < result->n_text; ++i)
        free(result->text[i]);
    free(result->text);
    free(result->flip);
    *result = (struct cf_injection){0};
}
