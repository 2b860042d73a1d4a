#include "options.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "suggest.h"

#define AT(field) offsetof(struct cf_options, field)
#define SELECTING (CF_FOR_RUN | CF_FOR_LIST | CF_FOR_LOCK)
#define CASES     (SELECTING | CF_FOR_GATE)
#define JUDGING                                                                                    \
    (CF_FOR_RUN | CF_FOR_LIST | CF_FOR_REPLAY | CF_FOR_REPORT | CF_FOR_COMPARE | CF_FOR_GATE |     \
     CF_FOR_LOCK)
#define RUNNING (CF_FOR_RUN | CF_FOR_REPLAY | CF_FOR_GATE | CF_FOR_LOCK)
#define LOCKED  (CF_FOR_LOCK | CF_FOR_VERIFY)
#define CLEAN                                                                                      \
    (RUNNING | CF_FOR_TRAIN | CF_FOR_SOURCES | CF_FOR_DIVERGENCE | CF_FOR_QUALIFY |                \
     CF_FOR_GOLDEN | CF_FOR_BANK)
#define KEY_PLAIN  0x400 /* keys of options without a letter start here */
#define KEY_REPORT 0x800 /* and those of reports here */

const struct cf_option cf_option_table[] = {
    {"level", 'l', "LEVEL", CF_WORD, JUDGING, AT(level_name),
     "numerical (default), statistical, scientific or functional"},
    {"scope", 0, "SCOPE", CF_WORD, JUDGING, AT(scope_name),
     "only what may differ along this: run, thread, isa, library, alignment, batch, position, ..."},
    {"suite", 's', "SUITE", CF_WORD, CASES | CF_FOR_BANK, AT(suite),
     "this suite (default: reductions), or all"},
    {"matrix", 'c', "FILE", CF_WORD, SELECTING, AT(matrix),
     "the configurations, as YAML (default: conform.yaml, else what the machine has)"},
    {"case", 0, "TEXT", CF_WORD_LIST, CASES | CF_FOR_GOLDEN | CF_FOR_QUALIFY | CF_FOR_WHOLE,
     AT(cases), "this case instead of suites; braces make a product"},
    {"configuration", 0, "GLOB", CF_WORD_LIST, SELECTING | CF_FOR_BANK | CF_FOR_QUALIFY,
     AT(configurations),
     "only configurations that match, or one written out: \"blas lib=/x/lib.so threads={1,2}\""},
    {"filter", 0, "GLOB", CF_WORD_LIST, CASES | CF_FOR_WHOLE, AT(filters), "only cases that match"},
    {"exclude", 0, "GLOB", CF_WORD_LIST, CASES | CF_FOR_WHOLE, AT(excludes), "no cases that match"},
    {"repeat", 0, "N", CF_NUMBER, RUNNING, AT(repeat), "repetitions of each case in each process"},
    {"seed", 0, "N", CF_NUMBER, CF_FOR_RUN | CF_FOR_LIST, AT(seed), "added to every seed"},
    {"jobs", 'j', "N", CF_NUMBER,
     JUDGING | CF_FOR_BANK | CF_FOR_VERIFY | CF_FOR_PROBE | CF_FOR_SELFTEST | CF_FOR_WHOLE,
     AT(jobs), "workers at a time (default: as CPUs allow)"},
    {"timeout", 0, "S", CF_SECONDS,
     RUNNING | CF_FOR_TRAIN | CF_FOR_ADAPTER | CF_FOR_VERIFY | CF_FOR_PROBE | CF_FOR_WHOLE |
         CF_FOR_QUALIFY | CF_FOR_ORDER,
     AT(timeout_s), "seconds for one request (default 30; whole and qualify: 60)"},
    {"memory", 0, "MB", CF_NUMBER, RUNNING | CF_FOR_ADAPTER | CF_FOR_VERIFY, AT(memory_mb),
     "most memory of a worker or adapter (default: an adapter three quarters of the machine's)"},
    {"store", 0, "FILE", CF_WORD,
     RUNNING | CF_FOR_QUALIFY | CF_FOR_PROBE | CF_FOR_SELFTEST | CF_FOR_WHOLE, AT(store),
     "where records go (default: a new file in $XDG_STATE_HOME/conform; gate and lock keep none; "
     "of selftest, a folder)"},
    {"bank", 0, "FILE", CF_WORD, CF_FOR_RUN | CF_FOR_BANK | LOCKED, AT(bank),
     "the bank of the baseline's seeds (default: where `conform bank build` puts it)"},
    {"checkpoints", 0, "FOLDER", CF_WORD, CF_FOR_TRAIN, AT(checkpoints),
     "write checkpoints there, and go on from the newest one"},
    {"every", 0, "N", CF_NUMBER, CF_FOR_TRAIN, AT(every),
     "a checkpoint after each N steps (default: at the end only)"},
    {"truth", 0, NULL, CF_FLAG, CF_FOR_TRAIN, AT(truth),
     "the distance of the weights from the true trajectory after steps 1, 2, 4, ... (snapshots= of "
     "the case)"},
    {"full", 0, NULL, CF_FLAG, CF_FOR_SELFTEST, AT(full),
     "all cells, 16000 trials at the margin, more seeds where 20 decide nothing: for a release"},
    {"resume", 0, NULL, CF_FLAG, CF_FOR_RUN | CF_FOR_SELFTEST | CF_FOR_WHOLE, AT(resume),
     "go on with an interrupted run: that of --store, else the newest one"},
    {"budget", 0, "TIME", CF_WORD, CF_FOR_QUALIFY, AT(budget),
     "quick (10 s), medium (2 min, default), long (30 min), or a time such as 90s, 5m, 1h"},
    {"cpuset", 0, "SET", CF_WORD, CF_FOR_QUALIFY, AT(cpuset),
     "only these CPUs, as in 0-3,8 (default: all that this process may use)"},
    {"gpu", 0, "WHICH", CF_WORD, CF_FOR_QUALIFY, AT(gpu),
     "GPUs too: all, an index or a UUID (GPU-..., MIG-...); with --cpuset= only GPUs (default: "
     "none)"},
    {"sensitivity", 0, NULL, CF_FLAG, CF_FOR_QUALIFY, AT(sensitivity),
     "flip every bit of every operand of every kernel too, and say which the checks see"},
    {"sign", 0, "KEY", CF_WORD, CF_FOR_GOLDEN, AT(sign),
     "sign the pack with this private key (ssh-keygen; minisign for FILE.key)"},
    {"signers", 0, "FILE", CF_WORD, CF_FOR_GOLDEN, AT(signers),
     "who may have signed: OpenSSH's allowed signers, or minisign's public key"},
    {"old", 0, "SIDE", CF_WORD, CF_FOR_GATE, AT(old_side),
     "what is used now: a configuration, a fetched library or a store"},
    {"new", 0, "SIDE", CF_WORD, CF_FOR_GATE, AT(new_side), "what shall be used, written likewise"},
    {"fail-on", 0, "WORD", CF_WORD, CF_FOR_GATE, AT(fail_on),
     "regressed (default), or changed: any other bits"},
    {"waivers", 0, "FILE", CF_WORD, CF_FOR_GATE, AT(waivers),
     "changes that somebody answers for, as JSON"},
    {"backend", 0, "NAME", CF_WORD, CF_FOR_GATE | CF_FOR_WHOLE | CF_FOR_ORDER, AT(backend),
     "how a library's file is reached (default blas; whole: libm)"},
    {"device", 0, "FILE", CF_WORD, CF_FOR_LIST, AT(device),
     "list engines: the description of a GPU, as data/devices/h200.json"},
    {"library", 0, "FILE", CF_WORD, CF_FOR_LIST, AT(library),
     "list engines: cuDNN's libcudnn.so.9 (default: as $CUDA_HOME and the usual folders say)"},
    {"list", 0, NULL, CF_FLAG, CF_FOR_FETCH, AT(list), "what can be fetched, and what is here"},
    {"strict", 0, NULL, CF_FLAG, CF_FOR_RUN | CF_FOR_REPLAY | CF_FOR_GATE | CF_FOR_VERIFY,
     AT(strict),
     "refuse to run what its maker, or an earlier run, knows not to repeat (verify: the tier "
     "digests)"},
    {"earlier", 0, "STORE", CF_WORD_LIST, CF_FOR_RUN | CF_FOR_REPLAY | CF_FOR_GATE, AT(earlier),
     "an earlier run: what gave two answers there is known not to repeat"},
    {"shard", 0, "I/N", CF_WORD, CF_FOR_RUN, AT(shard),
     "run part I of N of the cases, from 0; auto: as the launcher's environment says"},
    {"node", 0, "NAME", CF_WORD, CF_FOR_RUN | CF_FOR_QUALIFY, AT(node),
     "what this machine is called in a fleet (kept in the store, for merge)"},
    {"per-node", 0, NULL, CF_FLAG, CF_FOR_RUN | CF_FOR_QUALIFY, AT(per_node),
     "run all here, as one machine of a fleet; the launcher's index names it"},
    {"expect", 0, "N", CF_NUMBER, CF_FOR_MERGE, AT(expect),
     "how many stores there should be; the missing ones are named (exit 3)"},
    {"data", 0, "PATH", CF_WORD_LIST, CF_FOR_LOCK, AT(data),
     "a data file, or a folder with all below it, to be locked too"},
    {"image", 0, "DIGEST", CF_WORD, LOCKED, AT(image),
     "the container image's digest, where the engine does not tell it inside"},
    {"element", 0, "N", CF_NUMBER, CF_FOR_ORDER, AT(element),
     "of the output, by its flat index (default 0)"},
    {"update", 0, NULL, CF_FLAG, CF_FOR_LOCK, AT(update),
     "write a lock again that is there, and say what is different now"},
    {"tier", 0, "TIER", CF_WORD, CF_FOR_VERIFY, AT(tier),
     "look as far as files, load, state, levels (default) or digests; T0 .. T4"},
    {"out", 0, "PATH", CF_WORD, CF_FOR_EXPORT, AT(out),
     "write there (mlflow: a folder; default: the standard output, or conform-mlflow)"},
    {"require-clean", 0, NULL, CF_FLAG, CLEAN, AT(require_clean),
     "refuse to start when git says that something is not committed"},
    {"quiet", 'q', NULL, CF_FLAG, CF_FOR_ALL, AT(quiet), "no progress, log or closing line"},
    {"no-progress", 0, NULL, CF_FLAG, CF_FOR_ALL, AT(no_progress), "no progress bar"},
    {"color", 0, "WORD", CF_WORD, CF_FOR_ALL, AT(colour), "auto (default), always or never"},
    {NULL, 0, NULL, CF_FLAG, 0, 0, NULL}};

int cf_report_index(const char *name)
{
    for (int i = 0; cf_reports[i]; ++i)
        if (strcmp(cf_reports[i]->name, name) == 0)
            return i;
    return -1;
}

static int prints_findings(const struct cf_command *command)
{
    return (command->bit & (CF_FOR_RUN | CF_FOR_REPLAY | CF_FOR_REPORT | CF_FOR_QUALIFY)) != 0;
}

/* Commands that print no findings may still know one format for programs. */
static int offers_report(const struct cf_command *command, const char *name)
{
    return prints_findings(command) ||
           (strcmp(name, "json") == 0 &&
            !(command->bit &
              (CF_FOR_GOLDEN | CF_FOR_MERGE | CF_FOR_BANK | CF_FOR_MANUAL | CF_FOR_EXPORT)));
}

static int add_word(struct cf_words *words, const char *word)
{
    words->word = cf_realloc(words->word, (size_t)(words->n + 1) * sizeof words->word[0]);
    words->word[words->n++] = word;
    return 0;
}

static int set_number(const struct cf_option *option, int64_t *to, const char *word,
                      struct cf_error *err)
{
    char *end;
    const long long value = strtoll(word, &end, 10);

    if (end == word || *end || value < 1 || value > 1000000000)
        return cf_fail(err, "--%s=%s is no count; write for example --%s=2", option->name, word,
                       option->name);
    *to = value;
    return 0;
}

static int set_seconds(const struct cf_option *option, double *to, const char *word,
                       struct cf_error *err)
{
    char *end;
    const double value = strtod(word, &end);

    if (end == word || *end || !(value >= 0.001 && value <= 86400))
        return cf_fail(err, "--%s=%s is no time; write seconds, for example --%s=2.5", option->name,
                       word, option->name);
    *to = value;
    return 0;
}

static int set(struct cf_options *options, const struct cf_option *option, const char *word,
               struct cf_error *err)
{
    void *field = (char *)options + option->offset;

    switch (option->kind) {
    case CF_FLAG:
        *(int *)field = 1;
        return 0;
    case CF_WORD:
        *(const char **)field = word;
        return 0;
    case CF_WORD_LIST:
        return add_word(field, word);
    case CF_NUMBER:
        return set_number(option, field, word, err);
    case CF_SECONDS:
        return set_seconds(option, field, word, err);
    }
    return 0;
}

struct parse {
    struct cf_options *options;
    struct cf_error *err;
    int failed;
};

static int key_of(int i)
{
    return cf_option_table[i].letter ? cf_option_table[i].letter : KEY_PLAIN + i;
}

static error_t parse_one(int key, char *word, struct argp_state *state)
{
    struct parse *parse = state->input;

    if (key == ARGP_KEY_ARG)
        return add_word(&parse->options->rest, word);
    if (key >= KEY_REPORT && key < KEY_REPORT + CF_REPORTS_MAX) {
        parse->options->document[key - KEY_REPORT] = word ? word : "-";
        return 0;
    }
    for (int i = 0; cf_option_table[i].name; ++i)
        if (key == key_of(i)) {
            if (!parse->failed)
                parse->failed = set(parse->options, &cf_option_table[i], word, parse->err);
            return 0;
        }
    return ARGP_ERR_UNKNOWN;
}

int cf_option_lines(struct cf_option_line lines[], const struct cf_command *command)
{
    int n = 0;

    for (int i = 0; cf_option_table[i].name; ++i)
        if (cf_option_table[i].commands & command->bit)
            lines[n++] = (struct cf_option_line){.name = cf_option_table[i].name,
                                                 .letter = cf_option_table[i].letter,
                                                 .argument = cf_option_table[i].argument,
                                                 .help = cf_option_table[i].help};
    for (int i = 0; cf_reports[i]; ++i) {
        CF_CHECK(i < CF_REPORTS_MAX && n < CF_OPTION_LINES_MAX - 1);
        if (offers_report(command, cf_reports[i]->name))
            lines[n++] = (struct cf_option_line){
                .name = cf_reports[i]->name,
                .argument = "FILE",
                .argument_optional = 1,
                .help = prints_findings(command) ? cf_reports[i]->why
                                                 : "for programs; alone: on the standard output"};
    }
    return n;
}

static int key_by_name(const char *name)
{
    for (int i = 0; cf_option_table[i].name; ++i)
        if (strcmp(cf_option_table[i].name, name) == 0)
            return key_of(i);
    return KEY_REPORT + cf_report_index(name);
}

/* Only the options of one command, and its reports. */
static int make_options(struct argp_option made[], const struct cf_command *command)
{
    struct cf_option_line lines[CF_OPTION_LINES_MAX];
    const int n = cf_option_lines(lines, command);

    for (int i = 0; i < n; ++i)
        made[i] =
            (struct argp_option){.name = lines[i].name,
                                 .key = key_by_name(lines[i].name),
                                 .arg = lines[i].argument,
                                 .flags = lines[i].argument_optional ? OPTION_ARG_OPTIONAL : 0,
                                 .doc = lines[i].help};
    made[n] = (struct argp_option){0};
    return n;
}

/* argp says only "unrecognized option"; this says which one was probably meant. An abbreviation is
 * argp's business. */
static int check_known(char **argv, int argc, const struct argp_option made[], int n,
                       const struct cf_command *command, struct cf_error *err)
{
    const char *names[CF_OPTION_LINES_MAX + 3] = {"help", "usage", "version"};

    for (int i = 0; i < n; ++i)
        names[i + 3] = made[i].name;
    for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; ++k) {
        char *word = strndup(argv[k] + 2, strcspn(argv[k] + 2 * (argv[k][0] == '-'), "=")), *hint;
        int known = strncmp(argv[k], "--", 2) != 0;

        for (int i = 0; i < n + 3; ++i)
            known |= strncmp(names[i], word, strlen(word)) == 0;
        hint = cf_suggest_words(word, names, n + 3);
        if (!known)
            cf_fail(err, "conform %s has no option `--%s`%s", command->name, word,
                    *hint ? hint : "; see `conform --help`");
        free(word);
        free(hint);
        if (!known)
            return -1;
    }
    return 0;
}

static int understand_level(struct cf_options *options, struct cf_error *err)
{
    const char *names[CF_N_LEVELS];
    char *hint;

    options->level = CF_NUMERICAL;
    if (!options->level_name ||
        (cf_level_parse(options->level_name, &options->level) == 0 && options->level != CF_NONE))
        return 0;
    for (int i = 0; i < CF_N_LEVELS; ++i)
        names[i] = i == CF_NONE ? NULL : cf_level_name((enum cf_level)i);
    hint = cf_suggest_words(options->level_name, names, CF_N_LEVELS);
    cf_fail(err, "`%s` is no level%s", options->level_name,
            *hint ? hint : "; write numerical, statistical, scientific or functional");
    free(hint);
    return -1;
}

static int understand_scope(struct cf_options *options, struct cf_error *err)
{
    const char *names[CF_N_SCOPES];
    char *hint;

    options->scope = CF_TO_BASELINE;
    if (!options->scope_name || cf_scope_parse(options->scope_name, &options->scope) == 0)
        return 0;
    for (int i = 0; i < CF_N_SCOPES; ++i)
        names[i] = cf_scope_name((enum cf_scope)i);
    hint = cf_suggest_words(options->scope_name, names, CF_N_SCOPES);
    cf_fail(err, "`%s` is no scope%s", options->scope_name,
            *hint ? hint : "; `conform list scopes` names them");
    free(hint);
    return -1;
}

static int understand(struct cf_options *options, struct cf_error *err)
{
    static const char *const colours[] = {"auto", "always", "never"};
    int known = !options->colour, n_on_stdout = 0;

    for (int i = 0; i < CF_COUNT(colours) && !known; ++i)
        known = strcmp(options->colour, colours[i]) == 0;
    if (!known)
        return cf_fail(err, "--color=%s: write auto, always or never", options->colour);
    for (int i = 0; cf_reports[i]; ++i)
        n_on_stdout += options->document[i] && strcmp(options->document[i], "-") == 0;
    if (n_on_stdout > 1)
        return cf_fail(err,
                       "%d documents cannot share the standard output; give all but one a "
                       "file, as in --json=FILE",
                       n_on_stdout);
    if (cf_documents_check(options, err) != 0)
        return -1;
    return understand_level(options, err) != 0 ? -1 : understand_scope(options, err);
}

static char *documentation(const struct cf_command *command)
{
    char *text = cf_format("%s", command->summary);

    if (command != &cf_commands[0])
        return text;
    free(text);
    text =
        cf_format("Says in which sense results reproduce across machines, libraries and threads. "
                  "A command comes first; without one, run it is.\vCommands (conform COMMAND "
                  "--help says more):\n");
    for (const struct cf_command *c = cf_commands; c->name; ++c) {
        char *longer = cf_format("%s  %-11s%s\n", text, c->name, c->summary);

        free(text);
        text = longer;
    }
    return text;
}

int cf_options_parse(struct cf_options *options, const struct cf_command *command, int argc,
                     char **argv, struct cf_error *err)
{
    struct argp_option made[CF_OPTION_LINES_MAX];
    const int n = make_options(made, command);
    char *doc = documentation(command);
    const struct argp argp = {
        .options = made, .parser = parse_one, .args_doc = command->arguments, .doc = doc};
    struct parse parse = {.options = options, .err = err};
    int result = check_known(argv, argc, made, n, command, err);

    if (result == 0)
        result = argp_parse(&argp, argc, argv, 0, NULL, &parse) == 0 ? parse.failed : -1;
    free(doc);
    return result == 0 ? understand(options, err) : result;
}

void cf_options_free(struct cf_options *options)
{
    free(options->cases.word);
    free(options->configurations.word);
    free(options->filters.word);
    free(options->excludes.word);
    free(options->data.word);
    free(options->rest.word);
}
