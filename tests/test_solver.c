/* solver: verdicts and iterations of solvers are held against the baseline's, and the error of x
 * against the solution; each liar breaks one of these and is caught there. */
#include <criterion/criterion.h>

#include "judge.h"
#include "support_training.h"

#define SYSTEMS "solve_cg f64 n=8 fill=system seed={1..60}"

struct answer {
    int64_t converged, iterations;
    double scale; /* of the error of x, 1e-12 in the baseline */
};
typedef void solves(struct answer *answer, int64_t seed);

static void honest(struct answer *a, int64_t seed)
{
    (void)a;
    (void)seed;
}

static void one_more(struct answer *a, int64_t seed) /* within 1 + 2 % */
{
    a->iterations += seed % 2;
}

static void slower(struct answer *a, int64_t seed) /* five more in every tenth system: 54 of 60 */
{
    a->iterations += seed % 10 == 0 ? 5 : 0;
}

static void much_slower(struct answer *a, int64_t seed)
{
    a->iterations += seed % 3 ? 5 : 0;
}

static void gives_up(struct answer *a, int64_t seed)
{
    a->converged = seed != 17;
}

static void three_times(struct answer *a, int64_t seed)
{
    (void)seed;
    a->scale *= 3;
}

static void not_finite(struct answer *a, int64_t seed)
{
    a->scale = seed == 5 ? NAN : a->scale;
}

static const struct {
    const char *text;
    solves *run;
    enum cf_verdict decisions, noise;
    const char *words; /* of the reason */
} rows[] = {{"plain kernel=forward", honest, CF_PASS, CF_PASS, "all 60 verdicts"},
            {"plain kernel=a", one_more, CF_PASS, CF_PASS, "at most 1 away"},
            {"plain kernel=b", slower, CF_UNKNOWN, CF_PASS, "near in 54"},
            {"plain kernel=c", much_slower, CF_FAIL, CF_PASS, "near in 20"},
            {"plain kernel=d", gives_up, CF_FAIL, CF_PASS, "1 of 60 systems"},
            {"plain kernel=e", three_times, CF_PASS, CF_FAIL, "3 times the baseline's"},
            {"plain kernel=f", not_finite, CF_PASS, CF_FAIL, ""}};

static void put_answer(struct cf_store *store, const struct cf_case *c, int64_t id, int subject)
{
    struct answer a = {1, 20 + (int64_t)c->seed % 5, 1e-12 * (1 + 0.1 * (double)(c->seed % 7))};
    struct cf_record record = {
        .configuration = subject + 1, .case_id = id, .fate = CF_RAN, .wall_ns = 1};
    double bits[2 + 8], x[CF_SYSTEM_MAX];
    struct cf_error err;

    rows[subject].run(&a, (int64_t)c->seed);
    memcpy(bits, &a, 2 * sizeof bits[0]);
    cf_system_solution(c, x);
    for (int i = 0; i < 8; ++i)
        bits[2 + i] = x[i] + a.scale * (i % 2 ? 1 : -1);
    cf_digest_of(&record.digest, bits, sizeof bits);
    CF_CHECK(cf_store_put_record(store, &record, bits, sizeof bits, &err) == 0);
}

static int put_system(const char *line, void *context)
{
    struct cf_store *store = context;
    struct cf_plan_case row = {.suite = "decisions", .processes = 1, .repetitions = 1};
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {.text = ""};
    struct cf_case c;

    CF_CHECK(cf_case_parse(&c, line, cf_op_grammar, &err) == 0);
    CF_CHECK(cf_case_draw(&c, cf_op_find(c.op), in, out, &err) == 0);
    cf_inputs_digest(&row.inputs, in, cf_op_find(c.op)->n_inputs);
    row.text = c.text;
    CF_CHECK(cf_store_put_case(store, &row, &err) == 0);
    for (int i = 0; i < CF_COUNT(rows); ++i)
        put_answer(store, &c, row.id, i);
    for (int o = 0; o < cf_op_find(c.op)->n_inputs; ++o)
        cf_tensor_free(&in[o]);
    cf_case_free(&c);
    return 0;
}

static const struct cf_finding *find(const struct cf_findings *f, int configuration,
                                     const char *component)
{
    for (int i = 0; i < f->n_findings; ++i)
        if (f->findings[i].configuration == configuration &&
            strcmp(f->findings[i].component, component) == 0)
            return &f->findings[i];
    return NULL;
}

Test(solver, each_liar_where_it_lies)
{
    const struct cf_judge_options how = {
        .required = CF_SCIENTIFIC, .threads = 1, .scope = CF_TO_BASELINE};
    struct maker makers[CF_COUNT(rows)];
    char *folder = made_folder(), *path = cf_format("%s/s.db", folder);
    struct cf_error err = {.text = ""};
    struct cf_findings *f;
    struct making made;

    for (int i = 0; i < CF_COUNT(rows); ++i)
        makers[i].text = rows[i].text;
    made = make_store(path, makers, CF_COUNT(rows));
    cr_assert_eq(cf_pairs_expand(SYSTEMS, put_system, made.store, &err), 0, "%s", err.text);
    cr_assert_eq(cf_store_commit(made.store, &err), 0);
    f = cf_judge(made.store, &how, &err);
    cr_assert(f, "%s", err.text);
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const struct cf_finding *d = find(f, i, "D"), *noise = find(f, i, "S5");

        cr_assert(d && noise, "%s", rows[i].text);
        cr_expect_eq(d->verdict, rows[i].decisions, "%s: %s", rows[i].text, d->reason);
        cr_expect_eq(noise->verdict, rows[i].noise, "%s: %s", rows[i].text, noise->reason);
        cr_expect(strstr(d->reason, rows[i].words) || strstr(noise->reason, rows[i].words),
                  "%s: %s; %s", rows[i].text, d->reason, noise->reason);
        cr_expect_eq(d->n_seeds, 60);
    }
    cf_findings_free(f);
    cf_store_close(made.store);
    free(path);
    made_clean(folder);
}
