#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "select.h"
#include "task.h"
#include "sides.h"
#include "terminal.h"
#include "versions.h"

#define SPOTS       3
#define REPETITIONS 3 /* in each fresh process */

static void print_side(FILE *out, const char *text, const struct cf_side *side, int i)
{
    char name[16], digest[33];

    fprintf(out, "%-7s %s\n", cf_side_name(i, name), text);
    if (side->fate != CF_RAN)
        fprintf(out, "        %s: %s\n", cf_fate_name(side->fate), side->reason);
    for (int k = 0; k < side->n_answers; ++k) {
        cf_digest_print(digest, &side->answer[k].digest);
        fprintf(out, "        %d of %d runs gave xxh3:%s%s%s\n", side->answer[k].n_times,
                side->n_ran, digest, *side->answer[k].chosen ? "   " : "", side->answer[k].chosen);
    }
    if (side->n_more > 0)
        fprintf(out, "        %d of %d runs gave yet other answers\n", side->n_more, side->n_ran);
}

static void print_spot(FILE *out, const struct cf_sides *s, const struct cf_spot *spot)
{
    char name[16];

    fprintf(out, "element %lld of output %d   exact %a   scale %a\n", (long long)spot->element,
            spot->output, s->truth[spot->output][spot->element].rounded,
            s->truth[spot->output][spot->element].scale);
    for (int i = 0; i < s->n; ++i)
        for (int k = 0; k < s->side[i].n_answers; ++k) {
            const struct cf_answer *answer = &s->side[i].answer[k];

            fprintf(out, "  %-5s got %-26a error %.3g\n", k == 0 ? cf_side_name(i, name) : "",
                    cf_tensor_get(&answer->out[spot->output], spot->element),
                    cf_sides_error(s, answer, spot->output, spot->element));
        }
}

static void print_sides(FILE *out, const struct cf_plan *plan, const struct cf_sides *s)
{
    struct cf_spot spots[SPOTS];
    const int n = cf_sides_spots(s, spots, SPOTS);
    int n_ran = 0;

    fprintf(out, "case    %s\n", s->c.text);
    for (int i = 0; i < s->n; ++i) {
        print_side(out, plan->configurations[i].config.text, &s->side[i], i);
        n_ran += s->side[i].n_ran;
    }
    for (int i = 0; i < n; ++i)
        print_spot(out, s, &spots[i]);
    if (s->n_different > 0)
        fprintf(out,
                "%lld of %lld elements differ in their bits; errors are in units of u * "
                "scale\n\n",
                (long long)s->n_different, (long long)s->n_elements);
    else if (n_ran > 0)
        fprintf(out, "all %d runs agree bit for bit; errors are in units of u * scale\n\n", n_ran);
    else
        fputs("nothing ran\n\n", out);
}

/* 1 when sides differ, 3 when one could not be measured: as a run at the numerical level. */
static int outcome(const struct cf_sides *s)
{
    int code = 0;

    for (int i = 0; i < s->n; ++i)
        if (s->side[i].fate != CF_RAN || s->side[i].n_ran == 0)
            code = 3;
    return s->n_different > 0 ? 1 : code;
}

static int show(const struct cf_plan *plan, struct cf_store *store, const char *path,
                struct cf_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int code = 0;

    CF_CHECK(out != NULL);
    for (int i = 0; i < plan->n_cases && code >= 0; ++i) {
        struct cf_sides sides;

        if (cf_sides_read(&sides, store, plan->cases[i].c.text, i + 1, plan->n_configurations,
                          err) != 0) {
            code = -1;
        } else {
            print_sides(out, plan, &sides);
            code = cf_task_graver(code, outcome(&sides));
        }
        cf_sides_free(&sides);
    }
    CF_CHECK(fclose(out) == 0);
    if (code >= 0 && path && cf_document_put(path, text, size, err) != 0)
        code = -1;
    free(text);
    return code;
}

/* Judged too: an answer that all sides share can still be wrong. */
static int judge(const struct cf_options *options, struct cf_store *store, int code,
                 struct cf_error *err)
{
    struct cf_findings *findings = cf_task_judge(options, store, err);
    int wrong = 0, any_document = 0;

    if (!findings)
        return -1;
    for (int i = 0; cf_reports[i]; ++i)
        any_document |= options->document[i] != NULL;
    for (int i = 0; i < findings->n_configurations; ++i) {
        if (findings->configurations[i].wrong && !options->quiet)
            fprintf(stderr, "conform: wrong: %s: %s\n", findings->configurations[i].label,
                    findings->configurations[i].reason);
        wrong |= findings->configurations[i].wrong;
    }
    if (any_document && cf_documents_write(options, findings, err) != 0)
        code = -1;
    else if (options->level != CF_NUMERICAL)
        code = findings->exit_code;
    cf_findings_free(findings);
    return code >= 0 && wrong ? 1 : code;
}

static int run(const struct cf_options *options, const struct cf_plan *plan, const char *path,
               struct cf_error *err)
{
    struct cf_store *store = cf_store_open(path, CF_STORE_CREATE, err);
    const char *shown = "-";
    int result;

    for (int i = 0; cf_reports[i]; ++i)
        if (options->document[i] && strcmp(options->document[i], "-") == 0)
            shown = NULL; /* the document has the standard output */
    if (!store)
        return -1;
    result = cf_plan_store(plan, store, err);
    if (result == 0)
        result = cf_task_run(options, plan, store, err);
    if (result == 0)
        result = show(plan, store, shown, err);
    if (result >= 0 && result < 128)
        result = judge(options, store, result, err);
    cf_store_close(store);
    return result;
}

/* The words of the line are the options --case and --configuration of a run. */
static int choose(struct cf_options *options, struct cf_plan *plan, struct cf_error *err)
{
    struct cf_words words = options->rest, cases = {1, words.word};
    struct cf_words configurations = {words.n - 1, words.word + 1};
    struct cf_options choice = *options;

    if (words.n < 2)
        return cf_fail(err, "replay needs a case and a configuration, as in `conform replay \"dot "
                            "f64 m=1 n=100\" \"plain kernel={forward,pairwise}\"`");
    choice.cases = cases;
    choice.configurations = configurations;
    choice.repeat = options->repeat > 0 ? options->repeat : REPETITIONS;
    return cf_select_written_out(&choice, plan, err);
}

int cf_command_replay(struct cf_options *options, struct cf_error *err)
{
    struct cf_plan plan;
    int result;

    if (choose(options, &plan, err) != 0)
        return -1;
    result = cf_temporary_store_run(options, &plan, run, err);
    cf_plan_free(&plan);
    return result;
}
