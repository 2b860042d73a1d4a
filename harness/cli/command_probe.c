/* probe: how a matrix unit adds, from its answers to the probes of the op mma. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "infer.h"
#include "listing.h"
#include "select.h"
#include "sides.h"
#include "task.h"
#include "versions.h"

#define REPETITIONS 2 /* a unit that does not answer twice alike has no parameters */
#define TYPES       "{f16,bf16,tf32,e4m3,e5m2,f32,f64}"

/* Every probe that has rows for a type. */
static void add_cases(struct cf_words *cases, enum cf_tc_type type)
{
    for (int number = 1; number <= CF_PROBES; ++number) {
        const struct cf_probe probe = {type, number, cf_probe_k(number, type), 1};

        if (cf_probe_count(&probe) == 0)
            continue;
        cases->word = cf_realloc(cases->word, (size_t)(cases->n + 1) * sizeof cases->word[0]);
        cases->word[cases->n++] =
            cf_format("mma %s k=%lld probe=%d type=%s seed=1", type == CF_TC_F64 ? "f64" : "f32",
                      (long long)probe.k, number, cf_tc_type_name(type));
    }
}

static void free_words(struct cf_words *words)
{
    for (int i = 0; i < words->n; ++i)
        free((char *)(uintptr_t)words->word[i]);
    free(words->word);
}

/* A configuration that names no kernel is asked with every type as its kernel. */
static int choose(const struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct cf_options choice = *options;
    struct cf_words cases = {0, NULL}, configurations = {0, NULL};
    int result;

    if (options->rest.n < 1)
        return cf_fail(err, "probe needs a configuration, as in `conform probe \"model "
                            "device={v100,a100,h100}\"`");
    for (int type = 0; type < CF_TC_N_TYPES; ++type)
        add_cases(&cases, (enum cf_tc_type)type);
    configurations.word = cf_alloc((size_t)options->rest.n * sizeof configurations.word[0]);
    for (int i = 0; i < options->rest.n; ++i) {
        const char *word = options->rest.word[i];

        configurations.word[configurations.n++] =
            strstr(word, " kernel=") ? cf_strdup(word) : cf_format("%s kernel=" TYPES, word);
    }
    choice.cases = cases;
    choice.configurations = configurations;
    choice.repeat = REPETITIONS;
    result = cf_select_written_out(&choice, plan, err);
    for (int i = 0; result == 0 && i < plan->n_cases; ++i)
        plan->cases[i].processes = 1;
    free_words(&cases);
    free_words(&configurations);
    return result;
}

/* What one configuration answered to the probes of one type. */
struct answered {
    struct cf_answers answers[CF_PROBES];
    uint64_t *bits[CF_PROBES];
    int n, n_fickle;
    char reason[400]; /* why a probe has no answer */
};

static void take_answer(struct answered *x, const struct cf_probe *probe,
                        const struct cf_side *side)
{
    const struct cf_tensor *out = &side->answer[0].out[0];
    const int64_t n = cf_tensor_count(out);

    x->n_fickle += side->n_answers > 1;
    x->bits[x->n] = cf_alloc((size_t)(n + 1) * sizeof(uint64_t));
    for (int64_t i = 0; i < n; ++i)
        x->bits[x->n][i] = cf_tensor_encoding(out, i);
    x->answers[x->n] = (struct cf_answers){*probe, n, x->bits[x->n]};
    ++x->n;
}

/* The answers of every configuration by type: all[configuration * CF_TC_N_TYPES + type]. */
static int collect(struct answered all[], const struct cf_plan *plan, struct cf_store *store,
                   struct cf_error *err)
{
    for (int i = 0; i < plan->n_cases; ++i) {
        const struct cf_case *c = &plan->cases[i].c;
        struct cf_probe probe = {.number = (int)cf_case_int(c, "probe", 1),
                                 .k = cf_case_int(c, "k", 16),
                                 .seed = c->seed};
        struct cf_sides sides;
        int result;

        CF_CHECK(cf_tc_type_parse(cf_case_word(c, "type", "f16"), &probe.type) == 0);
        result = cf_sides_read(&sides, store, c->text, i + 1, plan->n_configurations, err);
        for (int k = 0; result == 0 && k < plan->n_configurations; ++k) {
            struct answered *x = &all[k * CF_TC_N_TYPES + (int)probe.type];

            if (sides.side[k].n_answers > 0)
                take_answer(x, &probe, &sides.side[k]);
            else
                snprintf(x->reason, sizeof x->reason, "%s", sides.side[k].reason);
        }
        cf_sides_free(&sides);
        if (result != 0)
            return -1;
    }
    return 0;
}

/* "h100 f16, h200 f16": the known units of a type with these parameters. The caller frees. */
static char *known_as(enum cf_tc_type type, const struct cf_tc_parameters *p)
{
    char *text = cf_strdup("");

    for (const struct cf_tensorcore *core = cf_tensorcores; core->device; ++core) {
        char *longer;

        if (core->type != type || !cf_tc_same(&core->parameters, p))
            continue;
        longer = cf_format("%s%s%s", text, *text ? ", " : "", core->device);
        free(text);
        text = longer;
    }
    if (!*text) {
        free(text);
        return cf_strdup("none that is known");
    }
    return text;
}

static const char *open_or(int open, const char *word)
{
    return open ? "open" : word;
}

static void number(char text[16], int open, int value)
{
    if (open)
        snprintf(text, 16, "open");
    else
        snprintf(text, 16, "%d", value);
}

static void add_found(struct cf_listing *rows, const char *configuration, enum cf_tc_type type,
                      const struct cf_inference *x)
{
    const struct cf_tc_parameters *p = &x->least;
    char *known = known_as(type, p), block[16], bits[16], sum[24];
    const char *order = open_or(x->open_descending, p->descending ? "descending" : "ascending");

    number(block, x->open_block, p->block);
    number(bits, x->open_fraction, p->fraction);
    snprintf(sum, sizeof sum, "%s, %d bits", p->even ? "nearest" : "cut", p->kept);
    if (p->chain)
        cf_listing_add(rows, configuration, cf_tc_type_name(type), "1", "all", "-",
                       "nearest, each fma", "kept", order, known);
    else
        cf_listing_add(rows, configuration, cf_tc_type_name(type), block, bits,
                       open_or(x->open_nearest, p->nearest ? "nearest" : "cut"),
                       x->open_even || x->open_kept ? "open" : sum,
                       x->open_flush_in || x->open_flush_out ? "open"
                       : p->flush_in                         ? "flushed"
                       : p->flush_out                        ? "kept in, flushed out"
                                                             : "kept",
                       order, known);
    free(known);
}

static void add_unexplained(struct cf_listing *rows, const char *configuration,
                            enum cf_tc_type type, const struct cf_inference *x)
{
    char *known = known_as(type, &x->closest);
    char *why =
        cf_format("no parameters explain %lld of %lld rows: probe %d row %lld got %08llx; "
                  "the closest (%s) gives %08llx",
                  (long long)x->n_missed, (long long)x->n_rows, x->number, (long long)x->row,
                  (unsigned long long)x->got, known, (unsigned long long)x->expected);

    cf_listing_add(rows, configuration, cf_tc_type_name(type), "?", "?", "?", "?", "?", "?", why);
    free(known);
    free(why);
}

/* f64: the only model is a chain of fma. Returns 1 when it is none. */
static int add_doubles(struct cf_listing *rows, const char *configuration, const struct answered *x)
{
    struct cf_tc_parameters chain = {.block = 1, .chain = 1};
    int64_t n_missed[2] = {0, 0};

    for (int descending = 0; descending < 2; ++descending)
        for (int i = 0; i < x->n; ++i)
            for (int64_t k = 0; k < x->answers[i].n; ++k) {
                chain.descending = descending;
                n_missed[descending] +=
                    cf_predict(&chain, &x->answers[i].probe, k) != x->answers[i].bits[k];
            }
    if (n_missed[0] > 0 && n_missed[1] > 0) {
        cf_listing_add(rows, configuration, "f64", "?", "?", "?", "?", "?", "?",
                       "no chain of fma along k, in either direction");
        return 1;
    }
    chain.descending = n_missed[0] > 0;
    cf_listing_add(rows, configuration, "f64", "1", "all", "-", "nearest, each fma", "not probed",
                   chain.descending ? "descending" : "ascending", "a chain of fma");
    return 0;
}

/* The exit code: 0 explained, 1 not. */
static int explain(struct cf_listing *rows, const char *configuration, enum cf_tc_type type,
                   const struct answered *x)
{
    struct cf_inference inference;

    if (x->n_fickle > 0) {
        cf_listing_add(rows, configuration, cf_tc_type_name(type), "?", "?", "?", "?", "?", "?",
                       "does not give the same answer twice");
        return 1;
    }
    if (type == CF_TC_F64)
        return add_doubles(rows, configuration, x);
    cf_infer(&inference, x->answers, x->n);
    if (inference.n_explain == 0) {
        add_unexplained(rows, configuration, type, &inference);
        return 1;
    }
    add_found(rows, configuration, type, &inference);
    return 0;
}

static int tell(const struct cf_options *options, const struct cf_plan *plan,
                const struct answered all[], struct cf_error *err)
{
    struct cf_listing rows = {.column = {"configuration", "type", "block", "bits", "terms", "sum",
                                         "subnormals", "order", "as in"}};
    const char *reason = "";
    int code = 0, result;

    for (int i = 0; i < plan->n_configurations * CF_TC_N_TYPES; ++i) {
        const char *text = plan->configurations[i / CF_TC_N_TYPES].config.text;

        if (all[i].n > 0 && explain(&rows, text, (enum cf_tc_type)(i % CF_TC_N_TYPES), &all[i]))
            code = 1;
        if (all[i].n == 0 && *all[i].reason)
            reason = all[i].reason;
    }
    if (rows.n == 0)
        return cf_fail_with(err, 3, "nothing answered a probe: %s", reason);
    result = cf_listing_print(&rows, options, 1, err);
    cf_listing_free(&rows);
    return result == 0 ? code : result;
}

static int run(const struct cf_options *options, const struct cf_plan *plan, const char *path,
               struct cf_error *err)
{
    struct cf_store *store = cf_store_open(path, CF_STORE_CREATE, err);
    struct answered *all;
    int result;

    if (!store)
        return -1;
    all = cf_alloc_zero((size_t)(plan->n_configurations + 1) * CF_TC_N_TYPES * sizeof all[0]);
    result = cf_plan_store(plan, store, err);
    if (result == 0)
        result = cf_task_run(options, plan, store, err);
    if (result == 0)
        result = collect(all, plan, store, err);
    if (result == 0)
        result = tell(options, plan, all, err);
    for (int i = 0; i < plan->n_configurations * CF_TC_N_TYPES; ++i)
        for (int k = 0; k < all[i].n; ++k)
            free(all[i].bits[k]);
    free(all);
    cf_store_close(store);
    return result;
}

int cf_command_probe(struct cf_options *options, struct cf_error *err)
{
    struct cf_plan plan;
    int result;

    if (choose(options, &plan, err) != 0)
        return -1;
    result = cf_temporary_store_run(options, &plan, run, err);
    cf_plan_free(&plan);
    return result;
}
