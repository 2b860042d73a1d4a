/* conform-worker: opens one library as one configuration says and runs kernels on request. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "confine.h"
#include "worker.h"

static const char usage[] =
    "usage: conform-worker [--memory-mb N] CONFIGURATION\n"
    "       conform-worker --confine [--memory-mb N] [--cpus LIST] -- COMMAND...\n"
    "       conform-worker --list | --version\n"
    "Answers requests of the protocol conform-adapter/1: JSON lines on standard input, replies on\n"
    "the descriptor that CONFORM_FD names (default 3). `conform` starts it; people rarely do.\n"
    "With --confine it takes on the limits of a worker and becomes the command, an adapter.\n";

struct options {
    const char *configuration, *cpus;
    int64_t memory_mb;
    int confine;
};

static int print_list(void)
{
    json_t *list = cf_registry_list();

    json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
    return 0;
}

static int fail_usage(void)
{
    fputs(usage, stderr);
    return 2;
}

/* -1: go on; else the exit code. */
static int parse_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"memory-mb", required_argument, NULL, 'm'},
                                          {"confine", no_argument, NULL, 'c'},
                                          {"cpus", required_argument, NULL, 'p'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char *end;
    int option;

    *options = (struct options){.configuration = NULL};
    while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1)
        switch (option) {
        case 'm':
            options->memory_mb = strtoll(optarg, &end, 10);
            if (*end || options->memory_mb < 1 || options->memory_mb > INT32_MAX)
                return fail_usage();
            break;
        case 'c':
            options->confine = 1;
            break;
        case 'p':
            options->cpus = optarg;
            break;
        case 'l':
            return print_list();
        case 'v':
            return printf("conform-worker %s\n", CF_VERSION) < 0;
        case 'h':
            return fputs(usage, stdout) < 0;
        default:
            return fail_usage();
        }
    if (options->confine && optind < argc)
        return cf_confine_exec(options->memory_mb, options->cpus, argv + optind);
    if (options->confine || options->cpus || optind + 1 != argc)
        return fail_usage();
    options->configuration = argv[optind];
    return -1;
}

static json_t *dispatch(struct cf_worker *worker, const json_t *request)
{
    const char *method = json_string_value(json_object_get(request, "method"));
    const json_t *params = json_object_get(request, "params");

    if (method && strcmp(method, "hello") == 0)
        return cf_worker_hello(worker);
    if (method && strcmp(method, "run") == 0)
        return cf_worker_run(worker, params);
    return cf_worker_error("protocol", "there is no method `%s`; hello, run and bye are",
                           method ? method : "");
}

static int is_bye(const json_t *request)
{
    const char *method = json_string_value(json_object_get(request, "method"));

    return method && strcmp(method, "bye") == 0;
}

static int serve(struct cf_worker *worker, struct cf_channel *channel)
{
    const char *error;
    json_t *request;

    while ((request = cf_channel_read(channel, &error)) || error) {
        const int leave = request && is_bye(request);
        json_t *reply = leave     ? NULL
                        : request ? dispatch(worker, request)
                                  : cf_worker_error("protocol", "%s", error);
        int gone = 0;

        if (reply) {
            json_t *id = json_object_get(request, "id");

            json_object_set(reply, "id", id ? id : json_null());
            gone = cf_channel_write(channel, reply);
        }
        json_decref(reply);
        json_decref(request);
        if (leave || gone)
            return gone ? 1 : 0;
    }
    return 0;
}

static int start(struct cf_worker *worker, struct cf_channel *channel,
                 const struct options *options, struct cf_error *err)
{
    if (cf_config_parse(&worker->config, options->configuration, err) != 0 ||
        cf_channel_open(channel, err) != 0)
        return -1;
    cf_confine(options->memory_mb, cf_config_get(&worker->config, "cpus"), &worker->limits);
    worker->reserve = cf_alloc(CF_WORKER_RESERVE);
    worker->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return 0;
}

/* Leaves by _exit: a library's destructors are none of the answer, and some of them hang. */
int main(int argc, char **argv)
{
    struct cf_worker worker = {0};
    struct cf_channel channel;
    struct cf_error err;
    struct options options;
    int code = parse_options(&options, argc, argv);

    if (code >= 0)
        return code;
    if (start(&worker, &channel, &options, &err) != 0) {
        fprintf(stderr, "conform-worker: %s\n", err.text);
        return err.exit_code;
    }
    code = serve(&worker, &channel);
    fflush(NULL);
    _Exit(code);
}
