#include "bank_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reference.h"
#include "seed_bank.h"

static int make_folder(const char *path, struct cf_error *err)
{
    char *copy = cf_strdup(path);
    int result = 0;

    for (char *slash = strchr(copy + 1, '/'); slash && result == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            result = cf_fail(err,
                             "the folder %s for banks cannot be made: %s; name a bank with "
                             "--bank=FILE",
                             copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return result;
}

char *cf_bank_path(const struct cf_options *options, const char *suite, const char *baseline,
                   struct cf_error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct cf_digest digest;
    char *path, hex[33];

    if (options->bank)
        return cf_strdup(options->bank);
    cf_digest_of(&digest, baseline, strlen(baseline));
    cf_digest_print(hex, &digest);
    if (cache && *cache == '/') {
        path = cf_format("%s/conform/banks/%s-%.16s.bank", cache, suite, hex);
    } else if (home && *home == '/') {
        path = cf_format("%s/.cache/conform/banks/%s-%.16s.bank", home, suite, hex);
    } else {
        cf_fail(err, "neither XDG_CACHE_HOME nor HOME says where banks lie; use --bank=FILE");
        return NULL;
    }
    if (make_folder(path, err) == 0)
        return path;
    free(path);
    return NULL;
}

char *cf_bank_read(const char *path, struct cf_error *err)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n = 0;

    if (!file || getdelim(&text, &n, '\0', file) < 0) {
        cf_fail(err, "the bank %s cannot be read: %s; `conform bank build` makes one", path,
                strerror(errno));
        free(text);
        text = NULL;
    }
    if (file)
        fclose(file);
    return text;
}

/* The suite of the plan's first training case; NULL: it has none. */
static const char *suite_of(const struct cf_plan *plan)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (cf_training_model(plan->cases[i].c.op) >= 0)
            return plan->cases[i].suite;
    return NULL;
}

int cf_bank_attach(const struct cf_options *options, const struct cf_plan *plan,
                   struct cf_store *store, struct cf_error *err)
{
    const char *suite = suite_of(plan);
    struct cf_seed_bank bank;
    char *path, *text;
    int result;

    if (!suite || (plan->level == CF_NUMERICAL && !options->bank))
        return 0;
    path = cf_bank_path(options, suite, plan->configurations[plan->baseline].config.text, err);
    if (!path)
        return -1;
    text = cf_bank_read(path, err);
    if (!text) {
        free(path);
        return options->bank ? -1 : 0; /* the judge will say that there is none */
    }
    result = cf_seed_bank_parse(&bank, text, path, err);
    if (result == 0) {
        result = cf_store_put_meta(store, "bank", text, err);
        cf_seed_bank_free(&bank);
    }
    free(text);
    free(path);
    return result;
}
