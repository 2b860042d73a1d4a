#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "gating.h"
#include "judge.h"
#include "task.h"

static int print(const struct cf_gate_result *g, struct cf_error *err)
{
    const char *json = g->options->document[cf_report_index("json")];
    char *text = NULL;
    size_t size;
    FILE *out;
    int result;

    if (json && cf_gate_put_json(g, json, err) != 0)
        return -1;
    if (json && strcmp(json, "-") == 0)
        return 0;
    out = open_memstream(&text, &size);
    CF_CHECK(out != NULL);
    cf_gate_print(out, g);
    CF_CHECK(fclose(out) == 0);
    result = cf_document_put("-", text, size, err);
    free(text);
    return result;
}

/* Without --level only bits, bounds and repeatability are looked at. */
static int judge(const struct cf_options *options, struct cf_versions *v, struct cf_error *err)
{
    struct cf_findings *findings = NULL;
    struct cf_gate_result g = {0};
    int result = 0;

    if (options->level_name) {
        findings = cf_task_judge(options, v->store, err);
        result = findings ? 0 : -1;
    }
    if (result == 0)
        result = cf_gate_decide(&g, v, options, 0, 1, findings, err);
    if (result == 0 && options->waivers)
        result = cf_gate_waive(&g, options->waivers, err);
    if (result == 0)
        result = cf_gate_find_components(&g, err);
    if (result == 0)
        result = cf_gate_find_cause(&g, err);
    if (result == 0)
        result = cf_gate_find_orders(&g, err);
    if (result == 0)
        result = print(&g, err);
    if (result == 0)
        result = cf_gate_exit_code(&g);
    cf_gate_free(&g);
    if (findings)
        cf_findings_free(findings);
    return result;
}

static int gate(const struct cf_options *options, const char *old, const char *new,
                struct cf_error *err)
{
    struct cf_versions *v = cf_alloc_zero(sizeof *v);
    int result = cf_versions_add(v, old, options->backend, err);

    if (result == 0)
        result = cf_versions_add(v, new, options->backend, err);
    if (result == 0)
        result = cf_versions_run(v, options, err);
    if (result == 0)
        result = judge(options, v, err);
    cf_versions_free(v);
    free(v);
    return result;
}

int cf_command_gate(struct cf_options *options, struct cf_error *err)
{
    if (!options->old_side || !options->new_side || options->rest.n > 0)
        return cf_fail(err, "gate needs --old and --new, as in `conform gate --old numpy-1.26.4 "
                            "--new numpy-2.2.6`");
    return gate(options, options->old_side, options->new_side, err);
}

int cf_command_diff(struct cf_options *options, struct cf_error *err)
{
    if (options->rest.n != 2)
        return cf_fail(err, "diff needs two libraries, as in `conform diff OLD.so NEW.so`");
    return gate(options, options->rest.word[0], options->rest.word[1], err);
}
