#include "support_chosen.h"

#include <string.h>

static int is_of(const struct cf_chosen_finding *a, const struct cf_chosen_finding *b)
{
    return strcmp(a->family, b->family) == 0 && strcmp(a->group, b->group) == 0;
}

/* Where a new row belongs: behind the last one of its family and group, else of its family. */
static int place_of(const struct cf_chosen_row rows[], int n, const struct cf_chosen_finding *one)
{
    for (int i = n; i-- > 0;)
        if (is_of(rows[i].first, one))
            return i + 1;
    for (int i = n; i-- > 0;)
        if (strcmp(rows[i].first->family, one->family) == 0)
            return i + 1;
    return n;
}

int cf_chosen_rows(struct cf_chosen_row rows[], const struct cf_findings *f)
{
    int n = 0;

    for (int i = 0; i < f->n_chosen; ++i) {
        const struct cf_chosen_finding *one = &f->chosen[i];
        int k = 0;

        while (k < n &&
               !(is_of(rows[k].first, one) && strcmp(rows[k].first->chosen, one->chosen) == 0))
            ++k;
        if (k == n) {
            k = place_of(rows, n, one);
            memmove(&rows[k + 1], &rows[k], (size_t)(n++ - k) * sizeof rows[0]);
            rows[k] = (struct cf_chosen_row){.first = one};
        }
        rows[k].n_cases += one->n_cases;
    }
    return n;
}

int cf_chosen_new_family(const struct cf_chosen_row rows[], int i)
{
    return i == 0 || strcmp(rows[i - 1].first->family, rows[i].first->family) != 0;
}

int cf_chosen_alike(const struct cf_chosen_row rows[], int i, int n)
{
    int k = i;

    while (k < n && is_of(rows[k].first, rows[i].first))
        ++k;
    return k - i;
}
