#include "history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FEW 8 /* elements; below, an RMS error says little */

int cf_history_open(struct cf_history *history, struct cf_store *store, int threads,
                    struct cf_error *err)
{
    const struct cf_judge_options options = {.threads = threads};

    *history = (struct cf_history){0};
    if (cf_ledger_read(&history->ledger, store, &history->arena, err) != 0)
        return -1;
    return cf_measure_all(&history->measure, &history->ledger, store, &options, err);
}

void cf_history_close(struct cf_history *history)
{
    cf_measure_free(&history->measure, &history->ledger);
    cf_ledger_free(&history->ledger);
    cf_arena_free(&history->arena);
}

static void add_accuracy(struct cf_standing *s, const struct cf_accuracy *a)
{
    const double rms = a->n_errors > 0 ? sqrt(a->sum_squares / (double)a->n_errors) : NAN;

    s->n_wrong += a->gate[CF_S1].n_failed + a->gate[CF_S2].n_failed + a->gate[CF_S3].n_failed;
    if (s->n_answers > 0 && !(rms > s->rms))
        return;
    s->n_elements = a->n_errors;
    s->rms = rms;
    s->bias = a->n_errors > 0 ? a->sum / (double)a->n_errors : NAN;
    s->largest = a->largest;
}

static int seen_before(const struct cf_ledger_record *records, int64_t i)
{
    for (int64_t k = 0; k < i; ++k)
        if (records[k].output == records[i].output)
            return 1;
    return 0;
}

void cf_standing_read(struct cf_standing *s, const struct cf_history *history, int configuration,
                      int case_index)
{
    int64_t n;
    const struct cf_ledger_record *records =
        cf_ledger_records(&history->ledger, case_index, configuration, &n);

    *s = (struct cf_standing){.answer = -1,
                              .rms = NAN,
                              .bias = NAN,
                              .largest = NAN,
                              .wall_ns = -1,
                              .reason = "",
                              .chosen = ""};
    for (int64_t i = 0; i < n; ++i) {
        const struct cf_ledger_record *r = &records[i];

        s->n_ran += r->fate == CF_RAN;
        s->n_not_offered += r->fate == CF_NOT_OFFERED;
        if (r->fate != CF_RAN && r->fate != CF_NOT_OFFERED && s->n_failed++ == 0) {
            s->fate = r->fate;
            s->reason = r->reason;
        }
        if (r->fate != CF_RAN)
            continue;
        if (s->n_ran == 1)
            s->chosen = r->chosen;
        if (r->wall_ns >= 0 && (s->wall_ns < 0 || r->wall_ns < s->wall_ns))
            s->wall_ns = r->wall_ns;
        if (seen_before(records, i))
            continue;
        s->answer = s->n_answers == 0 ? r->output : s->answer;
        if (history->ledger.cases[case_index].op->element)
            add_accuracy(s, cf_measure_of(&history->measure, &history->ledger, case_index, r));
        ++s->n_answers;
    }
}

struct cf_digest cf_standing_digest(const struct cf_standing *s, const struct cf_history *history,
                                    int case_index)
{
    const struct cf_digest none = {{0}};

    return s->answer < 0 ? none : history->ledger.cases[case_index].output[s->answer];
}

const char *cf_move_name(enum cf_move move)
{
    static const char *const names[CF_N_MOVES] = {"error",   "regressed", "improved",
                                                  "changed", "same",      "not-offered"};

    return names[move];
}

/* Has the one every answer of the other? */
static int covers(const struct cf_history *history, int case_index, int a, int b)
{
    int64_t n_a, n_b;
    const struct cf_ledger_record *of_a = cf_ledger_records(&history->ledger, case_index, a, &n_a);
    const struct cf_ledger_record *of_b = cf_ledger_records(&history->ledger, case_index, b, &n_b);

    for (int64_t k = 0; k < n_b; ++k) {
        int found = 0;

        for (int64_t i = 0; i < n_a; ++i)
            found |= of_a[i].output == of_b[k].output;
        if (!found)
            return 0;
    }
    return 1;
}

static void say(struct cf_moved *moved, enum cf_move move, const char *reason)
{
    moved->move = move;
    snprintf(moved->reason, sizeof moved->reason, "%s", reason);
}

/* Which way from the truth. */
static void say_direction(struct cf_moved *moved, enum cf_move move, const struct cf_standing *a,
                          const struct cf_standing *b)
{
    moved->move = move;
    if (isnan(a->rms) || isnan(b->rms))
        snprintf(moved->reason, sizeof moved->reason, "other bits");
    else if (moved->ratio > 1.1)
        snprintf(moved->reason, sizeof moved->reason,
                 "other bits, %.3g times as far from the exact answer (RMS error %.3g, was %.3g)",
                 moved->ratio, b->rms, a->rms);
    else if (moved->ratio < 0.9)
        snprintf(moved->reason, sizeof moved->reason,
                 "other bits, closer to the exact answer (RMS error %.3g, was %.3g)", b->rms,
                 a->rms);
    else
        snprintf(moved->reason, sizeof moved->reason,
                 "other bits, as far from the exact answer as before (RMS error %.3g)", b->rms);
}

static void say_wrong(struct cf_moved *moved, const struct cf_standing *b)
{
    moved->move = CF_MOVE_REGRESSED;
    snprintf(moved->reason, sizeof moved->reason,
             "%lld elements are proven wrong: no order of operations errs so much (largest error "
             "%.3g u * scale)",
             (long long)b->n_wrong, b->largest);
}

static int is_closer(const struct cf_moved *moved, const struct cf_standing *a)
{
    return moved->ratio <= (a->n_elements < FEW ? 0.25 : 0.5);
}

/* Could both be measured, and is it offered? 1: decided. */
static int decide_measured(struct cf_moved *moved, const struct cf_standing *a,
                           const struct cf_standing *b)
{
    const struct cf_standing *bad = a->n_failed ? a : b;

    if (a->n_failed || b->n_failed || !(a->n_ran + a->n_not_offered) ||
        !(b->n_ran + b->n_not_offered)) {
        moved->move = CF_MOVE_ERROR;
        snprintf(moved->reason, sizeof moved->reason,
                 "the %s side could not be measured: %s: %.200s",
                 a->n_failed || !(a->n_ran + a->n_not_offered) ? "old" : "new",
                 bad->n_failed ? cf_fate_name(bad->fate) : "no record", bad->reason);
    } else if (!a->n_ran && !b->n_ran)
        say(moved, CF_MOVE_NONE, "neither side offers it");
    else if (!b->n_ran)
        say(moved, CF_MOVE_REGRESSED, "it is no longer offered");
    else if (!a->n_ran)
        say(moved, CF_MOVE_IMPROVED, "it is offered now");
    else
        return 0;
    return 1;
}

void cf_move_decide(struct cf_moved *moved, const struct cf_history *history, int case_index,
                    int old, int new, const char *below)
{
    struct cf_standing a, b;

    cf_standing_read(&a, history, old, case_index);
    cf_standing_read(&b, history, new, case_index);
    *moved = (struct cf_moved){.ratio = a.rms == b.rms ? 1 : b.rms / a.rms};
    if (decide_measured(moved, &a, &b))
        return;
    if (b.n_wrong > 0 && a.n_wrong == 0)
        say_wrong(moved, &b);
    else if (b.n_answers > 1 && a.n_answers == 1)
        say(moved, CF_MOVE_REGRESSED, "its bits now differ from run to run");
    else if (covers(history, case_index, old, new) && covers(history, case_index, new, old))
        say(moved, CF_MOVE_SAME, "the same bits");
    else if (b.n_wrong == 0 && a.n_wrong > 0)
        say(moved, CF_MOVE_IMPROVED, "it was proven wrong and is not any more");
    else if (b.n_answers == 1 && a.n_answers > 1)
        say(moved, CF_MOVE_IMPROVED, "its bits are now the same from run to run");
    else if (is_closer(moved, &a))
        say_direction(moved, CF_MOVE_IMPROVED, &a, &b);
    else if (below) {
        say_direction(moved, CF_MOVE_REGRESSED, &a, &b);
        snprintf(moved->reason + strlen(moved->reason),
                 sizeof moved->reason - strlen(moved->reason), "; %s", below);
    } else
        say_direction(moved, CF_MOVE_CHANGED, &a, &b);
}
