#include "cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

/* What precedes the truths in a file; what follows them is the digest of all before. */
struct head {
    char magic[16];
    struct cf_digest key;
    int64_t n;
};

static const char magic[16] = "conform-truth/1";

void cf_cache_key(struct cf_digest *key, const char *case_text, const struct cf_digest *inputs)
{
    char hexadecimal[33];
    char *text;

    cf_digest_print(hexadecimal, inputs);
    text = cf_format("%s|%s|%s|%d", case_text, hexadecimal, CF_VERSION, CF_CACHE_VERSION);
    cf_digest_of(key, text, strlen(text));
    free(text);
}

/* Neither variable: no cache. The caller frees. */
static char *folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (cache && *cache)
        return cf_format("%s/conform/references", cache);
    return home && *home ? cf_format("%s/.cache/conform/references", home) : NULL;
}

/* Makes the folder and those above it; what cannot be made shows when the file is opened. */
static void make_folders(char *path)
{
    for (char *at = path + 1; *at; ++at)
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0777);
            *at = '/';
        }
    mkdir(path, 0777);
}

static char *path_of(const char *in, const struct cf_digest *key)
{
    char hexadecimal[33];

    cf_digest_print(hexadecimal, key);
    return cf_format("%s/%s", in, hexadecimal);
}

/* One block: head, truths, digest. */
static size_t block_size(int64_t n)
{
    return sizeof(struct head) + (size_t)n * sizeof(struct cf_truth) + sizeof(struct cf_digest);
}

static int check(const char *block, size_t n_bytes, const struct cf_digest *key, int64_t n)
{
    struct cf_digest stored, computed;
    struct head head;

    memcpy(&head, block, sizeof head);
    memcpy(&stored, block + n_bytes - sizeof stored, sizeof stored);
    cf_digest_of(&computed, block, n_bytes - sizeof stored);
    return memcmp(head.magic, magic, sizeof magic) == 0 && head.n == n &&
                   cf_digest_equal(&head.key, key) && cf_digest_equal(&stored, &computed)
               ? 0
               : -1;
}

static int read_block(const char *path, char *block, size_t n_bytes)
{
    FILE *file = fopen(path, "rb");
    size_t got;
    int more;

    if (!file)
        return -1;
    got = fread(block, 1, n_bytes, file);
    more = got == n_bytes && fgetc(file) != EOF;
    fclose(file);
    return got == n_bytes && !more ? 0 : -1;
}

int cf_cache_read(const struct cf_digest *key, struct cf_truth truth[], int64_t n)
{
    const size_t n_bytes = block_size(n);
    char *in = folder(), *path, *block;
    int result;

    if (!in)
        return -1;
    path = path_of(in, key);
    block = cf_alloc(n_bytes);
    result = read_block(path, block, n_bytes) == 0 ? check(block, n_bytes, key, n) : -1;
    if (result == 0)
        memcpy(truth, block + sizeof(struct head), (size_t)n * sizeof truth[0]);
    free(block);
    free(path);
    free(in);
    return result;
}

static void write_block(const char *path, const char *block, size_t n_bytes)
{
    char *temporary = cf_format("%s.XXXXXX", path);
    const int file = mkstemp(temporary);
    int whole = file >= 0;

    for (size_t at = 0; whole && at < n_bytes;) {
        const ssize_t n = write(file, block + at, n_bytes - at);

        whole = n > 0;
        at += n > 0 ? (size_t)n : 0;
    }
    if (file >= 0)
        whole &= close(file) == 0;
    if (file >= 0 && (!whole || rename(temporary, path) != 0))
        unlink(temporary);
    free(temporary);
}

void cf_cache_write(const struct cf_digest *key, const struct cf_truth truth[], int64_t n)
{
    const size_t n_bytes = block_size(n);
    struct head head = {.key = *key, .n = n};
    struct cf_digest digest;
    char *in = folder(), *path, *block;

    if (!in)
        return;
    make_folders(in);
    path = path_of(in, key);
    block = cf_alloc(n_bytes);
    memcpy(head.magic, magic, sizeof magic);
    memcpy(block, &head, sizeof head);
    memcpy(block + sizeof head, truth, (size_t)n * sizeof truth[0]);
    cf_digest_of(&digest, block, n_bytes - sizeof digest);
    memcpy(block + n_bytes - sizeof digest, &digest, sizeof digest);
    write_block(path, block, n_bytes);
    free(block);
    free(path);
    free(in);
}
