/* matrix: sweeps, paths and globs; every mistake is one sentence with line and column. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discover.h"
#include "discover_gpu.h"
#include "matrix.h"

static char folder[256];

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/conform-matrix.XXXXXX", base && *base ? base : P_tmpdir);
    cr_assert(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
    char command[512];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_expect(system(command) == 0);
}

TestSuite(matrix, .init = make_folder, .fini = remove_folder);

static void put_file(const char *name, const char *text)
{
    char *path = cf_format("%s/%s", folder, name);
    FILE *out;

    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); ++slash) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    out = fopen(path, "w");
    cr_assert(out != NULL, "%s", path);
    fputs(text, out);
    fclose(out);
    free(path);
}

static int read_text(struct cf_matrix *matrix, const char *text, struct cf_error *err)
{
    char *path = cf_format("%s/m.yaml", folder);
    int result;

    *matrix = (struct cf_matrix){0};
    put_file("m.yaml", text);
    result = cf_matrix_read(matrix, path, err);
    free(path);
    return result;
}

Test(matrix, a_list_is_a_sweep)
{
    static const char *const expected[] = {
        "plain kernel=chunks threads=1 env.A=x", "plain kernel=chunks threads=1 env.A=y",
        "plain kernel=chunks threads=2 env.A=x", "plain kernel=chunks threads=2 env.A=y"};
    struct cf_matrix m;
    struct cf_error err = {0};

    cr_assert(read_text(&m,
                        "configurations:\n- backend: plain\n  kernel: chunks\n  threads: [1, 2]\n"
                        "  env: {A: [x, y]}\n",
                        &err) == 0,
              "%s", err.text);
    cr_assert_eq(m.n, 4, "%d", m.n);
    for (int i = 0; i < m.n; ++i)
        cr_expect_str_eq(m.line[i], expected[i]);
    cr_expect_str_eq(m.label[3], "plain chunks threads=2 A=y");
    cr_expect_eq(m.baseline, 0);
    cf_matrix_free(&m);
}

Test(matrix, baseline_is_found_or_added)
{
    static const struct {
        const char *text;
        int n, baseline;
    } rows[] = {{"baseline: {backend: plain, kernel: kahan}\n"
                 "configurations: [{backend: plain, kernel: [forward, kahan]}]\n",
                 2, 0},
                {"configurations: [{backend: plain, kernel: [forward, kahan]}]\n"
                 "baseline: {backend: plain, kernel: kahan}\n",
                 2, 1},
                {"configurations: [{backend: plain, kernel: forward}]\n"
                 "baseline: {backend: plain, kernel: kahan}\n",
                 2, 1}};

    for (int i = 0; i < CF_COUNT(rows); ++i) {
        struct cf_matrix m;
        struct cf_error err = {0};

        cr_assert(read_text(&m, rows[i].text, &err) == 0, "%s", err.text);
        cr_expect_eq(m.n, rows[i].n, "row %d: %d configurations", i, m.n);
        cr_expect_eq(m.baseline, rows[i].baseline, "row %d: baseline %d", i, m.baseline);
        cr_expect(strstr(m.line[m.baseline], "kernel=kahan"), "%s", m.line[m.baseline]);
        cf_matrix_free(&m);
    }
}

Test(matrix, values_stay_text)
{
    struct cf_matrix m;
    struct cf_error err = {0};

    cr_assert(read_text(&m,
                        "configurations:\n- {backend: plain, env: {A: no, B: 1.10, C: 'a b,c{%}', "
                        "D: \"x=y\"}}\n",
                        &err) == 0,
              "%s", err.text);
    cr_expect_str_eq(m.line[0], "plain env.A=no env.B=1.10 env.C=a%20b%2Cc%7B%25%7D env.D=x=y");
    cf_matrix_free(&m);
}

Test(matrix, libraries_are_relative_globs_and_real)
{
    struct cf_matrix m;
    struct cf_error err = {0};
    char *link = cf_format("%s/libs/link.so", folder);

    put_file("libs/liba.so", "a");
    put_file("libs/libb.so", "b");
    cr_assert(symlink("liba.so", link) == 0);
    cr_assert(read_text(&m,
                        "configurations:\n- {backend: blas, lib: libs/lib*.so, threads: 1}\n"
                        "- {backend: blas, lib: ./libs/link.so, threads: 1}\n",
                        &err) == 0,
              "%s", err.text);
    cr_expect_eq(m.n, 2, "a link is the file that it names: %d", m.n);
    cr_expect(strstr(m.line[0], "/libs/liba.so threads=1"), "%s", m.line[0]);
    cr_expect(strstr(m.line[1], "/libs/libb.so threads=1"), "%s", m.line[1]);
    cf_matrix_free(&m);
    free(link);
}

static const struct {
    const char *text, *place, *words;
} mistakes[] = {
    {"", ":1:1: ", "empty"},
    {"# nothing\n", ":1:1: ", "empty"},
    {"- a\n", ":1:1: ", "must hold"},
    {"configurations: 7\n", ":1:17: ", "must be a list"},
    {"configurations: []\n", ":1:1: ", "names no configuration"},
    {"configurations:\n- plain\n", ":2:3: ", "key: value pairs"},
    {"configurations:\n- kernel: kahan\n", ":2:3: ", "needs its backend"},
    {"configurations:\n- {backend: [a, b]}\n", ":2:13: ", "one word"},
    {"configurations:\n- backend: plain\n  thread: 2\n", ":3:3: ", "did you mean `threads`"},
    {"configuration:\n- backend: plain\n", ":1:1: ", "did you mean `configurations`"},
    {"configurations:\n- backend: plain\n  zzz: 2\n", ":3:3: ", "the keys are"},
    {"configurations:\n- backend: plain\n  threads: 1\n  threads: 2\n", ":4:3: ", "twice"},
    {"configurations:\n- backend: plain\n  threads: many\n", ":2:3: ", "no whole number"},
    {"configurations:\n- backend: plain\n  threads: 0\n", ":2:3: ", "out of range"},
    {"configurations:\n- backend: plain\n  threads: []\n", ":3:12: ", "empty"},
    {"configurations:\n- backend: plain\n  threads: [[1]]\n", ":3:13: ", "a word or a list"},
    {"configurations:\n- backend: plain\n  threads: {a: 1}\n", ":3:12: ", "a word or a list"},
    {"configurations:\n- backend: blas\n  lib: libblas.so\n", ":3:8: ", "write a path"},
    {"configurations:\n- backend: blas\n  lib: ./none.so\n", ":3:8: ", "there is no file"},
    {"configurations:\n- backend: blas\n  lib: ./none*.so\n", ":3:8: ", "there is no file"},
    {"configurations:\n- backend: plain\n  env: [A]\n", ":3:8: ", "NAME: value"},
    {"configurations:\n- backend: plain\n  env: {A B: 1}\n", ":3:9: ", "no name of a variable"},
    {"configurations:\n- backend: plain\n  label: [a]\n", ":3:10: ", "label"},
    {"configurations:\n- backend: plain\n  threads: [1, 2\n", ":", "no YAML"},
    {"configurations:\n\t- a\n", ":2:1: ", "no YAML"},
    {"a: *b\n", ":1:4: ", "no YAML"},
    {"configurations:\n- backend: plain\n  threads: {1..99999999}\n", ":", ""},
};

Test(matrix, mistakes_have_a_line_and_a_column)
{
    for (int i = 0; i < CF_COUNT(mistakes); ++i) {
        struct cf_matrix m;
        struct cf_error err = {0};

        cr_expect(read_text(&m, mistakes[i].text, &err) == -1, "accepted: %s", mistakes[i].text);
        cr_expect_eq(err.exit_code, 2, "%s", err.text);
        cr_expect(strstr(err.text, mistakes[i].place), "`%s` has no `%s`", err.text,
                  mistakes[i].place);
        cr_expect(strstr(err.text, mistakes[i].words), "`%s` has no `%s`", err.text,
                  mistakes[i].words);
        cr_expect(strchr(err.text, '\n') == NULL, "more than a sentence: %s", err.text);
        cf_matrix_free(&m);
    }
}

/* A sweep may not eat the machine. */
Test(matrix, sweeps_are_bounded)
{
    struct cf_matrix m;
    struct cf_error err = {0};
    char text[4096] = "configurations:\n- backend: plain\n  env:\n";

    for (char name = 'A'; name < 'A' + 9; ++name)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "    %c: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", name);
    cr_expect(read_text(&m, text, &err) == -1);
    cr_expect(strstr(err.text, "at most 4096"), "%s", err.text);
    cf_matrix_free(&m);
}

static void enter(const char *below)
{
    char *path = cf_format("%s/%s", folder, below);

    cr_assert(chdir(path) == 0);
    free(path);
}

Test(matrix, the_nearest_file_above_is_found)
{
    struct cf_error err = {0};
    char *path;

    put_file("conform.yaml", "x");
    put_file("a/b/c/file", "x");
    enter("a/b/c");
    path = cf_matrix_find(&err);
    cr_assert(path != NULL, "%s", err.text);
    cr_expect(strstr(path, "/conform.yaml"));
    free(path);
}

Test(matrix, the_search_stops_at_a_repository)
{
    struct cf_error err = {0};

    put_file("conform.yaml", "x");
    put_file("a/.git/HEAD", "x");
    put_file("a/b/file", "x");
    setenv("XDG_CONFIG_HOME", folder, 1);
    enter("a/b");
    cr_expect(cf_matrix_find(&err) == NULL);
    cr_expect_str_eq(err.text, "");
}

Test(matrix, a_file_that_others_may_write_is_refused)
{
    struct cf_error err = {0};
    char *path = cf_format("%s/conform.yaml", folder);

    put_file("conform.yaml", "x");
    cr_assert(chmod(path, 0666) == 0);
    enter(".");
    cr_expect(cf_matrix_find(&err) == NULL);
    cr_expect(strstr(err.text, "written by anybody"), "%s", err.text);
    cr_assert(chmod(path, 0600) == 0);
    if (geteuid() == 0) {
        cr_assert(chown(path, 65534, 65534) == 0);
        cr_expect(cf_matrix_find(&err) == NULL);
        cr_expect(strstr(err.text, "another user"), "%s", err.text);
    }
    free(path);
}

/* A file system made up of names: discovery must look at nothing but names. */
static void make_machine(void)
{
    put_file("usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.21.so", "");
    put_file("usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas-r0.3.21.so", "");
    put_file("usr/lib/x86_64-linux-gnu/blis-openmp/libblis.so.4", "");
    put_file("usr/lib/x86_64-linux-gnu/atlas/libblas.so.3.10.3", "");
    put_file("usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", "");
    put_file("usr/lib/x86_64-linux-gnu/unrelated/libz.so.1", "");
    enter("usr/lib/x86_64-linux-gnu/openblas-pthread");
    cr_assert(symlink("libopenblasp-r0.3.21.so", "libopenblas.so.0") == 0);
    enter("usr/lib/x86_64-linux-gnu");
    cr_assert(symlink("openblas-pthread/libopenblas.so.0", "libopenblas.so.0") == 0);
}

static int count(const struct cf_matrix *m, const char *glob)
{
    int n = 0;

    for (int i = 0; i < m->n; ++i)
        n += cf_glob_match(glob, m->line[i]);
    return n;
}

Test(matrix, discovery_counts_each_library_once)
{
    static const struct {
        const char *glob;
        int n;
    } rows[] = {{"*openblas-pthread*", 5 + 5 + 2},
                {"*openblas-serial*", 1},
                {"*blis-openmp*", 2},
                {"*atlas*", 1},
                {"*/blas/libblas*", 1},
                {"*libopenblas.so.0*", 0},
                {"*libz*", 0},
                {"*coretype=Haswell*", 1},
                {"*coretype=SkylakeX*", 0},
                {"plain kernel=chunks*", 3}};
    struct cf_matrix m = {0};
    struct cf_error err = {0};

    make_machine();
    cr_assert(
        cf_discover(&m, folder, "flags : pni sse4_2 avx avx2x fma avx2 avx512f", NULL, &err) == 0,
        "%s", err.text);
    for (int i = 0; i < CF_COUNT(rows); ++i)
        cr_expect_eq(count(&m, rows[i].glob), rows[i].n, "%s: %d", rows[i].glob,
                     count(&m, rows[i].glob));
    cr_expect_str_eq(m.label[m.baseline], "openblas-pthread 0.3.21 threads=1");
    for (int i = 0; i < m.n; ++i)
        for (int k = 0; k < i; ++k)
            cr_expect(strcmp(m.label[i], m.label[k]) != 0, "two are called %s", m.label[i]);
    cf_matrix_free(&m);
}

Test(matrix, discovery_finds_something_on_any_machine)
{
    struct cf_matrix m = {0};
    struct cf_error err = {0};

    cr_assert(cf_discover(&m, folder, "", NULL, &err) == 0, "%s", err.text);
    cr_expect_geq(m.n, 8, "%d", m.n);
    cr_expect_str_eq(m.line[m.baseline], "plain kernel=pairwise");
    cf_matrix_free(&m);
}

Test(matrix, convolutions_have_a_field_of_their_own)
{
    struct cf_matrix m = {0};
    struct cf_error err = {0};

    make_machine();
    put_file("usr/lib/x86_64-linux-gnu/libdnnl.so.2.6", "");
    cr_assert(cf_discover(&m, folder, "flags : sse4_1 avx2 fma", "convolutions", &err) == 0, "%s",
              err.text);
    cr_expect_eq(count(&m, "onednn *libdnnl.so.2.6*"), 2 + 3 + 2 + 1);
    cr_expect_eq(count(&m, "* isa=AVX2"), 1);
    cr_expect_eq(count(&m, "* isa=AVX512_CORE"), 0);
    cr_expect_eq(count(&m, "*openblas-pthread*"), 2 + 1);
    cr_expect_eq(count(&m, "plain kernel=winograd-f?x3"), 2);
    cr_expect_str_eq(m.line[m.baseline], "plain kernel=canon");
    cf_matrix_free(&m);
}

/* A GPU is measured where there are a driver and a device; else it is said what is missing. */
Test(matrix, a_gpu_is_found_by_its_driver_and_its_device)
{
    struct cf_matrix m = {0};
    struct cf_error err = {0};

    make_machine();
    put_file("usr/local/cuda-13.0/lib64/libcublas.so.13", "");
    put_file("usr/local/cuda-13.0/lib64/libcudnn.so.9", "");
    cr_expect_str_eq(cf_discover_gpu_missing(folder), "no CUDA driver: libcuda.so.1 is not found");
    cr_assert(cf_discover(&m, folder, "", NULL, &err) == 0, "%s", err.text);
    cr_expect_eq(count(&m, "cu*"), 0);
    cf_matrix_free(&m);
    put_file("usr/lib/x86_64-linux-gnu/libcuda.so.1", "");
    cr_expect_str_eq(cf_discover_gpu_missing(folder), "no GPU: there is no /dev/nvidia0");
    put_file("dev/nvidia0", "");
    cr_expect_null(cf_discover_gpu_missing(folder));
    m = (struct cf_matrix){0};
    cr_assert(cf_discover(&m, folder, "", NULL, &err) == 0, "%s", err.text);
    cr_expect_eq(count(&m, "cuda *device=0*"), 7 + 5);
    cr_expect_eq(count(&m, "cublas *libcublas.so.13 device=0*"), 3);
    cr_expect_eq(count(&m, "cudnn *"), 0);
    cr_expect_str_eq(m.label[m.baseline], "openblas-pthread 0.3.21 threads=1");
    cf_matrix_free(&m);
    m = (struct cf_matrix){0};
    cr_assert(cf_discover(&m, folder, "", "convolutions", &err) == 0, "%s", err.text);
    cr_expect_eq(count(&m, "cudnn *libcudnn.so.9 device=0*"), 5);
    cr_expect_eq(count(&m, "cuda *"), 3 + 2);
    cf_matrix_free(&m);
}

static const struct {
    const char *line, *label;
} labels[] = {{"blas lib=/usr/lib/x/openblas-pthread/libopenblasp-r0.3.21.so threads=2",
               "openblas-pthread 0.3.21 threads=2"},
              {"blas lib=/usr/lib/x/blas/libblas.so.3.11.0", "reference 3.11.0"},
              {"blas lib=/usr/lib/x/atlas/libblas.so.3.10.3 align=8", "atlas 3.10.3 align=8"},
              {"blas lib=/usr/lib/x/blis-openmp/libblis.so.4 threads=1", "blis-openmp threads=1"},
              {"blas lib=/opt/x/libmine.so kernel=cblas", "mine"},
              {"blas lib=libmine.so", "mine"},
              {"libm lib=/lib/x/libm.so.6", "libm"},
              {"blas lib=/x", "x"},
              {"onednn kernel=direct lib=/x/libdnnl.so.2.6 threads=1", "dnnl 2.6 direct threads=1"},
              {"onednn lib=/r/usr/lib/libdnnl.so.3.7 sysroot=/r/trixie", "dnnl 3.7 in trixie"},
              {"plain kernel=kahan", "plain kahan"},
              {"plain kernel=kahan env.A=b", "plain kahan A=b"}};

Test(matrix, labels_are_short_words)
{
    for (int i = 0; i < CF_COUNT(labels); ++i) {
        struct cf_config config;
        struct cf_error err = {0};
        char *label;

        cr_assert(cf_config_parse(&config, labels[i].line, &err) == 0, "%s", err.text);
        label = cf_label_make(&config);
        cr_expect_str_eq(label, labels[i].label);
        free(label);
        cf_config_free(&config);
    }
}
