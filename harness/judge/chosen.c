/* What the libraries chose to run, by configuration and group. */
#include "judgement.h"

#include <stdlib.h>
#include <string.h>

struct listing {
    struct cf_judgement *j;
    struct cf_chosen_finding *list;
    int n, room, start; /* start: the first of the configuration and group at hand */
};

static struct cf_chosen_finding *entry(struct listing *l, int configuration, int group,
                                       const char *chosen)
{
    for (int i = l->start; i < l->n; ++i)
        if (l->list[i].chosen == chosen)
            return &l->list[i];
    if (l->n == l->room) {
        l->room = 2 * l->room + 64;
        l->list = cf_realloc(l->list, (size_t)l->room * sizeof l->list[0]);
    }
    l->list[l->n] =
        (struct cf_chosen_finding){.configuration = configuration,
                                   .family = l->j->ledger.configuration[configuration].family,
                                   .suite = l->j->ledger.group[group].suite,
                                   .group = l->j->ledger.group[group].name,
                                   .chosen = chosen};
    return &l->list[l->n++];
}

static void add_case(struct listing *l, int configuration, int group, int case_index)
{
    const char *text = l->j->ledger.cases[case_index].c.text;
    int64_t n;
    const struct cf_ledger_record *r =
        cf_ledger_records(&l->j->ledger, case_index, configuration, &n);

    for (int64_t i = 0; i < n; ++i) {
        struct cf_chosen_finding *one;

        if (r[i].fate != CF_RAN || !*r[i].chosen)
            continue;
        one = entry(l, configuration, group, r[i].chosen);
        if (one->n_records++ == 0)
            one->case_text = text;
        one->n_cases += one->last_case != text;
        one->last_case = text;
    }
}

void cf_judge_chosen(struct cf_judgement *j)
{
    struct listing l = {.j = j};

    for (int i = 0; i < j->ledger.n_configurations; ++i)
        for (int g = 0; g < j->ledger.n_groups; ++g) {
            l.start = l.n;
            for (int c = 0; c < j->ledger.n_cases; ++c)
                if (j->ledger.cases[c].group == g)
                    add_case(&l, i, g, c);
        }
    j->findings.chosen = cf_arena_copy(&j->arena, l.list, (size_t)l.n * sizeof l.list[0]);
    j->findings.n_chosen = l.n;
    free(l.list);
}
