/* The self-test in words, and for programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "evidence.h"
#include "selftest.h"

static const char *word(char letter)
{
    switch (letter) {
    case 'p':
        return "pass";
    case 'f':
        return "fail";
    case 's':
        return "skip";
    case 'u':
        return "unknown";
    case 'r':
        return "rounding";
    case 'n':
        return "not rounding";
    case 'o':
        return "no fail";
    case 'd':
        return "no pass";
    case '.':
        return "-";
    default:
        return letter == '?' ? "undecided" : "nothing";
    }
}

/* What was seen; in brackets where nothing is promised; with what was promised where that is
 * something else. The caller frees. */
static char *cell_text(char expected, char got)
{
    if (expected == '.')
        return got == ' ' || got == 'u' ? cf_strdup("") : cf_format("(%s)", word(got));
    if (cf_selftest_met(expected, got))
        return cf_strdup(word(got));
    return cf_format("%s, NOT %s", word(got), word(expected));
}

static void print_alarms(FILE *out, const char *what, const struct cf_alarms *a)
{
    fprintf(out, "  %-26s false alarms %d of %d (at most %.2f %%), undecided %d\n", what,
            a->n_false, a->n, 100 * a->upper, a->n_undecided);
}

static void print_boundary(FILE *out, const struct cf_boundary *b, const char *pool)
{
    static const char *const words[] = {[CF_BOUNDARY_SHIFT] =
                                            "moved by the margin, independent seeds",
                                        [CF_BOUNDARY_SPREAD] = "stretched by the margin",
                                        [CF_BOUNDARY_PAIRED] = "moved by the margin, paired seeds",
                                        [CF_BOUNDARY_NULL] = "not changed at all"};

    if (b->kind == CF_BOUNDARY_NULL)
        fprintf(out, "  %-38s  %-6s  granted %d of %d, failed %d; %d at the first look\n",
                words[b->kind], pool, b->n_pass, b->n, b->n_fail, b->n_first);
    else
        fprintf(out,
                "  %-38s  %-6s  granted %d of %d (%.1f .. %.1f %%; allowed %.0f %%) by %.2f %s\n",
                words[b->kind], pool, b->n_pass, b->n, 100 * b->lower, 100 * b->upper,
                100 * CF_ALPHA, b->factor, b->kind == CF_BOUNDARY_SPREAD ? "times" : "sigma");
}

static void print_header(FILE *out, const struct cf_selftest *st)
{
    const struct cf_detection d = cf_selftest_detection(st);

    fprintf(out, "How often the instrument is wrong (%s form)\n\n", st->full ? "full" : "fast");
    fprintf(out, "Nothing but rounding differs\n");
    print_alarms(out, "sums in other orders", &st->sums);
    print_alarms(out, "training runs and twins", &st->training);
    fprintf(out, "\nThe truth lies exactly at the margin\n");
    for (int i = 0; i < st->n_boundaries; ++i)
        print_boundary(out, &st->boundary[i], i % CF_SELFTEST_POOLS ? "mlp" : "logreg");
    fprintf(out,
            "\nPlanted bugs\n  caught as promised         %d of %d (at least %.1f %%)\n"
            "  order anomalies            %d of %d levels\n",
            d.n_caught, d.n, 100 * d.lower, st->n_anomalies, st->n_levels);
}

/* The widths of a table's columns. */
struct widths {
    int bug, cell, column[CF_SELFTEST_COLUMNS];
};

static int larger(int a, size_t b)
{
    return a > (int)b ? a : (int)b;
}

static struct widths measure(const struct cf_selftest *st, enum cf_selftest_kind kind)
{
    struct widths w = {.bug = 4, .cell = 4};

    for (int c = 0; cf_selftest_columns[kind][c]; ++c)
        w.column[c] = (int)strlen(cf_selftest_columns[kind][c]);
    for (int i = 0; i < st->n; ++i) {
        const struct cf_outcome *o = &st->outcome[i];

        if (o->want.kind != kind)
            continue;
        w.bug = larger(w.bug, strlen(o->want.bug));
        w.cell = larger(w.cell, strlen(o->want.cell));
        for (int c = 0; o->want.expected[c]; ++c) {
            char *text = cell_text(o->want.expected[c], o->got[c]);

            w.column[c] = larger(w.column[c], strlen(text));
            free(text);
        }
    }
    return w;
}

static void print_row(FILE *out, const struct cf_outcome *o, const struct widths *w, int repeated)
{
    fprintf(out, "  %-*s  %-*s", w->bug, repeated ? "" : o->want.bug, w->cell, o->want.cell);
    for (int c = 0; o->want.expected[c]; ++c) {
        char *text = cell_text(o->want.expected[c], o->got[c]);

        fprintf(out, "  %-*s", o->want.expected[c + 1] ? w->column[c] : 0, text);
        free(text);
    }
    fprintf(out, "\n");
    if (cf_selftest_breaches(o) > 0)
        fprintf(out, "      %s\n", o->reason);
}

static void print_table(FILE *out, const struct cf_selftest *st, enum cf_selftest_kind kind,
                        const char *title)
{
    const struct widths w = measure(st, kind);
    const char *last = "";
    int n = 0;

    for (int i = 0; i < st->n; ++i) {
        const struct cf_outcome *o = &st->outcome[i];

        if (o->want.kind != kind)
            continue;
        if (n++ == 0) {
            fprintf(out, "\n%s\n  %-*s  %-*s", title, w.bug, "bug", w.cell, "cell");
            for (int c = 0; cf_selftest_columns[kind][c]; ++c)
                fprintf(out, "  %-*s", cf_selftest_columns[kind][c + 1] ? w.column[c] : 0,
                        cf_selftest_columns[kind][c]);
            fprintf(out, "\n");
        }
        print_row(out, o, &w, strcmp(last, o->want.bug) == 0);
        last = o->want.bug;
    }
}

static int same_letters(const struct cf_outcome *a, const struct cf_outcome *b)
{
    return strcmp(a->want.cell, b->want.cell) == 0 && strcmp(a->got, b->got) == 0 &&
           strcmp(a->want.expected, b->want.expected) == 0;
}

/* Flips of a cell, bit by bit; bits that are seen alike in one line. */
static void print_flips(FILE *out, const struct cf_selftest *st, const char *cell)
{
    const struct widths all = measure(st, CF_SELFTEST_FLIPS);
    const struct cf_outcome *first = NULL, *last = NULL;
    struct widths w = all;

    w.bug = 12;
    for (int i = 0; i <= st->n; ++i) {
        const struct cf_outcome *o = i < st->n ? &st->outcome[i] : NULL;

        if (o && (o->want.kind != CF_SELFTEST_FLIPS || strcmp(o->want.cell, cell) != 0))
            continue;
        if (first && (!o || !same_letters(first, o))) {
            struct cf_outcome row = *first;
            char *bits = cf_format("%s%s%s", strrchr(first->want.configuration, '-') + 1,
                                   first == last ? "" : " .. ",
                                   first == last ? "" : strrchr(last->want.configuration, '-') + 1);

            row.want.bug = bits;
            print_row(out, &row, &w, 0);
            free(bits);
            first = NULL;
        }
        first = first ? first : o;
        last = o;
    }
}

static void print_all_flips(FILE *out, const struct cf_selftest *st)
{
    const struct widths w = measure(st, CF_SELFTEST_FLIPS);

    fprintf(out,
            "\nOne bit of one output in 64 (0 .. 22 of the significand, 23 .. 30 of the exponent, "
            "31 the sign)\n  %-12s  %-*s",
            "bits", w.cell, "cell");
    for (int c = 0; cf_selftest_columns[CF_SELFTEST_FLIPS][c]; ++c)
        fprintf(out, "  %-*s", cf_selftest_columns[CF_SELFTEST_FLIPS][c + 1] ? w.column[c] : 0,
                cf_selftest_columns[CF_SELFTEST_FLIPS][c]);
    fprintf(out, "\n");
    print_flips(out, st, "n=64 integer");
    print_flips(out, st, "n=64 uniform");
}

void cf_selftest_print(FILE *out, const struct cf_selftest *st)
{
    char *why = cf_selftest_verdict(st);

    print_header(out, st);
    print_table(out, st, CF_SELFTEST_TRAINING, "Bugs of training");
    print_table(out, st, CF_SELFTEST_CLAIMS, "Bugs and registered claims");
    print_table(out, st, CF_SELFTEST_SUMS, "Bugs of sums (dot f32, 1280 outputs a cell)");
    print_all_flips(out, st);
    fprintf(out, "\n(in brackets: seen, but nothing is promised about it)\n%s%s\n",
            why ? "The self-test does not hold: " : "The self-test holds.", why ? why : "");
    free(why);
}

static json_t *alarms_json(const struct cf_alarms *a)
{
    return json_pack("{s:i,s:i,s:i,s:f,s:s?}", "pairs", a->n, "false", a->n_false, "undecided",
                     a->n_undecided, "at_most", a->upper, "first", a->first);
}

static json_t *boundary_json(const struct cf_boundary *b)
{
    return json_pack("{s:s,s:f,s:i,s:i,s:i,s:i,s:f,s:f}", "kind", cf_boundary_name(b->kind),
                     "factor", b->factor, "trials", b->n, "granted", b->n_pass, "failed", b->n_fail,
                     "at_first_look", b->n_first, "at_least", b->lower, "at_most", b->upper);
}

static json_t *outcome_json(const struct cf_outcome *o)
{
    json_t *columns = json_object(), *object;

    for (int c = 0; o->want.expected[c]; ++c)
        json_object_set_new(columns, cf_selftest_columns[o->want.kind][c],
                            json_pack("{s:s,s:s,s:b}", "expected", word(o->want.expected[c]),
                                      "observed", word(o->got[c]), "met",
                                      cf_selftest_met(o->want.expected[c], o->got[c])));
    object = json_pack("{s:s,s:s,s:s,s:s,s:o,s:s}", "bug", o->want.bug, "configuration",
                       o->want.configuration, "cell", o->want.cell, "source", o->want.source,
                       "columns", columns, "reason", o->reason);
    CF_CHECK(object != NULL);
    return object;
}

json_t *cf_selftest_json(const struct cf_selftest *st)
{
    const struct cf_detection d = cf_selftest_detection(st);
    json_t *outcomes = json_array(), *boundaries = json_array(), *object;
    char *why = cf_selftest_verdict(st);

    for (int i = 0; i < st->n; ++i)
        json_array_append_new(outcomes, outcome_json(&st->outcome[i]));
    for (int i = 0; i < st->n_boundaries; ++i)
        json_array_append_new(boundaries, boundary_json(&st->boundary[i]));
    object = json_pack("{s:s,s:s,s:b,s:s?,s:o,s:o,s:o,s:i,s:i,s:f,s:i,s:i,s:o}", "schema",
                       "conform-selftest/1", "form", st->full ? "full" : "fast", "holds", !why,
                       "why", why, "sums", alarms_json(&st->sums), "training",
                       alarms_json(&st->training), "boundaries", boundaries, "bugs", d.n, "caught",
                       d.n_caught, "caught_at_least", d.lower, "order_anomalies", st->n_anomalies,
                       "levels", st->n_levels, "outcomes", outcomes);
    CF_CHECK(object != NULL);
    free(why);
    return object;
}
