/* One knob at a time: on the new side alone; where none restores the old bits, on both sides. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gate_probing.h"

/* How much a case tells: the terms of its first element, in which an order can show. */
static int64_t weight(const struct cf_ledger_case *one)
{
    return one->op->terms ? one->op->terms(&one->c, 0, 0) : 0;
}

/* Cases with one old answer and other bits now: of each group the one with most terms. */
static void choose_probes(const struct cf_gate_result *g, struct cf_probes *p)
{
    const struct cf_ledger *ledger = &g->v->history.ledger;

    for (int i = 0; i < g->v->plan.n_cases; ++i) {
        const struct cf_gated *one = &g->one[i];
        int k = 0;

        if (one->moved.move == CF_MOVE_SAME || one->old.n_answers != 1 || one->new.n_ran == 0)
            continue;
        while (k < p->n && ledger->cases[p->at[k]].group != ledger->cases[i].group)
            ++k;
        if (k == p->n && k < CF_KNOB_PROBES)
            p->at[p->n++] = i;
        else if (k < p->n && weight(&ledger->cases[i]) > weight(&ledger->cases[p->at[k]]))
            p->at[k] = i;
    }
}

/* Is this the old side's own setting? Of two that restore the same, it is the one to name. */
static int is_old_setting(const struct cf_gate_result *g, const struct cf_knob *knob)
{
    const struct cf_end *old = &g->v->end[g->old];
    const char *value = strchr(knob->what, '=') + 1;
    char *key = strndup(knob->what, (size_t)(value - 1 - knob->what));
    json_t *effective = json_loads(old->effective ? old->effective : "{}", 0, NULL);
    const char *was = json_string_value(json_object_get(effective, key));
    int is = was && strcasecmp(was, value) == 0;
    struct cf_config config;

    if (!is && cf_config_parse(&config, old->line, NULL) == 0) {
        is = cf_config_get(&config, key) && strcmp(cf_config_get(&config, key), value) == 0;
        cf_config_free(&config);
    }
    json_decref(effective);
    free(key);
    return is;
}

/* Has this configuration of the new side exactly the old answer? */
static int restores(const struct cf_probing *p, int configuration, int probe)
{
    const struct cf_gate_result *g = p->g;
    const int i = p->probes->at[probe];
    const struct cf_digest old = cf_standing_digest(&g->one[i].old, &g->v->history, i);
    struct cf_digest now;

    return cf_probing_digest(p, configuration, probe, &now, NULL) && cf_digest_equal(&now, &old);
}

/* The geometric mean over probes of the time with a knob over that without; NaN unknown. */
static double price_of(const struct cf_probing *p, int configuration, const int wanted[])
{
    double sum = 0;
    int n = 0;

    for (int i = 0; i < p->probes->n; ++i) {
        struct cf_digest digest;
        int64_t with, without;

        cf_probing_digest(p, configuration, i, &digest, &with);
        cf_probing_digest(p, 0, i, &digest, &without);
        if (wanted[i] && with > 0 && without > 0) {
            sum += log((double)with / (double)without);
            ++n;
        }
    }
    return n > 0 ? exp(sum / n) : NAN;
}

static const char *text_of(const struct cf_probing *p, const int wanted[])
{
    int i = 0;

    while (!wanted[i])
        ++i;
    return p->g->v->plan.cases[p->probes->at[i]].c.text;
}

/* The knob of the new side that restores most; -1: none does. Fills what it restores. */
static int find_one_sided(const struct cf_probing *p, struct cf_cause *cause, int restored[])
{
    int best = -1, most = 0;

    for (int k = 0; k < p->n_knobs; ++k) {
        const int took = cf_probing_took(p, k);
        struct cf_digest digest;
        int n = 0, ran = 0;

        for (int i = 0; i < p->probes->n; ++i) {
            n += restores(p, k + 1, i);
            ran += cf_probing_digest(p, k + 1, i, &digest, NULL);
        }
        cause->n_tried += took && ran > 0;
        cause->n_ignored += !(took && ran > 0);
        if (took && n > 0 && (n > most || (n == most && is_old_setting(p->g, &p->knob[k])))) {
            most = n;
            best = k;
        }
    }
    for (int i = 0; i < p->probes->n; ++i)
        restored[i] = best >= 0 && restores(p, best + 1, i);
    cause->n_restored = most;
    return best;
}

/* Do both sides agree in a probe, each with its knob (configurations of the two)? */
static int agree(const struct cf_probing *new, int in_new, const struct cf_probing *old, int in_old,
                 int probe)
{
    struct cf_digest a, b;

    return cf_probing_digest(new, in_new, probe, &a, NULL) &&
           cf_probing_digest(old, in_old, probe, &b, NULL) && cf_digest_equal(&a, &b);
}

/* The configuration of the new side that has the old side's knob: its own with the same words, or
 * 0 when it has it by itself. -1: it ignored it. */
static int counterpart(const struct cf_probing *new, const char *what)
{
    for (int k = 0; k < new->n_knobs; ++k)
        if (strcmp(new->knob[k].what, what) == 0)
            return cf_probing_took(new, k) ? k + 1 : -1;
    return 0;
}

/* Of the probes in `left`, those that the best knob of both sides makes agree. */
static void find_two_sided(struct cf_cause *cause, const struct cf_probing *new,
                           const struct cf_probing *old, const int left[])
{
    int best = -1, agreed[CF_KNOB_PROBES];

    for (int k = 0; k < old->n_knobs; ++k) {
        const int other = cf_probing_took(old, k) ? counterpart(new, old->knob[k].what) : -1;
        int n = 0;

        for (int i = 0; i < new->probes->n &&other >= 0; ++i)
            n += left[i] && agree(new, other, old, k + 1, i);
        if (n > cause->n_agreed) {
            cause->n_agreed = n;
            best = k;
            for (int i = 0; i < new->probes->n; ++i)
                agreed[i] = left[i] && agree(new, other, old, k + 1, i);
        }
    }
    if (best < 0)
        return;
    cause->both_knob = cf_knob_words(old->knob[best].what);
    cause->both_price = price_of(new, counterpart(new, old->knob[best].what), agreed);
    cause->both =
        cf_format("agree with %s in %d of the %d kinds of cases %s, `%s` among them",
                  cause->both_knob, cause->n_agreed, cause->n_probed - cause->n_restored,
                  cause->n_restored > 0 ? "that are left" : "that changed", text_of(new, agreed));
}

static void tell_restored(struct cf_cause *cause, const struct cf_probing *p, int best,
                          const int restored[])
{
    char *other = cause->n_restored < cause->n_probed
                      ? cf_format("; of %d kinds of cases that changed it restores %d",
                                  cause->n_probed, cause->n_restored)
                      : cf_strdup("");

    cause->price = price_of(p, best + 1, restored);
    cause->knob = cf_knob_words(p->knob[best].what);
    cause->sentence = cf_format("`%s` changed because of %.*s: with %s the new side gives the old "
                                "bits, in %.2f times the time%s",
                                text_of(p, restored), (int)strcspn(cause->knob, "="), cause->knob,
                                cause->knob, cause->price, other);
    free(other);
}

static void tell_none(struct cf_cause *cause)
{
    const char *end =
        cause->both ? " on the new side alone" : "; the algorithm itself probably changed";

    if (cause->n_tried == 1)
        cause->sentence =
            cf_format("the one setting that could be tried does not restore the old bits%s", end);
    else if (cause->n_tried > 0)
        cause->sentence =
            cf_format("none of the %d settings tried restores the old bits%s", cause->n_tried, end);
    else
        cause->sentence = cf_strdup("there is no setting to try whose effect can be read back");
}

static int find(struct cf_gate_result *g, const struct cf_probes *probes, struct cf_error *err)
{
    struct cf_probing *new = cf_alloc_zero(sizeof *new), *old = cf_alloc_zero(sizeof *old);
    struct cf_cause *cause = &g->cause;
    int restored[CF_KNOB_PROBES], left[CF_KNOB_PROBES], best = -1;
    int result = cf_probing_run(new, g, probes, g->new, err);

    cause->n_probed = probes->n;
    if (result == 0) {
        best = find_one_sided(new, cause, restored);
        for (int i = 0; i < probes->n; ++i)
            left[i] = !restored[i];
        if (cause->n_restored < probes->n && !g->v->end[g->old].store)
            result = cf_probing_run(old, g, probes, g->old, err);
    }
    if (result == 0 && old->has_history)
        find_two_sided(cause, new, old, left);
    if (result == 0 && best >= 0)
        tell_restored(cause, new, best, restored);
    else if (result == 0)
        tell_none(cause);
    cf_probing_close(old);
    cf_probing_close(new);
    free(old);
    free(new);
    return result;
}

int cf_gate_find_cause(struct cf_gate_result *g, struct cf_error *err)
{
    struct cf_probes probes = {.n = 0};

    g->cause.price = g->cause.both_price = NAN;
    choose_probes(g, &probes);
    if (probes.n == 0)
        return 0;
    if (!g->v->end[g->new].store)
        return find(g, &probes, err);
    g->cause.sentence = cf_strdup("not searched for: the new side is a store, and runs no more");
    return 0;
}
