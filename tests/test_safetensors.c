/* safetensors: what is written reads back; whatever is wrong with a file is a sentence. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors.h"

static char directory[64], path[80];

static void set_up(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%s/cf-test-XXXXXX",
             base && strlen(base) < 32 ? base : P_tmpdir);
    cr_assert(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/file", directory);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(directory);
}

TestSuite(safetensors, .init = set_up, .fini = tear_down);

static void write_bytes(const void *bytes, size_t n)
{
    FILE *out = fopen(path, "wb");

    cr_assert(out && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

/* A file with this length field (-1: the header's own), header and so many data bytes. */
static void write_file(long long length, const char *header, size_t n_data)
{
    const size_t n_header = strlen(header);
    unsigned char *bytes = calloc(1, 8 + n_header + n_data + 1);
    const unsigned long long said = length < 0 ? n_header : (unsigned long long)length;

    for (int i = 0; i < 8; ++i)
        bytes[i] = (unsigned char)(said >> 8 * i);
    memcpy(bytes + 8, header, n_header);
    for (size_t i = 0; i < n_data; ++i)
        bytes[8 + n_header + i] = (unsigned char)i;
    write_bytes(bytes, 8 + n_header + n_data);
    free(bytes);
}

static struct cf_named_tensor make(const char *name, enum cf_dtype dtype, int rank, int64_t a,
                                   int64_t b)
{
    struct cf_named_tensor t = {.tensor = {.dtype = dtype, .rank = rank, .dim = {a, b}}};

    snprintf(t.name, sizeof t.name, "%s", name);
    cf_tensor_alloc(&t.tensor);
    for (size_t i = 0; i < cf_tensor_bytes(&t.tensor); ++i)
        ((unsigned char *)t.tensor.bits)[i] = (unsigned char)(i * 7 + name[0]);
    return t;
}

Test(safetensors, what_is_written_reads_back)
{
    struct cf_named_tensor t[] = {
        make("x0", CF_F64, 2, 3, 5),   make("x1", CF_F32, 1, 7, 0), make("s", CF_F64, 0, 0, 0),
        make("none", CF_F64, 2, 0, 9), make("h", CF_F16, 1, 3, 0),  make("b", CF_BF16, 1, 1, 0),
        make("i", CF_I64, 1, 2, 0),    make("j", CF_I32, 1, 1, 0),  make("u", CF_U8, 2, 1, 3)};
    struct cf_safetensors file;
    struct cf_error err = {.text = ""};

    cr_assert_eq(cf_safetensors_write(path, t, CF_COUNT(t), &err), 0, "%s", err.text);
    cr_assert_eq(cf_safetensors_open(&file, path, &err), 0, "%s", err.text);
    cr_assert_eq(file.n, CF_COUNT(t));
    for (int i = 0; i < CF_COUNT(t); ++i) {
        const struct cf_tensor *got = cf_safetensors_get(&file, t[i].name);

        cr_assert(got && got->dtype == t[i].tensor.dtype && got->rank == t[i].tensor.rank);
        for (int d = 0; d < got->rank; ++d)
            cr_assert_eq(got->dim[d], t[i].tensor.dim[d]);
        cr_assert_eq(memcmp(got->bits, t[i].tensor.bits, cf_tensor_bytes(got)), 0, "%s", t[i].name);
        cr_assert_eq((uintptr_t)got->bits % cf_dtype_size(got->dtype), 0, "%s", t[i].name);
        cf_tensor_free(&t[i].tensor);
    }
    cr_assert_null(cf_safetensors_get(&file, "y"));
    cf_safetensors_close(&file);
}

Test(safetensors, a_foreign_file_may_be_unaligned_unsorted_and_annotated)
{
    struct cf_safetensors file;
    struct cf_error err = {.text = ""};
    const unsigned char *b;

    write_file(-1,
               "{\"__metadata__\":{\"by\":\"another\"},"
               "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[3,11]},"
               "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}",
               11);
    cr_assert_eq(cf_safetensors_open(&file, path, &err), 0, "%s", err.text);
    cr_assert_eq(file.n, 2);
    cr_assert_str_eq(file.entry[0].name, "b");
    b = cf_safetensors_get(&file, "d")->bits;
    cr_assert_eq((uintptr_t)b % 8, 0);
    for (int i = 0; i < 8; ++i)
        cr_assert_eq(b[i], i + 3);
    cf_safetensors_close(&file);
}

#define F32(name, shape, from, to)                                                                 \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static const struct {
    const char *claim;
    long long length; /* -1: the header's own */
    const char *header;
    size_t n_data;
    const char *says;
} hostile[] = {
    {"a length beyond the file", 1000, "{}", 0, "longer than the file"},
    {"a length beyond 1 MiB", (1 << 20) + 1, "{}", 2 << 20, "longer than the file or than 1 MiB"},
    {"a length that is negative", -2, "{}", 0, NULL},
    {"no JSON", -1, "hello", 0, "no JSON object"},
    {"a JSON array", -1, "[1,2]", 0, "no JSON object"},
    {"a name twice", -1, "{" F32("a", "[1]", "0", "4") "," F32("a", "[1]", "0", "4") "}", 4,
     "unique keys"},
    {"an unknown type", -1, "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "no known dtype"},
    {"no type", -1, "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no known dtype"},
    {"a tensor that is a number", -1, "{\"a\":1}", 4, "no known dtype"},
    {"a negative dim", -1, "{" F32("a", "[-1]", "0", "4") "}", 4, "shape"},
    {"a dim that is no integer", -1, "{" F32("a", "[1.0]", "0", "4") "}", 4, "shape"},
    {"a shape that is no list", -1, "{" F32("a", "4", "0", "4") "}", 4, "shape"},
    {"seven dims", -1, "{" F32("a", "[1,1,1,1,1,1,1]", "0", "4") "}", 4, "shape"},
    {"a size that overflows", -1, "{" F32("a", "[4294967296,4294967296,2]", "0", "0") "}", 0,
     "overflows"},
    {"a size that overflows to the right one", -1,
     "{" F32("a", "[4611686018427387905]", "0", "4") "}", 4, "overflows"},
    {"offsets that fall", -1, "{" F32("a", "[1]", "4", "0") "}", 4, "rising pair"},
    {"negative offsets", -1, "{" F32("a", "[1]", "-4", "0") "}", 4, "rising pair"},
    {"one offset", -1, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4,
     "rising pair"},
    {"offsets too short for the shape", -1, "{" F32("a", "[2]", "0", "4") "}", 4, "needs 8 bytes"},
    {"offsets beyond the file", -1, "{" F32("a", "[2]", "0", "8") "}", 4, "holds 4"},
    {"bytes after the end", -1, "{" F32("a", "[1]", "0", "4") "}", 5, "holds 5"},
    {"data without tensors", -1, "{}", 1, "holds 1"},
    {"a hole", -1, "{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "8", "12") "}", 12, "hole"},
    {"a hole before the first", -1, "{" F32("a", "[1]", "4", "8") "}", 8, "hole"},
    {"an overlap", -1, "{" F32("a", "[2]", "0", "8") "," F32("b", "[1]", "4", "8") "}", 8,
     "overlap"},
    {"the same bytes twice", -1, "{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "0", "4") "}", 4,
     "overlap"},
    {"a name too long", -1,
     "{" F32("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "[1]", "0", "4") "}", 4,
     "longer than 31 bytes"},
};

Test(safetensors, every_hostile_file_is_a_sentence)
{
    for (int i = 0; i < CF_COUNT(hostile); ++i) {
        struct cf_safetensors file;
        struct cf_error err = {.text = ""};

        if (hostile[i].says)
            write_file(hostile[i].length, hostile[i].header, hostile[i].n_data);
        else
            write_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
        cr_expect_eq(cf_safetensors_open(&file, path, &err), -1, "%s passes", hostile[i].claim);
        cr_expect(strstr(err.text, hostile[i].says ? hostile[i].says : "longer than the file"),
                  "%s: %s", hostile[i].claim, err.text);
        cr_expect_null(file.map, "%s leaks", hostile[i].claim);
    }
}

Test(safetensors, too_many_tensors_are_refused)
{
    char header[4096] = "{";
    struct cf_safetensors file;
    struct cf_error err = {.text = ""};

    for (int i = 0; i <= CF_SAFETENSORS_MAX; ++i)
        sprintf(header + strlen(header),
                "%s\"x%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}", i ? "," : "",
                i, i, i + 1);
    strcat(header, "}");
    write_file(-1, header, CF_SAFETENSORS_MAX + 1);
    cr_assert_eq(cf_safetensors_open(&file, path, &err), -1);
    cr_assert(strstr(err.text, "more than 16 tensors"), "%s", err.text);
}

/* Every prefix of a good file, and every single flipped byte of its header, opens or is a sentence;
 * none crashes, and no prefix opens. */
Test(safetensors, no_damage_crashes)
{
    struct cf_named_tensor t[] = {make("x0", CF_F64, 2, 2, 2), make("x1", CF_F32, 1, 3, 0)};
    struct cf_safetensors file;
    struct cf_error err;
    static unsigned char bytes[1024], damaged[1024];
    FILE *in;
    size_t n;

    cr_assert_eq(cf_safetensors_write(path, t, 2, NULL), 0);
    in = fopen(path, "rb");
    n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    for (size_t length = 0; length < n; ++length) {
        write_bytes(bytes, length);
        cr_assert_eq(cf_safetensors_open(&file, path, &err), -1, "%zu bytes open", length);
    }
    for (size_t at = 0; at < (size_t)8 + bytes[0]; ++at) {
        memcpy(damaged, bytes, n);
        damaged[at] ^= 0x15;
        write_bytes(damaged, n);
        if (cf_safetensors_open(&file, path, &err) == 0)
            cf_safetensors_close(&file);
        else
            cr_assert(err.text[0] != '\0');
    }
    cf_tensor_free(&t[0].tensor);
    cf_tensor_free(&t[1].tensor);
}

Test(safetensors, what_is_no_file_is_refused)
{
    struct cf_safetensors file;
    struct cf_error err;

    cr_assert_eq(cf_safetensors_open(&file, path, &err), -1);
    cr_assert_eq(err.exit_code, 3);
    cr_assert_eq(cf_safetensors_open(&file, directory, &err), -1);
    cr_assert_eq(cf_safetensors_open(&file, "/dev/zero", &err), -1);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(cf_safetensors_open(&file, path, &err), -1, "a pipe must not block");
}

Test(safetensors, a_failed_write_leaves_nothing_and_keeps_the_old)
{
    struct cf_named_tensor t = make("x0", CF_F64, 1, 100000, 0);
    struct cf_safetensors file;
    struct cf_error err = {.text = ""};
    char temporary[96];

    cr_assert_eq(cf_safetensors_write("/dev/full/no", &t, 1, &err), -1);
    cr_assert_eq(err.exit_code, 3);
    cr_assert_eq(cf_safetensors_write(path, &t, 1, &err), 0);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    cr_assert_eq(symlink("/dev/null", temporary), 0); /* a link that somebody has laid there */
    cr_assert_eq(cf_safetensors_write(path, &t, 1, &err), -1, "a link was followed");
    cr_assert_eq(cf_safetensors_open(&file, path, &err), 0, "the old file is gone");
    cf_safetensors_close(&file);
    cr_assert_neq(access(temporary, F_OK), 0);
    cf_tensor_free(&t.tensor);
}
