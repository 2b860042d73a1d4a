#include "multiplicity.h"

#include <stdlib.h>

struct item {
    double p;
    int index;
};

static int ascending(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return x->p < y->p ? -1 : x->p > y->p ? 1 : x->index - y->index;
}

static struct item *sorted(const double *p, int n)
{
    struct item *items = malloc(((size_t)n + 1) * sizeof *items);

    if (items == NULL)
        abort();
    for (int i = 0; i < n; ++i)
        items[i] = (struct item){p[i] <= 1 ? p[i] : 1, i};
    qsort(items, (size_t)n, sizeof *items, ascending);
    return items;
}

static double at_most_one(double p)
{
    return p <= 1 ? p : 1;
}

/* The i-th smallest of n times (n - i), and never below the one before it. */
void cf_holm(double *adjusted, const double *p, int n)
{
    struct item *items = sorted(p, n);
    double largest = 0;

    for (int i = 0; i < n; ++i) {
        const double q = at_most_one(items[i].p * (n - i));

        largest = q > largest ? q : largest;
        adjusted[items[i].index] = largest;
    }
    free(items);
}

/* The i-th smallest times n / (i + 1), and never above the one after it. */
void cf_benjamini_hochberg(double *adjusted, const double *p, int n)
{
    struct item *items = sorted(p, n);
    double least = 1;

    for (int i = n - 1; i >= 0; --i) {
        const double q = at_most_one(items[i].p * n / (i + 1));

        least = q < least ? q : least;
        adjusted[items[i].index] = least;
    }
    free(items);
}
