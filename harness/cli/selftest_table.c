/* What the instrument must see, and what it must not: the tables of the specification as data.
 * A row promises something only where the specification gives it a power of at least 0.95. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "selftest.h"

const char *const cf_selftest_columns[CF_SELFTEST_N][CF_SELFTEST_COLUMNS + 1] = {
    [CF_SELFTEST_TRAINING] = {"bits", "equivalence", "quality", "attribution", NULL},
    [CF_SELFTEST_CLAIMS] = {"equivalence", "claims", "quality", NULL},
    [CF_SELFTEST_SUMS] = {"bits", "S1", "S3", "S4", "S5", NULL},
    [CF_SELFTEST_FLIPS] = {"bits", "S1", "S3", "S4", "S5", NULL}};

const char *const cf_selftest_orders[] = {
    "plain kernel=pairwise", "plain kernel=reverse", "plain kernel=lanes4",
    "plain kernel=lanes8",   "plain kernel=lanes16", "plain kernel=fma",
    "plain kernel=kahan",    "plain kernel=canon",   NULL};

const char *const cf_selftest_twins[] = {"plain kernel=planted:nudged-1",
                                         "plain kernel=planted:nudged-2",
                                         "plain kernel=planted:nudged-3",
                                         "plain kernel=planted:nudged-4",
                                         "plain kernel=planted:nudged-5",
                                         "plain kernel=planted:nudged-6",
                                         "plain kernel=planted:nudged-7",
                                         "plain kernel=planted:nudged-8",
                                         "plain kernel=planted:nudged-9",
                                         "plain kernel=planted:nudged-10",
                                         "plain kernel=planted:nudged-11",
                                         "plain kernel=planted:nudged-12",
                                         NULL};

/* Columns: bits, equivalence, quality, attribution. In the fast form the runs are short, and what a
 * short run makes of a bug's size is not in the specification: only the bits, the attribution and
 * the grossest and the smallest bugs are promised there. */
struct training_row {
    const char *bug, *kernel;
    const char *fast_logreg, *fast_mlp; /* NULL: not run */
    const char *logreg, *mlp;
    const char *source;
};

#define TABLE "14, planted bugs, training"

static const struct training_row training_rows[] = {
    {"nothing: a copy of the baseline", "planted:unchanged", "opor", "opor", "opor", "opor",
     "5, identity"},
    {"nothing: the weights 1 ulp off", "planted:nudged-13", "fpor", "fpor", "fpor", "fpor", TABLE},
    {"nothing: another order of sums", "pairwise", "fpor", "fpor", "fpor", "fpor", TABLE},
    {"another stream of order and masks", "planted:hidden-other-stream", "f..n", "f..n", "fp.n",
     "fp.n", TABLE},
    {"products with tf32 inputs", "tf32", "fp.n", "fp.n", "fp.n", "fp.n", TABLE},
    {"products with bf16 inputs", "bf16", "fp.n", "fp.n", "fp.n", "fp.n", TABLE},
    {"learning rate +0.1 %", "planted:rate-by-1.001", "fp.n", "fp.n", "fp.n", "fp.n", TABLE},
    {"learning rate +1 %", "planted:rate-by-1.01", "f..n", "f..n", "fp.n", "fp.n", TABLE},
    {"learning rate +10 %", "planted:rate-by-1.1", "f..n", "f..n", "ff.n", "ff.n", TABLE},
    {"learning rate halved", "planted:rate-by-0.5", "ff.n", "ff.n", "ff.n", "ff.n", TABLE},
    {"last batch of an epoch dropped", "planted:hidden-batch-dropped", "f..n", "f..n", "f..n",
     "fp.n", TABLE},
    {"wrong mean of the last batch", "planted:hidden-wrong-mean", "f..n", "f..n", "fp.n", "fp.n",
     TABLE},
    {"first sample lost", "planted:hidden-first-lost", "f..n", "f..n", "fp.n", "fp.n", TABLE},
    {"no reshuffling", "planted:hidden-no-reshuffle", "f..n", "f..n", "fp.n", "fp.n", TABLE},
    {"no weight decay", "planted:no-decay", "fp.n", "fp.n", "fp.n", "fp.n", TABLE},
    {"1 update of 100 lost", "planted:lost-1-of-100", "f..n", "f..n", "fp.n", "fp.n", TABLE},
    {"1 update of 10 lost", "planted:lost-1-of-10", "f..n", "f..n", "ff.n", "ff.n", TABLE},
    {"stale gradient", "planted:stale-gradient", "f..n", "f..n", "fp.n", "fp.n", TABLE},
    {"biases not trained", "planted:bias-not-trained", "f..n", "f..n", "fo.n", "fp.n", TABLE},
    {"1 % of the labels wrong", "planted:hidden-labels-1", "f..n", "f..n", "ff.n", "fd.n",
     "14, planted bugs, training; in this mlp 1.06 sigma and not 1.2, between the two margins"},
    {"initial weights 5 % larger", "planted:init-1.05", "f..n", "f..n", "fp.n", "f..n", TABLE},
    {"an exponent bit flips in a weight", "planted:flipped-24", "fp.n", "fp.n", "fp.n", "fp.n",
     TABLE},
    {"significand bit 12 flips in a weight", "planted:flipped-12", "fp..", "fp..", "fp..", "fp..",
     TABLE},
    {"Adam without bias correction", "planted:no-bias-correction", NULL, "ff.n", NULL, "ff.n",
     TABLE},
    {"Adam, beta2 0.99", "planted:beta2-0.99", NULL, "f..n", NULL, "ff.n", TABLE},
    {"Adam, epsilon 1e-4", "planted:epsilon-1e-4", NULL, "f..n", NULL, "fp.n", TABLE},
    {"dropout not scaled", "planted:dropout-unscaled", NULL, "f..n", NULL, "ff.n", TABLE},
    {"momentum 0.8", "planted:momentum-0.8", "f..n", "f..n", "f..n", "f..n", TABLE},
    {"learning rate doubled", "planted:rate-by-2", "ff.n", "ff.n", "ff.n", "ff.n",
     "10 times a bug that fails"},
    {"stopped at nine tenths", "planted:early-stop", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"one update applied twice", "planted:applied-twice", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"no momentum", "planted:no-momentum", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"gradient not cleared", "planted:not-cleared", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"gradients sent in bf16", "planted:gradient-bf16", "fp.n", "fp.n", "fp.n", "fp.n",
     "not rounding by construction"},
    {"1 update of 50 skipped (overflow)", "planted:overflowed", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"a block of weights not trained", "planted:block-not-trained", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"one gradient with the wrong sign", "planted:one-sign", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"initial weights read as bf16", "planted:init-bf16", "fp.n", "fp.n", "fp.n", "fp.n",
     "not rounding by construction"},
    {"the same initial weights for all seeds", "planted:same-init", "f..n", "f..n", "f..n", "f..n",
     "not rounding by construction"},
    {"masks of the batch before", "planted:hidden-stale-masks", NULL, "f..n", NULL, "f..n",
     "not rounding by construction"},
    {"last batch dropped, and said so", "planted:batch-dropped", "fsss", "fsss", "fsss", "fsss",
     "1, digests differ"},
    {"no reshuffling, and said so", "planted:no-reshuffle", "fsss", "fsss", "fsss", "fsss",
     "1, digests differ"},
    {"1 % of the labels wrong, and said so", "planted:wrong-labels", "fsss", "fsss", "fsss", "fsss",
     "1, digests differ"},
    {"a loss reported 10 % too low", "planted:flattered", "ff.r", "fd.r", "ff.r", "ff.r",
     "6, a shift beyond the margin; 10, equal weights"},
    {"a loss that is not a number", "planted:not-finite", "fff.", "fff.", "fff.", "fff.",
     "6, gate F"},
    {"a loss that is not a number in half the runs", "planted:sometimes-nan", "fdf.", "fdf.",
     "fff.", "fff.", "6, gate F"}};

/* Columns: equivalence, claims (with their floor of quality), quality. The accuracy of SGD without
 * dropout varies so much that this cell is not eligible for the functional level (section 8, N4):
 * quality may stay unknown there. In the specification's example SGD is ahead of Adam, so that Adam
 * without bias correction, which learns faster, contradicts; here Adam is ahead, and stays so. */
static const struct {
    const char *bug, *kernel, *expected;
} claim_rows[] = {{"nothing: the weights 1 ulp off", "planted:nudged-1", "ppo"},
                  {"products with tf32 inputs", "tf32", ".po"},
                  {"products with bf16 inputs", "bf16", ".po"},
                  {"last batch of an epoch dropped", "planted:hidden-batch-dropped", ".po"},
                  {"no reshuffling", "planted:hidden-no-reshuffle", ".po"},
                  {"learning rate +10 %", "planted:rate-by-1.1", "fpo"},
                  {"Adam without bias correction", "planted:no-bias-correction", "fpo"},
                  {"learning rate halved", "planted:rate-by-0.5", "fff"},
                  {"dropout not scaled", "planted:dropout-unscaled", "fff"},
                  {"5 % of the labels wrong", "planted:hidden-labels-5", "fff"}};

/* The table's tensor core truncates after 32 products (its ratios say so); blocks of four, as the
 * first ones have, truncate eight times as often.
 * Of 1280 outputs a cell (160 at 2^18): what the table's rates make at least one violation of, or
 * none, with a probability of 0.95. integer: S1; normal and uniform: bits, S3, S4, S5. */
static const struct {
    const char *kernel;
    int n;
    const char *integer, *normal, *uniform;
} sum_rows[] = {{"last-dropped", 64, "f", "ff..", "ff.."},
                {"last-dropped", 1024, "f", "ffff", "ffff"},
                {"last-dropped", 16384, "f", "fpff", "fpff"},
                {"last-dropped", 262144, "f", "fppf", "fppp"},
                {"one-twice", 64, "f", "ff..", "ff.."},
                {"one-twice", 1024, "f", "ffff", "ffff"},
                {"one-twice", 16384, "f", "fpff", "fpff"},
                {"one-twice", 262144, "f", "fppf", "fppp"},
                {"tf32-inputs", 64, "p", "ffff", "ffff"},
                {"tf32-inputs", 1024, "p", "f.ff", "f.ff"},
                {"tf32-inputs", 16384, "p", "fppf", "fpp."},
                {"tf32-inputs", 262144, "p", "fppf", "fppp"},
                {"bf16-inputs", 64, "p", "ff..", "ff.."},
                {"bf16-inputs", 1024, "p", "fff.", "fff."},
                {"bf16-inputs", 16384, "p", "f.ff", "f.ff"},
                {"bf16-inputs", 262144, "p", "f...", "f..."},
                {"truncating", 64, "p", "fp.f", "fp.f"},
                {"truncating", 1024, "p", "fp.f", "fpff"},
                {"truncating", 16384, "p", "fp.f", "fpff"},
                {"truncating", 262144, "p", "fp..", "fpf."},
                {"block32-truncating", 64, "p", "fppp", "fppp"},
                {"block32-truncating", 1024, "p", "fppp", "fppp"},
                {"block32-truncating", 16384, "p", "fppf", "fppf"},
                {"block32-truncating", 262144, "p", "fppf", "fppf"},
                {"block-truncating", 64, "p", "fpp.", "fpp."},
                {"block-truncating", 1024, "p", "fp.f", "fp.f"},
                {"block-truncating", 16384, "p", "fp.f", "fp.f"},
                {"block-truncating", 262144, "p", "fp..", "fp.."},
                {"scaled-8u", 64, "f", "fppf", "fppf"},
                {"scaled-8u", 1024, "f", "fpp.", "fpp."},
                {"scaled-8u", 16384, "f", "fppp", "fppp"},
                {"scaled-8u", 262144, "f", "fpp.", "fpp."},
                {"scaled-2u", 64, "f", "fpp.", "fpp."},
                {"scaled-2u", 1024, "f", "fppp", "fppp"},
                {"scaled-2u", 16384, "f", "fppp", "fppp"},
                {"scaled-2u", 262144, "f", "fppp", "fppp"},
                {"spilled", 64, "p", "oppp", "oppp"},
                {"spilled", 1024, "f", "f..f", "f..f"},
                {"spilled", 16384, "f", "f..f", "f..f"},
                {"spilled", 262144, "f", "f..f", "f..f"},
                {"bf16-accumulator", 64, "f", "ffff", "ffff"},
                {"bf16-accumulator", 1024, "f", "ffff", "ffff"},
                {"bf16-accumulator", 16384, "f", "ffff", "f.ff"},
                {"bf16-accumulator", 262144, "f", "fpff", "ffff"}};

/* A column of a form: an expectation a cell. */
static void give(struct cf_expectation *e, const char *cell, const char *letters,
                 void (*each)(void *, const struct cf_expectation *), void *context)
{
    if (!letters)
        return;
    e->cell = cell;
    snprintf(e->expected, sizeof e->expected, "%s", letters);
    each(context, e);
}

static void each_training(int full, void (*each)(void *, const struct cf_expectation *),
                          void *context)
{
    for (int i = 0; i < CF_COUNT(training_rows); ++i) {
        const struct training_row *row = &training_rows[i];
        char *configuration = cf_format("plain kernel=%s", row->kernel);
        struct cf_expectation e = {.kind = CF_SELFTEST_TRAINING,
                                   .bug = row->bug,
                                   .configuration = configuration,
                                   .source = row->source};

        give(&e, "logreg", full ? row->logreg : row->fast_logreg, each, context);
        give(&e, "mlp", full ? row->mlp : row->fast_mlp, each, context);
        free(configuration);
    }
}

static void each_claim(void (*each)(void *, const struct cf_expectation *), void *context)
{
    for (int i = 0; i < CF_COUNT(claim_rows); ++i) {
        char *configuration = cf_format("plain kernel=%s", claim_rows[i].kernel);
        struct cf_expectation e = {.kind = CF_SELFTEST_CLAIMS,
                                   .bug = claim_rows[i].bug,
                                   .configuration = configuration,
                                   .source = "7, table"};

        give(&e, "training", claim_rows[i].expected, each, context);
        free(configuration);
    }
}

static void each_sum(int full, void (*each)(void *, const struct cf_expectation *), void *context)
{
    for (int i = 0; i < CF_COUNT(sum_rows); ++i) {
        char *configuration = cf_format("planted kernel=%s", sum_rows[i].kernel);
        struct cf_expectation e = {.kind = CF_SELFTEST_SUMS,
                                   .bug = sum_rows[i].kernel,
                                   .configuration = configuration,
                                   .source = "14, planted bugs, operators"};
        const char *letters[3] = {sum_rows[i].integer, sum_rows[i].normal, sum_rows[i].uniform};
        static const char *const fills[3] = {"integer", "normal", "uniform"};

        for (int f = 0; f < 3 && (full || sum_rows[i].n <= 1024); ++f) {
            const char *l = letters[f];
            char *cell = cf_format("n=%d %s", sum_rows[i].n, fills[f]), all[8];

            snprintf(all, sizeof all, f == 0 ? ".%.1s..." : "%.1s.%s", l, l + 1);
            give(&e, cell, all, each, context);
            free(cell);
        }
        free(configuration);
    }
}

/* A bit of one of 64 outputs. On integers every flip is an error. On positive terms, n = 64, a flip
 * of significand bit b moves the sum by 2^b to 2^(b+1) units u S; the bounds S3 and S4 are 64 and
 * 66 units, rounding itself makes fewer than 10; S5 compares with the noise of 64 outputs. */
static void each_flip(void (*each)(void *, const struct cf_expectation *), void *context)
{
    for (int bit = 0; bit < 32; ++bit) {
        char *configuration = cf_format("planted kernel=flipped-%d", bit);
        char *bug = cf_format("bit %d flips in one output", bit), letters[8];
        struct cf_expectation e = {.kind = CF_SELFTEST_FLIPS,
                                   .bug = bug,
                                   .configuration = configuration,
                                   .source = "5, S1, S3, S4 and S5 at n = 64"};
        const char bound = bit >= 7 ? 'f' : bit <= 4 ? 'p' : '.';
        const char noise = bit >= 7 ? 'f' : bit <= 2 ? 'p' : '.';

        give(&e, "n=64 integer", "ff...", each, context);
        snprintf(letters, sizeof letters, "f.%c%c%c", bound, bound, noise);
        give(&e, "n=64 uniform", letters, each, context);
        free(configuration);
        free(bug);
    }
}

void cf_selftest_each(enum cf_selftest_kind kind, int full,
                      void (*each)(void *, const struct cf_expectation *), void *context)
{
    if (kind == CF_SELFTEST_TRAINING)
        each_training(full, each, context);
    if (kind == CF_SELFTEST_CLAIMS && full)
        each_claim(each, context);
    if (kind == CF_SELFTEST_SUMS)
        each_sum(full, each, context);
    if (kind == CF_SELFTEST_FLIPS)
        each_flip(each, context);
}
