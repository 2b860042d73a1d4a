/* Promise against observation: each vendor's promise that speaks of a configuration is held against
 * what its slot of that scope found. */
#include "judgement.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct promising {
    struct cf_judgement *j;
    json_t **effective; /* of each configuration */
    struct cf_promise_finding *list;
    int n, room;
};

/* What a promise may ask of one record: what was chosen for it, else the configuration's state. */
struct asked {
    const json_t *effective;
    const char *chosen;
    char *value; /* [CF_CHOSEN_MAX] */
};

static const char *state_of(const void *context, const char *key)
{
    const struct asked *asked = context;
    const char *value = cf_chosen_get(asked->chosen, key, asked->value);

    return value ? value : json_string_value(json_object_get(asked->effective, key));
}

/* One promise in one configuration and group. */
struct holding {
    struct promising *x;
    const struct cf_promise *promise;
    const char *op;
    int configuration, group;
};

static int applies(const struct holding *h, int configuration, const char *chosen)
{
    const struct cf_ledger_configuration *one = &h->x->j->ledger.configuration[configuration];
    char value[CF_CHOSEN_MAX];
    const struct asked asked = {h->x->effective[configuration], chosen, value};
    const struct cf_promisee promisee = {.config = &one->config,
                                         .library = one->library,
                                         .version = one->version,
                                         .state = state_of,
                                         .context = &asked};

    return cf_promise_applies(h->promise, &promisee, h->op, h->promise->scope);
}

/* Does a promise of one choice speak of both, and are both that choice? What differs because
 * another engine ran breaks no promise about an engine. */
static int takes(void *context, const struct cf_ledger_record *a, const struct cf_ledger_record *b)
{
    const struct holding *h = context;

    return a->chosen == b->chosen && applies(h, a->configuration, a->chosen) &&
           applies(h, b->configuration, b->chosen);
}

/* Of which of the choices of a configuration in the group does the promise speak? */
struct spoken {
    int n_of, n_not_of, n_named; /* n_named: choices that have a key of the condition */
    const char *chosen;          /* the first of which it speaks, or "" */
};

static struct spoken speaks_of(const struct holding *h, int configuration)
{
    const struct cf_findings *f = &h->x->j->findings;
    const char *group = h->x->j->ledger.group[h->group].name;
    struct spoken spoken = {.chosen = ""};
    int n = 0;

    for (int i = 0; i < f->n_chosen; ++i) {
        if (f->chosen[i].configuration != configuration || f->chosen[i].group != group)
            continue;
        ++n;
        if (applies(h, configuration, f->chosen[i].chosen)) {
            spoken.chosen = spoken.n_of++ == 0 ? f->chosen[i].chosen : spoken.chosen;
        } else
            ++spoken.n_not_of;
        spoken.n_named += cf_promise_names(h->promise, f->chosen[i].chosen);
    }
    if (n == 0)
        *(applies(h, configuration, "") ? &spoken.n_of : &spoken.n_not_of) = 1;
    return spoken;
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

static void add(struct promising *x, const struct cf_promise_finding *one)
{
    if (x->n == x->room) {
        x->room = 2 * x->room + 64;
        x->list = cf_realloc(x->list, (size_t)x->room * sizeof x->list[0]);
    }
    x->list[x->n++] = *one;
}

/* What was seen, of all records; or where the condition is about the choice, of its records alone.
 */
static int find(struct holding *h, struct cf_promise_finding *one, struct cf_error *err)
{
    struct cf_judgement *j = h->x->j;
    const struct cf_finding *all =
        cf_judgement_slot(j, h->configuration, h->group, CF_SLOT_SCOPES + (int)h->promise->scope);
    const struct spoken own = speaks_of(h, h->configuration);
    const struct spoken others =
        all->other < 0 ? (struct spoken){.n_of = 1} : speaks_of(h, all->other);
    const struct cf_pair_filter filter = {takes, h};
    struct cf_finding some = {.other = -1};

    if (own.n_of == 0 || others.n_of == 0)
        return 0;
    if (own.n_not_of + others.n_not_of > 0 || own.n_named > 1 || others.n_named > 1) {
        if (cf_judgement_bits(j, h->promise->scope, h->configuration, h->group, &filter, &some,
                              err) != 0)
            return -1;
        conclude(one, &some);
    } else {
        conclude(one, all);
    }
    if (one->n_different > 0 && own.n_named > 0)
        one->reason = cf_arena_format(&j->arena, "%s; it had chosen %s%s", one->reason, own.chosen,
                                      own.n_of > 1 ? " and others" : "");
    if (one->documented_difference && one->n_different == all->n_different)
        mark(h->x, one, h->group);
    add(h->x, one);
    return 0;
}

static int judge_one(struct promising *x, const struct cf_promise *promise, int configuration,
                     int group, struct cf_error *err)
{
    const char *name = x->j->ledger.group[group].name;
    char *op = strndup(name, strcspn(name, " "));
    struct cf_promise_finding one = {.promise = promise,
                                     .configuration = configuration,
                                     .family = x->j->ledger.configuration[configuration].family,
                                     .suite = x->j->ledger.group[group].suite,
                                     .group = name};
    struct holding holding = {x, promise, op, configuration, group};
    const int result = find(&holding, &one, err);

    free(op);
    return result;
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

int cf_judge_promises(struct cf_judgement *j, struct cf_error *err)
{
    const int n_configurations = j->ledger.n_configurations;
    struct promising x = {.j = j};
    int result = 0;

    cf_promises_load(&j->promises);
    x.effective = cf_alloc((size_t)(n_configurations + 1) * sizeof(json_t *));
    for (int i = 0; i < n_configurations; ++i)
        x.effective[i] = json_loads(j->ledger.configuration[i].effective, 0, NULL);
    for (int p = 0; p < j->promises.n; ++p)
        for (int i = 0; i < n_configurations; ++i)
            for (int g = 0; g < j->ledger.n_groups && result == 0; ++g)
                result = judge_one(&x, &j->promises.promise[p], i, g, err);
    j->findings.promises = cf_arena_copy(&j->arena, x.list, (size_t)x.n * sizeof x.list[0]);
    j->findings.n_promises = x.n;
    tell(j, count_violated(j->findings.promises, x.n));
    for (int i = 0; i < n_configurations; ++i)
        json_decref(x.effective[i]);
    free(x.effective);
    free(x.list);
    return result;
}
