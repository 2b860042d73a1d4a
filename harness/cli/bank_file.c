#include "bank_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Does the suite have training cases in the plan? */
static int has_training(const struct cf_plan *plan, const char *suite)
{
    for (int i = 0; i < plan->n_cases; ++i)
        if (strcmp(plan->cases[i].suite, suite) == 0 && cf_training_model(plan->cases[i].c.op) >= 0)
            return 1;
    return 0;
}

/* Adds the cells of one file to the bank. Banks of different baselines are not mixed: what does not
 * fit is left for the judge, which says that there is none. */
static int add_file(struct cf_seed_bank *bank, const char *path, struct cf_error *err)
{
    struct cf_seed_bank one;
    char *text = cf_bank_read(path, err);
    const int result = text ? cf_seed_bank_parse(&one, text, path, err) : -1;

    free(text);
    if (result != 0)
        return -1;
    if (bank->n == 0 || strcmp(bank->baseline, one.baseline) == 0)
        cf_seed_bank_append(bank, &one);
    cf_seed_bank_free(&one);
    return 0;
}

/* Of every suite; a file that is not there is no error unless it was named, or it is no bank. */
static int read_banks(struct cf_seed_bank *bank, const struct cf_options *options,
                      const struct cf_plan *plan, struct cf_error *err)
{
    int result = 0;

    for (int i = 0; i < plan->n_suites && result == 0; ++i) {
        char *path;

        if (!has_training(plan, plan->suites[i]) || (options->bank && bank->n > 0))
            continue;
        path = cf_bank_path(options, plan->suites[i],
                            plan->configurations[plan->baseline].config.text, err);
        if (!path)
            return -1;
        if (options->bank || access(path, R_OK) == 0)
            result = add_file(bank, path, err);
        free(path);
    }
    return result;
}

int cf_bank_attach(const struct cf_options *options, const struct cf_plan *plan,
                   struct cf_store *store, struct cf_error *err)
{
    struct cf_seed_bank bank = {.n = 0};
    int result;

    if (plan->level == CF_NUMERICAL && !options->bank)
        return 0;
    result = read_banks(&bank, options, plan, err);
    if (result == 0 && bank.n > 0) {
        char *text = cf_seed_bank_print(&bank);

        result = cf_store_put_meta(store, "bank", text, err);
        free(text);
    }
    cf_seed_bank_free(&bank);
    return result;
}
