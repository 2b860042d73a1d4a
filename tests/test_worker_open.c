/* worker_open: hello opens what the configuration says, in the state that it asks for, or answers
 * with the fate and a sentence. */
#include <criterion/criterion.h>
#include <sched.h>
#include <sys/stat.h>

#include "worker_client.h"

static struct client client;

static void tear_down(void)
{
    if (client.pid > 0)
        client_stop(&client);
}

TestSuite(worker_open, .fini = tear_down);

/* A configuration that hello must refuse. */
static const struct {
    const char *configuration, *code, *says;
} refused[] = {
    {"blas lib=" LIARS "libliar_crashes_load.so", "not-opened", "signal 6"},
    {"blas lib=" LIARS "libliar_exits_load.so", "not-opened", "exits with code 0"},
    {"blas lib=" LIARS "libliar_truncated.so", "not-opened", "cannot be loaded"},
    {"blas lib=" LIARS "libliar_ilp64.so", "state-mismatch", "integer width"},
    {"blas lib=" LIARS "libliar_absent.so", "not-opened", "cannot be read"},
    {"blas lib=libliar_honest.so", "not-opened", "no absolute path"},
    {"blas lib=" LIARS, "not-opened", "is no file"},
    {"blas lib=" LIARS "../build.ninja", "not-opened", "cannot be loaded"},
    {"blas", "not-opened", "needs lib="},
    {"blas lib=" LIARS "libliar_honest.so threads=2", "state-mismatch",
     "threads=2 was asked for and 1 is in effect"},
    {"blas lib=" LIARS "libliar_honest.so coretype=Haswell", "state-mismatch",
     "coretype=Haswell was asked for and none is in effect"},
    {"blas lib=" LIARS "libliar_honest.so device=0", "state-mismatch", "device=0"},
    {"blas lib=" LIARS "libliar_honest.so cpus=1000", "state-mismatch", "cpus=1000"},
    {"blas lib=" LIARS "libliar_honest.so cpus=0-", "state-mismatch", "no list of CPUs"},
    {"plain threads=1000", "state-mismatch", "threads=1000"},
    {"nonsense", "not-opened", "no backend `nonsense`"},
};

Test(worker_open, refuses_what_it_cannot_open_as_asked)
{
    for (int i = 0; i < CF_COUNT(refused); ++i) {
        json_t *reply;
        double out[2];

        client_start(&client, refused[i].configuration);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), refused[i].code, "%s: %s, %s", refused[i].configuration,
                         reply_code(reply), reply_message(reply));
        cr_expect(strstr(reply_message(reply), refused[i].says), "%s: %s", refused[i].configuration,
                  reply_message(reply));
        json_decref(reply);
        reply = client_run_eights(&client, "dot", "", out, 0);
        cr_expect_str_eq(reply_code(reply), "protocol", "%s runs", refused[i].configuration);
        json_decref(reply);
        client_stop(&client);
        client.pid = 0;
    }
}

/* A copy of a liar whose file others than its owner can write, or which puts another file in its
 * place between the check and the load. */
static const struct {
    const char *lie, *mode, *flags, *code, *says;
} files[] = {
    {"honest", "666", "", "not-opened", "can be written by others"},
    {"honest", "666", " flags=unsafe-paths", "", ""},
    {"swaps", "755", "", "state-mismatch", "is not the file that was loaded"},
};

Test(worker_open, checks_the_file_that_it_loads)
{
    char directory[64];

    make_directory(directory);
    for (int i = 0; i < CF_COUNT(files); ++i) {
        char *copy = cf_format("%s/lib.so", directory);
        char *command = cf_format("cp %slibliar_%s.so %s && chmod %s %s", LIARS, files[i].lie, copy,
                                  files[i].mode, copy);
        char *configuration = cf_format("blas lib=%s%s", copy, files[i].flags);
        json_t *reply;

        cr_assert_eq(system(command), 0);
        client_start(&client, configuration);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), files[i].code, "%s", reply_message(reply));
        cr_expect(strstr(reply_message(reply), files[i].says), "%s", reply_message(reply));
        json_decref(reply);
        client_stop(&client);
        client.pid = 0;
        unlink(copy);
        free(copy);
        free(command);
        free(configuration);
    }
    rmdir(directory);
}

/* Folders on the way to the library, by mode and group (-1: as made); link: the library is reached
 * by a link that lies in such a folder, and lies itself in a good one. */
static const struct {
    const char *mode;
    int group, link;
    const char *flags, *code;
} folders[] = {
    {"755", -1, 0, "", ""},           {"777", -1, 0, "", "not-opened"},
    {"1777", -1, 0, "", ""},          {"777", -1, 0, " flags=unsafe-paths", ""},
    {"775", -1, 0, "", ""},           {"775", 12345, 0, "", "not-opened"},
    {"777", -1, 1, "", "not-opened"}, {"755", -1, 1, "", ""},
};

Test(worker_open, checks_the_folders_on_the_way)
{
    char directory[64];

    make_directory(directory);
    for (int i = 0; i < CF_COUNT(folders); ++i) {
        char *make = cf_format("mkdir -p %s/a/b %s/good && %s %slibliar_honest.so %s/a/b/lib.so && "
                               "chmod %s %s/a",
                               directory, directory, folders[i].link ? "ln -sf" : "cp", LIARS,
                               directory, folders[i].mode, directory),
             *remove = cf_format("rm -r %s/a %s/good", directory, directory),
             *group = cf_format("%s/a", directory),
             *configuration = cf_format("blas lib=%s/a/b/lib.so%s", directory, folders[i].flags);
        json_t *reply;

        cr_assert_eq(system(make), 0);
        if (folders[i].group < 0 || chown(group, (uid_t)-1, (gid_t)folders[i].group) == 0) {
            client_start(&client, configuration);
            reply = client_hello(&client, 5000);
            cr_expect_str_eq(reply_code(reply), folders[i].code, "%d: %s", i, reply_message(reply));
            if (*folders[i].code)
                cr_expect(strstr(reply_message(reply), "/a can be written by others"), "%d: %s", i,
                          reply_message(reply));
            json_decref(reply);
            client_stop(&client);
            client.pid = 0;
        }
        cr_assert_eq(system(remove), 0);
        free(configuration);
        free(group);
        free(remove);
        free(make);
    }
    rmdir(directory);
}

/* The honest file with some of its bytes changed. */
struct damage {
    const char *what, *says;
    void (*make)(unsigned char *bytes, size_t n);
};

static void other_machine(unsigned char *bytes, size_t n)
{
    (void)n;
    bytes[18] = 243; /* e_machine: EM_RISCV */
    bytes[19] = 0;
}

static void other_class(unsigned char *bytes, size_t n)
{
    (void)n;
    bytes[4] = 1; /* EI_CLASS: 32 bits */
}

static void no_segments(unsigned char *bytes, size_t n)
{
    memset(bytes + 64, 0xa5, n < 600 ? n - 64 : 536); /* the program headers */
}

/* As if built on a later release: every name of a version of glibc that it needs. */
static void later_glibc(unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i + 8 < n; ++i)
        if (memcmp(bytes + i, "GLIBC_2.", 8) == 0)
            bytes[i + 6] = '9';
}

static const struct damage damages[] = {{"other machine", "cannot be loaded", other_machine},
                                        {"other class", "cannot be loaded", other_class},
                                        {"no segments", "", no_segments},
                                        {"later glibc", "GLIBC_9.", later_glibc}};

static void copy_damaged(const char *to, const struct damage *damage)
{
    FILE *from = fopen(LIARS "libliar_honest.so", "r"), *file = fopen(to, "w");
    unsigned char *bytes = malloc(1 << 20);
    const size_t n = from ? fread(bytes, 1, 1 << 20, from) : 0;

    cr_assert(file && n > 1000);
    damage->make(bytes, n);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(to, 0755), 0);
    fclose(from);
    free(bytes);
}

/* Whatever the loader does with such a file, also die: it is not opened, and the worker says so. */
Test(worker_open, refuses_files_for_other_machines_and_damaged_ones)
{
    char directory[64];

    make_directory(directory);
    for (int i = 0; i < CF_COUNT(damages); ++i) {
        char *copy = cf_format("%s/lib.so", directory), *line = cf_format("blas lib=%s", copy);
        json_t *reply;

        copy_damaged(copy, &damages[i]);
        client_start(&client, line);
        reply = client_hello(&client, 5000);
        cr_expect_str_eq(reply_code(reply), "not-opened", "%s: %s, %s", damages[i].what,
                         reply_code(reply), reply_message(reply));
        cr_expect(strstr(reply_message(reply), damages[i].says), "%s: %s", damages[i].what,
                  reply_message(reply));
        json_decref(reply);
        client_stop(&client);
        client.pid = 0;
        unlink(copy);
        free(line);
        free(copy);
    }
    rmdir(directory);
}

Test(worker_open, an_ilp64_library_that_is_declared_works)
{
    double out[2];
    json_t *reply;

    client_start(&client, "blas lib=" LIARS "libliar_ilp64.so flags=ilp64");
    reply = client_hello(&client, 5000);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    cr_assert_str_eq(
        json_string_value(json_object_get(
            json_object_get(json_object_get(reply, "result"), "effective"), "integers")),
        "ilp64");
    json_decref(reply);
    reply = client_run_eights(&client, "gemv", "", out, 0);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    cr_assert(out[0] == exact[0] && out[1] == exact[1]);
    json_decref(reply);
}

Test(worker_open, runs_on_the_cpus_asked_for)
{
    cpu_set_t ours, its;
    char *configuration;
    int cpu = 0;
    json_t *reply;

    sched_getaffinity(0, sizeof ours, &ours);
    while (!CPU_ISSET((size_t)cpu, &ours))
        ++cpu;
    configuration = cf_format("plain cpus=%d", cpu);
    client_start(&client, configuration);
    reply = client_hello(&client, 5000);
    cr_assert_str_eq(reply_code(reply), "", "%s", reply_message(reply));
    json_decref(reply);
    cr_assert_eq(sched_getaffinity(client.pid, sizeof its, &its), 0);
    cr_assert(CPU_COUNT(&its) == 1 && CPU_ISSET((size_t)cpu, &its));
    free(configuration);
}
