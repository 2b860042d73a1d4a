/* loader: the same bytes for any number of workers; and the liar: a loader whose workers draw from
 * seeds of their own. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define MICRO 40
#define BATCH 48
#define WIDTH 7

struct filled {
    int32_t rows[MICRO * BATCH], shifts[MICRO * BATCH];
    uint8_t masks[MICRO * BATCH * WIDTH];
};

static void fill(struct filled *f, int workers, int replace, int by_worker, uint64_t dropout_seed)
{
    const struct cf_loader loader = {.seeds = {{1, 2, dropout_seed, 4, 5}},
                                     .micro_batches = MICRO,
                                     .batch = BATCH,
                                     .mask_width = WIDTH,
                                     .dropout = 30,
                                     .augment = 1,
                                     .replace = replace,
                                     .by_worker = by_worker,
                                     .workers = workers};
    struct cf_digits digits;
    struct cf_split split;

    cf_digits_load(&digits);
    cf_split_make(&split, &digits, 80, 0);
    memset(f, 0, sizeof *f);
    cf_loader_fill(&loader, &split, f->rows, f->masks, f->shifts);
    cf_split_free(&split);
    cf_digits_free(&digits);
}

struct row {
    char claim[60];
    int workers, replace, by_worker, same;
};

static struct row rows[] = {
    {"one worker again", 1, 0, 0, 1},
    {"two workers", 2, 0, 0, 1},
    {"seven workers", 7, 0, 0, 1},
    {"sixty-four workers", 64, 0, 0, 1},
    {"one, with replacement", 1, 1, 0, 1},
    {"five, with replacement", 5, 1, 0, 1},
    {"the liar with one worker", 1, 0, 1, 1},
    {"the liar with two", 2, 0, 1, 0},
    {"the liar with three", 3, 1, 1, 0},
};

ParameterizedTestParameters(loader, workers)
{
    return cr_make_param_array(struct row, rows, CF_COUNT(rows));
}

ParameterizedTest(struct row *row, loader, workers)
{
    static struct filled one, many;

    fill(&one, 1, row->replace, row->by_worker, 3);
    fill(&many, row->workers, row->replace, row->by_worker, 3);
    cr_expect_eq(memcmp(&one, &many, sizeof one) == 0, row->same, "%s", row->claim);
}

Test(loader, an_epoch_holds_every_record_once)
{
    static struct filled f;
    int seen[1797] = {0}, most = 0, least = 9;

    fill(&f, 2, 0, 0, 3);
    for (int i = 0; i < 1400; ++i) /* less than an epoch */
        ++seen[f.rows[i]];
    for (int i = 0; i < 1797; ++i) {
        most = seen[i] > most ? seen[i] : most;
        least = seen[i] < least ? seen[i] : least;
    }
    cr_expect_eq(most, 1);
    fill(&f, 2, 1, 0, 3);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 1400; ++i)
        most = ++seen[f.rows[i]] > most ? seen[f.rows[i]] : most;
    cr_expect_gt(most, 1, "sampling with replacement never drew a record twice");
}

Test(loader, a_released_seed_changes_its_own_numbers_only)
{
    static struct filled a, b;

    fill(&a, 1, 0, 0, 3);
    fill(&b, 1, 0, 0, 33);
    cr_expect_eq(memcmp(a.rows, b.rows, sizeof a.rows), 0);
    cr_expect_eq(memcmp(a.shifts, b.shifts, sizeof a.shifts), 0);
    cr_expect_neq(memcmp(a.masks, b.masks, sizeof a.masks), 0);
}

/* Operands of whole cases: which of them differ from those of the first row. */
struct released {
    char claim[40], words[60];
    unsigned differ; /* bit per input */
};

#define BIT(input) (1u << (input))
static struct released released[] = {
    {"nothing", "", 0},
    {"four workers", "workers=4", 0},
    {"init", "init_seed=9", BIT(CF_IN_WEIGHTS)},
    {"shuffle", "shuffle_seed=9", BIT(CF_IN_BATCHES)},
    {"dropout", "dropout_seed=9", BIT(CF_IN_MASKS)},
    {"augment", "augment_seed=9", BIT(CF_IN_SHIFTS)},
    {"sampling, which shuffling does not use", "sampling_seed=9", 0},
    {"preprocess", "preprocess=centre", BIT(CF_IN_IMAGES)},
    {"rate", "lr=0.2", BIT(CF_IN_RATES)},
    {"decay", "decay=0.1", BIT(CF_IN_HYPER)},
    {"split", "salt=1", BIT(CF_IN_BATCHES) | BIT(CF_IN_HELD_OUT)},
};

ParameterizedTestParameters(loader, operands)
{
    return cr_make_param_array(struct released, released, CF_COUNT(released));
}

static void draw(struct cf_tensor in[], const char *words)
{
    char *line = cf_format("train_mlp f32 steps=4 batch=8 hidden=8 dropout=30 augment=1 %s "
                           "fill=digits seed=1",
                           words);
    struct cf_tensor out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), 0, "%s", err.text);
    cf_case_free(&c);
    free(line);
}

ParameterizedTest(struct released *row, loader, operands)
{
    struct cf_tensor a[CF_OPERANDS_MAX], b[CF_OPERANDS_MAX];

    draw(a, "");
    draw(b, row->words);
    for (int o = 0; o < CF_N_TRAINING_INPUTS; ++o) {
        const int same = cf_tensor_bytes(&a[o]) == cf_tensor_bytes(&b[o]) &&
                         memcmp(a[o].bits, b[o].bits, cf_tensor_bytes(&a[o])) == 0;
        /* another split has another number of held-out rows: their weight moves with it */
        const int may = o == CF_IN_HYPER && strcmp(row->claim, "split") == 0;

        cr_expect(same == !(row->differ >> o & 1) || may, "%s: operand %d", row->claim, o);
        cf_tensor_free(&a[o]);
        cf_tensor_free(&b[o]);
    }
}

struct refused {
    char op[16], words[60], sentence[60];
};

static struct refused refused[] = {
    {"train_mlp", "steps=0 batch=4", "steps must be 1"},
    {"train_mlp", "steps=1 batch=4 optimizer=lion", "sgd adam adamw"},
    {"train_mlp", "steps=1 batch=4 lr=fast", "decimal number"},
    {"train_mlp", "steps=1 batch=4 lr=nan", "decimal number"},
    {"train_mlp", "steps=1 batch=4 lr=0x1p-3", "decimal number"},
    {"train_mlp", "steps=1 batch=4 momentum=1", "below 1"},
    {"train_mlp", "steps=1 batch=4 detail=1", "detail must be"},
    {"train_mlp", "steps=1 batch=4 data=00000000", "this program carries"},
    {"train_mlp", "steps=1 batch=4 fill=normal", "digits drawn"},
    {"train_mlp", "steps=1 batch=4 row=1", "no axis"},
    {"train_block", "steps=1 batch=4 preprocess=centre", "preprocess=unit"},
};

ParameterizedTestParameters(loader, refuses)
{
    return cr_make_param_array(struct refused, refused, CF_COUNT(refused));
}

ParameterizedTest(struct refused *row, loader, refuses)
{
    char *line = cf_format("%s f32 %s", row->op, row->words);
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_expect_eq(cf_case_draw(&c, cf_op_find(c.op), in, out, &err), -1, "%s", line);
    cr_expect(strstr(err.text, row->sentence), "%s: %s", line, err.text);
    cf_case_free(&c);
    free(line);
}
