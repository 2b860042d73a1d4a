#include <jansson.h>
#include <math.h>
#include <string.h>

#include "gating.h"
#include "listing.h"

#define SHOWN 10

static int n_other_bits(const struct cf_gate_result *g)
{
    return g->n[CF_MOVE_CHANGED] + g->n[CF_MOVE_IMPROVED] + g->n[CF_MOVE_REGRESSED];
}

static int64_t n_wrong(const struct cf_gate_result *g)
{
    int64_t n = 0;

    for (int i = 0; i < g->v->plan.n_cases; ++i)
        n += g->one[i].new.n_wrong > 0 && g->one[i].old.n_wrong == 0;
    return n;
}

/* Cases whose bits have begun to differ from run to run, or that are no longer offered. */
static int n_fickle(const struct cf_gate_result *g)
{
    int n = 0;

    for (int i = 0; i < g->v->plan.n_cases; ++i)
        n += (g->one[i].new.n_answers > 1 && g->one[i].old.n_answers == 1) ||
             (g->one[i].new.n_ran == 0 && g->one[i].old.n_ran > 0);
    return n;
}

static void print_unknown(FILE *out, const struct cf_gate_result *g)
{
    fputs("verdict    not known: ", out);
    if (g->n[CF_MOVE_ERROR] > 0)
        fprintf(out, "%d cases could not be measured%s", g->n[CF_MOVE_ERROR],
                g->n_undecided > 0 ? ", " : "");
    if (g->n_undecided > 0)
        fprintf(out, "%d cases with other bits are too few to decide at level %s", g->n_undecided,
                cf_level_name(g->options->level));
    fputc('\n', out);
}

static void print_verdict(FILE *out, const struct cf_gate_result *g)
{
    const int code = cf_gate_exit_code(g);

    if (code == 1 && g->n_failing > 0)
        fprintf(out, "verdict    do not take it yet: %d of %d cases %s\n", g->n_failing,
                g->v->plan.n_cases,
                g->options->fail_on && strcmp(g->options->fail_on, "changed") == 0
                    ? "have other bits (--fail-on=changed)"
                    : "regressed");
    else if (code == 1)
        fprintf(out, "verdict    do not take it yet: a waiver does not hold\n");
    else if (code == 3)
        print_unknown(out, g);
    else if (n_other_bits(g) > 0)
        fprintf(out, "verdict    can be taken: bits change, and nothing regressed\n");
    else
        fprintf(out, "verdict    can be taken: every answer has the same bits\n");
}

static void print_counts(FILE *out, const struct cf_gate_result *g)
{
    fprintf(out, "cases      ");
    for (int m = 0; m < CF_N_MOVES; ++m)
        fprintf(out, "%s%d %s", m ? ", " : "", g->n[m], cf_move_name((enum cf_move)m));
    if (g->n_waived)
        fprintf(out, ", %d waived", g->n_waived);
    fputc('\n', out);
}

static void print_nature(FILE *out, const struct cf_gate_result *g)
{
    fputs("bug?       ", out);
    if (n_wrong(g) > 0)
        fprintf(out, "a bug: %lld cases have elements that no order of operations explains\n",
                (long long)n_wrong(g));
    else if (g->n[CF_MOVE_ERROR] > 0)
        fputs("a fault is likely: something did not run; the list below says what\n", out);
    else if (g->findings && g->options->level == CF_NUMERICAL && n_other_bits(g) > 0 &&
             !n_fickle(g))
        fputs(
            "expected: every answer keeps the proven bound of its op, but not the old bits, which "
            "level numerical wants\n",
            out);
    else if (g->n[CF_MOVE_REGRESSED] > 0)
        fputs("no answer is proven wrong, but the list below says what became worse\n", out);
    else if (n_other_bits(g) > 0)
        fputs("expected: every answer keeps the proven bound of its op; rounding moved\n", out);
    else
        fputs("nothing changed\n", out);
}

static void print_direction(FILE *out, const struct cf_gate_result *g)
{
    if (n_other_bits(g) == 0 || isnan(g->ratio))
        return;
    fprintf(out, "how far    RMS error over the changed cases is %.3g times the old one: %s\n",
            g->ratio,
            g->ratio > 1.1   ? "farther from the exact answer"
            : g->ratio < 0.9 ? "closer to the exact answer"
                             : "as far from the exact answer as before");
}

/* One line a group with other bits: the op and type, and its worst case. */
static void print_groups(FILE *out, const struct cf_gate_result *g)
{
    const struct cf_ledger *ledger = &g->v->history.ledger;
    int printed = 0;

    for (int k = 0; k < ledger->n_groups; ++k) {
        int n = 0, n_cases = 0, worst = -1;

        for (int i = 0; i < ledger->n_cases; ++i) {
            const enum cf_move move = g->one[i].moved.move;

            if (ledger->cases[i].group != k)
                continue;
            ++n_cases;
            if (move == CF_MOVE_SAME || move == CF_MOVE_NONE)
                continue;
            ++n;
            if (worst < 0 || move < g->one[worst].moved.move ||
                (move == g->one[worst].moved.move &&
                 g->one[i].moved.ratio > g->one[worst].moved.ratio))
                worst = i;
        }
        if (n > 0)
            fprintf(out, "%s %-18s %d of %d cases; worst: %s: %s\n",
                    printed++ ? "          " : "changed   ", ledger->group[k].name, n, n_cases,
                    cf_move_name(g->one[worst].moved.move), g->one[worst].moved.reason);
    }
}

static void print_advice(FILE *out, const struct cf_gate_result *g)
{
    const int code = cf_gate_exit_code(g);

    fputs("do         ", out);
    if (g->cause.knob && n_other_bits(g) > 0)
        fprintf(out, "to keep the old bits, set %s; ", g->cause.knob);
    if (g->cause.both && n_other_bits(g) > 0) {
        fprintf(out, "to have the same bits, set %.*s on both sides as said",
                (int)strcspn(g->cause.both_knob, "="), g->cause.both_knob);
        if (isfinite(g->cause.both_price))
            fprintf(out, " (%.2f times the new side's time)", g->cause.both_price);
        fputs("; ", out);
    }
    if (code == 1)
        fputs("replay a case below, report it to the library's makers with that line, or waive it "
              "with an owner and a date (--waivers)\n",
              out);
    else if (code == 3)
        fputs(g->n[CF_MOVE_ERROR] > 0
                  ? "make the failing side run; nothing was proven\n"
                  : "give more seeds, 20 of a case or more (seed={1..20}); nothing was proven\n",
              out);
    else if (n_other_bits(g) > 0)
        fputs("take it, and refresh what compares bits\n", out);
    else
        fputs("take it\n", out);
}

static int is_listed(const struct cf_gated *one)
{
    return (one->fails && !one->is_waived) || one->moved.move == CF_MOVE_ERROR;
}

/* Cases that fail for one reason are told once: this one stands for those behind it. */
static int n_like(const struct cf_gate_result *g, int i)
{
    int n = 0;

    for (int k = 0; k < i; ++k)
        if (is_listed(&g->one[k]) && strcmp(g->one[k].moved.reason, g->one[i].moved.reason) == 0)
            return 0;
    for (int k = i; k < g->v->plan.n_cases; ++k)
        n += is_listed(&g->one[k]) && strcmp(g->one[k].moved.reason, g->one[i].moved.reason) == 0;
    return n;
}

static void print_list(FILE *out, const struct cf_gate_result *g)
{
    int n = 0, n_told = 0;

    for (int i = 0; i < g->v->plan.n_cases && n < SHOWN; ++i) {
        const struct cf_gated *one = &g->one[i];
        const struct cf_digest digest = cf_standing_digest(&one->new, &g->v->history, i);
        const int n_alike = is_listed(one) ? n_like(g, i) : 0;
        char text[33];

        if (n_alike == 0)
            continue;
        cf_digest_print(text, &digest);
        fprintf(out, "\n%s  %s\n  %s\n", cf_move_name(one->moved.move), g->v->plan.cases[i].c.text,
                one->moved.reason);
        if (n_alike > 1)
            fprintf(out, "  the same in %d other cases\n", n_alike - 1);
        if (one->new.n_ran > 0)
            fprintf(out, "  new digest  xxh3:%s\n", text);
        fprintf(out, "  replay      conform replay \"%s\" \"%s\" \"%s\"\n",
                g->v->plan.cases[i].c.text, g->v->end[g->old].line, g->v->end[g->new].line);
        ++n;
        n_told += n_alike;
    }
    if (g->n_failing + g->n[CF_MOVE_ERROR] > n_told)
        fprintf(out, "\nand %d more; --json names all\n",
                g->n_failing + g->n[CF_MOVE_ERROR] - n_told);
}

static void print_orders(FILE *out, const struct cf_gate_result *g)
{
    int printed = 0;

    for (int i = 0; i < g->n_orders; ++i)
        if (g->order[i].is_known)
            fprintf(out, "%s `%s`, element %lld: %s\n", printed++ ? "          " : "order     ",
                    g->v->plan.cases[g->order[i].index].c.text, (long long)g->order[i].element,
                    g->order[i].sentence);
}

void cf_gate_print(FILE *out, const struct cf_gate_result *g)
{
    const struct cf_versions *v = g->v;

    fprintf(out, "old        %s%s%s\nnew        %s%s%s\n", v->end[g->old].label,
            v->end[g->old].store ? " of " : "", v->end[g->old].store ? v->end[g->old].store : "",
            v->end[g->new].label, v->end[g->new].store ? " of " : "",
            v->end[g->new].store ? v->end[g->new].store : "");
    print_verdict(out, g);
    print_nature(out, g);
    print_counts(out, g);
    print_groups(out, g);
    print_direction(out, g);
    if (g->components && *g->components)
        fprintf(out, "component  %s\n", g->components);
    if (g->state && *g->state)
        fprintf(out, "state      %s\n", g->state);
    if (g->chosen)
        fprintf(out, "chosen     %s\n", g->chosen);
    if (g->blame)
        fprintf(out, "moved      %s\n", g->blame);
    if (g->cause.sentence)
        fprintf(out, "cause      %s\n", g->cause.sentence);
    if (g->cause.both)
        fprintf(out, "both sides %s\n", g->cause.both);
    print_orders(out, g);
    if (*g->refusals)
        fprintf(out, "waivers    %s\n", g->refusals);
    print_advice(out, g);
    print_list(out, g);
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *case_json(const struct cf_gate_result *g, int i)
{
    const struct cf_gated *one = &g->one[i];
    const struct cf_digest old = cf_standing_digest(&one->old, &g->v->history, i);
    const struct cf_digest new = cf_standing_digest(&one->new, &g->v->history, i);
    char was[33], is[33];

    cf_digest_print(was, &old);
    cf_digest_print(is, &new);
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:s+,s:s+,s:b,s:b,s:s,s:s}", "case",
                     g->v->plan.cases[i].c.text, "change", cf_move_name(one->moved.move), "reason",
                     one->moved.reason, "error_ratio", number(one->moved.ratio), "rms_old",
                     number(one->old.rms), "rms_new", number(one->new.rms), "digest_old",
                     "xxh3:", was, "digest_new", "xxh3:", is, "fails", one->fails, "waived",
                     one->is_waived, "chosen_old", one->old.chosen, "chosen_new", one->new.chosen);
}

static json_t *orders_json(const struct cf_gate_result *g)
{
    json_t *list = json_array();

    for (int i = 0; i < g->n_orders; ++i)
        if (g->order[i].is_known)
            json_array_append_new(list, json_pack("{s:s,s:I,s:s}", "case",
                                                  g->v->plan.cases[g->order[i].index].c.text,
                                                  "element", (json_int_t)g->order[i].element,
                                                  "sentence", g->order[i].sentence));
    return list;
}

int cf_gate_put_json(const struct cf_gate_result *g, const char *path, struct cf_error *err)
{
    json_t *cases = json_array(), *summary = json_object(), *object;

    for (int i = 0; i < g->v->plan.n_cases; ++i)
        json_array_append_new(cases, case_json(g, i));
    for (int m = 0; m < CF_N_MOVES; ++m)
        json_object_set_new(summary, cf_move_name((enum cf_move)m), json_integer(g->n[m]));
    object = json_pack(
        "{s:s,s:s,s:s,s:i,s:o,s:o,s:s,s:s?,s:s?,s:{s:s?,s:s?,s:i,s:i,s:i,s:i,s:o,s:{s:s?,s:s?,s:i,"
        "s:o}},s:o,s:s,s:o}",
        "schema", "conform-gate/1", "old", g->v->end[g->old].line, "new", g->v->end[g->new].line,
        "exit", cf_gate_exit_code(g), "summary", summary, "error_ratio", number(g->ratio),
        "components", g->components ? g->components : "", "moved", g->blame, "chosen", g->chosen,
        "cause", "sentence", g->cause.sentence, "knob", g->cause.knob, "tried", g->cause.n_tried,
        "ignored", g->cause.n_ignored, "restored", g->cause.n_restored, "probed", g->cause.n_probed,
        "price", number(g->cause.price), "both_sides", "sentence", g->cause.both, "knob",
        g->cause.both_knob, "agreed", g->cause.n_agreed, "price", number(g->cause.both_price),
        "orders", orders_json(g), "waivers", g->refusals, "cases", cases);
    CF_CHECK(object != NULL);
    return cf_listing_put_json(path, object, err);
}
