/* files: digests by known answers, build-ids as the linker says, what a process has mapped; and
 * what git says of a folder. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "elf_names.h"
#include "environment.h"
#include "files.h"
#include "git.h"
#include "store_support.h"

TestSuite(files, .init = make_folder, .fini = remove_folder);

/* FIPS 180-4, the examples that NIST published with it. */
Test(files, sha256_gives_the_known_answers)
{
    char text[65], *million = cf_alloc(1000000);
    FILE *file = fopen(path, "w");

    cf_bytes_sha256("abc", 3, text);
    cr_expect_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cf_bytes_sha256("", 0, text);
    cr_expect_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    memset(million, 'a', 1000000);
    cr_assert(file && fwrite(million, 1, 1000000, file) == 1000000 && fclose(file) == 0);
    cr_expect_eq(cf_path_sha256(path, text), 0);
    cr_expect_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    cr_expect_eq(cf_path_sha256("no/such/file", text), -1);
    cr_expect_str_eq(text, "");
    free(million);
}

/* What the C library of this process says of itself; cut anywhere, it says no more than that. */
Test(files, a_library_says_its_names)
{
    struct cf_elf_names names, cut;
    char libc[300] = "", line[400];
    FILE *maps = fopen("/proc/self/maps", "r"), *copy;
    unsigned char *bytes = cf_alloc(1 << 22);
    size_t n;

    while (maps && !*libc && fgets(line, sizeof line, maps))
        if (strstr(line, "/libc.so.6"))
            sscanf(strchr(line, '/'), "%299s", libc);
    cr_assert(*libc && fclose(maps) == 0);
    cf_elf_names(libc, &names);
    cr_expect_str_eq(names.soname, "libc.so.6");
    cr_expect_eq(strncmp(names.versions, "GLIBC_2.", 8), 0, "%s", names.versions);
    copy = fopen(libc, "rb");
    n = fread(bytes, 1, 1 << 22, copy);
    fclose(copy);
    for (size_t k = 0; k < 200; ++k) {
        copy = fopen(path, "wb");
        bytes[k * 3] ^= 0x5a;
        cr_assert_eq(fwrite(bytes, 1, n * (k + 1) / 200, copy), n * (k + 1) / 200);
        fclose(copy);
        cf_elf_names(path, &cut);
        cr_expect(strnlen(cut.soname, sizeof cut.soname) < sizeof cut.soname);
        bytes[k * 3] ^= 0x5a;
    }
    cf_elf_names(path, &cut);
    cf_elf_names("/proc/self/status", &names);
    cr_expect_str_eq(names.soname, "");
    cf_elf_names("no/such/file", &names);
    cr_expect_str_eq(names.soname, "");
    free(bytes);
}

struct named {
    char path[80], version[32];
};

Test(files, a_name_says_its_version_or_nothing)
{
    static const struct named rows[] = {{"lib/libopenblasp-r0.3.21.so", "0.3.21"},
                                        {"lib/libstdc++.so.6.0.30", "6.0.30"},
                                        {"lib/libblas.so", ""},
                                        {"lib-1.2/worker", ""},
                                        {"libc.so.6", "6"},
                                        {"libcublas.so.12.1.3.1", "12.1.3.1"},
                                        {"lib2.so", "2"},
                                        {"", ""}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        char version[32];

        cf_path_version(rows[i].path, version);
        cr_expect_str_eq(version, rows[i].version, "%s: %s", rows[i].path, version);
    }
}

/* The second opinion is readelf's. */
static char *readelf_id(const char *file)
{
    const char *const argv[] = {"readelf", "-n", file, NULL};
    char *text = cf_command_output(argv, 10000, 1 << 20, NULL);
    char *at = text ? strstr(text, "Build ID: ") : NULL, *id = NULL;

    if (at) {
        at[10 + strcspn(at + 10, "\n ")] = '\0';
        id = cf_strdup(at + 10);
    }
    free(text);
    return id;
}

Test(files, the_build_id_is_what_readelf_reads)
{
    static const char worker[] = CF_BINARY_DIR "/conform-worker";
    const int fd = open(worker, O_RDONLY);
    char *expected = readelf_id(worker), text[81];

    cr_assert_geq(fd, 0);
    if (!expected)
        cr_skip_test("there is no readelf, or the linker writes no build-id");
    cf_file_build_id(fd, text);
    cr_expect_str_eq(text, expected);
    close(fd);
    free(expected);
}

Test(files, what_is_no_elf_file_has_no_build_id)
{
    char text[81] = "x", header[64] = "\177ELF";
    FILE *file = fopen(path, "w");
    int fd;

    memset(header + 4, 0xff, sizeof header - 4); /* counts and offsets that lead nowhere */
    cr_assert(file && fwrite(header, 1, sizeof header, file) == sizeof header && fclose(file) == 0);
    fd = open(path, O_RDONLY);
    cf_file_build_id(fd, text);
    cr_expect_str_eq(text, "");
    close(fd);
}

Test(files, the_code_of_a_process_is_its_program_and_libraries)
{
    char real[4096];
    struct stat status, program;
    int n, own = 0, libc = 0;
    struct cf_code *code = cf_code_list(getpid(), &n);
    const ssize_t length = readlink("/proc/self/exe", real, sizeof real - 1);

    cr_assert_gt(length, 0);
    real[length] = '\0';
    cr_assert_eq(stat(real, &program), 0);
    for (int i = 0; i < n; ++i) {
        cr_assert_geq(code[i].fd, 0, "%s", code[i].path);
        cr_assert_eq(fstat(code[i].fd, &status), 0);
        own += status.st_ino == program.st_ino && status.st_dev == program.st_dev;
        libc += strstr(code[i].path, "/libc.so") != NULL;
        for (int k = 0; k < i; ++k)
            cr_expect_str_neq(code[i].path, code[k].path);
    }
    cr_expect_eq(own, 1);
    cr_expect_eq(libc, 1);
    cf_code_free(code, n);
    code = cf_code_list(2147483000, &n);
    cr_expect_eq(n, 0, "a process that is not there");
    cf_code_free(code, n);
}

Test(files, a_file_that_was_replaced_under_its_name_is_not_taken_for_the_mapped_one)
{
    char *copy = cf_format("cp \"$(command -v sleep)\" '%s'", path);
    const char *const argv[] = {path, "30", NULL};
    char *other = cf_format("cp '%s' '%s.new' && mv '%s.new' '%s'", path, path, path, path);
    pid_t pid;
    int n, found = 0;
    struct cf_code *code;

    cr_assert_eq(system(copy), 0);
    cr_assert_eq(posix_spawn(&pid, path, NULL, NULL, (char *const *)(uintptr_t)argv, NULL), 0);
    cr_assert_eq(system(other), 0);
    code = cf_code_list(pid, &n);
    for (int i = 0; i < n; ++i)
        if (strncmp(code[i].path, path, strlen(path)) == 0) {
            ++found;
            cr_expect_eq(code[i].fd, -1, "%s", code[i].path);
        }
    cr_expect_eq(found, 1);
    cf_code_free(code, n);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    free(copy);
    free(other);
}

static void git(const char *words)
{
    char *command = cf_format("cd '%s' && git -c user.name=n -c user.email=e %s >/dev/null 2>&1",
                              folder, words);

    cr_assert_eq(system(command), 0, "%s", words);
    free(command);
}

Test(files, git_tells_clean_from_dirty)
{
    struct cf_git clean, untracked, changed, again;

    if (system("git --version >/dev/null 2>&1") != 0)
        cr_skip_test("git is not installed");
    cr_assert_eq(chdir(folder), 0);
    setenv("GIT_CEILING_DIRECTORIES", folder, 1);
    cr_expect_eq(cf_git_read(&clean), -1, "no repository");
    git("init");
    cr_expect_eq(cf_git_read(&clean), -1, "no commit");
    cr_assert_eq(system("echo a >a && echo b >b"), 0);
    git("add a");
    git("commit -m first");
    cr_assert_eq(unlink("b"), 0);
    cr_expect_eq(cf_git_read(&clean), 0);
    cr_expect(!clean.dirty && strlen(clean.commit) == 40 && !*clean.diff_sha256);
    cr_assert_eq(system("echo b >b"), 0);
    cr_expect_eq(cf_git_read(&untracked), 0);
    cr_expect(untracked.dirty);
    cr_assert_eq(system("echo aa >a"), 0);
    cr_expect_eq(cf_git_read(&changed), 0);
    cr_expect(changed.dirty && strlen(changed.diff_sha256) == 64);
    cr_expect_str_neq(changed.diff_sha256, untracked.diff_sha256);
    cr_expect_eq(cf_git_read(&again), 0);
    cr_expect_str_eq(changed.diff_sha256, again.diff_sha256);
    cr_expect_eq(access(".git/index.lock", F_OK), -1);
}

Test(files, a_command_is_late_too_long_or_fails)
{
    static const char *const late[] = {"sleep", "30", NULL}, *const fails[] = {"false", NULL},
                             *const none[] = {"no-such-program-anywhere", NULL},
                             *const flood[] = {"head", "-c", "100000", "/dev/zero", NULL},
                             *const says[] = {"echo", "word", NULL};
    long n = 0;
    char *text;

    cr_expect_null(cf_command_output(late, 100, 1000, NULL));
    cr_expect_null(cf_command_output(fails, 5000, 1000, NULL));
    cr_expect_null(cf_command_output(none, 5000, 1000, NULL));
    cr_expect_null(cf_command_output(flood, 5000, 1000, NULL));
    text = cf_command_output(says, 5000, 1000, &n);
    cr_expect_str_eq(text, "word\n");
    cr_expect_eq(n, 5);
    free(text);
}

Test(files, cpus_are_those_that_this_process_may_fill)
{
    const int n = cf_environment_cpus();

    cr_expect(n >= 1 && n <= sysconf(_SC_NPROCESSORS_CONF), "%d", n);
    cr_expect_geq(cf_cgroup_oom_kills(), 0);
}
