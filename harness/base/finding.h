/* finding: the verdict on one demand (level x scope x group of cases) for one configuration, with
 * its witnesses and one sentence of reason; and findings: the whole judged document that every
 * report prints. It is a function of the store alone. All strings and arrays are owned by struct
 * cf_findings (cf_findings_free, judge.h). */
#ifndef CF_FINDING_H
#define CF_FINDING_H

#include "demand.h"
#include "chosen.h"
#include "promises.h"
#include "record.h"

/* One element of one record. Encodings are printed as hexadecimal floats ("-0x1.8p+1",
 * "nan:7ff8...", "inf"). */
struct cf_witness {
    int configuration; /* index into findings.configurations, or -1: none */
    int process, repetition;
    int64_t element; /* flat index in output `output` of the case */
    int output;
    char got[48];
    double error; /* abs(got - exact) / (u * scale); NaN when it has no meaning */
};

struct cf_finding {
    struct cf_demand demand;
    int configuration, other; /* judged; compared with (-1: the reference, or itself) */
    const char *suite;
    const char *group;     /* "dot f32": the op and type that the evidence was pooled over */
    const char *component; /* "bits", "S1" .. "S5", "F", ...: the gate that decided */
    enum cf_verdict verdict;
    double estimate, lower, upper,
        margin; /* NaN where they have no meaning; units said by `unit` */
    const char *unit, *margin_source;
    double p_pass, p_fail, q; /* of training: looks and components paid for; p_fail after Holm over
                                 configurations and cells; q of Benjamini and Hochberg among all
                                 that pass, for a list of them. NaN elsewhere */
    int64_t n_compared, n_different; /* comparisons (records or elements) and mismatches */
    int n_seeds, n_seeds_needed;     /* 0: has no meaning */
    int wrong;             /* a proven error (S1 or S3), printed as wrong beside any level */
    const char *case_text; /* the worst case, or NULL */
    char exact[48];        /* the exact value at the witness, or "" */
    struct cf_witness a, b;
    const char *reason; /* one sentence */
    /* A difference that the vendor documents: the promise that says so (promises.h); else NULL. */
    const struct cf_promise *documented;
};

/* A vendor's promise next to what was seen of it. */
enum cf_promise_state {
    CF_PROMISE_HOLDS,         /* what was seen is within what is documented */
    CF_PROMISE_VIOLATED,      /* the same bits were promised, and other bits were seen */
    CF_PROMISE_STRONGER,      /* the same bits were seen, and less was promised */
    CF_PROMISE_UNKNOWN,       /* no difference so far, in too few comparisons */
    CF_PROMISE_NOT_EXERCISED, /* nothing was compared along its scope */
    CF_N_PROMISE_STATES
};
const char *cf_promise_state_name(enum cf_promise_state state); /* "holds" ... "not-exercised" */

/* One promise, one configuration that it speaks of, one group. */
struct cf_promise_finding {
    const struct cf_promise *promise;
    int configuration;
    const char *family; /* of the configuration, as in cf_invariance_finding */
    const char *suite, *group;
    enum cf_promise_state state;
    int documented_difference; /* bits differ, and the vendor documents that they may */
    int64_t n_compared, n_different;
    const char *case_text; /* where bits differ, or NULL */
    const char *reason;    /* one sentence */
};

struct cf_configuration_finding {
    const char *text; /* canonical configuration */
    const char
        *label; /* short and unique within the run: "openblas-pthread 0.3.21 threads=2 Zen" */
    const char *requested, *effective; /* JSON objects, canonical (sorted keys) */
    int is_baseline, qualified;
    enum cf_level level;         /* against the baseline, minimum over groups */
    enum cf_verdict at_required; /* does it meet the level that was asked for? */
    int wrong;
    const char *reason; /* why no higher level; "" at numerical */
    int64_t n_fates[CF_N_FATES];
    double slowdown; /* median of (wall time / baseline's wall time) over cases; NaN unknown */
};

/* The level of one configuration in one suite and group, against the baseline. */
struct cf_cell_finding {
    int configuration;
    const char *suite, *group;
    enum cf_level level;
    enum cf_verdict verdict; /* at the required level */
    int wrong;
    const char *reason;
};

/* Invariance: how one library (a configuration less the scope's key) behaves when only the scope's
 * key differs. */
struct cf_invariance_finding {
    const char *family, *group; /* "openblas-pthread 0.3.21", "gemm f32" */
    enum cf_scope scope;
    enum cf_level level;
    enum cf_verdict
        verdict; /* pass at `level`; unknown: not enough evidence; skip: scope not exercised */
    int64_t n_compared, n_different;
    const char *reason;
};

/* Configurations that gave identical bits in every case of a group. class_of[i] is the class number
 * of configuration i, from 0 by first appearance, or -1 where it has no complete record. */
struct cf_class_finding {
    const char *suite, *group;
    int n_classes;
    const int *class_of;
};

struct cf_library_finding {
    const char *path, *sha256, *version;
};

struct cf_key_value {
    const char *key, *value;
};

/* One record, for tables. */
struct cf_record_finding {
    int configuration, process, repetition;
    const char *suite, *case_text;
    enum cf_fate fate;
    const struct cf_digest *digest; /* of all outputs; NULL unless it ran */
    int64_t wall_ns;                /* -1 unknown */
    const char *reason;
    const char *chosen; /* what the library chose to run (chosen.h), or "" */
};

/* One choice of a library (chosen.h) in one configuration and group. */
struct cf_chosen_finding {
    int configuration;
    const char *family, *suite, *group, *chosen; /* family: as in cf_invariance_finding */
    int n_cases;
    int64_t n_records;
    const char *case_text, *last_case; /* where it was seen first and last */
};

/* What a qualification says of one unit of a machine (one core with one set of instructions).
 * CF_UNIT_RETEST: it failed and did not fail again when it was asked again. */
enum cf_unit_state {
    CF_UNIT_PASS,
    CF_UNIT_FAIL,
    CF_UNIT_RETEST,
    CF_UNIT_NOT_MEASURED,
    CF_N_UNIT_STATES
};

/* Texts are "" where there is nothing to say. */
struct cf_unit_finding {
    const char *node, *name, *kernel; /* "", "core 3 (cpu 6)" or "gpu 0 (GPU-...)", "avx2" */
    enum cf_unit_state state;
    double n_checked, seconds; /* operations whose results were compared bit for bit; in how long */
    int64_t n_requests, n_different; /* n_requests 0: the unit has no such instructions */
    double time_to_fail_s;           /* from the start of the qualification; NaN: it did not fail */
    const char *case_text, *element, *expected, *got; /* where it failed first; encodings in hex */
    const char *reason;                               /* one sentence */
    /* Where the unit is, as the system counts; -1: it does not say. */
    int cpu, core, package, numa_node, thread;
    int64_t seed;     /* of the case that failed first, else of the last one asked; -1: none */
    int64_t n_again;  /* requests of the retest */
    double mhz;       /* of the CPU when the unit was asked last; NaN: it does not say */
    const char *ppin; /* the processor's serial number, or "" */
    int gpu;          /* of a GPU its number in the driver's list, -2: any; -1: it is none */
    const char *uuid; /* of a GPU; "" of a CPU, and of a GPU that cannot be opened */
    const char
        *sm; /* of a GPU: the multiprocessors on which all wrong blocks ran, "77, 78"; or "" */
};

/* What looks at a result and may see that it is wrong. CF_SEES_BITS: a digest, compared with the
 * golden one, or where there is none with the kernel's own of another run; S1 to S4: the gates of
 * docs/levels.md; CF_SEES_TOLERANCE: abs(got - exact) <= 1e-3 * abs(exact), for comparison. */
enum cf_sight {
    CF_SEES_BITS,
    CF_SEES_S1,
    CF_SEES_S2,
    CF_SEES_S3,
    CF_SEES_S4,
    CF_SEES_TOLERANCE,
    CF_N_SIGHTS
};

/* Bits that were flipped, one at a time, in one operand of one kernel on one case: in an output
 * after the kernel had run, or in an input that the kernel was then given. */
struct cf_flip_finding {
    const char *configuration, *case_text, *operand; /* "output 0", "input 1" */
    int n_bits,
        n_mantissa;  /* of an element; n_mantissa = n_bits for integers, which have no sign */
    int n_positions; /* elements in which each bit was flipped */
    int judged[CF_N_SIGHTS]; /* 1; 0: it has no opinion on this case; -1: it fails it unflipped */
    uint64_t always[CF_N_SIGHTS];  /* bit b: each flip of bit b was caught */
    int64_t n_caught[CF_N_SIGHTS]; /* of n_bits * n_positions */
};

const char *cf_sight_name(enum cf_sight sight); /* "bits", "S1", ..., "1e-3" */

/* The lowest bit from which on, up to the highest of the exponent, each flip was caught; n_bits:
 * not even that one was; -1 unless judged is 1. */
int cf_flip_lowest(const struct cf_flip_finding *flip, enum cf_sight sight);
/* Was each flip of the sign caught? 1 for integers. */
int cf_flip_sign(const struct cf_flip_finding *flip, enum cf_sight sight);

/* What the same bits at every run cost: the time of a configuration that kept them, over that of
 * the fastest one of the same library, version, device and threads that did not, or is documented
 * not to. A round is what one process did in one repetition; those of all configurations take
 * turns. */
struct cf_price_finding {
    int configuration, other;
    const char *suite;
    int n_rounds, n_cases;
    double low, middle, high; /* least, median and greatest ratio of the rounds */
    int64_t n_compared;       /* comparisons of `configuration` across runs, all of the same bits */
    int64_t n_different;      /* of `other`; 0: not seen to differ */
    const struct cf_promise *documented; /* that `other` may differ, or NULL */
};

/* What a machine of a fleet did, next to the majority of the machines of its kind. */
enum cf_node_state {
    CF_NODE_AGREES,
    CF_NODE_OUTLIER,
    CF_NODE_NO_MAJORITY,
    CF_NODE_NOT_COMPARED,
    CF_N_NODE_STATES
};

struct cf_node_finding {
    const char *name, *kind; /* "n3"; what identical machines have in common */
    enum cf_node_state state;
    int64_t n_compared,
        n_different; /* (configuration, case) pairs; those that the majority lacks */
    const char *case_text, *configuration, *element, *expected, *got; /* the first difference */
    const char *reason;
};

/* How far the weights of training runs are, step by step: norm(w - true w) / norm(true w). Of a
 * configuration from the true trajectory (MPFR); or (configuration -1) of runs that differ by
 * rounding alone, twins of the baseline, from each other: the band that rounding explains. */
struct cf_curve_finding {
    const char *suite, *cell; /* a case without its seed */
    int configuration, n, n_seeds;
    const double *step, *low, *middle, *high; /* [n]: least, geometric mean and greatest of seeds */
};

const char *cf_unit_state_name(enum cf_unit_state state); /* "pass", ..., "not-measured" */
const char *cf_node_state_name(enum cf_node_state state); /* "agrees", ..., "not-compared" */

struct cf_findings {
    const char *tool_version, *command_line, *started, *finished; /* UTC, ISO 8601 */
    const char *sentence; /* the verdict of the run in one sentence */
    enum cf_level required;
    int exit_code;
    int n_anomalies; /* a level that passes while the next weaker one fails, cell by cell */
    int complete;    /* every planned request has a record */
    int64_t n_planned, n_recorded;
    int n_configurations, n_cells, n_findings, n_invariances, n_classes, n_libraries, n_environment,
        n_cases;
    struct cf_configuration_finding *configurations;
    struct cf_cell_finding *cells;
    struct cf_finding
        *findings; /* sorted: worst first, then by suite, group, scope, configuration */
    struct cf_invariance_finding *invariances;
    struct cf_class_finding *classes;
    struct cf_library_finding *libraries;
    int64_t n_records;
    const struct cf_record_finding *records; /* in the order case, configuration, process, ... */
    int n_units, n_nodes; /* 0 unless the store is of a qualification, or of a fleet */
    const struct cf_unit_finding *units;
    const struct cf_node_finding *nodes;
    int n_chosen;
    const struct cf_chosen_finding *chosen; /* in the order configuration, group, first appearance;
                                               empty where no library has said what it chose */
    int n_promises;
    const struct cf_promise_finding *promises; /* in the order promise, configuration, group */
    int n_prices;
    const struct cf_price_finding *prices; /* in the order suite, configuration */
    int64_t n_flips; /* operands in which bits were flipped; 0 unless that was asked for */
    const struct cf_flip_finding *flips; /* in the order case, operand, configuration */
    int n_curves; /* cell by cell, the twins' first; 0 unless the judge was asked to draw them */
    const struct cf_curve_finding *curves;
    const char *coverage; /* which units were exercised and which were not, or NULL */
    struct cf_key_value
        *environment; /* machine, CPU, microcode, kernel, libc, git commit, dirty, ... */
    const char **cases;
    int64_t n_verdicts[CF_N_VERDICTS], n_fates[CF_N_FATES];
    void *owner; /* the judge's memory */
};

/* The words that show a finding again: conform replay "CASE" "CONFIGURATION" [...]. The caller
 * frees. */
char *cf_finding_replay(const struct cf_findings *findings, const struct cf_finding *finding);

#endif
