#include "gate_probing.h"

#include <stdlib.h>
#include <string.h>

#include "task.h"

static int make_plan(const struct cf_probing *p, int end, struct cf_plan *plan,
                     struct cf_error *err)
{
    const struct cf_versions *v = p->g->v;
    int result = cf_plan_add_configuration(plan, v->end[end].line, NULL, err);

    plan->level = CF_NUMERICAL;
    for (int k = 0; k < p->n_knobs && result >= 0; ++k)
        result = cf_plan_add_configuration(plan, p->knob[k].line, NULL, err);
    for (int i = 0; i < p->probes->n && result >= 0; ++i)
        result = cf_plan_add_case(plan, v->plan.cases[p->probes->at[i]].c.text, "probe", 1, 2, err);
    return result < 0 ? -1 : 0;
}

static int take_effective(void *context, const struct cf_plan_configuration *row)
{
    struct cf_probing *p = context;

    if (row->id >= 1 && row->id <= p->n_knobs + 1)
        p->effective[row->id - 1] = cf_strdup(row->effective);
    return 0;
}

static int run(struct cf_probing *p, const struct cf_plan *plan, struct cf_error *err)
{
    const struct cf_options *options = p->g->options;
    int result;

    p->path = cf_temporary_store(err);
    p->store = p->path ? cf_store_open(p->path, CF_STORE_CREATE, err) : NULL;
    result = p->store ? cf_plan_store(plan, p->store, err) : -1;
    if (result == 0)
        result = cf_task_run(options, plan, p->store, err);
    if (result != 0)
        return result;
    cf_store_each_configuration(p->store, take_effective, p);
    p->has_history = 1;
    return cf_history_open(&p->history, p->store, (int)options->jobs, err);
}

int cf_probing_run(struct cf_probing *p, const struct cf_gate_result *g,
                   const struct cf_probes *probes, int end, struct cf_error *err)
{
    const struct cf_end *side = &g->v->end[end];
    struct cf_plan plan = {0};
    struct cf_config config;
    int result;

    p->g = g;
    p->probes = probes;
    if (cf_config_parse(&config, side->line, err) != 0)
        return -1;
    p->n_knobs = cf_knobs_list(p->knob, &config, side->effective ? side->effective : "{}");
    cf_config_free(&config);
    result = make_plan(p, end, &plan, err);
    if (result == 0)
        result = run(p, &plan, err);
    cf_plan_free(&plan);
    return result;
}

void cf_probing_close(struct cf_probing *p)
{
    if (p->has_history)
        cf_history_close(&p->history);
    if (p->store)
        cf_store_close(p->store);
    if (p->path)
        cf_temporary_store_remove(p->path);
    free(p->path);
    for (int i = 0; i <= p->n_knobs; ++i)
        free(p->effective[i]);
    cf_knobs_free(p->knob, p->n_knobs);
}

int cf_probing_took(const struct cf_probing *p, int knob)
{
    return p->effective[0] && p->effective[knob + 1] &&
           cf_knob_took_effect(p->effective[0], p->effective[knob + 1]);
}

int cf_probing_digest(const struct cf_probing *p, int configuration, int probe,
                      struct cf_digest *digest, int64_t *wall_ns)
{
    struct cf_standing standing;

    cf_standing_read(&standing, &p->history, configuration, probe);
    *digest = cf_standing_digest(&standing, &p->history, probe);
    if (wall_ns)
        *wall_ns = standing.wall_ns;
    return standing.n_answers == 1 && standing.n_failed == 0;
}

char *cf_knob_words(const char *what)
{
    const char *value = strchr(what, '=') + 1;
    const char *name = what + 4 * (strncmp(what, "env.", 4) == 0);
    const char *quote = strchr(value, ' ') ? "\"" : "";

    return cf_format("%.*s%s%s%s", (int)(value - name), name, quote, value, quote);
}
