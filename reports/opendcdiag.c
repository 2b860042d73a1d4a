/* opendcdiag: a qualification in the shape of OpenDCDiag's log for CPUs (docs of that project,
 * opendcdiag-cpu.schema.yaml): where each CPU is, tests with seed, result and time to fail, threads
 * with what they compared. Written as JSON, which every reader of YAML 1.2 reads. Times are
 * milliseconds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "support_json.h"
#include "support_tests.h"

static json_t *integer_of(const struct cf_findings *f, const char *key)
{
    const char *text = cf_tests_environment(f, key);
    char *end;
    const long long value = strtoll(text, &end, 0);

    return *text && !*end ? json_integer(value) : NULL;
}

static void set(json_t *object, const char *key, json_t *value)
{
    if (value)
        json_object_set_new(object, key, value);
}

static json_t *known(int value)
{
    return value >= 0 ? json_integer(value) : NULL;
}

static json_t *cpu_info(const struct cf_findings *f, const struct cf_unit_finding *u)
{
    json_t *object = json_pack("{s:i}", "logical", u->cpu), *microcode;

    set(object, "package", known(u->package));
    set(object, "numa_node", known(u->numa_node));
    set(object, "core", known(u->core));
    set(object, "thread", known(u->thread));
    set(object, "family", integer_of(f, "cpu.family"));
    set(object, "model", integer_of(f, "cpu.model"));
    set(object, "stepping", integer_of(f, "cpu.stepping"));
    microcode = integer_of(f, "cpu.microcode");
    set(object, "microcode", microcode ? microcode : json_null());
    set(object, "ppin", u->ppin && *u->ppin ? cf_json_text(u->ppin) : json_null());
    return object;
}

static double moment(const char *text)
{
    struct tm utc = {0};

    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) ? (double)timegm(&utc) : NAN;
}

static double duration_ms(const struct cf_findings *f)
{
    const double ms = (moment(f->finished) - moment(f->started)) * 1000;

    return ms > 0 ? ms : 1; /* time stamps are whole seconds */
}

static json_t *stamp(double elapsed_ms, const char *now)
{
    return json_pack("{s:f, s:o}", "elapsed", elapsed_ms, "now", cf_json_text(now));
}

/* A core that failed has failed, whether or not it did so again. */
static int has_failed(const struct cf_unit_finding *u)
{
    return u->state == CF_UNIT_FAIL || u->state == CF_UNIT_RETEST;
}

static const char *result_of(const struct cf_unit_finding *u)
{
    static const char *const ends[][2] = {
        {"crashed", "crash"}, {"timed-out", "timed out"}, {"", "operating system error"}};

    if (has_failed(u))
        return "fail";
    if (u->state == CF_UNIT_PASS)
        return "pass";
    for (int i = 0; u->n_requests > 0 && i < CF_COUNT(ends); ++i)
        if (strstr(u->reason, ends[i][0]))
            return ends[i][1];
    return "skip";
}

static json_t *messages(const struct cf_unit_finding *u)
{
    json_t *miscompare, *message;

    if (u->state == CF_UNIT_PASS)
        return json_null();
    message = json_pack("{s:s, s:o}", "level", has_failed(u) ? "error" : "skip", "text",
                        cf_json_text(u->reason));
    if (*u->got) {
        char *mask =
            cf_format("0x%llx", strtoull(u->expected, NULL, 16) ^ strtoull(u->got, NULL, 16));

        miscompare = json_pack("{s:o, s:s, s:n, s:o, s:o, s:o, s:s}", "description",
                               cf_json_text(u->case_text), "type",
                               strlen(u->got) > 10 ? "uint64_t" : "uint32_t", "offset", "address",
                               cf_json_text(u->element), "actual", cf_json_text(u->got), "expected",
                               cf_json_text(u->expected), "mask", mask);
        CF_CHECK(miscompare != NULL);
        json_object_set_new(message, "data-miscompare", miscompare);
        free(mask);
    }
    return json_pack("[o]", message);
}

static json_t *thread(const struct cf_findings *f, const struct cf_unit_finding *u, int number)
{
    json_t *object =
        json_pack("{s:i, s:o, s:I, s:f, s:o}", "thread", number, "id", cpu_info(f, u), "loop-count",
                  (json_int_t)u->n_requests, "runtime", u->seconds * 1000, "messages", messages(u));

    CF_CHECK(object != NULL);
    if (isfinite(u->mhz))
        json_object_set_new(object, "freq_mhz", json_real(u->mhz));
    if (has_failed(u)) {
        json_object_set_new(object, "state", json_string("failed"));
        if (isfinite(u->time_to_fail_s))
            json_object_set_new(object, "time-to-fail", json_real(u->time_to_fail_s * 1000));
    }
    return object;
}

static char *seed_of(const struct cf_unit_finding *u)
{
    return cf_format("conform:%lld", (long long)u->seed);
}

/* The gravest of a test's units: fail, then what was lost, then pass; skip only when all are. */
static int worst_of(const struct cf_findings *f, int first)
{
    static const int gravity[CF_N_UNIT_STATES] = {
        [CF_UNIT_PASS] = 1, [CF_UNIT_RETEST] = 3, [CF_UNIT_FAIL] = 4, [CF_UNIT_NOT_MEASURED] = 0};
    int worst = first, most = -1;

    for (int i = first; i >= 0; i = cf_tests_next(f, i)) {
        const struct cf_unit_finding *u = &f->units[i];
        const int lost = u->state == CF_UNIT_NOT_MEASURED && u->n_requests > 0;

        if ((lost ? 2 : gravity[u->state]) > most) {
            most = lost ? 2 : gravity[u->state];
            worst = i;
        }
    }
    return worst;
}

/* "X." : a letter for each CPU of the test, in order; X: it failed. */
static json_t *failure(const struct cf_findings *f, int first, const struct cf_unit_finding *worst)
{
    char *mask = cf_strdup(""), *seed = seed_of(worst);
    json_t *object;

    for (int i = first; i >= 0; i = cf_tests_next(f, i)) {
        char *longer = cf_format("%s%c", mask, has_failed(&f->units[i]) ? 'X' : '.');

        free(mask);
        mask = longer;
    }
    object = json_pack("{s:s, s:o, s:s}", "cpu-mask", mask, "time-to-fail",
                       cf_json_real(worst->time_to_fail_s * 1000), "seed", seed);
    CF_CHECK(object != NULL);
    free(mask);
    free(seed);
    return object;
}

static json_t *test(const struct cf_findings *f, int first)
{
    const struct cf_unit_finding *worst = &f->units[worst_of(f, first)];
    char *name = cf_tests_name(worst), *seed = seed_of(worst);
    json_t *threads = json_array(), *object;
    double seconds = 0;
    int n = 0;

    for (int i = first; i >= 0; i = cf_tests_next(f, i)) {
        json_array_append_new(threads, thread(f, &f->units[i], n++));
        seconds += f->units[i].seconds;
    }
    object =
        json_pack("{s:o, s:{s:s, s:s}, s:{s:s, s:i, s:b}, s:o, s:o, s:f, s:s, s:o}", "test",
                  cf_json_text(name), "details", "quality", "production", "description",
                  "answers compared bit for bit with golden ones", "state", "seed", seed,
                  "iteration", 0, "retry", worst->n_again > 0, "time-at-start",
                  stamp(0, f->started), "time-at-end", stamp(duration_ms(f), f->finished),
                  "test-runtime", seconds * 1000, "result", result_of(worst), "threads", threads);
    CF_CHECK(object != NULL);
    if (has_failed(worst))
        json_object_set_new(object, "fail", failure(f, first, worst));
    if (strcmp(result_of(worst), "skip") == 0) {
        json_object_set_new(object, "skip-category", json_string("CpuNotSupported"));
        json_object_set_new(object, "skip-reason", cf_json_text(worst->reason));
    }
    free(name);
    free(seed);
    return object;
}

static int is_new_cpu(const struct cf_findings *f, int i)
{
    for (int k = 0; k < i; ++k)
        if (f->units[k].cpu == f->units[i].cpu && strcmp(f->units[k].node, f->units[i].node) == 0)
            return 0;
    return 1;
}

static json_t *virtualization(const struct cf_findings *f)
{
    json_t *object = json_object();

    if (*cf_tests_environment(f, "os.container"))
        json_object_set_new(object, "container",
                            cf_json_text(cf_tests_environment(f, "os.container")));
    if (strcmp(cf_tests_environment(f, "cpu.hypervisor"), "yes") == 0)
        json_object_set_new(object, "vm", json_string("yes"));
    return object;
}

static int write_opendcdiag(FILE *out, const struct cf_findings *f, const struct cf_page *page,
                            struct cf_error *err)
{
    const char *const exit = f->exit_code == 0     ? "pass"
                             : f->exit_code == 1   ? "fail"
                             : f->exit_code >= 128 ? "interrupted"
                                                   : "invalid";
    json_t *cpus = json_array(), *tests = json_array(), *plan, *document;
    char *runtime = cf_format("libc %s", cf_tests_environment(f, "os.libc")),
         *version = cf_format("conform-%s", f->tool_version);

    (void)page;
    (void)err;
    for (int i = 0; i < f->n_units; ++i) {
        if (f->units[i].gpu != -1) /* a GPU has no place in this shape */
            continue;
        if (is_new_cpu(f, i))
            json_array_append_new(cpus, cpu_info(f, &f->units[i]));
        if (cf_tests_first(f, i))
            json_array_append_new(tests, test(f, i));
    }
    plan = json_pack("[{s:i, s:i, s:i}]", "starting_cpu", 0, "count", (int)json_array_size(cpus),
                     "threads", (int)json_array_size(cpus));
    document =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:{s:f, s:f}, s:o, s:{s:O, s:o}, s:o, s:s}",
                  "command-line", cf_json_text(f->command_line), "version", cf_json_text(version),
                  "os", cf_json_text(cf_tests_environment(f, "os.pretty")), "runtime",
                  cf_json_text(runtime), "virtualization-state", virtualization(f), "timing",
                  "duration", duration_ms(f), "timeout", 60000.0, "cpu-info", cpus, "test-plans",
                  "fullsocket", plan, "heuristic", plan, "tests", tests, "exit", exit);
    CF_CHECK(document != NULL);
    cf_json_write(out, document);
    free(runtime);
    free(version);
    return 0;
}

const struct cf_report cf_report_opendcdiag = {.name = "opendcdiag",
                                               .suffix = ".yaml",
                                               .why = "a qualification as OpenDCDiag logs it",
                                               .write = write_opendcdiag};
