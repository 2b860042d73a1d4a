/* whole_print: what a whole range came to, in words and for programs. */
#ifndef CF_WHOLE_PRINT_H
#define CF_WHOLE_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "whole.h"

/* What an upgrade does to one function, or how one library alone stands to the bound of the op. */
enum cf_whole_verdict {
    CF_WHOLE_SAME,      /* all bits */
    CF_WHOLE_IMPROVED,  /* other bits; more of them become right than wrong, beyond chance */
    CF_WHOLE_CHANGED,   /* neither */
    CF_WHOLE_REGRESSED, /* more of them become wrong, beyond chance, or the worst is
                           beyond the bound and farther than before */
    CF_WHOLE_WRONG,     /* one side alone: an answer beyond the bound */
    CF_WHOLE_WITHIN     /* one side alone: none */
};
enum cf_whole_verdict cf_whole_decide(const struct cf_whole_result *result,
                                      const struct cf_whole_order *order);

/* The largest error that the op allows, in units in the last place. */
double cf_whole_allowed(const struct cf_op *op);

void cf_whole_print(FILE *out, const struct cf_whole_result *result,
                    const struct cf_whole_order *order);
/* The caller owns the reference. */
json_t *cf_whole_json(const struct cf_whole_result *result, const struct cf_whole_order *order);

#endif
