/* seed_bank, trained: what a store's training runs came to, and the bank that is made of them:
 * whole runs, failures and gaps told apart; a text that any one change to is refused or is another
 * bank. */
#include <criterion/criterion.h>

#include "support_training.h"

static void crash_of_seed_5(struct made *run, int64_t seed, int64_t twin, int64_t perturb)
{
    (void)twin;
    (void)perturb;
    if (seed == 5)
        run->fate = CF_CRASHED;
    if (seed == 6)
        run->loss = NAN;
    run->away += seed == 1 ? ldexp(1, -10) : 0;
    run->other_data = seed == 2;
}

static void honest(struct made *run, int64_t seed, int64_t twin, int64_t perturb)
{
    (void)run;
    (void)seed;
    (void)twin;
    (void)perturb;
}

struct opened {
    struct making made;
    struct cf_arena arena;
    struct cf_ledger ledger;
    struct cf_trained trained;
};

static void finish(struct opened *o)
{
    struct cf_error err;

    cr_assert_eq(cf_store_commit(o->made.store, &err), 0, "%s", err.text);
    cr_assert_eq(cf_ledger_read(&o->ledger, o->made.store, &o->arena, &err), 0, "%s", err.text);
    cr_assert_eq(cf_trained_read(&o->trained, &o->ledger, o->made.store, &err), 0, "%s", err.text);
}

static void shut(struct opened *o)
{
    cf_trained_free(&o->trained);
    cf_ledger_free(&o->ledger);
    cf_arena_free(&o->arena);
    cf_store_close(o->made.store);
}

Test(trained, runs_failures_and_distances)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest},
                                          {"plain kernel=kahan", crash_of_seed_5}};
    char *folder = made_folder(), *path = cf_format("%s/a.db", folder);
    struct opened o = {.made = make_store(path, makers, 2)};
    const struct cf_trained_run *run;

    put_line(&o.made, CELL " snapshots=2 seed={1..7}");
    put_line(&o.made, CELL " seed={9..12}");
    finish(&o);
    cr_assert_eq(o.trained.n_cells, 1);
    cr_expect_eq(o.trained.cell[0].n_seeds, 7, "seed 8 is missing: a gap ends the row");
    cr_expect_eq(o.trained.cell[0].n_curve, 3);
    run = cf_trained_find(&o.trained, 0, 1, 1, 0, 0);
    cr_assert(run && run->ran && run->n_curve == 3 && run->same_data);
    for (int k = 0; k < 3; ++k)
        cr_expect_float_eq(run->curve[k], ldexp(1, -10), 1e-3 * ldexp(1, -10), "%a", run->curve[k]);
    cr_expect_eq(cf_trained_find(&o.trained, 0, 2, 1, 0, 0)->same_data, 0);
    run = cf_trained_find(&o.trained, 0, 5, 1, 0, 0);
    cr_expect(!run->ran && run->is_failure && isnan(run->loss), "a crash is a failure");
    run = cf_trained_find(&o.trained, 0, 6, 1, 0, 0);
    cr_expect(run->ran && run->is_failure && isnan(run->accuracy), "so is a loss that is none");
    cr_expect_eq(cf_trained_find(&o.trained, 0, 3, 1, 0, 0)->is_failure, 0);
    cr_expect_null(cf_trained_find(&o.trained, 0, 8, 1, 0, 0));
    cr_expect_null(cf_trained_find(&o.trained, 0, 1, 1, 1, 0));
    shut(&o);
    free(path);
    made_clean(folder);
}

Test(seed_bank, a_store_becomes_a_bank_and_a_text)
{
    static const struct maker makers[] = {{"plain kernel=forward", honest}};
    char *folder = made_folder(), *path = cf_format("%s/b.db", folder), *text, *again;
    struct opened o = {.made = make_store(path, makers, 1)};
    struct cf_seed_bank bank, copy;
    struct cf_error err;

    cr_assert_eq(cf_seed_bank_plan(CELL, 30, put_line, &o.made), 0);
    cr_expect_eq(o.made.n_cases, 30 + 2 * 12 + 8 + 10 * 5);
    finish(&o);
    cf_seed_bank_make(&bank, makers[0].text, &o.trained, 0);
    cr_assert_eq(bank.n, 1);
    cr_expect_eq(bank.cell[0].n, 30);
    cr_expect_eq(bank.cell[0].n_twin_seeds, 12);
    cr_expect_eq(bank.cell[0].n_rungs, 10);
    for (int r = 0; r < 10; ++r) /* the fp32 weights hold 2^-24 as 2^-23 or so */
        cr_expect(fabs(log2(bank.cell[0].rung[r][0]) + bank.cell[0].bits[r]) < 1, "rung %d: %a", r,
                  bank.cell[0].rung[r][0]);
    text = cf_seed_bank_print(&bank);
    cr_assert_eq(cf_seed_bank_parse(&copy, text, "a test", &err), 0, "%s", err.text);
    again = cf_seed_bank_print(&copy);
    cr_expect_str_eq(text, again);
    cr_expect_str_eq(bank.hash, copy.hash);
    cr_expect(cf_seed_bank_find(&copy, copy.cell[0].text) == &copy.cell[0]);
    cr_expect_null(cf_seed_bank_find(&copy, "train_logreg f32"));
    free(text);
    free(again);
    cf_seed_bank_free(&bank);
    cf_seed_bank_free(&copy);
    shut(&o);
    free(path);
    made_clean(folder);
}

/* The text with the first `from` replaced. */
static char *change(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    cr_assert(at, "the text has no `%s`", from);
    return cf_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

Test(seed_bank, a_text_that_was_altered_is_refused_or_another_bank)
{
    static const struct {
        const char *from, *to;
        int line; /* that is refused; 0: it is read, and has another hash */
    } rows[] = {{"conform-bank 1", "conform-bank 2", 1}, {"seed 3 ", "seed 4 ", 7},
                {"seed 20 ", "seed 20 0x1p+0 ", 24},     {"twin 1 1 ", "twin 3 1 ", 25},
                {"twin 1 2 ", "twin 1 13 ", 26},         {"ladder 24 ", "ladder 24 0x1p-3 ", 49},
                {"steps 0x1p+0", "steps one", 4},        {"cell ", "cel ", 3},
                {"seed 1 0x1.", "seed 1 0x3.", 0},       {"forward", "kahan", 0}};
    struct cf_seed_bank bank = {.baseline = cf_strdup("plain kernel=forward"),
                                .n = 1,
                                .cell = cf_alloc_zero(sizeof bank.cell[0])};
    char *text;

    make_bank_cell(&bank.cell[0], CELL, 20, 0);
    text = cf_seed_bank_print(&bank);
    cf_seed_bank_free(&bank);
    cr_assert_eq(cf_seed_bank_parse(&bank, text, "it", NULL), 0); /* which names it */
    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char *altered = change(text, rows[i].from, rows[i].to),
             *line = cf_format("line %d of the bank it", rows[i].line);
        struct cf_seed_bank read;
        struct cf_error err = {.text = ""};
        const int result = cf_seed_bank_parse(&read, altered, "it", &err);

        cr_expect_eq(result == 0, rows[i].line == 0, "row %d (%s): %s", i, rows[i].to, err.text);
        if (result == 0)
            cr_expect_str_neq(read.hash, bank.hash, "row %d", i);
        else
            cr_expect(strstr(err.text, line), "row %d: %s", i, err.text);
        if (result == 0)
            cf_seed_bank_free(&read);
        free(altered);
        free(line);
    }
    free(text);
    cf_seed_bank_free(&bank);
}
