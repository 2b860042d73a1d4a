#include "support_json.h"

#include <math.h>
#include <stdlib.h>

#include "report.h"
#include "support_utf8.h"

/* Unlike a page for people, JSON can carry control characters: only broken bytes are replaced. */
static char *well_formed(const char *text)
{
    char *clean = NULL;
    size_t size;
    FILE *out = open_memstream(&clean, &size);
    uint32_t point;

    CF_CHECK(out != NULL);
    while ((point = cf_utf8_next(&text)))
        cf_utf8_put(out, point);
    CF_CHECK(fclose(out) == 0);
    return clean;
}

json_t *cf_json_text(const char *text)
{
    char *clean;
    json_t *value;

    if (!text)
        return json_null();
    clean = well_formed(text);
    value = json_string(clean);
    free(clean);
    CF_CHECK(value != NULL);
    return value;
}

json_t *cf_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cf_json_embed(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    return value ? value : cf_json_text(text);
}

void cf_json_write(FILE *out, json_t *value)
{
    CF_CHECK(value != NULL);
    json_dumpf(value, out, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    putc('\n', out);
    json_decref(value);
}
