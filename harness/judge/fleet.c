#include "fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIES (-2)
#define ABSENT (-1)

struct machine {
    const char *name, *kind;
    int64_t n_compared, n_different, n_undecided;
    int at_case, at_configuration, majority, own; /* the first difference; at_case -1: none */
};

struct fleet {
    struct cf_judgement *j;
    int n;
    struct machine *machine;
    int *machine_of;  /* of each configuration; -1: none */
    char **base_text; /* each configuration's text less node=; owned */
};

static char *without_node(const char *text)
{
    char *base = cf_strdup(text), *at = strstr(base, " node=");

    if (at) {
        const size_t n = strcspn(at + 1, " ") + 1;

        memmove(at, at + n, strlen(at + n) + 1);
    }
    return base;
}

static const char *kind_of(struct cf_judgement *j, const char *name)
{
    char *key = cf_format("node.%s.kind", name), *value = cf_store_get_meta(j->store, key);

    free(key);
    return value ? cf_arena_own(&j->arena, value) : "unknown";
}

static int machine_named(struct fleet *fleet, const char *name)
{
    for (int i = 0; i < fleet->n; ++i)
        if (strcmp(fleet->machine[i].name, name) == 0)
            return i;
    fleet->machine = cf_realloc(fleet->machine, (size_t)(fleet->n + 1) * sizeof fleet->machine[0]);
    fleet->machine[fleet->n] =
        (struct machine){.name = name, .kind = kind_of(fleet->j, name), .at_case = -1};
    return fleet->n++;
}

static void find_machines(struct fleet *fleet)
{
    const struct cf_ledger *ledger = &fleet->j->ledger;

    fleet->machine_of =
        cf_alloc((size_t)(ledger->n_configurations + 1) * sizeof fleet->machine_of[0]);
    fleet->base_text =
        cf_alloc((size_t)(ledger->n_configurations + 1) * sizeof fleet->base_text[0]);
    for (int i = 0; i < ledger->n_configurations; ++i) {
        const char *name = cf_config_get(&ledger->configuration[i].config, "node");

        fleet->machine_of[i] = name ? machine_named(fleet, name) : -1;
        fleet->base_text[i] = without_node(ledger->configuration[i].text);
    }
}

/* The distinct output that every repeat gave; VARIES; ABSENT when none ran. */
static int bits_of(const struct cf_ledger *ledger, int case_index, int configuration)
{
    int64_t n;
    const struct cf_ledger_record *r = cf_ledger_records(ledger, case_index, configuration, &n);
    int bits = ABSENT;

    for (int64_t k = 0; k < n; ++k)
        if (r[k].fate == CF_RAN) {
            if (bits != ABSENT && bits != r[k].output)
                return VARIES;
            bits = r[k].output;
        }
    return bits;
}

/* Machines of one kind in one configuration: the configurations of this row. */
static int gather(const struct fleet *fleet, int first, int row[])
{
    const int machine = fleet->machine_of[first];
    int n = 0;

    for (int i = 0; i < fleet->j->ledger.n_configurations; ++i)
        if (fleet->machine_of[i] >= 0 &&
            strcmp(fleet->base_text[i], fleet->base_text[first]) == 0 &&
            strcmp(fleet->machine[fleet->machine_of[i]].kind, fleet->machine[machine].kind) == 0)
            row[n++] = i;
    return n;
}

/* The bits of more than half of those that answered, or ABSENT. */
static int majority_of(const int bits[], int n, int *n_answered)
{
    int best = ABSENT, most = 0;

    *n_answered = 0;
    for (int i = 0; i < n; ++i) {
        int same = 0;

        *n_answered += bits[i] != ABSENT;
        for (int k = 0; k < n && bits[i] >= 0; ++k)
            same += bits[k] == bits[i];
        if (same > most) {
            most = same;
            best = bits[i];
        }
    }
    return *n_answered >= 2 && 2 * most > *n_answered ? best : ABSENT;
}

static void compare(struct fleet *fleet, int case_index, const int row[], int n, int bits[])
{
    int n_answered, majority;

    for (int i = 0; i < n; ++i)
        bits[i] = bits_of(&fleet->j->ledger, case_index, row[i]);
    majority = majority_of(bits, n, &n_answered);
    for (int i = 0; i < n; ++i) {
        struct machine *m = &fleet->machine[fleet->machine_of[row[i]]];

        if (bits[i] == ABSENT)
            continue;
        ++m->n_compared;
        m->n_undecided += majority == ABSENT;
        if (majority == ABSENT || bits[i] == majority)
            continue;
        if (m->n_different++ == 0) {
            m->at_case = case_index;
            m->at_configuration = row[i];
            m->majority = majority;
            m->own = bits[i];
        }
    }
}

static void compare_all(struct fleet *fleet)
{
    const struct cf_ledger *ledger = &fleet->j->ledger;
    int *row = cf_alloc((size_t)(ledger->n_configurations + 1) * sizeof row[0]),
        *bits = cf_alloc((size_t)(ledger->n_configurations + 1) * sizeof bits[0]);

    for (int i = 0; i < ledger->n_configurations; ++i) {
        const int n = fleet->machine_of[i] >= 0 ? gather(fleet, i, row) : 0;

        if (n == 0 || row[0] != i) /* a row is compared once, when its first member comes */
            continue;
        for (int c = 0; c < ledger->n_cases; ++c)
            compare(fleet, c, row, n, bits);
    }
    free(row);
    free(bits);
}

/* "output 0 element 5" and both encodings. */
static int locate(struct cf_judgement *j, const struct machine *m, struct cf_node_finding *node,
                  struct cf_error *err)
{
    const struct cf_ledger_case *c = &j->ledger.cases[m->at_case];
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    uint64_t n_a, n_b, at = 0;
    char *a, *b;

    if (m->own < 0 || cf_case_shape(&c->c, c->op, in, out, err) != 0)
        return m->own < 0 ? 0 : -1;
    a = cf_store_get_outputs(j->store, &c->output[m->majority], &n_a, err);
    b = a ? cf_store_get_outputs(j->store, &c->output[m->own], &n_b, err) : NULL;
    for (int o = 0; b && n_a == n_b && o < c->op->n_outputs && !*node->got; ++o) {
        struct cf_tensor x = out[o], y = out[o];
        const int digits = 2 * (int)cf_dtype_size(x.dtype);

        x.bits = a + at;
        y.bits = b + at;
        at += cf_tensor_bytes(&x);
        for (int64_t i = 0; i < cf_tensor_count(&x) && !*node->got && at <= n_a; ++i) {
            const uint64_t right = cf_tensor_encoding(&x, i), wrong = cf_tensor_encoding(&y, i);

            if (right == wrong)
                continue;
            node->element = cf_arena_format(&j->arena, "output %d element %" PRId64, o, i);
            node->expected = cf_arena_format(&j->arena, "0x%0*" PRIx64, digits, right);
            node->got = cf_arena_format(&j->arena, "0x%0*" PRIx64, digits, wrong);
        }
    }
    free(a);
    free(b);
    return a && b ? 0 : -1;
}

static int conclude(struct fleet *fleet, const struct machine *m, struct cf_node_finding *node,
                    struct cf_error *err)
{
    struct cf_judgement *j = fleet->j;

    *node = (struct cf_node_finding){.name = cf_arena_text(&j->arena, m->name),
                                     .kind = m->kind,
                                     .n_compared = m->n_compared,
                                     .n_different = m->n_different,
                                     .case_text = "",
                                     .configuration = "",
                                     .element = "",
                                     .expected = "",
                                     .got = ""};
    if (m->at_case >= 0) {
        node->state = CF_NODE_OUTLIER;
        node->case_text = j->ledger.cases[m->at_case].c.text;
        node->configuration = j->ledger.configuration[m->at_configuration].text;
        node->reason = cf_arena_format(
            &j->arena, "%lld of %lld results differ from the majority of its kind, first in %s%s",
            (long long)m->n_different, (long long)m->n_compared, node->configuration,
            m->own == VARIES ? ", where its repeats differ from one another" : "");
        return locate(j, m, node, err);
    }
    /* To agree is to have the majority's bits everywhere: one result without a majority is enough
     * to say so. */
    node->state = m->n_compared == 0   ? CF_NODE_NOT_COMPARED
                  : m->n_undecided > 0 ? CF_NODE_NO_MAJORITY
                                       : CF_NODE_AGREES;
    node->reason =
        m->n_compared == 0 ? "it has no result"
        : m->n_undecided > 0
            ? cf_arena_format(&j->arena, "no majority of its kind in %lld of %lld results",
                              (long long)m->n_undecided, (long long)m->n_compared)
            : "agrees with the majority of its kind in every result";
    return 0;
}

int cf_judge_fleet(struct cf_judgement *j, struct cf_error *err)
{
    struct fleet fleet = {.j = j};
    struct cf_node_finding *nodes;
    int result = 0;

    find_machines(&fleet);
    if (fleet.n > 0)
        compare_all(&fleet);
    nodes = cf_arena_alloc(&j->arena, (size_t)(fleet.n + 1) * sizeof nodes[0]);
    for (int i = 0; i < fleet.n && result == 0; ++i)
        result = conclude(&fleet, &fleet.machine[i], &nodes[i], err);
    j->findings.nodes = nodes;
    j->findings.n_nodes = fleet.n;
    for (int i = 0; i < j->ledger.n_configurations; ++i)
        free(fleet.base_text[i]);
    free(fleet.base_text);
    free(fleet.machine_of);
    free(fleet.machine);
    return result;
}
