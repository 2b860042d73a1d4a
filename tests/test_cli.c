/* cli: words and suggestions, options, the line of progress, documents that are written whole. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "documents.h"
#include "options.h"
#include "suggest.h"
#include "terminal.h"

Test(cli, suggestions)
{
    static const char *const names[] = {"numerical", "statistical", "scientific", "functional",
                                        "run",       "list",        NULL,         "report"};
    static const struct {
        const char *word, *best;
    } rows[] = {{"numercal", "numerical"},
                {"NUMERICAL", "numerical"},
                {"statisical", "statistical"},
                {"rnu", "run"},
                {"lst", "list"},
                {"reprot", "report"},
                {"perfect", NULL},
                {"x", NULL},
                {"", NULL}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        const char *best = cf_suggest(rows[i].word, names, CF_COUNT(names));

        cr_expect(best == rows[i].best || (best && rows[i].best && !strcmp(best, rows[i].best)),
                  "%s gave %s", rows[i].word, best ? best : "nothing");
    }
}

static const struct cf_command *command(const char *name)
{
    for (const struct cf_command *c = cf_commands; c->name; ++c)
        if (strcmp(c->name, name) == 0)
            return c;
    cr_assert_fail("there is no command %s", name);
    return NULL;
}

static int parse(struct cf_options *options, const char *name, const char *line,
                 struct cf_error *err)
{
    static char words[1024];
    static char name_[] = "conform";
    char *argv[32] = {name_}, *rest = NULL;
    int argc = 1;

    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok_r(words, " ", &rest); w && argc < 31; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    *options = (struct cf_options){0};
    *err = (struct cf_error){0};
    return cf_options_parse(options, command(name), argc, argv, err);
}

Test(cli, options_are_understood)
{
    struct cf_options o;
    struct cf_error err;

    cr_assert(parse(&o, "run",
                    "-l statistical --scope=thread --suite s --case a --case b --repeat 3 --seed=9 "
                    "-j4 --timeout 2.5 --store f --quiet --no-progress --color never --json=x "
                    "--junit=y",
                    &err) == 0,
              "%s", err.text);
    cr_expect_eq(o.level, CF_STATISTICAL);
    cr_expect_eq(o.scope, CF_ACROSS_THREAD);
    cr_expect_eq(o.cases.n, 2);
    cr_expect_str_eq(o.cases.word[1], "b");
    cr_expect(o.repeat == 3 && o.seed == 9 && o.jobs == 4 && o.timeout_s == 2.5);
    cr_expect(o.quiet && o.no_progress && !o.resume);
    cr_expect_str_eq(o.document[cf_report_index("json")], "x");
    cr_expect_str_eq(o.document[cf_report_index("junit")], "y");
    cf_options_free(&o);
    cr_assert(parse(&o, "run", "", &err) == 0);
    cr_expect(o.level == CF_NUMERICAL && o.scope == CF_TO_BASELINE, "the defaults");
    cf_options_free(&o);
    cr_assert(parse(&o, "report", "store --json", &err) == 0);
    cr_expect_str_eq(o.document[cf_report_index("json")], "-");
    cr_expect_eq(o.rest.n, 1);
    cf_options_free(&o);
}

Test(cli, bad_options_are_one_sentence)
{
    static const struct {
        const char *command, *line, *words;
    } rows[] = {{"run", "--levle numerical", "did you mean `level`"},
                {"run", "--level numercal", "did you mean `numerical`"},
                {"run", "--level none", "no level"},
                {"run", "--scope treads", "did you mean `thread`"},
                {"run", "--repeat 0", "no count"},
                {"run", "--repeat 1x", "no count"},
                {"run", "--repeat -1", "no count"},
                {"run", "--timeout nan", "no time"},
                {"run", "--timeout 0", "no time"},
                {"run", "--color blue", "auto, always or never"},
                {"run", "--json --junit", "share the standard output"},
                {"report", "--matrix x", "no option"},
                {"env", "--junit", "no option"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_options o;
        struct cf_error err;

        cr_expect(parse(&o, rows[i].command, rows[i].line, &err) != 0, "accepted: %s",
                  rows[i].line);
        cr_expect(strstr(err.text, rows[i].words), "%s: `%s`", rows[i].line, err.text);
        cr_expect_eq(err.exit_code, 2);
        cf_options_free(&o);
    }
}

Test(cli, every_option_has_words_and_a_unique_name)
{
    for (const struct cf_option *a = cf_option_table; a->name; ++a) {
        cr_expect(a->help && strlen(a->help) > 10 && a->commands, "%s", a->name);
        cr_expect((a->argument == NULL) == (a->kind == CF_FLAG), "%s", a->name);
        cr_expect_eq(cf_report_index(a->name), -1, "%s is a report too", a->name);
        for (const struct cf_option *b = cf_option_table; b < a; ++b)
            cr_expect(strcmp(a->name, b->name) != 0 && (!a->letter || a->letter != b->letter), "%s",
                      a->name);
    }
}

Test(cli, progress_fits_and_cannot_drive_the_terminal)
{
    static const struct {
        int64_t done, total;
        double elapsed_s;
        int64_t at_start;
        const char *what;
        int width;
        const char *line;
    } rows[] = {
        {50, 100, 10, 0, "dot", 80, "[##########          ] 50 of 100  5/s  0:10 left  dot"},
        {0, 100, 0, 0, "dot", 80, "[                    ] 0 of 100  dot"},
        {100, 100, 10, 50, NULL, 80, "[####################] 100 of 100  5/s  0:00 left  "},
        {50, 100, 10, 0, "dot", 20, "[##########         "},
        {0, 0, 1, 0, "\033[2J", 80, "[                    ] 0 of 0  ?[2J"}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char *line = cf_progress_line(rows[i].done, rows[i].total, rows[i].elapsed_s,
                                      rows[i].at_start, rows[i].what, rows[i].width);

        cr_expect_str_eq(line, rows[i].line);
        free(line);
    }
}

Test(cli, a_document_appears_whole_or_not_at_all)
{
    const char *base = getenv("TMPDIR");
    char folder[256], *path;
    struct cf_error err = {0};
    struct stat there;

    snprintf(folder, sizeof folder, "%s/conform-cli.XXXXXX", base && *base ? base : P_tmpdir);
    cr_assert(mkdtemp(folder) != NULL);
    path = cf_format("%s/out", folder);
    cr_expect_eq(cf_document_put(path, "abc", 3, &err), 0, "%s", err.text);
    cr_expect(stat(path, &there) == 0 && there.st_size == 3 && !(there.st_mode & 0111));
    cr_expect_eq(cf_document_put("/dev/full", "abc", 3, &err), -1);
    cr_expect_eq(err.exit_code, 3, "%s", err.text);
    cr_expect(strstr(err.text, "No space left"), "%s", err.text);
    cr_expect(stat("/dev/full", &there) == 0 && S_ISCHR(there.st_mode), "a device stays a device");
    unlink(path);
    free(path);
    path = cf_format("%s/none/out", folder);
    cr_expect_eq(cf_document_put(path, "abc", 3, &err), -1);
    cr_expect(strstr(err.text, "cannot be written"), "%s", err.text);
    free(path);
    rmdir(folder);
}
