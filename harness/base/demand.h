/* demand: level x scope x case; verdict: what evidence says of a demand. */
#ifndef CF_DEMAND_H
#define CF_DEMAND_H

/* Ordered: a larger number is a stronger promise. The numbers are part of the store's format. */
enum cf_level { CF_NONE, CF_FUNCTIONAL, CF_SCIENTIFIC, CF_STATISTICAL, CF_NUMERICAL, CF_N_LEVELS };

/* Only CF_PASS is a pass. CF_UNKNOWN: not enough evidence. CF_SKIP: the comparison has no meaning.
 */
enum cf_verdict { CF_PASS, CF_FAIL, CF_UNKNOWN, CF_SKIP, CF_N_VERDICTS };

/* What was free to differ between the two sides. CF_TO_BASELINE: any key; CF_TO_REFERENCE: the
 * exact answer. */
enum cf_scope {
    CF_ACROSS_RUN,       /* the same configuration again: repeats and fresh processes */
    CF_ACROSS_THREAD,    /* threads= */
    CF_ACROSS_BATCH,     /* the same element computed alone or inside a larger problem */
    CF_ACROSS_POSITION,  /* rows or columns permuted */
    CF_ACROSS_ALIGNMENT, /* align= */
    CF_ACROSS_ISA,       /* coretype=, isa= */
    CF_ACROSS_LAYOUT,    /* layout= of a case */
    CF_ACROSS_VERSION,   /* lib=, same library, another version */
    CF_ACROSS_LIBRARY,   /* lib=, backend or kernel= */
    CF_ACROSS_DEVICE,    /* device= */
    CF_TO_BASELINE,
    CF_TO_REFERENCE,
    CF_N_SCOPES
};

const char *cf_level_name(enum cf_level level);        /* "numerical" ... "none" */
int cf_level_parse(const char *name, enum cf_level *); /* 0, or -1 */
const char *cf_verdict_name(enum cf_verdict verdict);  /* "pass" ... */
const char *cf_scope_name(enum cf_scope scope);        /* "run" ... "baseline", "reference" */
int cf_scope_parse(const char *name, enum cf_scope *); /* 0, or -1 */

struct cf_demand {
    enum cf_level level;
    enum cf_scope scope;
};

#endif
