#include "commands.h"

#include <jansson.h>

#include "environment.h"
#include "listing.h"

static void put_row(void *rows, const char *key, const char *value)
{
    cf_listing_add(rows, key, value);
}

static void put_member(void *object, const char *key, const char *value)
{
    json_t *text = json_string(value);

    json_object_set_new(object, key, text ? text : json_string("(no UTF-8)"));
}

int cf_command_env(struct cf_options *options, struct cf_error *err)
{
    const int json = cf_report_index("json");
    struct cf_listing rows = {.column = {"key", "value"}};
    json_t *object;
    int result;

    if (options->rest.n > 0)
        return cf_fail(err, "env takes no `%s`", options->rest.word[0]);
    if (options->document[json]) {
        object = json_object();
        cf_environment_collect(put_member, object);
        return cf_listing_put_json(options->document[json], object, err);
    }
    cf_environment_collect(put_row, &rows);
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result;
}
