/* split: by key, so that order and additions change nothing; and the data themselves: every
 * accidental change is named. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* The text of the first `n` rows of the digits, reversed if asked for; the caller frees. */
static char *print_rows(const struct cf_digits *d, int64_t n, int reversed)
{
    char *text = cf_alloc((size_t)n * 260 + 1), *at = text;

    for (int64_t i = 0; i < n; ++i) {
        const int64_t row = reversed ? n - 1 - i : i;

        for (int p = 0; p < CF_PIXELS; ++p)
            at += sprintf(at, "%d,", d->pixels[row * CF_PIXELS + p]);
        at += sprintf(at, "%d\n", d->label[row]);
    }
    return text;
}

static void parse(struct cf_digits *d, const char *text)
{
    struct cf_error err = {{0}, 0};

    cr_assert_eq(cf_digits_parse(d, text, strlen(text), "a text", NULL, &err), 0, "%s", err.text);
}

static int on_training_side(const struct cf_split *s, const struct cf_digits *d, uint64_t key)
{
    for (int64_t i = 0; i < s->n_train; ++i)
        if (d->key[s->train[i]] == key)
            return 1;
    return 0;
}

Test(split, the_digits_are_those_of_the_paper)
{
    /* UCI's description of the test set: 1797 records and this many of each class. */
    static const int64_t n_class[CF_CLASSES] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
    int64_t found[CF_CLASSES] = {0};
    struct cf_digits d;

    cf_digits_load(&d);
    cr_assert_eq(d.n, 1797);
    cr_expect_str_eq(d.sha256, CF_DIGITS_SHA256);
    for (int64_t i = 0; i < d.n; ++i)
        ++found[d.label[i]];
    for (int c = 0; c < CF_CLASSES; ++c)
        cr_expect_eq(found[c], n_class[c], "class %d: %ld", c, (long)found[c]);
    cf_digits_free(&d);
}

Test(split, neither_order_nor_additions_move_a_record)
{
    struct cf_digits all, some, reversed;
    struct cf_split of_all, of_some, of_reversed;
    char *text;

    cf_digits_load(&all);
    text = print_rows(&all, 900, 0);
    parse(&some, text);
    free(text);
    text = print_rows(&all, all.n, 1);
    parse(&reversed, text);
    free(text);
    cf_split_make(&of_all, &all, 80, 0);
    cf_split_make(&of_some, &some, 80, 0);
    cf_split_make(&of_reversed, &reversed, 80, 0);
    for (int64_t i = 0; i < some.n; ++i)
        cr_expect_eq(on_training_side(&of_all, &all, some.key[i]),
                     on_training_side(&of_some, &some, some.key[i]), "record %ld", (long)i);
    cr_expect_eq(cf_split_digest(&all, of_all.train, of_all.n_train),
                 cf_split_digest(&reversed, of_reversed.train, of_reversed.n_train));
    cr_expect_eq(of_all.n_train + of_all.n_held, all.n);
    cr_expect(of_all.n_train > 1350 && of_all.n_train < 1520, "%ld", (long)of_all.n_train);
    cf_split_free(&of_all);
    cf_split_free(&of_some);
    cf_split_free(&of_reversed);
    cf_digits_free(&all);
    cf_digits_free(&some);
    cf_digits_free(&reversed);
}

struct broken {
    char claim[60], text[200], word[60];
};

#define ZEROS "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
static struct broken texts[] = {
    {"a pixel above 16", ZEROS "17," ZEROS "0,1\n", "line 1"},
    {"a class above 9", ZEROS "1," ZEROS "0,10\n", "line 1"},
    {"too few pixels", ZEROS "1,5\n", "line 1"},
    {"a word", ZEROS "1," ZEROS "x,5\n", "line 1"},
    {"a second row cut off", ZEROS "1," ZEROS "0,1\n0,0", "inside a line"},
    {"Windows line ends", ZEROS "1," ZEROS "0,1\r\n", "line 1"},
};

ParameterizedTestParameters(split, refuses)
{
    return cr_make_param_array(struct broken, texts, CF_COUNT(texts));
}

ParameterizedTest(struct broken *row, split, refuses)
{
    struct cf_error err = {{0}, 0};
    struct cf_digits d;

    cr_assert_eq(cf_digits_parse(&d, row->text, strlen(row->text), "a text", NULL, &err), -1, "%s",
                 row->claim);
    cr_expect(strstr(err.text, row->word), "%s: %s", row->claim, err.text);
}

Test(split, another_data_set_is_refused)
{
    struct cf_error err = {{0}, 0};
    struct cf_digits d;
    const char *text = ZEROS "1," ZEROS "0,1\n";

    cr_assert_eq(cf_digits_parse(&d, text, strlen(text), "a text", CF_DIGITS_SHA256, &err), -1);
    cr_expect(strstr(err.text, "another data set"), "%s", err.text);
}

/* An accident, what the statistics recorded before it say of it, and a liar beside: no accident. */
struct accident {
    char claim[60], line[100], word[40];
};

static struct accident accidents[] = {
    {"nothing happened", "train_logreg f32 steps=1 batch=4 fill=digits", ""},
    {"another seed changes no data", "train_logreg f32 steps=1 batch=4 fill=digits seed=9", ""},
    {"another split", "train_logreg f32 steps=1 batch=4 salt=1 fill=digits", "split"},
    {"another share", "train_logreg f32 steps=1 batch=4 train=79 fill=digits", "records"},
    {"another preprocessing", "train_logreg f32 steps=1 batch=4 preprocess=centre fill=digits",
     "preprocessing"},
    {"a threshold", "train_logreg f32 steps=1 batch=4 preprocess=binary fill=digits",
     "preprocessing"},
    {"other data", "train_logreg f32 steps=1 batch=4 rows=1797 fill=drawn", "records"},
};

ParameterizedTestParameters(split, names_accidents)
{
    return cr_make_param_array(struct accident, accidents, CF_COUNT(accidents));
}

static void statistics_of(const char *line, struct cf_data_statistics *train)
{
    struct cf_data_statistics held;
    struct cf_error err = {{0}, 0};
    struct cf_case c;

    cr_assert_eq(cf_case_parse(&c, line, cf_op_grammar, &err), 0, "%s", err.text);
    cr_assert_eq(cf_training_statistics(CF_LOGREG, &c, train, &held, &err), 0, "%s", err.text);
    cf_case_free(&c);
}

ParameterizedTest(struct accident *row, split, names_accidents)
{
    struct cf_data_statistics before, after, read;
    char *line, *sentence;

    statistics_of(accidents[0].line, &before);
    statistics_of(row->line, &after);
    line = cf_data_statistics_print(&before);
    cr_assert_eq(cf_data_statistics_parse(&read, line, NULL), 0, "%s", line);
    sentence = cf_data_statistics_compare("training", &read, &after);
    if (!row->word[0])
        cr_expect_null(sentence, "%s: %s", row->claim, sentence);
    else
        cr_expect(sentence && strstr(sentence, row->word), "%s: %s", row->claim,
                  sentence ? sentence : "(nothing)");
    free(sentence);
    free(line);
}

Test(split, one_pixel_and_one_label_are_named)
{
    struct cf_data_statistics before, after;
    struct cf_tensor images = {.dtype = CF_F32, .rank = 2, .dim = {1797, CF_PIXELS}};
    struct cf_digits d;
    struct cf_split s;
    char *text, *sentence;

    cf_digits_load(&d);
    cf_tensor_alloc(&images);
    cf_split_make(&s, &d, 80, 0);
    cf_data_statistics_of(&before, &d, &images, s.train, s.n_train);
    d.pixels[s.train[5] * CF_PIXELS + 20] = d.pixels[s.train[5] * CF_PIXELS + 20] == 0;
    text = print_rows(&d, d.n, 0);
    cf_digits_free(&d);
    parse(&d, text);
    cf_split_free(&s);
    cf_split_make(&s, &d, 80, 0);
    cf_data_statistics_of(&after, &d, &images, s.train, s.n_train);
    sentence = cf_data_statistics_compare("training", &before, &after);
    cr_expect(sentence != NULL, "a changed pixel went unseen");
    free(sentence);
    free(text);
    cf_tensor_free(&images);
    cf_split_free(&s);
    cf_digits_free(&d);
}
