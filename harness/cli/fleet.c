#include "fleet.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *index, *count, *first; /* first: what index counts from, or NULL */
} launchers[] = {{"CONFORM_SHARD_INDEX", "CONFORM_SHARD_COUNT", NULL},
                 {"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", NULL},
                 {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"},
                 {"SLURM_PROCID", "SLURM_NTASKS", NULL},
                 {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", NULL},
                 {"PMI_RANK", "PMI_SIZE", NULL},
                 {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", NULL}};

static int whole_number(const char *word, int64_t *value)
{
    char *end;

    if (!word || *word < '0' || *word > '9')
        return -1;
    *value = strtoll(word, &end, 10);
    return *end || *value > 1000000000 ? -1 : 0;
}

/* 1: found; 0: no launcher; -1: its variables make no sense. */
static int ask_launcher(struct cf_shard *shard, const char **whose)
{
    for (int i = 0; i < CF_COUNT(launchers); ++i) {
        int64_t first = 0;

        if (!getenv(launchers[i].index) || !getenv(launchers[i].count))
            continue;
        *whose = launchers[i].index;
        if (launchers[i].first && getenv(launchers[i].first) &&
            whole_number(getenv(launchers[i].first), &first) != 0)
            return -1;
        if (whole_number(getenv(launchers[i].index), &shard->index) != 0 ||
            whole_number(getenv(launchers[i].count), &shard->count) != 0)
            return -1;
        shard->index -= first;
        return shard->index >= 0 && shard->index < shard->count ? 1 : -1;
    }
    return 0;
}

int cf_fleet_shard(const char *word, struct cf_shard *shard, struct cf_error *err)
{
    const char *slash = strchr(word, '/'), *whose = "";
    char *index;
    int bad, found;

    if (strcmp(word, "auto") == 0) {
        found = ask_launcher(shard, &whose);
        if (found < 0)
            return cf_fail(err, "%s and its count say no part of a whole", whose);
        return found
                   ? 0
                   : cf_fail(err, "--shard=auto finds no launcher in the environment (Slurm, Open "
                                  "MPI, PMI, Kubernetes); write --shard=I/N");
    }
    index = strndup(word, slash ? (size_t)(slash - word) : 0);
    bad = !slash || whole_number(index, &shard->index) != 0 ||
          whole_number(slash + 1, &shard->count) != 0 || shard->index >= shard->count;
    free(index);
    return bad ? cf_fail(err,
                         "--shard=%s is no part; write for example --shard=0/4 for the first "
                         "of four",
                         word)
               : 0;
}

static int64_t shard_of(const struct cf_case *c, int64_t count)
{
    char *base = cf_case_base(c);
    struct cf_digest digest;
    uint64_t number = 0;

    cf_digest_of(&digest, base, strlen(base));
    for (int i = 0; i < 8; ++i)
        number = number << 8 | digest.byte[i];
    free(base);
    return (int64_t)(number % (uint64_t)count);
}

int cf_fleet_keep(struct cf_plan *plan, const struct cf_shard *shard)
{
    int n = 0;

    for (int i = 0; i < plan->n_cases; ++i)
        if (shard_of(&plan->cases[i].c, shard->count) == shard->index)
            plan->cases[n++] = plan->cases[i];
        else
            cf_case_free(&plan->cases[i].c);
    return plan->n_cases = n;
}

static int put_owned(struct cf_store *store, const char *key, char *value, struct cf_error *err)
{
    const int result = cf_store_put_meta(store, key, value, err);

    free(value);
    return result;
}

int cf_fleet_describe(struct cf_store *store, const char *name, int per_node,
                      const struct cf_shard *shard, struct cf_error *err)
{
    struct cf_shard launched = {0, 0};
    const char *whose;
    char host[256] = "";
    const int found = per_node ? ask_launcher(&launched, &whose) : 0;

    if (found < 0)
        return cf_fail(err, "%s and its count say no part of a whole", whose);
    gethostname(host, sizeof host - 1);
    if ((name || per_node) && put_owned(store, "node",
                                        name    ? cf_strdup(name)
                                        : found ? cf_format("n%lld", (long long)launched.index)
                                                : cf_strdup(*host ? host : "n0"),
                                        err) != 0)
        return -1;
    if (!shard && !found)
        return 0;
    if (!shard)
        shard = &launched;
    return put_owned(store, "shard",
                     cf_format("%lld/%lld", (long long)shard->index, (long long)shard->count), err);
}
