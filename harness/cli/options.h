/* options: what the user asked for. One table holds every option of every command; argp, --help,
 * the man page and the completion are made from it. */
#ifndef CF_OPTIONS_H
#define CF_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "demand.h"
#include "error.h"
#include "report.h"

#define CF_REPORTS_MAX 16

enum cf_command_bit {
    CF_FOR_RUN = 1,
    CF_FOR_LIST = 2,
    CF_FOR_REPLAY = 4,
    CF_FOR_ENV = 8,
    CF_FOR_REPORT = 16,
    CF_FOR_COMPARE = 32,
    CF_FOR_TRAIN = 64,
    CF_FOR_SOURCES = 128,
    CF_FOR_DIVERGENCE = 256,
    CF_FOR_QUALIFY = 1 << 10,
    CF_FOR_GOLDEN = 1 << 11,
    CF_FOR_FETCH = 1 << 12,
    CF_FOR_GATE = 1 << 13, /* gate, diff and sweep */
    CF_FOR_BANK = 1 << 14,
    CF_FOR_SELFTEST = 1 << 15,
    CF_FOR_MERGE = 1 << 16,
    CF_FOR_ADAPTER = 1 << 17,
    CF_FOR_MANUAL = 1 << 18,
    CF_FOR_PROBE = 1 << 19,
    CF_FOR_LOCK = 1 << 20,
    CF_FOR_VERIFY = 1 << 21,
    CF_FOR_EXPORT = 1 << 22,
    CF_FOR_WHOLE = 1 << 23,
    CF_FOR_ORDER = 1 << 24,
    CF_FOR_ALL = (1 << 25) - 1
};

/* Words of an option that may be given more than once, or of the command line itself. They point
 * into argv. */
struct cf_words {
    int n;
    const char **word;
};

struct cf_options {
    const char *level_name, *scope_name;
    enum cf_level level; /* numerical unless asked otherwise */
    enum cf_scope scope; /* CF_TO_BASELINE: all */
    const char *suite, *matrix, *store, *colour, *checkpoints, *bank;
    const char *old_side, *new_side, *fail_on, *waivers, *backend;
    const char *tier, *image, *out;
    const char *device, *library; /* of `list engines` */
    struct cf_words cases, configurations, filters, excludes, data, earlier, rest;
    const char *budget, *cpuset, *gpu, *sign, *signers, *shard, *node;
    int64_t repeat, seed, jobs, every, expect, memory_mb, element;
    double timeout_s; /* 0: the default */
    int per_node, resume, quiet, no_progress, truth, list, sensitivity;
    int require_clean, strict, update, full;
    const char *document[CF_REPORTS_MAX]; /* one a report of cf_reports: a path, "-" or NULL */
    int argc;
    char **argv; /* as given to main, for the store */
};

enum cf_option_kind { CF_FLAG, CF_WORD, CF_WORD_LIST, CF_NUMBER, CF_SECONDS };

struct cf_option {
    const char *name;
    int letter;           /* 0: none */
    const char *argument; /* NULL for a flag */
    enum cf_option_kind kind;
    unsigned commands; /* bits of cf_command_bit */
    size_t offset;     /* of the field in struct cf_options */
    const char *help;
};
extern const struct cf_option cf_option_table[]; /* ended by name NULL */
/* Beside these each report NAME of cf_reports is an option --NAME[=FILE] of run, replay and report,
 * and --json[=FILE] of the other commands. */

struct cf_command {
    const char *name, *arguments, *summary;
    unsigned bit;
    /* Returns the exit code, or -1 and a sentence. */
    int (*run)(struct cf_options *, struct cf_error *);
};
extern const struct cf_command cf_commands[]; /* ended by name NULL; the first is the default */

/* An option as a command has it, reports among them: what --help, the manual page and the
 * completion are made from. */
struct cf_option_line {
    const char *name, *argument, *help; /* argument: NULL for a flag */
    int letter;                         /* 0: none */
    int argument_optional;              /* --json[=FILE] */
};
#define CF_OPTION_LINES_MAX 64
int cf_option_lines(struct cf_option_line lines[], const struct cf_command *command);

/* Fills *options from the words after the command. A word that is no option is a sentence that
 * suggests one; a level or scope that does not exist likewise. --help and --version exit. */
int cf_options_parse(struct cf_options *options, const struct cf_command *command, int argc,
                     char **argv, struct cf_error *err);
void cf_options_free(struct cf_options *options);

/* The index of a report in cf_reports by its name, or -1. */
int cf_report_index(const char *name);

#endif
