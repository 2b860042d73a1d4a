/* conform: says in which sense results reproduce across machines, libraries and threads. */
#include <argp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "git.h"
#include "suggest.h"

const char *argp_program_version = "conform " CF_VERSION;

static const struct cf_command *find(const char *name, struct cf_error *err)
{
    const char *names[64];
    int n = 0;
    char *hint;

    for (; cf_commands[n].name; ++n) {
        if (strcmp(cf_commands[n].name, name) == 0)
            return &cf_commands[n];
        names[n] = cf_commands[n].name;
    }
    hint = cf_suggest_words(name, names, n);
    cf_fail(err, "there is no command `%s`%s", name, *hint ? hint : "; see `conform --help`");
    free(hint);
    return NULL;
}

/* Runs the command, or returns -1 and a sentence. argv[0] becomes the name that usage shows. */
static int dispatch(int argc, char **argv, struct cf_error *err)
{
    struct cf_options options = {.argc = argc, .argv = argv};
    const int named = argc > 1 && argv[1][0] != '-';
    const struct cf_command *command = named ? find(argv[1], err) : &cf_commands[0];
    char *words = argv[0];
    int result = -1;

    if (!command)
        return -1;
    if (named) {
        words = cf_format("conform %s", command->name);
        argv[1] = words;
    }
    if (cf_options_parse(&options, command, argc - named, argv + named, err) == 0) {
        if (named)
            argv[1] = (char *)command->name;
        result = options.require_clean ? cf_git_require_clean(err) : 0;
        if (result == 0)
            result = command->run(&options, err);
    }
    if (named)
        free(words);
    cf_options_free(&options);
    return result;
}

int main(int argc, char **argv)
{
    struct cf_error err = {.exit_code = 2};
    int code;

    setlocale(LC_ALL, "C");
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is an error of write */
    argp_err_exit_status = 2;
    code = dispatch(argc, argv, &err);
    if (code < 0) {
        fprintf(stderr, "conform: %s\n", err.text);
        code = err.exit_code;
    }
    return code;
}
