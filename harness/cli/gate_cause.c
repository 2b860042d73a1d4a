/* One knob at a time. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gating.h"
#include "knobs.h"
#include "task.h"

#define PROBES 6

struct probing {
    struct cf_gate_result *g;
    int probe[PROBES], n_probes; /* cases */
    struct cf_knob knob[CF_KNOBS_MAX];
    int n_knobs;
    char *effective[CF_KNOBS_MAX + 1]; /* [0]: the new side as it is */
    struct cf_history history;
};

/* How much a case tells: the terms of its first element, in which an order can show. */
static int64_t weight(const struct cf_ledger_case *one)
{
    return one->op->terms ? one->op->terms(&one->c, 0, 0) : 0;
}

/* Cases with one old answer and other bits now: of each group the one with most terms. */
static void choose_probes(struct probing *p)
{
    const struct cf_gate_result *g = p->g;
    const struct cf_ledger *ledger = &g->v->history.ledger;

    for (int i = 0; i < g->v->plan.n_cases; ++i) {
        const struct cf_gated *one = &g->one[i];
        int k = 0;

        if (one->moved.move == CF_MOVE_SAME || one->old.n_answers != 1 || one->new.n_ran == 0)
            continue;
        while (k < p->n_probes && ledger->cases[p->probe[k]].group != ledger->cases[i].group)
            ++k;
        if (k == p->n_probes && k < PROBES)
            p->probe[p->n_probes++] = i;
        else if (k < p->n_probes && weight(&ledger->cases[i]) > weight(&ledger->cases[p->probe[k]]))
            p->probe[k] = i;
    }
}

/* Is this the old side's own setting? Of two that restore the same, it is the one to name. */
static int is_old_setting(const struct probing *p, int k)
{
    const struct cf_end *old = &p->g->v->end[p->g->old];
    const char *what = p->knob[k].what, *value = strchr(what, '=') + 1;
    char *key = strndup(what, strcspn(what, "="));
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

static int make_plan(const struct probing *p, struct cf_plan *plan, struct cf_error *err)
{
    const struct cf_versions *v = p->g->v;
    int result = cf_plan_add_configuration(plan, v->end[p->g->new].line, NULL, err);

    plan->level = CF_NUMERICAL;
    for (int k = 0; k < p->n_knobs && result >= 0; ++k)
        result = cf_plan_add_configuration(plan, p->knob[k].line, NULL, err);
    for (int i = 0; i < p->n_probes && result >= 0; ++i)
        result = cf_plan_add_case(plan, v->plan.cases[p->probe[i]].c.text, "probe", 1, 2, err);
    return result < 0 ? -1 : 0;
}

static int take_effective(void *context, const struct cf_plan_configuration *row)
{
    struct probing *p = context;

    if (row->id >= 1 && row->id <= p->n_knobs + 1)
        p->effective[row->id - 1] = cf_strdup(row->effective);
    return 0;
}

/* Has this configuration of the probes' store exactly the old answer? */
static int restores(const struct probing *p, int configuration, int probe,
                    struct cf_standing *standing)
{
    const struct cf_gate_result *g = p->g;
    const struct cf_digest old =
        cf_standing_digest(&g->one[p->probe[probe]].old, &g->v->history, p->probe[probe]);
    struct cf_digest now;

    cf_standing_read(standing, &p->history, configuration, probe);
    now = cf_standing_digest(standing, &p->history, probe);
    return standing->n_answers == 1 && standing->n_failed == 0 && cf_digest_equal(&now, &old);
}

static void conclude_restored(struct probing *p, int best, int n_restored)
{
    struct cf_gate_result *g = p->g;
    struct cf_cause *cause = &g->cause;
    struct cf_standing with, without;
    double price = 0;
    int first = -1, n = 0;
    char *other;

    for (int i = 0; i < p->n_probes; ++i) {
        if (!restores(p, best + 1, i, &with))
            continue;
        first = first < 0 ? i : first;
        cf_standing_read(&without, &p->history, 0, i);
        if (with.wall_ns > 0 && without.wall_ns > 0) {
            price += log((double)with.wall_ns / (double)without.wall_ns);
            ++n;
        }
    }
    cause->price = n > 0 ? exp(price / n) : NAN;
    cause->knob = cf_strdup(p->knob[best].what);
    cause->n_restored = n_restored;
    other = n_restored < p->n_probes
                ? cf_format("; of %d kinds of cases that changed it restores %d", p->n_probes,
                            n_restored)
                : cf_strdup("");
    cause->sentence =
        cf_format("`%s` changed because of %.*s: with %s the new side gives the old bits, "
                  "in %.2f times the time%s",
                  g->v->plan.cases[p->probe[first]].c.text, (int)strcspn(p->knob[best].what, "="),
                  p->knob[best].what, p->knob[best].what, cause->price, other);
    free(other);
}

static void conclude(struct probing *p)
{
    struct cf_cause *cause = &p->g->cause;
    struct cf_standing standing;
    int best = -1, most = 0;

    for (int k = 0; k < p->n_knobs; ++k) {
        const int took = p->effective[0] && p->effective[k + 1] &&
                         cf_knob_took_effect(p->effective[0], p->effective[k + 1]);
        int n = 0, ran = 0;

        for (int i = 0; i < p->n_probes; ++i) {
            n += restores(p, k + 1, i, &standing);
            ran += standing.n_ran > 0;
        }
        cause->n_tried += took && ran > 0;
        cause->n_ignored += !(took && ran > 0);
        if (took && n > 0 && (n > most || (n == most && is_old_setting(p, k)))) {
            most = n;
            best = k;
        }
    }
    cause->n_probed = p->n_probes;
    if (best >= 0)
        conclude_restored(p, best, most);
    else if (cause->n_tried == 1)
        cause->sentence = cf_strdup("the one setting that could be tried does not restore the old "
                                    "bits; the algorithm itself probably changed");
    else if (cause->n_tried > 0)
        cause->sentence = cf_format("none of the %d settings tried restores the old bits; the "
                                    "algorithm itself probably changed",
                                    cause->n_tried);
    else
        cause->sentence = cf_strdup("there is no setting to try whose effect can be read back");
}

static int run(struct probing *p, struct cf_plan *plan, struct cf_error *err)
{
    const struct cf_options *options = p->g->options;
    char *path = cf_temporary_store(err);
    struct cf_store *store = path ? cf_store_open(path, CF_STORE_CREATE, err) : NULL;
    int result = store ? cf_plan_store(plan, store, err) : -1;

    if (result == 0)
        result = cf_task_run(options, plan, store, err);
    if (result == 0) {
        cf_store_each_configuration(store, take_effective, p);
        result = cf_history_open(&p->history, store, (int)options->jobs, err);
        if (result == 0)
            conclude(p);
        cf_history_close(&p->history);
    }
    if (store)
        cf_store_close(store);
    if (path)
        cf_temporary_store_remove(path);
    free(path);
    return result;
}

int cf_gate_find_cause(struct cf_gate_result *g, struct cf_error *err)
{
    const struct cf_end *new = &g->v->end[g->new];
    struct probing *p = cf_alloc_zero(sizeof *p);
    struct cf_plan plan = {0};
    struct cf_config config;
    int result = 0;

    p->g = g;
    g->cause.price = NAN;
    choose_probes(p);
    if (p->n_probes > 0 && !new->store && cf_config_parse(&config, new->line, NULL) == 0) {
        p->n_knobs = cf_knobs_list(p->knob, &config, new->effective ? new->effective : "{}");
        cf_config_free(&config);
        result = make_plan(p, &plan, err);
        if (result == 0)
            result = run(p, &plan, err);
        cf_plan_free(&plan);
    } else if (p->n_probes > 0) {
        g->cause.sentence =
            cf_strdup("not searched for: the new side is a store, and runs no more");
    }
    cf_knobs_free(p->knob, p->n_knobs);
    for (int i = 0; i <= p->n_knobs; ++i)
        free(p->effective[i]);
    free(p);
    return result;
}
