#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const variants[] = {"row", "rowperm", "col", "colperm"};

static void add_word(char **text, const char *key, const char *value)
{
    char *escaped = cf_pairs_escape(value);
    char *longer = cf_format("%s %s=%s", *text, key, escaped);

    free(escaped);
    free(*text);
    *text = longer;
}

/* Appends " key=value" of a key when it is there and differs from its default. */
static void append(char **text, const struct cf_case *c, const char *key, const char *fallback)
{
    const char *value = cf_pairs_get(&c->keys, key);

    if (value && (!fallback || strcmp(value, fallback) != 0))
        add_word(text, key, value);
}

/* Calls append for each "key" or "key=default" word of a list. */
static void append_list(char **text, const struct cf_case *c, const char *list)
{
    struct cf_pairs words;

    CF_CHECK(cf_pairs_parse(&words, "the op's grammar", list, NULL) == 0);
    for (int i = 0; i < words.n; ++i) {
        const struct cf_pair *p = &words.pair[i];

        append(text, c, p->key ? p->key : p->value, p->key ? p->value : NULL);
    }
    cf_pairs_free(&words);
}

static char *print(const struct cf_case *c, const struct cf_grammar *grammar)
{
    char *text = cf_format("%s %s", c->op, cf_dtype_name(c->dtype)), seed[24];

    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->seed);
    append_list(&text, c, grammar->dims);
    append_list(&text, c, grammar->options);
    add_word(&text, "fill", c->fill);
    add_word(&text, "seed", seed);
    for (int i = 0; i < CF_COUNT(variants); ++i)
        append(&text, c, variants[i], NULL);
    return text;
}

static int known(const char *key, const struct cf_grammar *grammar)
{
    static const char *const lists[] = {"fill seed row rowperm col colperm"};
    const char *const all[] = {grammar->dims, grammar->options, lists[0]};
    const size_t length = strlen(key);

    for (int i = 0; i < CF_COUNT(all); ++i)
        for (const char *at = all[i]; (at = strstr(at, key)); at += length) {
            const int starts = at == all[i] || at[-1] == ' ';

            if (starts && strchr(" =", at[length]))
                return 1;
        }
    return 0;
}

/* Digits of a number without zeros in front or behind, and its exponent: 0.d1d2... * 10^exponent.
 */
struct number {
    int negative, n_digits, exponent;
    char digit[40];
};

#define EXPONENT_MAX 30

/* 0, or -1: it is no decimal number, or one that no case has a use for. */
static int read_number(struct number *number, const char *text)
{
    int point = 0, seen = 0;
    char *end;

    *number = (struct number){.negative = *text == '-'};
    text += *text == '-' || *text == '+';
    for (; strchr("0123456789.", *text) && *text; ++text) {
        if (*text == '.' && point++)
            return -1;
        seen += *text != '.';
        number->exponent -= *text != '.' && point && number->n_digits == 0 && *text == '0';
        if (*text == '.' || (number->n_digits == 0 && *text == '0'))
            continue;
        if (number->n_digits == (int)sizeof number->digit)
            return -1;
        number->exponent += !point;
        number->digit[number->n_digits++] = *text;
    }
    if (seen > 0 && (*text == 'e' || *text == 'E') && strchr("0123456789+-", text[1]) && text[1]) {
        const long more = strtol(text + 1, &end, 10);

        if (more < -EXPONENT_MAX || more > EXPONENT_MAX)
            return -1;
        number->exponent += (int)more;
        text = end;
    }
    while (number->n_digits > 0 && number->digit[number->n_digits - 1] == '0')
        --number->n_digits;
    return seen > 0 && *text == '\0' ? 0 : -1;
}

/* The one spelling of a decimal number, that of %g but for the length: 0.003, 1e-8, 4096. NULL when
 * it is none. The caller frees. */
static char *spell(const char *text)
{
    const char *const zeros =
        "000000000000000000000000000000000000000000000000000000000000000000000";
    struct number x;
    int whole;

    if (read_number(&x, text) != 0)
        return NULL;
    if (x.n_digits == 0)
        return cf_strdup("0");
    if (x.exponent <= -4)
        return cf_format("%s%c%s%.*se%d", x.negative ? "-" : "", x.digit[0],
                         x.n_digits > 1 ? "." : "", x.n_digits - 1, x.digit + 1, x.exponent - 1);
    whole = x.exponent < 0 ? 0 : x.exponent < x.n_digits ? x.exponent : x.n_digits;
    return cf_format("%s%s%.*s%.*s%s%.*s%.*s", x.negative ? "-" : "", whole ? "" : "0", whole,
                     x.digit, x.exponent > x.n_digits ? x.exponent - x.n_digits : 0, zeros,
                     whole < x.n_digits ? "." : "", x.exponent < 0 ? -x.exponent : 0, zeros,
                     x.n_digits - whole, x.digit + whole);
}

/* Is the key's value a number? All but the fill, a digest, and options with a word for a default.
 */
static int is_number(const char *key, const struct cf_grammar *grammar)
{
    char *start = cf_format(" %s=", key), *options = cf_format(" %s", grammar->options), *at, *end;
    int result = strcmp(key, "fill") != 0 && strcmp(key, "data") != 0;

    at = strstr(options, start);
    if (at) {
        at += strlen(start);
        strtod(at, &end);
        result = end > at && (*end == ' ' || *end == '\0');
    }
    free(options);
    free(start);
    return result;
}

/* The words again, each number in its one spelling: one case has one text. */
static int respell(struct cf_case *c, const struct cf_grammar *grammar, struct cf_error *err)
{
    char *line = cf_strdup("");
    int result;

    for (int i = 0; i < c->keys.n; ++i) {
        const struct cf_pair *p = &c->keys.pair[i];
        char *number = p->key && is_number(p->key, grammar) ? spell(p->value) : NULL;
        char *value = cf_pairs_escape(number ? number : p->value);
        char *longer = cf_format("%s%s%s%s%s", line, i > 0 ? " " : "", p->key ? p->key : "",
                                 p->key ? "=" : "", value);

        free(number);
        free(value);
        free(line);
        line = longer;
    }
    cf_pairs_free(&c->keys);
    result = cf_pairs_parse(&c->keys, "the case", line, err);
    free(line);
    return result;
}

static int check_keys(const struct cf_case *c, const struct cf_grammar *grammar, const char *line,
                      struct cf_error *err)
{
    struct cf_pairs dims;
    int64_t value;
    int result = 0;

    for (int i = 2; i < c->keys.n; ++i) {
        const struct cf_pair *p = &c->keys.pair[i];

        if (!p->key || !known(p->key, grammar))
            return cf_fail(err, "case `%s`: %s does not know `%s`; its keys are %s %s fill seed",
                           line, c->op, p->key ? p->key : p->value, grammar->dims,
                           grammar->options);
    }
    CF_CHECK(cf_pairs_parse(&dims, "the op's grammar", grammar->dims, NULL) == 0);
    for (int i = 0; i < dims.n && result == 0; ++i) {
        const char *key = dims.pair[i].value;

        if (!cf_pairs_get(&c->keys, key))
            result = cf_fail(err, "case `%s`: %s needs %s=", line, c->op, key);
        else if ((result = cf_pairs_int(&c->keys, key, 0, &value, err)) == 0 && value < 0)
            result = cf_fail(err, "case `%s`: %s must not be negative", line, key);
    }
    cf_pairs_free(&dims);
    return result;
}

static int check_seed(struct cf_case *c, const char *line, struct cf_error *err)
{
    int64_t seed;

    if (cf_pairs_int(&c->keys, "seed", 1, &seed, err) != 0)
        return -1;
    if (seed < 0)
        return cf_fail(err, "case `%s`: seed must not be negative", line);
    c->seed = (uint64_t)seed;
    return 0;
}

static int understand(struct cf_case *c, const char *line,
                      const struct cf_grammar *(*grammar)(const char *), struct cf_error *err)
{
    const struct cf_grammar *found;

    if (c->keys.n < 2 || c->keys.pair[0].key || c->keys.pair[1].key)
        return cf_fail(err, "case `%s` must start with an op and a type, as in `dot f64 m=1 n=100`",
                       line);
    c->op = c->keys.pair[0].value;
    found = grammar(c->op);
    if (!found)
        return cf_fail(err, "case `%s`: there is no op `%s`; `conform list ops` names them", line,
                       c->op);
    if (respell(c, found, err) != 0)
        return -1;
    c->op = c->keys.pair[0].value;
    if (cf_dtype_parse(c->keys.pair[1].value, &c->dtype) != 0)
        return cf_fail(err, "case `%s`: `%s` is no type; write f64, f32, f16 or bf16", line,
                       c->keys.pair[1].value);
    c->fill = cf_case_word(c, "fill", "uniform");
    if (check_keys(c, found, line, err) != 0 || check_seed(c, line, err) != 0)
        return -1;
    c->text = print(c, found);
    return 0;
}

int cf_case_parse(struct cf_case *c, const char *line,
                  const struct cf_grammar *(*grammar)(const char *op), struct cf_error *err)
{
    *c = (struct cf_case){0};
    if (cf_pairs_parse(&c->keys, "the case", line, err) != 0)
        return -1;
    if (understand(c, line, grammar, err) == 0)
        return 0;
    cf_case_free(c);
    return -1;
}

char *cf_case_canonical(const char *line, const struct cf_grammar *(*grammar)(const char *op))
{
    struct cf_case c;
    char *text;

    if (cf_case_parse(&c, line, grammar, NULL) != 0)
        return cf_strdup(line);
    text = cf_strdup(c.text);
    cf_case_free(&c);
    return text;
}

void cf_case_free(struct cf_case *c)
{
    free(c->text);
    cf_pairs_free(&c->keys);
    *c = (struct cf_case){0};
}

int64_t cf_case_int(const struct cf_case *c, const char *key, int64_t fallback)
{
    int64_t value;

    CF_CHECK(cf_pairs_int(&c->keys, key, fallback, &value, NULL) == 0);
    return value;
}

const char *cf_case_word(const struct cf_case *c, const char *key, const char *fallback)
{
    const char *value = cf_pairs_get(&c->keys, key);

    return value ? value : fallback;
}

/* The canonical text less the words whose key is in `drop`. */
static char *without(const struct cf_case *c, const char *const drop[], int n_drop)
{
    char *text = cf_strdup(c->text);

    for (int i = 0; i < n_drop; ++i) {
        char *key = cf_format(" %s=", drop[i]), *at = strstr(text, key);

        if (at) {
            const char *end = at + 1 + strcspn(at + 1, " ");

            memmove(at, end, strlen(end) + 1);
        }
        free(key);
    }
    return text;
}

char *cf_case_cell(const struct cf_case *c)
{
    static const char *const drop[] = {"seed", "row", "rowperm", "col", "colperm"};

    return without(c, drop, CF_COUNT(drop));
}

char *cf_case_base(const struct cf_case *c)
{
    static const char *const drop[] = {"row", "rowperm", "col", "colperm", "layout"};

    return without(c, drop, CF_COUNT(drop));
}
