/* tensorcore: what a tensor core computes, bit for bit, as parameters. d = c + sum over l of
 * a[l] * b[l] goes in blocks of `block` products, ascending in l (or descending); in each block all
 * products and c are exact, every term is aligned to the largest exponent among them and cut to
 * `fraction` bits below it, the cut terms are added as integers without normalisation, and the sum
 * is rounded to f32 with `kept` fraction bits: it is the next block's c. A unit that accumulates in
 * f16 rounds each block's sum to f16, to nearest even: its c is a number of f16, with f16's
 * exponent where it is subnormal, and sums from 65520 on are infinite (MMA-Sim).
 *
 * The exponent of a product is the sum of its factors' exponents (its significand may be up to 4),
 * that of a subnormal the smallest normal one; zeros have none. An infinity or NaN among the terms
 * decides as in IEEE 754-2019, section 6; a NaN is 0x7FFFFFFF.
 *
 * Parameters: Fasi, Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA tensor cores, PeerJ
 * Computer Science 7:e330, 2021 (V100, A100, T4); Khattak and Mikaitis, Generalized methodology for
 * determining numerical features of hardware floating-point matrix multipliers, arXiv 2512.07004,
 * 2025 (all others, and the floor of exponents); Xie et al., MMA-Sim, arXiv 2511.10909, 2025. */
#ifndef CF_TENSORCORE_H
#define CF_TENSORCORE_H

#include <stdint.h>

/* How operands are held. `f64` and `f32` stand for chains of IEEE fma. */
enum cf_tc_type { CF_TC_F16, CF_TC_BF16, CF_TC_TF32, CF_TC_E4M3, CF_TC_E5M2, CF_TC_F32, CF_TC_F64 };
#define CF_TC_N_TYPES 7
const char *cf_tc_type_name(enum cf_tc_type type); /* "f16", "bf16", "tf32", "e4m3", ... */
int cf_tc_type_parse(const char *name, enum cf_tc_type *type); /* 0, or -1 */

/* Exponents of the smallest normal and the smallest subnormal number of a type; of the largest. */
int cf_tc_e_min(enum cf_tc_type type);
int cf_tc_e_tiny(enum cf_tc_type type);
int cf_tc_e_max(enum cf_tc_type type);

#define CF_TC_NO_FLOOR (-100000)

struct cf_tc_parameters {
    int block;    /* products that are added at once with c; 1 with `chain`: one fma each */
    int chain;    /* every product is one IEEE fma; nothing below but `descending` has a meaning */
    int fraction; /* bits kept below the largest exponent, F; 8 to 40 */
    int nearest;  /* are aligned terms rounded to nearest, ties to even, or cut? */
    int even;     /* is the sum rounded to nearest, ties to even, or toward zero? */
    int kept;     /* fraction bits of the result: 23; 13 (e8m13); or 10: c and the result are f16 */
    int flush_in; /* are subnormal operands taken as zero? */
    int flush_out;  /* are subnormal results zero? */
    int descending; /* do blocks go from the last to the first? */
    int floor;      /* no terms are aligned to an exponent below this; CF_TC_NO_FLOOR */
};

struct cf_tensorcore {
    const char *device; /* "v100", "a100", "h100", "h200", "b200", "ieee" */
    enum cf_tc_type type;
    struct cf_tc_parameters parameters;
    const char *source;
};

extern const struct cf_tensorcore cf_tensorcores[]; /* ended by device NULL */
/* The row of a device and type that accumulates in f32 (f64 for f64), or NULL. */
const struct cf_tensorcore *cf_tensorcore_find(const char *device, enum cf_tc_type type);
/* The row that holds f16 operands and accumulates in f16, or NULL. */
const struct cf_tensorcore *cf_tensorcore_find_half(const char *device);
int cf_tensorcore_knows(const char *device); /* is there any row of it? */

/* An operand taken apart: value = significand * 2^(exponent - fraction bits of its type). */
struct cf_tc_operand {
    int32_t significand; /* signed; 0: zero */
    int32_t exponent;    /* or one of the two below */
};
#define CF_TC_INFINITE INT32_MAX /* the sign is that of the significand */
#define CF_TC_NAN      (INT32_MAX - 1)

/* A float in a type: rounded to nearest even where it does not fit, which is how libraries prepare
 * operands; tf32 drops the low 13 bits, as the hardware does. Beyond the largest: f16 and e5m2
 * become infinite, e4m3, which has no infinity, the largest (as cvt.rn.satfinite does). */
struct cf_tc_operand cf_tc_take(float x, enum cf_tc_type type, int flush);

/* c + the dot product of n operands each. */
float cf_tc_dot(const struct cf_tc_parameters *parameters, enum cf_tc_type type, float c,
                const struct cf_tc_operand a[], const struct cf_tc_operand b[], int64_t n);
/* The same in double, as a chain of fma: FP64 tensor cores (DMMA). */
double cf_tc_dot_f64(const struct cf_tc_parameters *parameters, double c, const double a[],
                     const double b[], int64_t n);

#endif
