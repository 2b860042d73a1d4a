#include "split.h"

#include <stdlib.h>

#include "philox.h"
#include "record.h"

int cf_split_trains(uint64_t key, int percent, uint64_t salt)
{
    const struct cf_stream stream = {salt, 0x73706c69};

    return cf_stream_word(&stream, key) % 100 < (uint64_t)percent;
}

struct keyed {
    uint64_t key;
    int32_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

void cf_split_make(struct cf_split *split, const struct cf_digits *digits, int percent,
                   uint64_t salt)
{
    struct keyed *all = cf_alloc((size_t)(digits->n + 1) * sizeof all[0]);

    *split = (struct cf_split){0};
    split->train = cf_alloc((size_t)(digits->n + 1) * sizeof split->train[0]);
    split->held = cf_alloc((size_t)(digits->n + 1) * sizeof split->held[0]);
    for (int64_t i = 0; i < digits->n; ++i)
        all[i] = (struct keyed){digits->key[i], (int32_t)i};
    qsort(all, (size_t)digits->n, sizeof all[0], by_key);
    for (int64_t i = 0; i < digits->n; ++i)
        if (cf_split_trains(all[i].key, percent, salt))
            split->train[split->n_train++] = all[i].row;
        else
            split->held[split->n_held++] = all[i].row;
    free(all);
}

void cf_split_free(struct cf_split *split)
{
    free(split->train);
    free(split->held);
    *split = (struct cf_split){0};
}

static uint64_t first_half(const struct cf_digest *digest)
{
    uint64_t value = 0;

    for (int b = 0; b < 8; ++b)
        value = value << 8 | digest->byte[b];
    return value;
}

uint64_t cf_split_digest(const struct cf_digits *digits, const int32_t *rows, int64_t n)
{
    uint64_t chain = 0;

    for (int64_t i = 0; i < n; ++i) {
        const uint64_t pair[2] = {chain, digits->key[rows[i]]};
        struct cf_digest digest;

        cf_digest_of(&digest, pair, sizeof pair);
        chain = first_half(&digest);
    }
    return chain;
}
