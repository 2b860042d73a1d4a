#include "training_json.h"

#include <math.h>

#include "record.h"

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *step(int64_t n)
{
    return n >= 0 ? json_integer(n) : json_null();
}

json_t *cf_train_json(const char *case_line, const char *configuration,
                      const struct cf_train_result *result, const double distance[], int64_t n)
{
    const struct cf_tensor *metrics = &result->out[CF_OUT_METRICS];
    json_t *distances = json_array(), *object;
    struct cf_digest digest;
    char hex[33];

    for (int64_t k = 0; k < n; ++k)
        json_array_append_new(distances, json_pack("{s:I,s:o}", "step", (json_int_t)1 << k,
                                                   "from_true", number(distance[k])));
    cf_digest_of(&digest, result->out[CF_OUT_WEIGHTS].bits,
                 cf_tensor_bytes(&result->out[CF_OUT_WEIGHTS]));
    cf_digest_print(hex, &digest);
    object = json_pack("{s:s,s:s,s:s,s:I,s:s+,s:o,s:o,s:o}", "schema", "conform-train/1", "case",
                       case_line, "configuration", configuration, "from", (json_int_t)result->from,
                       "weights", "xxh3:", hex, "loss",
                       number(cf_tensor_get(metrics, CF_METRIC_LOSS)), "accuracy",
                       number(cf_tensor_get(metrics, CF_METRIC_ACCURACY)), "distance", distances);
    CF_CHECK(object != NULL);
    return object;
}

static json_t *source_json(const struct cf_source *source, const struct cf_source_result *result)
{
    json_t *object = json_pack("{s:s,s:s?,s:s?}", "source", source->name, "words", source->words,
                               "configuration", source->configuration);
    json_t *first = json_object();

    CF_CHECK(object != NULL);
    if (!result->ran) {
        json_decref(first);
        json_object_set_new(object, "reason", json_string(result->reason));
        return object;
    }
    for (int k = 0; k < CF_N_STAGES; ++k)
        json_object_set_new(first, cf_stage_name(k), step(result->first[k]));
    json_object_set_new(object, "first", first);
    json_object_set_new(object, "weights", number(result->distance));
    json_object_set_new(object, "loss", number(result->loss));
    json_object_set_new(object, "accuracy", number(result->accuracy));
    return object;
}

json_t *cf_sources_json(const struct cf_source sources[], const struct cf_source_result results[],
                        int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; ++i)
        json_array_append_new(list, source_json(&sources[i], &results[i]));
    return json_pack("{s:s,s:s,s:s,s:o}", "schema", "conform-sources/1", "case", cf_sources_case,
                     "configuration", cf_sources_configuration, "sources", list);
}

json_t *cf_divergence_json(const char *case_line, const char *a, const char *b,
                           const struct cf_divergence *found)
{
    const int any = found->kind != CF_NO_DIVERGENCE;
    json_t *object = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:I,s:o,s:o,s:o,s:s}", "schema",
        "conform-divergence/1", "case", case_line, "a", a, "b", b, "kind",
        cf_divergence_name(found->kind), "step", any ? step(found->step) : json_null(), "stage",
        any ? json_string(cf_stage_name(found->stage)) : json_null(), "operation",
        *found->operation ? json_string(found->operation) : json_null(), "elements",
        (json_int_t)found->n_elements, "different", (json_int_t)found->n_different, "error_a",
        number(found->error_a), "error_b", number(found->error_b), "allowed",
        number(found->allowed), "sentence", found->sentence);

    CF_CHECK(object != NULL);
    return object;
}
