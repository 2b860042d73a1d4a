/* upgrade: archives that must be refused, pins, knobs, components, waivers. Each liar is an archive
 * or a file that does one thing wrong beside an honest one. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "archive.h"
#include "download.h"
#include "files.h"
#include "knobs.h"
#include "libraries.h"
#include "waivers.h"

static char folder[256];

static void start(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/cf-upgrade.XXXXXX", base && *base ? base : P_tmpdir);
    cr_assert(mkdtemp(folder) != NULL);
}

static void stop(void)
{
    cf_folder_remove(folder);
}

TestSuite(upgrade, .init = start, .fini = stop);

/* One member of a tar stream with data "x". */
static size_t put_tar(char *at, const char *name, char type, unsigned mode, const char *link)
{
    unsigned sum = 0;

    memset(at, 0, 1024);
    snprintf(at, 100, "%s", name);
    snprintf(at + 100, 8, "%07o", mode);
    snprintf(at + 124, 12, "%011o", type == '0' ? 1 : 0);
    at[156] = type;
    snprintf(at + 157, 100, "%s", link);
    memcpy(at + 257,
           "ustar\0"
           "00",
           8);
    memset(at + 148, ' ', 8);
    for (int i = 0; i < 512; ++i)
        sum += (unsigned char)at[i];
    snprintf(at + 148, 8, "%06o", sum);
    if (type == '0')
        at[512] = 'x';
    return type == '0' ? 1024 : 512;
}

struct tar_case {
    const char *name, *link;
    char type;
    unsigned mode;
    const char *complaint; /* NULL: it is unpacked */
};

static const struct tar_case tar_cases[] = {
    {"usr/lib/a.so", "", '0', 0644, NULL},
    {"./usr/lib/b.so", "", '0', 0755, NULL},
    {"usr/lib/link.so", "a.so", '2', 0777, NULL},
    {"usr/lib/away", "/etc/passwd", '2', 0777, NULL}, /* left out */
    {"usr/lib", "", '5', 0755, NULL},
    {"../escaped", "", '0', 0644, "absolute, empty or has `..`"},
    {"usr/../../escaped", "", '0', 0644, "absolute, empty or has `..`"},
    {"/escaped", "", '0', 0644, "absolute, empty or has `..`"},
    {"usr/bin/su", "", '0', 04755, "set-user-id"},
    {"usr/bin/wall", "", '0', 02755, "set-user-id or set-group-id"},
    {"dev/null", "", '3', 0666, "a device"},
    {"dev/sda", "", '4', 0666, "a device"},
    {"pipe", "", '6', 0666, "a device, a pipe"},
    {"hard", "../outside", '1', 0644, "leads out of the archive"}};

Test(upgrade, tar_members)
{
    for (size_t i = 0; i < sizeof tar_cases / sizeof tar_cases[0]; ++i) {
        const struct tar_case *t = &tar_cases[i];
        char bytes[4096] = {0}, place[300];
        struct cf_error err = {.text = ""};
        int result;

        snprintf(place, sizeof place, "%s/%zu", folder, i);
        mkdir(place, 0755);
        put_tar(bytes, t->name, t->type, t->mode, t->link);
        result = cf_archive_untar(bytes, 2560, place, &err);
        cr_assert((result == 0) == (t->complaint == NULL), "%s: %s", t->name, err.text);
        if (t->complaint)
            cr_assert(strstr(err.text, t->complaint), "%s: %s", t->name, err.text);
    }
}

Test(upgrade, tar_behind_a_link)
{
    char bytes[8192] = {0};
    struct cf_error err = {.text = ""};
    size_t at = put_tar(bytes, "real", '5', 0755, "");

    at += put_tar(bytes + at, "lib", '2', 0777, "real");
    put_tar(bytes + at, "lib/a.so", '0', 0644, "");
    cr_assert(cf_archive_untar(bytes, sizeof bytes, folder, &err) != 0);
    cr_assert(strstr(err.text, "behind a link"), "%s", err.text);
}

Test(upgrade, tar_twice_and_damaged)
{
    char bytes[8192] = {0};
    struct cf_error err = {.text = ""};
    size_t at = put_tar(bytes, "a", '0', 0644, "");

    put_tar(bytes + at, "a", '0', 0644, "");
    cr_assert(cf_archive_untar(bytes, sizeof bytes, folder, &err) != 0);
    cr_assert(strstr(err.text, "twice"), "%s", err.text);
    bytes[3] ^= 1;
    cr_assert(cf_archive_untar(bytes, sizeof bytes, folder, &err) != 0);
    cr_assert(strstr(err.text, "damaged"), "%s", err.text);
}

static void put(unsigned char **at, unsigned long value, int n)
{
    for (int i = 0; i < n; ++i)
        *(*at)++ = (unsigned char)(value >> 8 * i);
}

/* A zip file of one stored member with data "x"; returns its length. */
static size_t make_zip(unsigned char *bytes, const char *name, unsigned mode, unsigned long crc)
{
    const size_t n = strlen(name);
    unsigned char *at = bytes, *directory;

    put(&at, 0x04034b50, 4);
    put(&at, 20, 2), put(&at, 0, 8), put(&at, crc, 4), put(&at, 1, 4), put(&at, 1, 4);
    put(&at, n, 2), put(&at, 0, 2);
    memcpy(at, name, n), at += n;
    *at++ = 'x';
    directory = at;
    put(&at, 0x02014b50, 4);
    put(&at, 0x0314, 2), put(&at, 20, 2), put(&at, 0, 8), put(&at, crc, 4);
    put(&at, 1, 4), put(&at, 1, 4), put(&at, n, 2), put(&at, 0, 8);
    put(&at, (unsigned long)mode << 16, 4), put(&at, 0, 4);
    memcpy(at, name, n), at += n;
    put(&at, 0x06054b50, 4), put(&at, 0, 4), put(&at, 1, 2), put(&at, 1, 2);
    put(&at, (unsigned long)(at - directory) - 12, 4);
    put(&at, (unsigned long)(directory - bytes), 4), put(&at, 0, 2);
    return (size_t)(at - bytes);
}

Test(upgrade, zip_members)
{
    static const struct {
        const char *name;
        unsigned mode;
        int crc_off;
        const char *complaint;
    } cases[] = {{"pkg/lib.so", 0100644, 0, NULL},
                 {"../x", 0100644, 0, "has `..`"},
                 {"/x", 0100644, 0, "absolute"},
                 {"a/../../x", 0100644, 0, "has `..`"},
                 {"su", 0104755, 0, "set-user-id"},
                 {"link", 0120777, 0, "neither a file nor a folder"},
                 {"device", 0020666, 0, "neither a file nor a folder"},
                 {"damaged", 0100644, 1, "damaged"}};
    const unsigned long crc = crc32(crc32(0, NULL, 0), (const unsigned char *)"x", 1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        unsigned char bytes[512];
        const size_t n =
            make_zip(bytes, cases[i].name, cases[i].mode, crc + (unsigned long)cases[i].crc_off);
        struct cf_error err = {.text = ""};
        char place[300];
        int result;

        snprintf(place, sizeof place, "%s/%zu", folder, i);
        mkdir(place, 0755);
        result = cf_archive_unzip(bytes, n, place, &err);
        cr_assert((result == 0) == (cases[i].complaint == NULL), "%s: %s", cases[i].name, err.text);
        if (cases[i].complaint)
            cr_assert(strstr(err.text, cases[i].complaint), "%s: %s", cases[i].name, err.text);
        cr_assert(cf_archive_unzip(bytes, n - 5, place, &err) != 0, "cut off: %s", cases[i].name);
    }
}

/* The file is in the cache already, so that nothing is downloaded. */
Test(upgrade, fetch_from_the_cache)
{
    const unsigned long crc = crc32(crc32(0, NULL, 0), (const unsigned char *)"x", 1);
    unsigned char bytes[512];
    const size_t n = make_zip(bytes, "pkg/lib.so", 0100644, crc);
    char sha[65], table[400], path[600], *file, *files;
    struct cf_error err = {.text = ""};
    struct cf_pins pins;
    FILE *out;

    setenv("XDG_CACHE_HOME", folder, 1);
    cf_bytes_sha256(bytes, n, sha);
    snprintf(table, sizeof table, "# a remark\nthing-1\twheel\tthing\t1\tpy3\t%s\tpkg/*.so\n", sha);
    cr_assert(cf_pins_parse(&pins, table, &err) == 0, "%s", err.text);
    files = cf_files_folder(&err);
    cr_assert(files != NULL);
    snprintf(path, sizeof path, "%s/%s", files, sha);
    out = fopen(path, "wb");
    fwrite(bytes, 1, n, out);
    fclose(out);
    cr_assert(cf_library_file(&pins, "thing-1") == NULL);
    cr_assert(cf_library_fetch(&pins, "thing-1", NULL, &err) == 0, "%s", err.text);
    file = cf_library_file(&pins, "thing-1");
    cr_assert(file && strstr(file, "thing-1/pkg/lib.so"));
    cr_assert(cf_library_fetch(&pins, "thing-2", NULL, &err) != 0 && err.exit_code == 2);
    free(file);
    free(files);
    cf_pins_free(&pins);
}

/* A file of another digest is refused before anything of it is unpacked. */
Test(upgrade, another_digest)
{
    char table[400], path[600], zeros[65], *files;
    struct cf_error err = {.text = ""};
    struct cf_pins pins;
    FILE *out;

    setenv("XDG_CACHE_HOME", folder, 1);
    snprintf(zeros, sizeof zeros, "%064d", 0);
    snprintf(table, sizeof table, "thing-1\twheel\tthing\t1\tpy3\t%s\tx\n", zeros);
    cr_assert(cf_pins_parse(&pins, table, &err) == 0);
    files = cf_files_folder(&err);
    snprintf(path, sizeof path, "%s/%s", files, zeros);
    out = fopen(path, "wb");
    fputs("not what was pinned", out);
    fclose(out);
    cr_assert(cf_library_fetch(&pins, "thing-1", NULL, &err) != 0);
    cr_assert(err.exit_code == 3 && strstr(err.text, "SHA-256"), "%s", err.text);
    cr_assert(cf_library_folder(&pins, "thing-1") == NULL);
    free(files);
    cf_pins_free(&pins);
    cr_assert(cf_pins_parse(&pins, "too\tfew\tcolumns\n", &err) != 0);
}

Test(upgrade, own_pins)
{
    struct cf_pins pins;

    cf_pins_load(&pins);
    cr_assert(pins.n > 10);
    for (int i = 0; i < pins.n; ++i) {
        cr_assert(strspn(pins.pin[i].sha256, "0123456789abcdef") == 64, "%s", pins.pin[i].name);
        cr_assert(strcmp(pins.pin[i].kind, "wheel") == 0 || strcmp(pins.pin[i].kind, "deb") == 0);
    }
    cf_pins_free(&pins);
}

Test(upgrade, knobs)
{
    struct cf_knob knobs[CF_KNOBS_MAX];
    struct cf_config config;
    int n, n_same = 0, n_haswell = 0;

    cr_assert(cf_config_parse(&config, "blas lib=/x.so threads=1", NULL) == 0);
    n = cf_knobs_list(knobs, &config, "{\"coretype\":\"zen\",\"threads\":\"1\"}");
    for (int i = 0; i < n; ++i) {
        n_same += strcmp(knobs[i].what, "coretype=Zen") == 0 ||
                  strcmp(knobs[i].what, "threads=1") == 0 || strstr(knobs[i].what, "isa=") != NULL;
        n_haswell += strcmp(knobs[i].what, "coretype=Haswell") == 0;
    }
    cr_assert(n_same == 0 && n_haswell == 1);
    cf_knobs_free(knobs, n);
    cf_config_free(&config);
    cr_assert(cf_knob_took_effect("{\"a\":\"1\"}", "{\"a\":\"2\"}"));
    cr_assert(!cf_knob_took_effect("{\"a\":\"1\"}", "{\"a\":\"1\"}"));
    cr_assert(!cf_knob_took_effect("{}", "{\"a\":\"1\"}"));
}

Test(upgrade, components)
{
    const struct cf_component old[] = {{"/a/libm.so.6", "aa", ""},
                                       {"/w/libscipy_openblas64_-ff968632.so", "bb", "0.3.27"}};
    const struct cf_component new[] = {{"/b/libm.so.6", "aa", ""},
                                       {"/w/libscipy_openblas64_-6bb31eeb.so", "cc", "0.3.29"},
                                       {"/w/libgfortran.so.5", "dd", ""}};
    char *text = cf_components_moved(old, 2, new, 3);

    cr_assert(strcmp(text, "libscipy_openblas64_ 0.3.27 -> 0.3.29") == 0, "%s", text);
    free(text);
}

static int read_waivers(struct cf_waivers *waivers, const char *text, struct cf_error *err)
{
    char path[300];
    FILE *out;

    snprintf(path, sizeof path, "%s/waivers.json", folder);
    out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
    return cf_waivers_read(waivers, path, err);
}

#define WAIVER(expires, digest)                                                                    \
    "[{\"case\":\"dot f32*\",\"owner\":\"ann\",\"reason\":\"fma\",\"expires\":\"" expires          \
    "\",\"digest\":\"xxh3:" digest "\"}]"

Test(upgrade, waivers)
{
    const char *const text[] = {"dot f32 m=1 n=2"};
    struct cf_digest digest[1];
    struct cf_waivers w;
    struct cf_error err;
    char reason[300];

    memset(digest, 0xab, sizeof digest);
    cr_assert(read_waivers(&w, WAIVER("2030-01-31", "abababababababababababababababab"), &err) == 0,
              "%s", err.text);
    cr_assert(cf_waivers_find(&w, text[0]) == 0 && cf_waivers_find(&w, "sum f32 m=1 n=2") == -1);
    cr_assert(cf_waiver_holds(&w.waiver[0], "2030-01-31", text, digest, 1, reason) == 1);
    cr_assert(cf_waiver_holds(&w.waiver[0], "2030-02-01", text, digest, 1, reason) == 0);
    cr_assert(strstr(reason, "expired"), "%s", reason);
    digest[0].byte[15] ^= 1;
    cr_assert(cf_waiver_holds(&w.waiver[0], "2030-01-31", text, digest, 1, reason) == 0);
    cr_assert(strstr(reason, "moved"), "%s", reason);
    cf_waivers_free(&w);
    cr_assert(read_waivers(&w, WAIVER("soon", "abababababababababababababababab"), &err) != 0);
    cr_assert(read_waivers(&w, WAIVER("2030-01-31", "12"), &err) != 0);
    cr_assert(read_waivers(&w, "[{\"case\":\"*\"}]", &err) != 0 && strstr(err.text, "owner"));
    cr_assert(read_waivers(&w, "{}", &err) != 0 && err.exit_code == 2);
}
