#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "documents.h"
#include "judge.h"
#include "listing.h"
#include "task.h"

#define SHOWN 20

struct side {
    struct cf_store *store;
    struct cf_findings *findings;
    struct cf_run_view view;
};

struct comparison {
    const struct cf_run_view *a, *b;
    FILE *out;
    json_t *rows;
    int64_t n[CF_N_CHANGES];
    int n_shown, n_shown_chosen;
};

static int open_side(struct side *side, const char *path, const struct cf_options *options,
                     struct cf_error *err)
{
    side->store = cf_store_open(path, CF_STORE_READ, err);
    if (!side->store)
        return -1;
    side->findings = cf_task_judge(options, side->store, err);
    if (!side->findings)
        return -1;
    cf_run_view_read(&side->view, side->store, side->findings);
    return 0;
}

static void close_side(struct side *side)
{
    cf_run_view_free(&side->view);
    if (side->findings)
        cf_findings_free(side->findings);
    if (side->store)
        cf_store_close(side->store);
}

/* chosen: what the library took otherwise in the second run, or NULL. */
static void tell(struct comparison *c, const char *configuration, const char *case_text,
                 enum cf_change change, const char *chosen)
{
    ++c->n[change];
    json_array_append_new(c->rows,
                          json_pack("{s:s, s:s, s:s, s:s?}", "configuration", configuration, "case",
                                    case_text, "change", cf_change_name(change), "chosen", chosen));
    if (chosen && c->n_shown_chosen++ < SHOWN)
        fprintf(c->out, "%s: the library chose otherwise: %s\n", case_text, chosen);
    if ((change != CF_REGRESSED && change != CF_ERROR) || c->n_shown++ >= SHOWN)
        return;
    fprintf(c->out, "%s %s\n  replay  conform replay \"%s\" \"%s\"\n", cf_change_name(change),
            case_text, case_text, configuration);
}

static void compare_configuration(struct comparison *c, int i, int k)
{
    const char *text = c->a->configuration[i];

    for (int n = 0; n < c->a->n_cases; ++n) {
        const int m = cf_run_view_case(c->b, c->a->case_text[n]);
        const int both = m >= 0 && k >= 0;
        char *chosen =
            both ? cf_chosen_change(cf_run_view_chosen(c->a, i, n), cf_run_view_chosen(c->b, k, m))
                 : NULL;

        tell(c, text, c->a->case_text[n],
             both ? cf_compare_one(c->a, i, n, c->b, k, m) : CF_ONLY_IN_ONE, chosen);
        free(chosen);
    }
    for (int m = 0; m < c->b->n_cases && k >= 0; ++m)
        if (cf_run_view_case(c->a, c->b->case_text[m]) < 0)
            tell(c, text, c->b->case_text[m], CF_ONLY_IN_ONE, NULL);
}

static void compare(struct comparison *c, struct cf_listing *rows)
{
    for (int i = 0; i < c->a->n_configurations; ++i) {
        const int k = cf_run_view_configuration(c->b, c->a->configuration[i], c->a->label[i]);
        int64_t before[CF_N_CHANGES];
        char text[160] = "";

        memcpy(before, c->n, sizeof before);
        compare_configuration(c, i, k);
        for (int n = 0; n < CF_N_CHANGES; ++n)
            if (c->n[n] > before[n])
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld %s",
                         *text ? ", " : "", (long long)(c->n[n] - before[n]),
                         cf_change_name((enum cf_change)n));
        cf_listing_add(rows, c->a->label[i], text);
    }
    for (int k = 0; k < c->b->n_configurations; ++k)
        if (cf_run_view_configuration(c->a, c->b->configuration[k], c->b->label[k]) < 0) {
            cf_listing_add(rows, c->b->label[k], "only in the second run");
            c->n[CF_ONLY_IN_ONE] += c->b->n_cases;
        }
}

static json_t *as_json(struct comparison *c)
{
    json_t *summary = json_object();

    for (int n = 0; n < CF_N_CHANGES; ++n)
        json_object_set_new(summary, cf_change_name((enum cf_change)n), json_integer(c->n[n]));
    return json_pack("{s:s, s:o, s:O}", "schema", "conform-compare/1", "summary", summary, "cases",
                     c->rows);
}

static int print(struct comparison *c, const struct cf_options *options, struct cf_error *err)
{
    const int json = cf_report_index("json");
    struct cf_listing rows = {.column = {"configuration", "cases"}};
    char *text = NULL;
    size_t size;
    int result;

    c->out = open_memstream(&text, &size);
    c->rows = json_array();
    CF_CHECK(c->out != NULL);
    compare(c, &rows);
    CF_CHECK(fclose(c->out) == 0);
    if (options->document[json])
        result = cf_listing_put_json(options->document[json], as_json(c), err);
    else if ((result = cf_listing_print(&rows, options, 0, err)) == 0)
        result = cf_document_put("-", text, size, err);
    json_decref(c->rows);
    cf_listing_free(&rows);
    free(text);
    return result;
}

static int compare_sides(const struct cf_options *options, const struct side *a,
                         const struct side *b, struct cf_error *err)
{
    struct comparison c = {.a = &a->view, .b = &b->view};

    if (cf_compare_check(&a->view, &b->view, err) != 0 || print(&c, options, err) != 0)
        return -1;
    if (!options->quiet)
        fprintf(stderr,
                "conform: %lld same, %lld changed, %lld improved, %lld regressed, %lld errors, "
                "%lld only in one\n",
                (long long)c.n[CF_SAME], (long long)c.n[CF_CHANGED], (long long)c.n[CF_IMPROVED],
                (long long)c.n[CF_REGRESSED], (long long)c.n[CF_ERROR],
                (long long)c.n[CF_ONLY_IN_ONE]);
    return c.n[CF_REGRESSED] > 0 ? 1 : c.n[CF_ERROR] > 0 ? 3 : 0;
}

int cf_command_compare(struct cf_options *options, struct cf_error *err)
{
    struct side a = {0}, b = {0};
    int result = -1;

    if (options->rest.n != 2)
        return cf_fail(err, "compare needs two stores, as in `conform compare old.db new.db`");
    if (open_side(&a, options->rest.word[0], options, err) == 0 &&
        open_side(&b, options->rest.word[1], options, err) == 0)
        result = compare_sides(options, &a, &b, err);
    close_side(&a);
    close_side(&b);
    return result;
}
