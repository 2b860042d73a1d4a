/* Blocks of a whole range in a store, so that an interrupted run goes on: one meta each, named by
 * the case and the block, whose value is the words of the block. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "whole.h"

static char *key_of(const struct cf_whole_order *order, int64_t block)
{
    return cf_format("whole %s block %lld", order->text, (long long)block);
}

static int parse_digest(struct cf_digest *digest, const char *text)
{
    for (int i = 0; i < 16; ++i)
        if (sscanf(text + 2 * i, "%2hhx", &digest->byte[i]) != 1)
            return -1;
    return 0;
}

/* The words in one order, for writing and for reading. */
static char *print(const struct cf_whole_block *block)
{
    const struct cf_whole_tally *t = &block->tally;
    char digest[2][33], *text, *longer;

    for (int k = 0; k < 2; ++k)
        cf_digest_print(digest[k], &block->digest[k]);
    text = cf_format("%s %s %" PRId64 " %" PRId64 " %" PRId64, digest[0], digest[1], t->n,
                     t->n_asked, t->n_sampled);
    for (int k = 0; k < 2; ++k) {
        longer = cf_format("%s %" PRId64 " %a %" PRIx32 " %" PRIx32, text, t->side[k].n_wrong,
                           t->side[k].worst, t->side[k].x, t->side[k].got);
        free(text);
        text = longer;
    }
    for (int who = 0; who < CF_N_WHO; ++who) {
        const struct cf_whole_difference *d = &t->differ[who];

        longer = cf_format("%s %" PRId64 " %" PRIx32 " %" PRIx32 " %" PRIx32 " %" PRIx32, text,
                           d->n, d->x, d->got[0], d->got[1], d->right);
        free(text);
        text = longer;
    }
    return text;
}

static int parse(struct cf_whole_block *block, const char *text)
{
    struct cf_whole_tally *t = &block->tally;
    char digest[2][33];
    int n = 0, used = -1;

    sscanf(text, "%32s %32s %" SCNd64 " %" SCNd64 " %" SCNd64 "%n", digest[0], digest[1], &t->n,
           &t->n_asked, &t->n_sampled, &used);
    for (int k = 0; k < 2 && used >= 0; ++k) {
        if (parse_digest(&block->digest[k], digest[k]) != 0)
            return -1;
        n += used;
        used = -1;
        sscanf(text + n, " %" SCNd64 " %la %" SCNx32 " %" SCNx32 "%n", &t->side[k].n_wrong,
               &t->side[k].worst, &t->side[k].x, &t->side[k].got, &used);
    }
    for (int who = 0; who < CF_N_WHO && used >= 0; ++who) {
        struct cf_whole_difference *d = &t->differ[who];

        n += used;
        used = -1;
        sscanf(text + n, " %" SCNd64 " %" SCNx32 " %" SCNx32 " %" SCNx32 " %" SCNx32 "%n", &d->n,
               &d->x, &d->got[0], &d->got[1], &d->right, &used);
    }
    return used < 0 || text[n + used] ? -1 : 0;
}

int cf_whole_put(struct cf_store *store, const struct cf_whole_order *order, int64_t block,
                 const struct cf_whole_block *from, struct cf_error *err)
{
    char *key = key_of(order, block), *value = print(from);
    const int result = cf_store_put_meta(store, key, value, err);

    free(key);
    free(value);
    return result;
}

int cf_whole_get(struct cf_store *store, const struct cf_whole_order *order, int64_t block,
                 struct cf_whole_block *to, struct cf_error *err)
{
    char *key = key_of(order, block), *value = cf_store_get_meta(store, key);
    int result = value ? parse(to, value) : 0;

    if (result != 0)
        cf_fail_with(err, 3, "the store's `%s` is damaged: `%.200s`", key, value);
    to->is_done = result == 0 && value;
    result = result == 0 && value ? 1 : result;
    free(key);
    free(value);
    return result;
}
