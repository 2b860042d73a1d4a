/* The section of the price of determinism, in the report for people. */
#include <stdlib.h>

#include "support_text.h"

#define ROWS_MAX 12 /* the other formats have all */

static void put_row(FILE *out, const struct cf_page *page, const struct cf_findings *f,
                    const struct cf_price_finding *price)
{
    char *line = cf_format(
        "%.2f (%.2f to %.2f in %d round%s, %d case%s) times %s, %s", price->middle, price->low,
        price->high, price->n_rounds, price->n_rounds == 1 ? "" : "s", price->n_cases,
        price->n_cases == 1 ? "" : "s", f->configurations[price->other].label,
        price->n_different > 0 ? "whose bits were seen to differ from run to run"
                               : "whose bits are documented to differ from run to run");

    fputs("  ", out);
    cf_text_wrap(out, page, f->configurations[price->configuration].label, 2, 4);
    fprintf(out, "    %s: ", price->suite);
    cf_text_wrap(out, page, line, 6 + cf_text_width(price->suite), 6);
    free(line);
}

void cf_text_prices(FILE *out, const struct cf_page *page, const struct cf_findings *f)
{
    if (f->n_prices == 0)
        return;
    putc('\n', out);
    cf_text_paint(out, page, CF_BOLD,
                  "Price of determinism: time of what repeats its bits, over the fastest like it "
                  "that does not",
                  0);
    putc('\n', out);
    for (int i = 0; i < f->n_prices && i < ROWS_MAX; ++i)
        put_row(out, page, f, &f->prices[i]);
    if (f->n_prices > ROWS_MAX)
        fprintf(out, "    %d more are in the other formats (--json, --html)\n",
                f->n_prices - ROWS_MAX);
}
