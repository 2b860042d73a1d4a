#include "training_case.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cf_training_model(const char *op)
{
    for (int m = CF_LOGREG; m <= CF_BLOCK; ++m)
        if (strncmp(op, "train_", 6) == 0 && strcmp(op + 6, cf_model_name(m)) == 0)
            return m;
    return -1;
}

int64_t cf_training_weights(enum cf_model model, int64_t h, int64_t layers)
{
    const int64_t last = h * CF_CLASSES + CF_CLASSES;

    switch (model) {
    case CF_LOGREG:
        return CF_PIXELS * CF_CLASSES + CF_CLASSES;
    case CF_MLP:
        return CF_PIXELS * h + h + (layers - 1) * (h * h + h) + last;
    case CF_CNN:
        return 9 * h + h + 9 * h * h + h + 16 * h * CF_CLASSES + CF_CLASSES;
    default:
        return (CF_VOCABULARY + CF_TOKENS) * h + 4 * h + 4 * h * h + 4 * h * h + 3 * h + last;
    }
}

int64_t cf_training_masked(enum cf_model model, int64_t h, int64_t layers)
{
    switch (model) {
    case CF_LOGREG:
        return 0;
    case CF_MLP:
        return h * layers;
    case CF_CNN:
        return 16 * h;
    default:
        return CF_TOKENS * 2 * h;
    }
}

/* A whole number in low .. high. */
static int number(const struct cf_case *c, const char *key, int64_t fallback, int64_t low,
                  int64_t high, int64_t *value, struct cf_error *err)
{
    if (cf_pairs_int(&c->keys, key, fallback, value, err) != 0)
        return -1;
    if (*value < low || *value > high)
        return cf_fail(err, "case `%s`: %s must be %lld..%lld", c->text, key, (long long)low,
                       (long long)high);
    return 0;
}

/* A word that is one of those in `words` (separated by blanks); its place in the list. */
static int choice(const struct cf_case *c, const char *key, const char *words, int *place,
                  struct cf_error *err)
{
    const char *value = cf_case_word(c, key, NULL), *at = words;
    const size_t length = value ? strlen(value) : 0;

    for (*place = 0; value && *at; ++*place) {
        const size_t n = strcspn(at, " ");

        if (n == length && strncmp(at, value, n) == 0)
            return 0;
        at += n + (at[n] == ' ');
    }
    *place = 0;
    return value ? cf_fail(err, "case `%s`: %s must be one of: %s", c->text, key, words) : 0;
}

/* A decimal number, not negative: what mpfr_set_str and strtod read alike. */
static int decimal(const struct cf_case *c, const char *key, const char *fallback,
                   const char **word, struct cf_error *err)
{
    char *end;
    double value;

    *word = cf_case_word(c, key, fallback);
    value = strtod(*word, &end);
    if (*end || !isdigit((unsigned char)**word) || strpbrk(*word, "xXnN") || !(value <= 1e6))
        return cf_fail(err, "case `%s`: %s must be a decimal number such as %s", c->text, key,
                       fallback);
    return 0;
}

static int read_sizes(struct cf_training_case *t, const struct cf_case *c, struct cf_error *err)
{
    int64_t percent, salt, dropout, workers;

    if (number(c, "steps", 1, 1, 100000, &t->steps, err) != 0 ||
        number(c, "batch", 1, 1, 4096, &t->batch, err) != 0 ||
        number(c, "hidden", 32, 1, 1024, &t->hidden, err) != 0 ||
        number(c, "layers", 1, 1, 8, &t->layers, err) != 0 ||
        number(c, "accumulate", 1, 1, 64, &t->accumulate, err) != 0 ||
        number(c, "rows", 4000, 100, 100000, &t->rows, err) != 0 ||
        number(c, "train", 80, 10, 99, &percent, err) != 0 ||
        number(c, "salt", 0, 0, INT64_MAX, &salt, err) != 0 ||
        number(c, "dropout", 0, 0, 90, &dropout, err) != 0 ||
        number(c, "workers", 1, 1, 64, &workers, err) != 0 ||
        number(c, "snapshots", 0, 0, 20, &t->snapshots, err) != 0 ||
        number(c, "detail", -1, -1, t->steps - 1, &t->detail, err) != 0 ||
        number(c, "capture", -1, -1, CF_CALLS_MAX - 1, &t->capture, err) != 0 ||
        number(c, "twin", 0, 0, 1000000, &t->twin, err) != 0 ||
        number(c, "perturb", 0, 0, 52, &t->perturb, err) != 0)
        return -1;
    t->train_percent = (int)percent;
    t->salt = (uint64_t)salt;
    t->loader.dropout = (int)dropout;
    t->loader.workers = (int)workers;
    return 0;
}

static int read_words(struct cf_training_case *t, const struct cf_case *c, struct cf_error *err)
{
    int optimizer, unused;

    if (choice(c, "optimizer", "sgd adam adamw", &optimizer, err) != 0 ||
        choice(c, "schedule", "constant cosine step warmup", &unused, err) != 0 ||
        choice(c, "preprocess", "unit centre binary", &unused, err) != 0 ||
        choice(c, "sampling", "shuffle replace", &t->loader.replace, err) != 0 ||
        choice(c, "seeding", "purpose worker", &t->loader.by_worker, err) != 0 ||
        choice(c, "augment", "0 1", &t->loader.augment, err) != 0 ||
        choice(c, "fill", "digits drawn", &unused, err) != 0)
        return -1;
    t->optimizer = (enum cf_optimizer)optimizer;
    t->schedule = cf_case_word(c, "schedule", "constant");
    t->preprocess = cf_case_word(c, "preprocess", "unit");
    t->fill = cf_case_word(c, "fill", "digits");
    return 0;
}

static int read_decimals(struct cf_training_case *t, const struct cf_case *c, struct cf_error *err)
{
    if (decimal(c, "lr", "0.1", &t->lr, err) != 0 ||
        decimal(c, "momentum", "0.9", &t->momentum, err) != 0 ||
        decimal(c, "beta2", "0.999", &t->beta2, err) != 0 ||
        decimal(c, "epsilon", "1e-8", &t->epsilon, err) != 0 ||
        decimal(c, "decay", "0", &t->decay, err) != 0 ||
        decimal(c, "clip", "0", &t->clip, err) != 0)
        return -1;
    if (!(strtod(t->momentum, NULL) < 1) || !(strtod(t->beta2, NULL) < 1))
        return cf_fail(err, "case `%s`: momentum and beta2 must be below 1", c->text);
    return 0;
}

static int read_seeds(struct cf_training_case *t, const struct cf_case *c, struct cf_error *err)
{
    for (int p = 0; p < CF_N_PURPOSES; ++p) {
        char key[32];
        int64_t value;

        snprintf(key, sizeof key, "%s_seed", cf_purpose_name(p));
        if (number(c, key, (int64_t)c->seed, 0, INT64_MAX, &value, err) != 0)
            return -1;
        t->loader.seeds.seed[p] = (uint64_t)value;
    }
    t->seed = c->seed;
    return 0;
}

static int check_data(const struct cf_training_case *t, const struct cf_case *c,
                      struct cf_error *err)
{
    const char *pinned = cf_case_word(c, "data", NULL);

    if (!pinned)
        return 0;
    if (strlen(pinned) < 8 || strncmp(pinned, CF_DIGITS_SHA256, strlen(pinned)) != 0 ||
        strcmp(t->fill, "digits") != 0)
        return cf_fail(err, "case `%s` asks for the data %s; this program carries %.12s", c->text,
                       pinned, CF_DIGITS_SHA256);
    return 0;
}

int cf_training_read(struct cf_training_case *t, enum cf_model model, const struct cf_case *c,
                     struct cf_error *err)
{
    *t = (struct cf_training_case){.model = model, .dtype = c->dtype};
    if (c->dtype != CF_F32 && c->dtype != CF_F64)
        return cf_fail(err, "case `%s`: training is defined for f32 and f64", c->text);
    if (read_sizes(t, c, err) != 0 || read_words(t, c, err) != 0 || read_decimals(t, c, err) != 0 ||
        read_seeds(t, c, err) != 0 || check_data(t, c, err) != 0)
        return -1;
    if (model == CF_BLOCK && strcmp(t->preprocess, "centre") == 0)
        return cf_fail(err, "case `%s`: tokens are sums of pixels from 0; write preprocess=unit",
                       c->text);
    t->n_weights = cf_training_weights(model, t->hidden, t->layers);
    t->loader.micro_batches = t->steps * t->accumulate;
    t->loader.batch = t->batch;
    if (t->loader.dropout > 0)
        t->loader.mask_width = cf_training_masked(model, t->hidden, t->layers);
    return 0;
}
