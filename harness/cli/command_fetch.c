#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libraries.h"
#include "libraries_listing.h"
#include "listing.h"

int cf_list_libraries(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"name", "version", "from", "file"}};
    struct cf_pins pins;
    int result;

    cf_pins_load(&pins);
    for (int i = 0; i < pins.n; ++i) {
        const struct cf_pin *pin = &pins.pin[i];
        char *file, *from;

        if (cf_pins_find(&pins, pin->name) != i)
            continue;
        file = cf_library_file(&pins, pin->name);
        from = cf_format("%s %s", pin->kind, pin->package);
        cf_listing_add(&rows, pin->name, pin->version, from, file ? file : "not fetched");
        free(file);
        free(from);
    }
    result = cf_listing_print(&rows, options, 1, err);
    cf_listing_free(&rows);
    cf_pins_free(&pins);
    return result;
}

static void say(const char *line)
{
    fprintf(stderr, "conform: fetching %s\n", line);
}

static void say_nothing(const char *line)
{
    (void)line;
}

/* What cannot be had is skipped with its reason; the others are brought all the same. */
static int fetch_all(const struct cf_options *options, const struct cf_pins *pins,
                     struct cf_error *err)
{
    struct cf_listing rows = {.column = {"name", "file"}};
    int n_skipped = 0, result;

    for (int i = 0; i < options->rest.n; ++i) {
        const char *name = options->rest.word[i];
        char *file;

        if (cf_library_fetch(pins, name, options->quiet ? say_nothing : say, err) != 0) {
            if (err->exit_code == 2 || options->rest.n == 1) {
                cf_listing_free(&rows);
                return -1;
            }
            fprintf(stderr, "conform: skipped %s: %s\n", name, err->text);
            ++n_skipped;
            continue;
        }
        file = cf_library_file(pins, name);
        cf_listing_add(&rows, name, file ? file : "-");
        free(file);
    }
    result = cf_listing_print(&rows, options, 0, err);
    cf_listing_free(&rows);
    return result != 0 ? -1 : n_skipped > 0 ? 3 : 0;
}

int cf_command_fetch(struct cf_options *options, struct cf_error *err)
{
    struct cf_pins pins;
    int result;

    if (options->list || options->rest.n == 0)
        return cf_list_libraries(options, err);
    cf_pins_load(&pins);
    result = fetch_all(options, &pins, err);
    cf_pins_free(&pins);
    return result;
}
