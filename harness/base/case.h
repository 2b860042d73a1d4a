/* case: op + dtype + dims + options + fill + seed. Its canonical text is its identity, its log line
 * and the first half of its replay line: `gemm f32 m=8 n=8 k=1024 fill=normal seed=1`. */
#ifndef CF_CASE_H
#define CF_CASE_H

#include "pairs.h"
#include "tensor.h"

/* What a case line may say: filled from the op's file (reference.h). `dims` are integer keys that
 * must be there, in canonical order ("m n k"); `options` are keys that may be there, with their
 * defaults
 * ("stride=1 layout=nchw"); a default is never printed, but fill= and
 * seed= always are. */
struct cf_grammar {
    const char *op, *dims, *options;
};

struct cf_case {
    char *text; /* canonical, owned */
    struct cf_pairs keys;
    const char *op, *fill; /* into keys */
    enum cf_dtype dtype;
    uint64_t seed;
};

/* Parses one line (no braces). `grammar` gives the grammar of an op's name or NULL. Keys that every
 * case may carry beside the op's: fill= (default uniform), seed= (default 1), and the variants
 * row=I, rowperm=P, col=I, colperm=P (see cf_axis in reference.h). A number is
 * printed in one spelling whatever it was written in (m=007, lr=1E-3: m=7, lr=0.001). Parse after
 * print is the identity. The caller frees. */
int cf_case_parse(struct cf_case *c, const char *line,
                  const struct cf_grammar *(*grammar)(const char *op), struct cf_error *err);
void cf_case_free(struct cf_case *c);
/* The canonical text of a line, or the line as it is when it does not parse: a store may have been
 * written when a number had more than one spelling. The caller frees. */
char *cf_case_canonical(const char *line, const struct cf_grammar *(*grammar)(const char *op));

/* A dim or integer option; aborts when the op's grammar does not have it and no default says its
 * value. */
int64_t cf_case_int(const struct cf_case *c, const char *key, int64_t fallback);
/* A word option or `fallback`. */
const char *cf_case_word(const struct cf_case *c, const char *key, const char *fallback);

/* The text without its seed= and variant keys: the cell that the case belongs to. The caller frees.
 */
char *cf_case_cell(const struct cf_case *c);
/* The text without its variant keys and without layout=, which says how a kernel holds the same
 * elements: the case whose elements it computes again. The caller frees. */
char *cf_case_base(const struct cf_case *c);

#endif
