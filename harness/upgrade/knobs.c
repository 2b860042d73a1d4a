#include "knobs.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key or variable, its values, and what must be in effect for it to make sense: a key that the
 * worker reported, or a backend ("backend:onednn"). NULL: always. Core types: OpenBLAS's
 * cpuid_x86.c; instruction sets: oneDNN's documentation of ONEDNN_MAX_CPU_ISA; BLIS's docs of
 * BLIS_ARCH_TYPE; the conditional bitwise modes of MKL; glibc's tunables manual. */
struct row {
    const char *key, *needs;
    const char *const values[10];
};

#define HWCAPS_FMA "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2_Usable,-AVX2"
#define HWCAPS_512 "glibc.cpu.hwcaps=-AVX512F,-AVX512VL"

static const struct row rows[] = {
    {"threads", "threads", {"1", "2", "4"}},
    {"coretype",
     "coretype",
     {"Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake",
      "Sapphirerapids"}},
    {"isa",
     "backend:onednn",
     {"SSE41", "AVX", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16"}},
    {"env.BLIS_ARCH_TYPE", "arch", {"generic", "haswell", "zen", "zen3", "skx"}},
    {"env.MKL_CBWR", "cbwr", {"COMPATIBLE", "AVX2", "AVX2,STRICT", "AVX512"}},
    {"env.NPY_DISABLE_CPU_FEATURES",
     "cpu",
     {"AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
      "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR", "X86_V4",
      "X86_V3 X86_V4", /* of numpy 2.4 and later */
      "FMA3 AVX2 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"}},
    {"env.ATEN_CPU_CAPABILITY", "cpu_capability", {"avx512", "avx2", "default"}},
    {"env.CONFORM_TORCH_MATMUL", "matmul_precision", {"highest", "high", "medium"}},
    {"env.CONFORM_TORCH_MKLDNN", "mkldnn", {"0"}},
    {"env.GLIBC_TUNABLES", "libm", {HWCAPS_FMA, HWCAPS_512}},
    {"env.CONFORM_KNOB", "knob", {"old", "new"}},
    {"kernel",
     "backend:plain",
     {"forward", "reverse", "pairwise", "kahan", "lanes4", "lanes8", "lanes16", "fma"}},
    {"kernel", "backend:onednn", {"direct", "gemm", "blocked"}},
    {"align", "lib", {"0", "8", "32"}}};

static int makes_sense(const struct row *row, const struct cf_config *config,
                       const json_t *effective)
{
    if (strncmp(row->needs, "backend:", 8) == 0)
        return strcmp(config->backend, row->needs + 8) == 0;
    return cf_config_get(config, row->needs) || json_object_get(effective, row->needs);
}

static int is_in_effect(const struct row *row, const char *value, const struct cf_config *config,
                        const json_t *effective)
{
    const char *asked = cf_config_get(config, row->key);
    const json_t *got = json_object_get(effective, row->key);

    if (asked)
        return strcmp(asked, value) == 0;
    if (!got)
        got = json_object_get(effective, row->needs);
    return got && json_is_string(got) && strcasecmp(json_string_value(got), value) == 0;
}

/* The configuration's words with one key replaced or added; canonical. NULL: it is none. */
static char *moved(const struct cf_config *config, const char *key, const char *value)
{
    char *line = cf_strdup(config->backend), *canonical = NULL;
    struct cf_config parsed;

    for (int i = 1; i <= config->keys.n; ++i) {
        const int last = i == config->keys.n;
        const char *name = last ? key : config->keys.pair[i].key;
        char *escaped, *longer;

        if (!last && strcmp(name, key) == 0)
            continue;
        escaped = cf_pairs_escape(last ? value : config->keys.pair[i].value);
        longer = cf_format("%s %s=%s", line, name, escaped);
        free(escaped);
        free(line);
        line = longer;
    }
    if (cf_config_parse(&parsed, line, NULL) == 0) {
        canonical = cf_strdup(parsed.text);
        cf_config_free(&parsed);
    }
    free(line);
    return canonical;
}

int cf_knobs_list(struct cf_knob knobs[CF_KNOBS_MAX], const struct cf_config *config,
                  const char *effective)
{
    json_t *object = json_loads(effective, 0, NULL);
    int n = 0;

    for (int r = 0; r < CF_COUNT(rows); ++r)
        for (int v = 0; v < CF_COUNT(rows[r].values) && rows[r].values[v]; ++v) {
            const char *value = rows[r].values[v];
            char *line;

            if (n == CF_KNOBS_MAX || !makes_sense(&rows[r], config, object) ||
                is_in_effect(&rows[r], value, config, object))
                continue;
            line = moved(config, rows[r].key, value);
            if (line)
                knobs[n++] = (struct cf_knob){line, cf_format("%s=%s", rows[r].key, value)};
        }
    json_decref(object);
    return n;
}

void cf_knobs_free(struct cf_knob knobs[], int n)
{
    for (int i = 0; i < n; ++i) {
        free(knobs[i].line);
        free(knobs[i].what);
    }
}

int cf_knob_took_effect(const char *before, const char *after)
{
    json_t *a = json_loads(before, 0, NULL), *b = json_loads(after, 0, NULL);
    const int differs =
        a && b && json_object_size(a) > 0 && json_object_size(b) > 0 && !json_equal(a, b);

    json_decref(a);
    json_decref(b);
    return differs;
}

static const char *file_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Characters of the component's name: up to ".so", a hash that a wheel adds, or a version. */
static size_t stem(const char *file)
{
    size_t n = strstr(file, ".so") ? (size_t)(strstr(file, ".so") - file) : strlen(file);

    for (size_t i = 0; i + 1 < n; ++i)
        if (file[i] == '-' && (isxdigit((unsigned char)file[i + 1]) || file[i + 1] == 'r'))
            return i;
    for (size_t i = 1; i < n; ++i)
        if (file[i] == '.')
            return i;
    return n;
}

static int same_component(const struct cf_component *a, const struct cf_component *b)
{
    const char *x = file_of(a->path), *y = file_of(b->path);

    if (strstr(x, "openblas") && strstr(y, "openblas")) /* wheels have changed its name */
        return 1;
    return stem(x) == stem(y) && strncmp(x, y, stem(x)) == 0;
}

/* Run-time libraries of a compiler and Python's own modules compute nothing that is compared. */
static int is_runtime(const char *path)
{
    static const char *const names[] = {"libgfortran", "libquadmath", "libgcc_s", "libstdc++"};

    for (int i = 0; i < CF_COUNT(names); ++i)
        if (strncmp(file_of(path), names[i], strlen(names[i])) == 0)
            return 1;
    return strstr(path, "/lib-dynload/") != NULL;
}

/* What is told first: 0 computes, 1 anything else that both sides have, 2 what is new. */
static int rank_of(const char *path, const struct cf_component *before)
{
    static const char *const words[] = {"torch_cpu", "blas",  "blis",    "mkl",  "dnnl",
                                        "onednn",    "libm.", "libm-2.", "umath"};

    for (int i = 0; i < CF_COUNT(words); ++i)
        if (strstr(file_of(path), words[i]) && strncmp(file_of(path), "libcu", 5) != 0)
            return 0;
    return before ? 1 : 2;
}

static const char *version_or_digest(const struct cf_component *c, char text[16])
{
    if (c->version && *c->version)
        return c->version;
    snprintf(text, 16, "sha256:%.7s", c->sha256);
    return text;
}

static void add_moved(char **text, int *n, const struct cf_component *a,
                      const struct cf_component *b)
{
    char was[16], is[16], *longer;
    struct cf_component old = a ? *a : *b, new = *b;

    if (++*n > 4)
        return;
    if (a && a->version && b->version && strcmp(a->version, b->version) == 0)
        old.version = new.version = NULL; /* the file's name says too little */
    longer = cf_format("%s%s%.*s %s -> %s", *text, *n > 1 ? ", " : "", (int)stem(file_of(b->path)),
                       file_of(b->path), a ? version_or_digest(&old, was) : "(not there)",
                       version_or_digest(&new, is));
    free(*text);
    *text = longer;
}

char *cf_components_moved(const struct cf_component old[], int n_old,
                          const struct cf_component new[], int n_new)
{
    char *text = cf_strdup("");
    int n = 0;

    for (int rank = 0; rank < 3; ++rank)
        for (int i = 0; i < n_new; ++i) {
            const struct cf_component *before = NULL;
            int same = is_runtime(new[i].path);

            for (int k = 0; k < n_old; ++k) {
                same |= strcmp(old[k].sha256, new[i].sha256) == 0;
                if (!before && same_component(&old[k], &new[i]))
                    before = &old[k];
            }
            if (!same && rank_of(new[i].path, before) == rank)
                add_moved(&text, &n, before, &new[i]);
        }
    if (n > 4) {
        char *longer = cf_format("%s and %d more", text, n - 4);

        free(text);
        text = longer;
    }
    return text;
}

/* At most so many characters of a value are told. */
#define VALUE 40

/* Characters that both begin with, up to the start of a word; of short ones none is left out. */
static size_t common_words(const char *a, const char *b)
{
    size_t n = 0, start = 0;

    for (; a[n] && a[n] == b[n]; ++n)
        start = a[n] == ' ' ? n + 1 : start;
    return start > VALUE / 2 ? start : 0;
}

/* At most VALUE characters, whole words where that leaves some, without blanks at the end. */
static char *cut(const char *text)
{
    char *copy = cf_format("%.*s", VALUE, text), *blank = strrchr(copy, ' ');

    if (strlen(text) > VALUE && text[VALUE] != ' ' && blank && blank > copy + VALUE / 2)
        *blank = '\0';
    for (size_t n = strlen(copy); n > 0 && copy[n - 1] == ' '; --n)
        copy[n - 1] = '\0';
    return copy;
}

/* Of two long values what differs. */
static char *moved_words(const char *key, const char *was, const char *is)
{
    const size_t common = common_words(was, is);
    char *a = cut(was + common), *b = cut(is + common), *text;

    key += strncmp(key, "component.", 10) == 0 ? 10 : 0;
    text = cf_format("%s %s%s -> %s%s", key, common ? ".. " : "", a, common ? ".. " : "", b);
    free(a);
    free(b);
    return text;
}

char *cf_state_moved(const char *old, const char *new)
{
    json_t *a = json_loads(old, 0, NULL), *b = json_loads(new, 0, NULL), *value;
    char *text = cf_strdup(""), *longer, *words;
    const char *key;
    int n = 0;

    json_object_foreach(b, key, value)
    {
        const char *was = json_string_value(json_object_get(a, key));
        const char *is = json_string_value(value);

        if (strcmp(key, "filepath") == 0 || !was || !is || strcmp(was, is) == 0 || ++n > 4)
            continue;
        words = moved_words(key, was, is);
        longer = cf_format("%s%s%s", text, n > 1 ? ", " : "", words);
        free(words);
        free(text);
        text = longer;
    }
    json_decref(a);
    json_decref(b);
    return text;
}
