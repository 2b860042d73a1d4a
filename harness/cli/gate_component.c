/* Which component moved: by the files that the workers had mapped, and by calling them directly. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gating.h"
#include "knobs.h"
#include "task.h"

#define PROBES 4

struct taking {
    struct cf_component *list[2];
    int n[2], end[2];
};

static int take_library(void *context, int64_t configuration, const struct cf_mapped *library)
{
    struct taking *t = context;

    for (int s = 0; s < 2; ++s)
        if (configuration == t->end[s] + 1) {
            t->list[s] = cf_realloc(t->list[s], (size_t)(t->n[s] + 1) * sizeof t->list[s][0]);
            t->list[s][t->n[s]++] = (struct cf_component){.path = cf_strdup(library->path),
                                                          .sha256 = cf_strdup(library->sha256),
                                                          .version = cf_strdup(library->version)};
        }
    return 0;
}

static void free_taking(struct taking *t)
{
    for (int s = 0; s < 2; ++s) {
        for (int i = 0; i < t->n[s]; ++i) {
            free((char *)(uintptr_t)t->list[s][i].path);
            free((char *)(uintptr_t)t->list[s][i].sha256);
            free((char *)(uintptr_t)t->list[s][i].version);
        }
        free(t->list[s]);
    }
}

static const struct cf_component *find_blas(const struct taking *t, int side)
{
    for (int i = 0; i < t->n[side]; ++i)
        if (strstr(t->list[side][i].path, "blas") && strstr(t->list[side][i].path, ".so"))
            return &t->list[side][i];
    return NULL;
}

/* The file itself as a configuration, with as many threads as the side had. The caller frees. */
static char *direct_line(const struct cf_gate_result *g, int end, const struct cf_component *blas)
{
    json_t *effective =
        json_loads(g->v->end[end].effective ? g->v->end[end].effective : "{}", 0, NULL);
    const char *threads = json_string_value(json_object_get(effective, "threads"));
    const char *core = json_string_value(json_object_get(effective, "coretype"));
    char *path = cf_pairs_escape(blas->path);
    char *line = cf_format("blas lib=%s threads=%s%s%s", path, threads ? threads : "1",
                           core ? " coretype=" : "", core ? core : "");

    free(path);
    json_decref(effective);
    return line;
}

static int is_call(const char *text)
{
    static const char *const ops[] = {"gemm ", "gemv ", "dot ", "nrm2 ", "asum "};

    for (int i = 0; i < CF_COUNT(ops); ++i)
        if (strncmp(text, ops[i], strlen(ops[i])) == 0)
            return 1;
    return 0;
}

static int choose(const struct cf_gate_result *g, int probe[PROBES])
{
    int n = 0;

    for (int i = 0; i < g->v->plan.n_cases && n < PROBES; ++i)
        if (is_call(g->v->plan.cases[i].c.text) && g->one[i].moved.move != CF_MOVE_SAME &&
            g->one[i].old.n_answers == 1 && g->one[i].new.n_answers == 1)
            probe[n++] = i;
    return n;
}

static int has_digest(const struct cf_history *h, int configuration, int k,
                      const struct cf_digest *wanted)
{
    struct cf_standing standing;
    struct cf_digest got;

    cf_standing_read(&standing, h, configuration, k);
    got = cf_standing_digest(&standing, h, k);
    return standing.n_answers == 1 && cf_digest_equal(&got, wanted);
}

static void conclude(struct cf_gate_result *g, const struct cf_history *h, const int probe[], int n,
                     const struct cf_component *old, const struct cf_component *new)
{
    int n_explained = 0;

    for (int k = 0; k < n; ++k) {
        const struct cf_history *all = &g->v->history;
        const struct cf_digest was = cf_standing_digest(&g->one[probe[k]].old, all, probe[k]);
        const struct cf_digest is = cf_standing_digest(&g->one[probe[k]].new, all, probe[k]);

        n_explained += has_digest(h, 0, k, &was) && has_digest(h, 1, k, &is);
    }
    if (n_explained > 0)
        g->blame =
            cf_format("the BLAS inside: called directly, %s gives the old bits and %s the "
                      "new ones in %d of %d changed calls that were tried",
                      strrchr(old->path, '/') + 1, strrchr(new->path, '/') + 1, n_explained, n);
}

static int run(struct cf_gate_result *g, struct cf_plan *plan, const int probe[], int n,
               const struct cf_component *old, const struct cf_component *new, struct cf_error *err)
{
    char *path = cf_temporary_store(err);
    struct cf_store *store = path ? cf_store_open(path, CF_STORE_CREATE, err) : NULL;
    int result = store ? cf_plan_store(plan, store, err) : -1;
    struct cf_history history;

    if (result == 0)
        result = cf_task_run(g->options, plan, store, err);
    if (result == 0) {
        result = cf_history_open(&history, store, (int)g->options->jobs, err);
        if (result == 0)
            conclude(g, &history, probe, n, old, new);
        cf_history_close(&history);
    }
    if (store)
        cf_store_close(store);
    if (path)
        cf_temporary_store_remove(path);
    free(path);
    return result;
}

static int call_directly(struct cf_gate_result *g, const struct cf_component *old,
                         const struct cf_component *new, struct cf_error *err)
{
    struct cf_plan plan = {.level = CF_NUMERICAL};
    char *lines[2] = {direct_line(g, g->old, old), direct_line(g, g->new, new)};
    int probe[PROBES], result = 0;
    const int n = choose(g, probe);

    for (int s = 0; s < 2 && result >= 0; ++s)
        result = cf_plan_add_configuration(&plan, lines[s], NULL, err);
    for (int k = 0; k < n && result >= 0; ++k)
        result = cf_plan_add_case(&plan, g->v->plan.cases[probe[k]].c.text, "probe", 1, 2, err);
    if (result >= 0 && n > 0)
        result = run(g, &plan, probe, n, old, new, err);
    cf_plan_free(&plan);
    free(lines[0]);
    free(lines[1]);
    return result > 0 && result < 128 ? 0 : result;
}

/* Of the cases with other bits those for which the library took something else, and the first. */
static char *chosen_otherwise(const struct cf_gate_result *g)
{
    char *first = NULL, *sentence = NULL;
    int n = 0, n_moved = 0, at = 0;

    for (int i = 0; i < g->v->plan.n_cases; ++i) {
        const struct cf_gated *one = &g->one[i];
        char *change = NULL;

        if (one->moved.move == CF_MOVE_SAME || one->old.n_ran == 0 || one->new.n_ran == 0)
            continue;
        ++n_moved;
        change = cf_chosen_change(one->old.chosen, one->new.chosen);
        if (change && n++ == 0) {
            first = change;
            at = i;
        } else {
            free(change);
        }
    }
    if (first)
        sentence =
            cf_format("in %d of %d changed cases the library chose otherwise; first `%s`: %s", n,
                      n_moved, g->v->plan.cases[at].c.text, first);
    free(first);
    return sentence;
}

int cf_gate_find_components(struct cf_gate_result *g, struct cf_error *err)
{
    const struct cf_end *ends = g->v->end;
    struct taking t = {.end = {g->old, g->new}};
    const struct cf_component *old, *new;
    int result = 0;

    cf_store_each_library(g->v->store, take_library, &t);
    g->components = cf_components_moved(t.list[0], t.n[0], t.list[1], t.n[1]);
    g->state = cf_state_moved(ends[g->old].effective ? ends[g->old].effective : "{}",
                              ends[g->new].effective ? ends[g->new].effective : "{}");
    g->chosen = chosen_otherwise(g);
    old = find_blas(&t, 0);
    new = find_blas(&t, 1);
    if (old && new &&strcmp(old->sha256, new->sha256) != 0 &&
        strncmp(ends[g->new].line, "adapter ", 8) == 0)
        result = call_directly(g, old, new, err);
    free_taking(&t);
    return result;
}
