#include "support_promises.h"

#include <string.h>

static int is_of(const struct cf_promise_row *row, const struct cf_promise_finding *one)
{
    return row->first->promise == one->promise && strcmp(row->first->family, one->family) == 0;
}

static int gravity(enum cf_promise_state state)
{
    static const int gravities[CF_N_PROMISE_STATES] = {[CF_PROMISE_VIOLATED] = 4,
                                                       [CF_PROMISE_HOLDS] = 3,
                                                       [CF_PROMISE_UNKNOWN] = 2,
                                                       [CF_PROMISE_STRONGER] = 1};

    return gravities[state];
}

int cf_promise_rows(struct cf_promise_row rows[], const struct cf_findings *f)
{
    int n = 0;

    for (int i = 0; i < f->n_promises; ++i) {
        const struct cf_promise_finding *one = &f->promises[i];
        int k = 0;

        if (one->state == CF_PROMISE_NOT_EXERCISED)
            continue;
        while (k < n && !is_of(&rows[k], one))
            ++k;
        if (k == n)
            rows[n++] = (struct cf_promise_row){.first = one, .worst = one};
        if (gravity(one->state) > gravity(rows[k].worst->state))
            rows[k].worst = one;
        ++rows[k].n;
        ++rows[k].n_at[one->state];
        rows[k].n_differ += one->n_different > 0;
    }
    return n;
}

const char *cf_promise_seen(const struct cf_promise_row *row)
{
    static const char *const differs[CF_N_PROMISED] = {
        [CF_PROMISED_MAY_DIFFER] = "differs, as documented",
        [CF_PROMISED_NOTHING] = "differs, without a promise"};
    const enum cf_promised promised = row->first->promise->promised;

    if (row->worst->state == CF_PROMISE_HOLDS && differs[promised])
        return differs[promised];
    return cf_promise_state_name(row->worst->state);
}
