#include "manual.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "suite.h"

/* Text for roff: a backslash is \e, a hyphen that may be copied \-, and a line never starts with a
 * dot or an apostrophe. */
static void put(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; ++text)
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\'')
            fputs("\\(aq", out);
        else if (*text == '`')
            fputs("\\(ga", out);
        else
            putc(*text, out);
}

static void section(FILE *out, const char *name)
{
    fprintf(out, ".SH %s\n", name);
}

static void entry(FILE *out, const char *tag, const char *text)
{
    fputs(".TP\n.B ", out);
    put(out, tag);
    putc('\n', out);
    put(out, text);
    putc('\n', out);
}

static void option_entry(FILE *out, const struct cf_option_line *line)
{
    char *letter = line->letter ? cf_format("-%c, ", line->letter) : cf_strdup("");
    char *tag = cf_format("%s--%s%s%s%s%s", letter, line->name, line->argument_optional ? "[" : "",
                          line->argument ? "=" : "", line->argument ? line->argument : "",
                          line->argument_optional ? "]" : "");

    entry(out, tag, line->help);
    free(letter);
    free(tag);
}

static int same(const struct cf_option_line *a, const struct cf_option_line *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->help, b->help) == 0;
}

static int has(const struct cf_command *command, const struct cf_option_line *line)
{
    struct cf_option_line lines[CF_OPTION_LINES_MAX];
    const int n = cf_option_lines(lines, command);

    for (int i = 0; i < n; ++i)
        if (same(&lines[i], line))
            return 1;
    return 0;
}

/* Options once each, where the first command that has it would list it, with the commands that have
 * it. */
static void options(FILE *out)
{
    for (const struct cf_command *c = cf_commands; c->name; ++c) {
        struct cf_option_line lines[CF_OPTION_LINES_MAX];
        const int n = cf_option_lines(lines, c);

        for (int i = 0; i < n; ++i) {
            const struct cf_command *first = cf_commands;
            int everywhere = 1;

            while (!has(first, &lines[i]))
                ++first;
            if (first != c)
                continue;
            option_entry(out, &lines[i]);
            for (const struct cf_command *k = cf_commands; k->name; ++k)
                everywhere &= has(k, &lines[i]);
            fputs(everywhere ? "(every command)\n" : "(", out);
            for (const struct cf_command *k = c; !everywhere && k->name; ++k)
                if (has(k, &lines[i]))
                    fprintf(out, "%s%s", k == c ? "" : ", ", k->name);
            if (!everywhere)
                fputs(")\n", out);
        }
    }
}

static void commands(FILE *out)
{
    for (const struct cf_command *c = cf_commands; c->name; ++c) {
        struct cf_option_line lines[CF_OPTION_LINES_MAX];
        const int n = cf_option_lines(lines, c);

        fprintf(out, ".TP\n.B conform %s", c->name);
        fputs(" [\\fIOPTION\\fR...] ", out);
        put(out, c->arguments);
        putc('\n', out);
        put(out, c->summary);
        fputs("\n.br\nOptions:", out);
        for (int i = 0; i < n; ++i) {
            fputs(" \\-\\-", out);
            put(out, lines[i].name);
        }
        putc('\n', out);
    }
}

void cf_manual_man(FILE *out)
{
    static const char *const codes[][2] = {
        {"0", "everything selected was measured and meets the level"},
        {"1", "measured, and below the level or wrong (wins over 3)"},
        {"2", "usage or matrix error; nothing was run"},
        {"3", "could not measure: a library that does not load, a crash, a timeout, not enough "
              "evidence, a store that cannot be written"},
        {"4", "nothing selected"},
        {"130, 143", "interrupted; the store is complete up to the last finished case"}};
    static const char *const examples[] = {
        "conform --level numerical", "conform --level statistical --scope thread",
        "conform --case 'dot f64 m=1 n=1000 seed={1..3}' --configuration '*openblas*'",
        "conform report STORE --html=report.html", "conform qualify --budget 2m --sensitivity"};

    fputs(".TH CONFORM 1 \"\" \"conform " CF_VERSION "\" \"User Commands\"\n.nh\n.ad l\n", out);
    section(out, "NAME");
    fputs("conform \\- say in which sense results reproduce across machines, libraries and "
          "threads\n",
          out);
    section(out, "SYNOPSIS");
    fputs(".B conform\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n", out);
    section(out, "DESCRIPTION");
    put(out, "A command comes first; without one, run it is. Each result is compared with an "
             "exact answer and with the baseline's, and each configuration gets a level: "
             "numerical (the same bits), statistical, scientific, functional or none.\n");
    section(out, "COMMANDS");
    commands(out);
    section(out, "OPTIONS");
    options(out);
    entry(out, "-?, --help", "what a command does, and its options");
    entry(out, "--usage", "the same in short");
    entry(out, "-V, --version", "the version of the program");
    section(out, "EXIT STATUS");
    for (int i = 0; i < CF_COUNT(codes); ++i)
        entry(out, codes[i][0], codes[i][1]);
    section(out, "EXAMPLES");
    fputs(".nf\n", out);
    for (int i = 0; i < CF_COUNT(examples); ++i) {
        put(out, examples[i]);
        putc('\n', out);
    }
    fputs(".fi\n", out);
}

/* The caller frees. */
static char *suite_names(void)
{
    char *text = cf_strdup("all");

    for (int i = 0; cf_suites[i]; ++i) {
        char *longer = cf_format("%s %s", text, cf_suites[i]->name);

        free(text);
        text = longer;
    }
    return text;
}

/* What may stand behind an option: words, or a file. "" for neither. */
static char *values_of(const struct cf_option_line *line)
{
    static const char *const words[][2] = {{"color", "auto always never"},
                                           {"budget", "quick medium long"},
                                           {"fail-on", "regressed changed"},
                                           {"shard", "auto"}};
    char *text, *longer;

    if (strcmp(line->name, "suite") == 0)
        return suite_names();
    text = cf_strdup("");
    for (int i = 0; i < CF_COUNT(words); ++i)
        if (strcmp(line->name, words[i][0]) == 0) {
            free(text);
            return cf_strdup(words[i][1]);
        }
    for (int i = 0; i < CF_N_LEVELS + CF_N_SCOPES; ++i) {
        const char *key = i < CF_N_LEVELS ? "level" : "scope";
        const char *word = i < CF_N_LEVELS ? cf_level_name((enum cf_level)i)
                                           : cf_scope_name((enum cf_scope)(i - CF_N_LEVELS));

        if (strcmp(line->name, key) != 0 || (i < CF_N_LEVELS && i == CF_NONE))
            continue;
        longer = cf_format("%s%s%s", text, *text ? " " : "", word);
        free(text);
        text = longer;
    }
    return text;
}

static int is_file(const struct cf_option_line *line)
{
    static const char *const files[] = {"FILE", "FOLDER", "KEY", "SIDE"};

    for (int i = 0; line->argument && i < CF_COUNT(files); ++i)
        if (strcmp(line->argument, files[i]) == 0)
            return 1;
    return 0;
}

static void bash_values(FILE *out)
{
    for (const struct cf_command *c = cf_commands; c->name; ++c) {
        struct cf_option_line lines[CF_OPTION_LINES_MAX];
        const int n = cf_option_lines(lines, c);

        for (int i = 0; i < n; ++i) {
            const struct cf_command *first = cf_commands;
            char *words = values_of(&lines[i]);

            while (!has(first, &lines[i]))
                ++first;
            if (first == c && *words)
                fprintf(out, "    --%s) words='%s' ;;\n", lines[i].name, words);
            else if (first == c && is_file(&lines[i]))
                fprintf(out, "    --%s) files=1 ;;\n", lines[i].name);
            free(words);
        }
    }
}

/* "list suites|ops" offers its words; STORE, FILE, OUT and the like offer files. */
static void bash_arguments(FILE *out, const char *arguments)
{
    char *copy = cf_strdup(arguments), *rest = NULL;

    for (char *word = strtok_r(copy, "| .[]", &rest); word; word = strtok_r(NULL, "| .[]", &rest))
        if (*word >= 'a' && *word <= 'z')
            fprintf(out, " %s", word);
    free(copy);
}

static void bash_commands(FILE *out)
{
    for (const struct cf_command *c = cf_commands; c->name; ++c) {
        struct cf_option_line lines[CF_OPTION_LINES_MAX];
        const int n = cf_option_lines(lines, c);

        fprintf(out, "    %s)\n        options='--help", c->name);
        for (int i = 0; i < n; ++i)
            fprintf(out, " --%s%s", lines[i].name,
                    lines[i].argument && !lines[i].argument_optional ? "=" : "");
        fputs("'\n        arguments='", out);
        bash_arguments(out, c->arguments);
        fputs("' ;;\n", out);
    }
}

void cf_manual_bash(FILE *out)
{
    fputs("# Completion of conform for bash; made by `conform manual bash`.\n"
          "_conform() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} option= command=run options= arguments= words= "
          "files= commands='",
          out);
    for (const struct cf_command *c = cf_commands; c->name; ++c)
        fprintf(out, "%s%s", c == cf_commands ? "" : " ", c->name);
    fputs("'\n"
          "    COMPREPLY=()\n"
          "    # bash cuts --option=value at the equals sign\n"
          "    if [[ $word == = ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD-1]} word=\n"
          "    elif (( COMP_CWORD > 1 )) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    fi\n"
          "    if (( COMP_CWORD > 1 )) && [[ \" $commands \" == *\" ${COMP_WORDS[1]} \"* ]]; then\n"
          "        command=${COMP_WORDS[1]}\n"
          "    fi\n"
          "    case $command in\n",
          out);
    bash_commands(out);
    fputs("    esac\n"
          "    case $option in\n",
          out);
    bash_values(out);
    fputs("    esac\n"
          "    if [[ -n $option ]]; then\n"
          "        if [[ -n $files ]]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
          "        if [[ -n $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); fi\n"
          "    elif [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "        if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2> /dev/null; fi\n"
          "    elif (( COMP_CWORD == 1 )); then\n"
          "        COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -W \"$arguments\" -- \"$word\"))\n"
          "        if [[ -z ${arguments// } ]]; then COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
          "    fi\n"
          "}\n"
          "complete -F _conform conform\n",
          out);
}
