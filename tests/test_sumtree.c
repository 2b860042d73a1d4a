/* Trees of sums: each is found again from answers alone, and answers that no tree gives are not
 * explained away. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"
#include "sumtree.h"

/* A subject: for each pair of terms, the leaves below the node that adds both; and how it lies. */
struct subject {
    int n, *under;                    /* n * n */
    int n_asked, lie_at, lie, n_lies; /* the answer number lie_at is lie, which may be the truth */
};

static int ask(void *context, int i, const int j[], int n, int under[])
{
    struct subject *s = context;

    for (int k = 0; k < n; ++k) {
        under[k] = s->under[i * s->n + j[k]];
        if (++s->n_asked == s->lie_at) {
            s->n_lies += under[k] != s->lie;
            under[k] = s->lie;
        }
    }
    return 0;
}

static int refuse(void *context, int i, const int j[], int n, int under[])
{
    (void)context, (void)i, (void)j, (void)n, (void)under;
    return -1;
}

/* Groups of terms that are put together at random, up to `widest` at once, until one is left. */
static void grow(struct subject *s, int n, int widest, uint64_t seed)
{
    const struct cf_stream stream = {seed, 0};
    int *group = cf_alloc((size_t)n * sizeof group[0]), n_groups = n;
    uint64_t at = 0;

    *s = (struct subject){.n = n, .under = cf_alloc_zero((size_t)n * (size_t)n * sizeof(int))};
    for (int i = 0; i < n; ++i)
        group[i] = i;
    while (n_groups > 1) {
        int chosen[8], n_chosen = 0, size = 0;
        const int want = 2 + (int)cf_stream_below(&stream, at++, (uint64_t)widest - 1);

        while (n_chosen < want && n_chosen < n_groups) {
            const int g = (int)cf_stream_below(&stream, at++, (uint64_t)n_groups);
            int is_new = 1;

            for (int k = 0; k < n_chosen; ++k)
                is_new &= chosen[k] != g;
            if (is_new)
                chosen[n_chosen++] = g;
        }
        for (int i = 0; i < n; ++i)
            for (int k = 0; k < n_chosen; ++k)
                size += group[i] == chosen[k];
        for (int i = 0; i < n; ++i)
            for (int k = 0; k < n; ++k)
                for (int a = 0; a < n_chosen; ++a)
                    for (int b = 0; b < n_chosen; ++b)
                        if (a != b && group[i] == chosen[a] && group[k] == chosen[b])
                            s->under[i * n + k] = size;
        for (int i = 0; i < n; ++i) /* into the first of them; the last group takes a free number */
            for (int k = 1; k < n_chosen; ++k)
                if (group[i] == chosen[k])
                    group[i] = chosen[0];
        for (int k = 1; k < n_chosen; ++k) {
            --n_groups;
            for (int i = 0; i < n; ++i)
                if (group[i] == n_groups && chosen[k] != n_groups)
                    group[i] = chosen[k];
            for (int m = 0; m < n_chosen; ++m)
                if (chosen[m] == n_groups)
                    chosen[m] = chosen[k];
        }
    }
    free(group);
}

static int depth_of(const struct cf_sumtree *t, int v)
{
    int depth = 0;

    for (; t->node[v].parent >= 0; v = t->node[v].parent)
        ++depth;
    return depth;
}

/* Leaves below the lowest node over both. */
static int meet(const struct cf_sumtree *t, int a, int b)
{
    while (a != b)
        if (depth_of(t, a) >= depth_of(t, b))
            a = t->node[a].parent;
        else
            b = t->node[b].parent;
    return t->node[a].n_leaves;
}

Test(sumtree, random_trees_are_found_again)
{
    for (int seed = 1; seed <= 60; ++seed) {
        const int n = 2 + seed % 29, widest = 2 + seed % 3;
        enum cf_reveal found;
        struct cf_sumtree t;
        struct subject s;

        grow(&s, n, widest, (uint64_t)seed);
        cr_assert_eq(cf_sumtree_reveal(&t, n, ask, &s, &found), 0);
        cr_assert_eq(found, CF_REVEALED, "seed %d: %d", seed, (int)found);
        cr_expect_leq(s.n_asked, n * (n - 1) / 2);
        for (int i = 0; i < n; ++i)
            for (int k = 0; k < n; ++k)
                cr_assert(i == k || meet(&t, i, k) == s.under[i * n + k], "seed %d: %d %d", seed, i,
                          k);
        cf_sumtree_free(&t);
        free(s.under);
    }
}

/* One wrong answer in many: it is noticed, or leads to another tree; the truth to the same. */
Test(sumtree, a_lie_is_not_explained_away)
{
    int n_lies = 0;

    for (int seed = 1; seed <= 40; ++seed) {
        struct cf_digest honest, lied;
        enum cf_reveal found;
        struct cf_sumtree t;
        struct subject s;

        grow(&s, 12, 2, (uint64_t)seed);
        cf_sumtree_reveal(&t, s.n, ask, &s, &found);
        cf_sumtree_digest(&t, &honest);
        cf_sumtree_free(&t);
        s.lie_at = 1 + seed % s.n_asked;
        s.lie = 2 + seed % 11;
        s.n_asked = 0;
        cr_assert_eq(cf_sumtree_reveal(&t, s.n, ask, &s, &found), 0);
        if (found == CF_REVEALED)
            cf_sumtree_digest(&t, &lied);
        cr_expect_eq(found == CF_NO_TREE || !cf_digest_equal(&honest, &lied), s.n_lies,
                     "seed %d: answer %d", seed, s.lie_at);
        n_lies += s.n_lies;
        if (found == CF_REVEALED)
            cf_sumtree_free(&t);
        free(s.under);
    }
    cr_expect_geq(n_lies, 20);
}

Test(sumtree, what_is_no_tree)
{
    struct subject s = {.n = 4, .under = (int[16]){0}};
    enum cf_reveal found;
    struct cf_sumtree t;

    for (int i = 0; i < 16; ++i)
        s.under[i] = 2; /* nothing is ever lost */
    cr_expect_eq(cf_sumtree_reveal(&t, 4, ask, &s, &found), 0);
    cr_expect_eq(found, CF_ORDER_FREE);
    for (int i = 0; i < 16; ++i)
        s.under[i] = 3; /* three terms below every node of four */
    cr_expect_eq(cf_sumtree_reveal(&t, 4, ask, &s, &found), 0);
    cr_expect_eq(found, CF_NO_TREE);
    for (int i = 0; i < 16; ++i)
        s.under[i] = 5; /* more than there are */
    cr_expect_eq(cf_sumtree_reveal(&t, 4, ask, &s, &found), 0);
    cr_expect_eq(found, CF_NO_TREE);
    cr_expect_eq(cf_sumtree_reveal(&t, 4, refuse, NULL, &found), -1);
    cr_expect_eq(found, CF_NO_TREE);
}

/* under[] of a tree that is given as sizes: the lowest node over i and k. */
static void fill_under(struct subject *s, int n, int (*under)(int i, int k, int n))
{
    *s = (struct subject){.n = n, .under = cf_alloc_zero((size_t)n * (size_t)n * sizeof(int))};
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < n; ++k)
            s->under[i * n + k] = under(i, k, n);
}

static int upwards(int i, int k, int n)
{
    (void)n;
    return (i > k ? i : k) + 1;
}

static int downwards(int i, int k, int n)
{
    return n - (i < k ? i : k);
}

static int balanced(int i, int k, int n)
{
    int size = 1;

    (void)n;
    for (; i != k; size *= 2, i /= 2, k /= 2)
        ;
    return size;
}

/* Four lanes, term i in lane i mod 4; then (0 + 1) + (2 + 3). */
static int lanes(int i, int k, int n)
{
    const int a = i % 4, b = k % 4;

    return a == b ? (i > k ? i : k) / 4 + 1 : a / 2 == b / 2 ? n / 2 : n;
}

static int at_once(int i, int k, int n)
{
    (void)i, (void)k;
    return n;
}

/* Sum of 4 and a block of 4 at once, as matrix units do. */
static int blocks(int i, int k, int n)
{
    (void)n;
    return (i > k ? i : k) / 4 * 4 + 4;
}

Test(sumtree, words)
{
    static const struct {
        int (*under)(int, int, int);
        int n, depth;
        const char *text, *said;
    } rows[] = {
        {upwards, 8, 7, "[0 1 .. 7]", "one after the other, upwards"},
        {downwards, 8, 7, "[7 6 .. 0]", "one after the other, downwards"},
        {balanced, 8, 3, "(([0 1] + [2 3]) + ([4 5] + [6 7]))",
         "a balanced tree; a term meets at most 3 roundings"},
        {lanes, 24, 7, "(([0 4 .. 20] + [1 5 .. 21]) + ([2 6 .. 22] + [3 7 .. 23]))",
         "4 chains of 6 terms, stride 4; a term meets at most 7 roundings"},
        {at_once, 4, 1, "{0 1 2 3}", "up to 4 at once; a term meets at most 1 roundings"},
        {blocks, 8, 2, "{{0 1 2 3} 4 5 6 7}", "up to 5 at once; a term meets at most 2 roundings"},
        {upwards, 1, 0, "0", "one term: nothing is added"},
        {upwards, 2, 1, "[0 1]", "one after the other, upwards"},
    };

    for (int r = 0; r < CF_COUNT(rows); ++r) {
        enum cf_reveal found;
        struct cf_sumtree t;
        struct subject s;
        char *text, *said;

        fill_under(&s, rows[r].n, rows[r].under);
        cr_assert_eq(cf_sumtree_reveal(&t, s.n, ask, &s, &found), 0);
        cr_assert_eq(found, CF_REVEALED, "row %d", r);
        text = cf_sumtree_text(&t);
        said = cf_sumtree_describe(&t);
        cr_expect_str_eq(text, rows[r].text);
        cr_expect_str_eq(said, rows[r].said);
        cr_expect_eq(cf_sumtree_depth(&t), rows[r].depth);
        free(text);
        free(said);
        free(s.under);
        cf_sumtree_free(&t);
    }
}

/* Additions commute, so 7 .. 0 is 0 .. 7 only when the terms are renamed: other orders, and no two
 * of these are one. */
Test(sumtree, digests_tell_orders_apart)
{
    int (*const under[])(int, int, int) = {upwards, downwards, balanced, lanes, at_once, blocks};
    struct cf_digest digest[CF_COUNT(under)];

    for (int i = 0; i < CF_COUNT(under); ++i) {
        enum cf_reveal found;
        struct cf_sumtree t;
        struct subject s;

        fill_under(&s, 8, under[i]);
        cf_sumtree_reveal(&t, 8, ask, &s, &found);
        cf_sumtree_digest(&t, &digest[i]);
        for (int k = 0; k < i; ++k)
            cr_expect(!cf_digest_equal(&digest[i], &digest[k]), "%d %d", i, k);
        free(s.under);
        cf_sumtree_free(&t);
    }
}

/* The sum of a tree against the same additions written out, in each arithmetic. */
Test(sumtree, sums_bit_for_bit)
{
    const double x[4] = {0x1.fffffep+0, 0x1.000002p-1, -0x1.8ccccep+0, 0x1.999998p-24};
    const double y[4] = {0x1.5p+0, 0x1.000006p+1, 0x1.fffffep-1, 0x1.000002p+0};
    float p[4], narrow;
    double wide;
    enum cf_reveal found;
    struct cf_sumtree t;
    struct subject s;

    fill_under(&s, 4, upwards);
    cf_sumtree_reveal(&t, 4, ask, &s, &found);
    for (int i = 0; i < 4; ++i)
        p[i] = (float)x[i] * (float)y[i];
    narrow = ((p[0] + p[1]) + p[2]) + p[3];
    cr_expect(cf_sumtree_is_plain(&t, CF_F32));
    cr_expect_eq(cf_sumtree_sum(&t, CF_F32, x, y), (double)narrow);
    for (int i = 1; i < 4; ++i)
        t.node[i].wide = 1; /* fused into their additions */
    narrow = p[0];
    for (int i = 1; i < 4; ++i)
        narrow = fmaf((float)x[i], (float)y[i], narrow);
    cr_expect_eq(cf_sumtree_sum(&t, CF_F32, x, y), (double)narrow);
    for (int i = 0; i < t.n_nodes; ++i)
        t.node[i].wide = 1; /* all in double, rounded at the end */
    wide = x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3];
    cr_expect_eq(cf_sumtree_sum(&t, CF_F32, x, y), (double)(float)wide);
    cr_expect(cf_sumtree_is_plain(&t, CF_F32));
    cr_expect(!cf_sumtree_is_plain(&t, CF_F64), "two unrounded products of f64 are in no type");
    cr_expect(!cf_sumtree_is_plain(&t, CF_BF16));
    free(s.under);
    cf_sumtree_free(&t);
    fill_under(&s, 4, at_once);
    cf_sumtree_reveal(&t, 4, ask, &s, &found);
    cr_expect(!cf_sumtree_is_plain(&t, CF_F32), "four at once");
    free(s.under);
    cf_sumtree_free(&t);
}
