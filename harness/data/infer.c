#include "infer.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

/* A row made ready: operands taken apart with and without subnormals, and the answer. */
struct row {
    const struct cf_probe *probe;
    int64_t index;
    float c;
    struct cf_tc_operand *a[2], *b[2];
    uint64_t got;
};

struct rows {
    struct row *row;
    int64_t n;
    enum cf_tc_type type;
};

static uint64_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static struct cf_tc_operand *take_all(const double x[], const struct cf_probe *probe, int flush)
{
    struct cf_tc_operand *all = cf_alloc((unsigned long)probe->k * sizeof all[0]);

    for (int64_t l = 0; l < probe->k; ++l)
        all[l] = cf_tc_take((float)x[l], probe->type, flush);
    return all;
}

static void prepare_row(struct row *row, const struct cf_probe *probe, int64_t i)
{
    struct cf_probe_row *made = cf_alloc(sizeof *made);

    CF_CHECK(cf_probe_make(probe, i, made) == 0);
    *row = (struct row){.probe = probe, .index = i, .c = (float)made->c};
    for (int flush = 0; flush < 2; ++flush) {
        row->a[flush] = take_all(made->a, probe, flush);
        row->b[flush] = take_all(made->b, probe, flush);
    }
    free(made);
}

static void free_row(struct row *row)
{
    for (int flush = 0; flush < 2; ++flush) {
        free(row->a[flush]);
        free(row->b[flush]);
    }
}

static uint64_t predict_row(const struct cf_tc_parameters *p, const struct row *row)
{
    return bits_of(cf_tc_dot(p, row->probe->type, row->c, row->a[p->flush_in], row->b[p->flush_in],
                             row->probe->k));
}

uint64_t cf_predict(const struct cf_tc_parameters *p, const struct cf_probe *probe, int64_t i)
{
    struct row row;
    uint64_t bits;

    if (probe->type == CF_TC_F64) {
        struct cf_probe_row *made = cf_alloc(sizeof *made);
        double value;

        CF_CHECK(cf_probe_make(probe, i, made) == 0);
        value = cf_tc_dot_f64(p, made->c, made->a, made->b, probe->k);
        memcpy(&bits, &value, sizeof bits);
        free(made);
        return bits;
    }
    prepare_row(&row, probe, i);
    bits = predict_row(p, &row);
    free_row(&row);
    return bits;
}

int cf_tc_same(const struct cf_tc_parameters *a, const struct cf_tc_parameters *b)
{
    if (a->chain || b->chain)
        return a->chain == b->chain && a->descending == b->descending;
    return a->block == b->block && a->fraction == b->fraction && a->nearest == b->nearest &&
           a->even == b->even && a->kept == b->kept && a->flush_in == b->flush_in &&
           a->flush_out == b->flush_out && a->descending == b->descending;
}

static int64_t count_missed(const struct cf_tc_parameters *p, const struct rows *rows,
                            int64_t at_most, int64_t *first)
{
    int64_t n = 0;

    for (int64_t i = 0; i < rows->n && n <= at_most; ++i)
        if (predict_row(p, &rows->row[i]) != rows->row[i].got && n++ == 0)
            *first = i;
    return n;
}

static void note_open(struct cf_inference *x, const struct cf_tc_parameters *p)
{
    const struct cf_tc_parameters *least = &x->least;

    x->open_block |= p->block != least->block;
    x->open_fraction |= p->fraction != least->fraction;
    x->open_nearest |= p->nearest != least->nearest;
    x->open_even |= p->even != least->even;
    x->open_kept |= p->kept != least->kept;
    x->open_flush_in |= p->flush_in != least->flush_in;
    x->open_flush_out |= p->flush_out != least->flush_out;
    x->open_descending |= p->descending != least->descending;
}

/* Remembers a combination that explains every row. */
static void explain(struct cf_inference *x, const struct cf_tc_parameters *p,
                    const struct rows *rows)
{
    int64_t first;

    if (count_missed(p, rows, 0, &first) > 0)
        return;
    if (x->n_explain++ == 0)
        x->least = *p;
    note_open(x, p);
}

/* Remembers the one that misses fewest. */
static void approach(struct cf_inference *x, const struct cf_tc_parameters *p,
                     const struct rows *rows)
{
    int64_t first = 0;
    const int64_t missed = count_missed(p, rows, x->n_missed, &first);

    if (missed >= x->n_missed)
        return;
    x->n_missed = missed;
    x->closest = *p;
    x->row = rows->row[first].index;
    x->number = rows->row[first].probe->number;
    x->got = rows->row[first].got;
    x->expected = predict_row(p, &rows->row[first]);
}

#define FRACTION_MIN 8
#define FRACTION_MAX 32

#define SWITCHES      64
#define SWITCHES_HALF 32 /* behind them: the sum is rounded to f16 */

/* Combination i of the switches of one block size and number of bits. */
static struct cf_tc_parameters combination(int block, int fraction, int i)
{
    return (struct cf_tc_parameters){.block = block,
                                     .fraction = fraction,
                                     .nearest = i & 1,
                                     .even = i >> 1 & 1,
                                     .kept = i >= SWITCHES ? 10
                                             : i >> 2 & 1  ? 13
                                                           : 23,
                                     .flush_in = i >> 3 & 1,
                                     .flush_out = i >> 4 & 1,
                                     .descending = (i >= SWITCHES ? i >> 2 : i >> 5) & 1,
                                     .floor = CF_TC_NO_FLOOR};
}

typedef void visitor(struct cf_inference *, const struct cf_tc_parameters *, const struct rows *);

static void each_chain(struct cf_inference *x, const struct rows *rows, visitor *visit)
{
    for (int descending = 0; descending < 2; ++descending) {
        const struct cf_tc_parameters chain = {.block = 1,
                                               .chain = 1,
                                               .fraction = 40,
                                               .even = 1,
                                               .kept = 23,
                                               .descending = descending,
                                               .floor = CF_TC_NO_FLOOR};

        visit(x, &chain, rows);
    }
}

static void each_block(struct cf_inference *x, const struct rows *rows, visitor *visit)
{
    const int n = SWITCHES + (rows->row[0].probe->type == CF_TC_F16 ? SWITCHES_HALF : 0);

    for (int block = 1; block <= 32; block *= 2)
        for (int fraction = FRACTION_MIN; fraction <= FRACTION_MAX; ++fraction)
            for (int i = 0; i < n; ++i) {
                const struct cf_tc_parameters p = combination(block, fraction, i);

                visit(x, &p, rows);
            }
}

static void search(struct cf_inference *x, const struct rows *rows)
{
    each_chain(x, rows, explain);
    if (x->n_explain == 0) /* one product at a time with enough bits is a chain too */
        each_block(x, rows, explain);
    if (x->n_explain > 0)
        return;
    x->n_missed = rows->n + 1;
    each_chain(x, rows, approach);
    each_block(x, rows, approach);
}

void cf_infer(struct cf_inference *x, const struct cf_answers answers[], int n)
{
    struct rows rows = {.n = 0};

    *x = (struct cf_inference){.n_explain = 0};
    for (int i = 0; i < n; ++i)
        rows.n += answers[i].n;
    rows.row = cf_alloc((unsigned long)(rows.n + 1) * sizeof rows.row[0]);
    rows.n = 0;
    for (int i = 0; i < n; ++i)
        for (int64_t k = 0; k < answers[i].n; ++k) {
            CF_CHECK(answers[i].probe.type != CF_TC_F64);
            prepare_row(&rows.row[rows.n], &answers[i].probe, k);
            rows.row[rows.n++].got = answers[i].bits[k];
        }
    x->n_rows = rows.n;
    if (rows.n > 0)
        search(x, &rows);
    for (int64_t i = 0; i < rows.n; ++i)
        free_row(&rows.row[i]);
    free(rows.row);
}
