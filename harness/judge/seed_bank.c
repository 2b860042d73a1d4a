#include "seed_bank.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double rung_bits(int rung)
{
    return 24 - 2 * rung;
}

static void make_room(struct cf_bank_cell *cell, int n)
{
    cell->loss = cf_realloc(cell->loss, (size_t)(n + 1) * sizeof cell->loss[0]);
    cell->accuracy = cf_realloc(cell->accuracy, (size_t)(n + 1) * sizeof cell->accuracy[0]);
    cell->worst = cf_realloc(cell->worst, (size_t)(n + 1) * sizeof cell->worst[0]);
    cell->link = cf_realloc(cell->link, (size_t)(n + 1) * sizeof cell->link[0]);
}

static void make_twins(struct cf_bank_cell *cell, const struct cf_trained *trained, int at,
                       int configuration)
{
    for (int s = 0; s < CF_BANK_TWIN_SEEDS; ++s) {
        for (int k = 0; k < CF_BANK_TWINS; ++k) {
            const struct cf_trained_run *run =
                cf_trained_find(trained, at, s + 1, configuration, k + 1, 0);

            if (!run || run->n_curve != cell->n_curve || cell->n_curve == 0)
                return;
            memcpy(cell->twin[k][s], run->curve, sizeof run->curve);
        }
        cell->n_twin_seeds = s + 1;
    }
}

static void make_ladder(struct cf_bank_cell *cell, const struct cf_trained *trained, int at,
                        int configuration)
{
    for (int r = 0; r < CF_BANK_RUNGS; ++r) {
        double sum[CF_CURVE_MAX] = {0};

        for (int s = 1; s <= CF_BANK_RUNG_SEEDS; ++s) {
            const struct cf_trained_run *run =
                cf_trained_find(trained, at, s, configuration, 1, (int64_t)rung_bits(r));

            if (!run || run->n_curve != cell->n_curve || cell->n_curve == 0)
                return;
            for (int k = 0; k < cell->n_curve; ++k)
                sum[k] += log(run->curve[k]) / CF_BANK_RUNG_SEEDS;
        }
        for (int k = 0; k < cell->n_curve; ++k)
            cell->rung[r][k] = exp(sum[k]);
        cell->bits[r] = rung_bits(r);
        cell->n_rungs = r + 1;
    }
}

static void make_cell(struct cf_bank_cell *cell, const struct cf_trained *trained, int at,
                      int configuration)
{
    const struct cf_trained_cell *from = &trained->cell[at];

    *cell = (struct cf_bank_cell){.text = cf_strdup(from->text), .n_curve = from->n_curve};
    memcpy(cell->step, from->step, sizeof cell->step);
    make_room(cell, from->n_seeds);
    for (int s = 1; s <= from->n_seeds; ++s) {
        const struct cf_trained_run *run = cf_trained_find(trained, at, s, configuration, 0, 0);

        if (!run || (!run->ran && !run->is_failure))
            break;
        cell->loss[cell->n] = run->loss;
        cell->accuracy[cell->n] = run->accuracy;
        cell->worst[cell->n] = run->worst;
        cell->link[cell->n++] = run->link;
    }
    make_twins(cell, trained, at, configuration);
    make_ladder(cell, trained, at, configuration);
}

static void name(struct cf_seed_bank *bank)
{
    char *text = cf_seed_bank_print(bank);
    struct cf_digest digest;

    cf_digest_of(&digest, text, strlen(text));
    cf_digest_print(bank->hash, &digest);
    free(text);
}

void cf_seed_bank_make(struct cf_seed_bank *bank, const char *baseline,
                       const struct cf_trained *trained, int configuration)
{
    *bank = (struct cf_seed_bank){.baseline = cf_strdup(baseline), .n = trained->n_cells};
    bank->cell = cf_alloc_zero((size_t)(bank->n + 1) * sizeof bank->cell[0]);
    for (int i = 0; i < bank->n; ++i)
        make_cell(&bank->cell[i], trained, i, configuration);
    name(bank);
}

static void put_numbers(FILE *out, const double *x, int n)
{
    for (int i = 0; i < n; ++i)
        fprintf(out, " %a", x[i]);
    fputc('\n', out);
}

static void print_cell(FILE *out, const struct cf_bank_cell *cell)
{
    fprintf(out, "cell %s\nsteps", cell->text);
    put_numbers(out, cell->step, cell->n_curve);
    for (int s = 0; s < cell->n; ++s)
        fprintf(out, "seed %d %a %a %a %016" PRIx64 "\n", s + 1, cell->loss[s], cell->accuracy[s],
                cell->worst[s], cell->link[s]);
    for (int k = 0; k < CF_BANK_TWINS; ++k)
        for (int s = 0; s < cell->n_twin_seeds; ++s) {
            fprintf(out, "twin %d %d", k + 1, s + 1);
            put_numbers(out, cell->twin[k][s], cell->n_curve);
        }
    for (int r = 0; r < cell->n_rungs; ++r) {
        fprintf(out, "ladder %g", cell->bits[r]);
        put_numbers(out, cell->rung[r], cell->n_curve);
    }
}

char *cf_seed_bank_print(const struct cf_seed_bank *bank)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    CF_CHECK(out != NULL);
    fprintf(out, "conform-bank 1\nbaseline %s\n", bank->baseline);
    for (int i = 0; i < bank->n; ++i)
        print_cell(out, &bank->cell[i]);
    CF_CHECK(fclose(out) == 0 && text);
    return text;
}

/* Numbers up to the end of the line: exactly n (n < 0: any number, at most CF_CURVE_MAX). */
static int take_numbers(const char *at, double *x, int n)
{
    int k = 0;

    for (char *end; k < CF_CURVE_MAX; at = end) {
        const double value = strtod(at, &end);

        if (end == at)
            break;
        x[k++] = value;
    }
    return (n < 0 || k == n) && at[strspn(at, " ")] == '\0' ? k : -1;
}

static int parse_seed(struct cf_bank_cell *cell, const char *at)
{
    char *end;
    const long seed = strtol(at, &end, 10);

    if (seed != cell->n + 1)
        return -1;
    make_room(cell, cell->n + 1);
    cell->loss[cell->n] = strtod(end, &end);
    cell->accuracy[cell->n] = strtod(end, &end);
    cell->worst[cell->n] = strtod(end, &end);
    if (*end != ' ')
        return -1;
    cell->link[cell->n++] = strtoull(end, &end, 16);
    return *end == '\0' ? 0 : -1;
}

static int parse_twin(struct cf_bank_cell *cell, const char *at)
{
    char *end;
    const long k = strtol(at, &end, 10), s = strtol(end, &end, 10);

    if (k < 1 || k > CF_BANK_TWINS || s < 1 || s > CF_BANK_TWIN_SEEDS)
        return -1;
    cell->n_twin_seeds = s > cell->n_twin_seeds ? (int)s : cell->n_twin_seeds;
    return take_numbers(end, cell->twin[k - 1][s - 1], cell->n_curve) < 0 ? -1 : 0;
}

static int parse_rung(struct cf_bank_cell *cell, const char *at)
{
    char *end;

    if (cell->n_rungs == CF_BANK_RUNGS)
        return -1;
    cell->bits[cell->n_rungs] = strtod(at, &end);
    return take_numbers(end, cell->rung[cell->n_rungs++], cell->n_curve) < 0 ? -1 : 0;
}

static int parse_line(struct cf_seed_bank *bank, const char *line)
{
    struct cf_bank_cell *cell = bank->n > 0 ? &bank->cell[bank->n - 1] : NULL;

    if (strncmp(line, "baseline ", 9) == 0 && !bank->baseline) {
        bank->baseline = cf_strdup(line + 9);
        return 0;
    }
    if (strncmp(line, "cell ", 5) == 0) {
        bank->cell = cf_realloc(bank->cell, (size_t)(bank->n + 1) * sizeof bank->cell[0]);
        bank->cell[bank->n++] = (struct cf_bank_cell){.text = cf_strdup(line + 5)};
        return 0;
    }
    if (!cell)
        return -1;
    if (strncmp(line, "steps", 5) == 0)
        return (cell->n_curve = take_numbers(line + 5, cell->step, -1)) < 0 ? -1 : 0;
    if (strncmp(line, "seed ", 5) == 0)
        return parse_seed(cell, line + 5);
    if (strncmp(line, "twin ", 5) == 0)
        return parse_twin(cell, line + 5);
    return strncmp(line, "ladder ", 7) == 0 ? parse_rung(cell, line + 7) : -1;
}

int cf_seed_bank_parse(struct cf_seed_bank *bank, const char *text, const char *what,
                       struct cf_error *err)
{
    char *copy = cf_strdup(text), *save = NULL, *line = strtok_r(copy, "\n", &save);
    int number = 1, bad = !line || strcmp(line, "conform-bank 1") != 0;

    *bank = (struct cf_seed_bank){.n = 0};
    while (!bad && (line = strtok_r(NULL, "\n", &save))) {
        ++number;
        bad = parse_line(bank, line) != 0;
    }
    free(copy);
    if (bad || !bank->baseline || bank->n == 0) {
        cf_seed_bank_free(bank);
        return cf_fail(err,
                       "line %d of the bank %s is none that `conform bank build` writes; "
                       "build it again",
                       number, what);
    }
    name(bank);
    return 0;
}

void cf_seed_bank_append(struct cf_seed_bank *bank, struct cf_seed_bank *other)
{
    if (!bank->baseline)
        bank->baseline = cf_strdup(other->baseline);
    bank->cell = cf_realloc(bank->cell, (size_t)(bank->n + other->n + 1) * sizeof bank->cell[0]);
    memcpy(&bank->cell[bank->n], other->cell, (size_t)other->n * sizeof bank->cell[0]);
    bank->n += other->n;
    other->n = 0; /* its cells belong to the bank */
    name(bank);
}

void cf_seed_bank_free(struct cf_seed_bank *bank)
{
    for (int i = 0; i < bank->n; ++i) {
        free(bank->cell[i].text);
        free(bank->cell[i].loss);
        free(bank->cell[i].accuracy);
        free(bank->cell[i].worst);
        free(bank->cell[i].link);
    }
    free(bank->cell);
    free(bank->baseline);
    *bank = (struct cf_seed_bank){.n = 0};
}

const struct cf_bank_cell *cf_seed_bank_find(const struct cf_seed_bank *bank, const char *text)
{
    for (int i = 0; i < bank->n; ++i)
        if (strcmp(bank->cell[i].text, text) == 0)
            return &bank->cell[i];
    return NULL;
}

int cf_seed_bank_plan(const char *cell, int n_seeds, int (*each)(void *, const char *line),
                      void *context)
{
    char *lines[] = {
        cf_format("%s snapshots=9 seed={1..%d}", cell, CF_BANK_TWIN_SEEDS),
        cf_format("%s seed={%d..%d}", cell, CF_BANK_TWIN_SEEDS + 1, n_seeds),
        cf_format("%s snapshots=9 twin={1..%d} seed={1..%d}", cell, CF_BANK_TWINS,
                  CF_BANK_TWIN_SEEDS),
        cf_format("%s twin=1 seed={%d..20}", cell, CF_BANK_TWIN_SEEDS + 1),
        cf_format("%s snapshots=9 twin=1 perturb={24,22,20,18,16,14,12,10,8,6} seed={1..%d}", cell,
                  CF_BANK_RUNG_SEEDS)};
    int result = 0;

    for (int i = 0; i < CF_COUNT(lines); ++i) {
        if (result == 0)
            result = each(context, lines[i]);
        free(lines[i]);
    }
    return result;
}
