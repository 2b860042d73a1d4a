#include "data_statistics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "record.h"
#include "split.h"

static uint64_t hash_rows(const struct cf_tensor *images, const int32_t *rows, int64_t n)
{
    const size_t row_bytes = CF_PIXELS * cf_dtype_size(images->dtype);
    char *copy = cf_alloc((size_t)n * row_bytes + 1);
    struct cf_digest digest;
    uint64_t value = 0;

    for (int64_t i = 0; i < n; ++i)
        memcpy(copy + (size_t)i * row_bytes, (char *)images->bits + (size_t)rows[i] * row_bytes,
               row_bytes);
    cf_digest_of(&digest, copy, (uint64_t)n * row_bytes);
    free(copy);
    for (int b = 0; b < 8; ++b)
        value = value << 8 | digest.byte[b];
    return value;
}

void cf_data_statistics_of(struct cf_data_statistics *statistics, const struct cf_digits *digits,
                           const struct cf_tensor *images, const int32_t *rows, int64_t n)
{
    const double count = (double)n * CF_PIXELS;
    double sum = 0, squares = 0; /* multiples of 2^-8 below 2^45: no addition rounds */

    *statistics = (struct cf_data_statistics){.n = n};
    memcpy(statistics->sha256, digits->sha256, sizeof statistics->sha256);
    for (int64_t i = 0; i < n; ++i) {
        ++statistics->n_class[digits->label[rows[i]]];
        for (int p = 0; p < CF_PIXELS; ++p) {
            const double x = cf_tensor_get(images, (int64_t)rows[i] * CF_PIXELS + p);

            sum += x;
            squares += x * x;
        }
    }
    statistics->mean = n > 0 ? sum / count : 0;
    statistics->deviation = n > 0 ? sqrt((squares - sum * (sum / count)) / (count - 1)) : 0;
    statistics->records = cf_split_digest(digits, rows, n);
    statistics->bits = hash_rows(images, rows, n);
}

char *cf_data_statistics_compare(const char *side, const struct cf_data_statistics *recorded,
                                 const struct cf_data_statistics *found)
{
    if (recorded->n != found->n)
        return cf_format("the %s split has %" PRId64 " records, %" PRId64 " were recorded: records "
                         "were added or lost, or the split was changed",
                         side, found->n, recorded->n);
    for (int c = 0; c < CF_CLASSES; ++c)
        if (recorded->n_class[c] != found->n_class[c])
            return cf_format("the %s split has %" PRId64 " records of class %d, %" PRId64
                             " were recorded: labels or the split were changed",
                             side, found->n_class[c], c, recorded->n_class[c]);
    if (recorded->records != found->records)
        return cf_format("the %s split holds other records: pixels, labels or the split were "
                         "changed",
                         side);
    if (recorded->bits != found->bits)
        return cf_format("the %s split's pixels have mean %.6g and deviation %.6g, recorded were "
                         "%.6g and %.6g, of the same records: preprocessing was changed",
                         side, found->mean, found->deviation, recorded->mean, recorded->deviation);
    if (strcmp(recorded->sha256, found->sha256) != 0)
        return cf_format("the %s split is the same, but its text has the SHA-256 %.12s, not %.12s: "
                         "records were reordered or the other split was changed",
                         side, found->sha256, recorded->sha256);
    return NULL;
}

char *cf_data_statistics_print(const struct cf_data_statistics *s)
{
    char classes[CF_CLASSES * 21 + 1];
    size_t used = 0;

    for (int c = 0; c < CF_CLASSES; ++c)
        used += (size_t)snprintf(classes + used, sizeof classes - used, "%s%" PRId64, c ? ":" : "",
                                 s->n_class[c]);
    return cf_format("n=%" PRId64 " classes=%s mean=%a deviation=%a records=%016" PRIx64
                     " bits=%016" PRIx64 " sha256=%s",
                     s->n, classes, s->mean, s->deviation, s->records, s->bits,
                     s->sha256[0] ? s->sha256 : "none");
}

static int take_words(struct cf_data_statistics *s, const struct cf_pairs *words)
{
    const char *n = cf_pairs_get(words, "n"), *classes = cf_pairs_get(words, "classes");
    const char *mean = cf_pairs_get(words, "mean"), *sha256 = cf_pairs_get(words, "sha256");
    const char *deviation = cf_pairs_get(words, "deviation"), *bits = cf_pairs_get(words, "bits");
    const char *records = cf_pairs_get(words, "records");
    char *end;

    if (!n || !classes || !mean || !deviation || !records || !bits || !sha256)
        return -1;
    s->n = strtoll(n, NULL, 10);
    s->mean = strtod(mean, NULL);
    s->deviation = strtod(deviation, NULL);
    s->records = strtoull(records, NULL, 16);
    s->bits = strtoull(bits, NULL, 16);
    if (strcmp(sha256, "none") != 0)
        snprintf(s->sha256, sizeof s->sha256, "%s", sha256);
    for (int c = 0; c < CF_CLASSES; ++c, classes = end + (*end == ':')) {
        s->n_class[c] = strtoll(classes, &end, 10);
        if (end == classes || *end != (c < CF_CLASSES - 1 ? ':' : '\0'))
            return -1;
    }
    return 0;
}

int cf_data_statistics_parse(struct cf_data_statistics *statistics, const char *line,
                             struct cf_error *err)
{
    struct cf_pairs words;
    int result;

    *statistics = (struct cf_data_statistics){0};
    if (cf_pairs_parse(&words, "the statistics of a split", line, err) != 0)
        return -1;
    result = take_words(statistics, &words);
    cf_pairs_free(&words);
    return result == 0 ? 0 : cf_fail(err, "`%.60s...` are no statistics of a split", line);
}
