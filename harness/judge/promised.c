/* Promise against observation: each vendor's promise that speaks of a configuration is held against
 * what its slot of that scope found. */
#include "judgement.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *state_of(const void *effective, const char *key)
{
    return json_string_value(json_object_get((const json_t *)effective, key));
}

struct promising {
    struct cf_judgement *j;
    json_t **effective; /* of each configuration */
    struct cf_promise_finding *list;
    int n, room;
};

static int applies(const struct promising *x, const struct cf_promise *promise, int configuration,
                   const char *op)
{
    const struct cf_ledger_configuration *one = &x->j->ledger.configuration[configuration];
    const struct cf_promisee promisee = {.config = &one->config,
                                         .library = one->library,
                                         .version = one->version,
                                         .state = state_of,
                                         .context = x->effective[configuration]};

    return cf_promise_applies(promise, &promisee, op, promise->scope);
}

static void conclude(struct cf_promise_finding *one, const struct cf_finding *bits)
{
    static const enum cf_promise_state when_same[CF_N_PROMISED] = {
        [CF_PROMISED_SAME] = CF_PROMISE_HOLDS,
        [CF_PROMISED_MAY_DIFFER] = CF_PROMISE_STRONGER,
        [CF_PROMISED_NOTHING] = CF_PROMISE_STRONGER};
    const enum cf_promised promised = one->promise->promised;

    one->n_compared = bits->n_compared;
    one->n_different = bits->n_different;
    one->case_text = bits->case_text;
    one->reason = bits->reason;
    switch (bits->verdict) {
    case CF_FAIL:
        one->state = promised == CF_PROMISED_SAME ? CF_PROMISE_VIOLATED : CF_PROMISE_HOLDS;
        one->documented_difference = promised == CF_PROMISED_MAY_DIFFER;
        break;
    case CF_PASS:
        one->state = when_same[promised];
        break;
    case CF_UNKNOWN:
        one->state = CF_PROMISE_UNKNOWN;
        break;
    default:
        one->state = CF_PROMISE_NOT_EXERCISED;
    }
}

/* The vendor's word on a difference is kept where the difference is reported, and where it makes
 * the difference to the baseline. */
static void mark(struct promising *x, const struct cf_promise_finding *one, int group)
{
    struct cf_finding *bits = cf_judgement_slot(x->j, one->configuration, group,
                                                CF_SLOT_SCOPES + (int)one->promise->scope);
    struct cf_finding *against =
        cf_judgement_slot(x->j, one->configuration, group, CF_SLOT_SCOPES + (int)CF_TO_BASELINE);

    bits->documented = one->promise;
    if (against->verdict == CF_FAIL && against->other >= 0 &&
        cf_judgement_scope_between(x->j, one->configuration, against->other) == one->promise->scope)
        against->documented = one->promise;
}

static void judge_one(struct promising *x, const struct cf_promise *promise, int configuration,
                      int group)
{
    const struct cf_finding *bits =
        cf_judgement_slot(x->j, configuration, group, CF_SLOT_SCOPES + (int)promise->scope);
    const char *name = x->j->ledger.group[group].name;
    char *op = strndup(name, strcspn(name, " "));
    struct cf_promise_finding one = {.promise = promise,
                                     .configuration = configuration,
                                     .family = x->j->ledger.configuration[configuration].family,
                                     .suite = x->j->ledger.group[group].suite,
                                     .group = name};
    const int speaks = applies(x, promise, configuration, op) &&
                       (bits->other < 0 || applies(x, promise, bits->other, op));

    free(op);
    if (!speaks)
        return;
    conclude(&one, bits);
    if (one.documented_difference)
        mark(x, &one, group);
    if (x->n == x->room) {
        x->room = 2 * x->room + 64;
        x->list = cf_realloc(x->list, (size_t)x->room * sizeof x->list[0]);
    }
    x->list[x->n++] = one;
}

/* A broken promise is told in the sentence, and the run does not succeed. */
static void tell(struct cf_judgement *j, int n_violated)
{
    struct cf_findings *f = &j->findings;

    if (n_violated == 0)
        return;
    f->sentence = cf_arena_format(&j->arena, "%s; %d documented promise%s violated", f->sentence,
                                  n_violated, n_violated == 1 ? " is" : "s are");
    if (f->exit_code == 0 || f->exit_code == 3)
        f->exit_code = 1;
}

/* How many different promises are violated. */
static int count_violated(const struct cf_promise_finding *list, int n)
{
    int count = 0;

    for (int i = 0; i < n; ++i) {
        int seen = list[i].state != CF_PROMISE_VIOLATED;

        for (int k = 0; k < i && !seen; ++k)
            seen = list[k].state == CF_PROMISE_VIOLATED && list[k].promise == list[i].promise;
        count += !seen;
    }
    return count;
}

void cf_judge_promises(struct cf_judgement *j)
{
    const int n_configurations = j->ledger.n_configurations;
    struct promising x = {.j = j};
    struct cf_promise_finding *kept;

    cf_promises_load(&j->promises);
    x.effective = cf_alloc((size_t)(n_configurations + 1) * sizeof(json_t *));
    for (int i = 0; i < n_configurations; ++i)
        x.effective[i] = json_loads(j->ledger.configuration[i].effective, 0, NULL);
    for (int p = 0; p < j->promises.n; ++p)
        for (int i = 0; i < n_configurations; ++i)
            for (int g = 0; g < j->ledger.n_groups; ++g)
                judge_one(&x, &j->promises.promise[p], i, g);
    kept = cf_arena_alloc(&j->arena, (size_t)(x.n + 1) * sizeof kept[0]);
    if (x.n > 0)
        memcpy(kept, x.list, (size_t)x.n * sizeof kept[0]);
    j->findings.promises = kept;
    j->findings.n_promises = x.n;
    tell(j, count_violated(kept, x.n));
    for (int i = 0; i < n_configurations; ++i)
        json_decref(x.effective[i]);
    free(x.effective);
    free(x.list);
}
