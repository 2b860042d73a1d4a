/* adapter_check_internal: what the files of the conformance test share; nobody else includes it. */
#ifndef CF_ADAPTER_CHECK_INTERNAL_H
#define CF_ADAPTER_CHECK_INTERNAL_H

#include "adapter_check.h"
#include "adapter_process.h"
#include "reference.h"

struct checking {
    const char *const *argv;
    int timeout_ms;
    struct cf_adapter_process p;
    char *folder;
    char *case_text; /* of an op that it offers; NULL: none is known here */
    int greeted;     /* it said hello */
    int one_shot;    /* it says that it can be started for one case */
    int64_t id;
    struct cf_adapter_check *check;
};

/* Why a check does not pass. Returns -1. */
int cf_checking_fail(struct checking *k, const char *reason);

/* The case that is asked for, with its files in the folder. */
struct asking {
    struct cf_case c;
    const struct cf_op *op;
    struct cf_tensor in[CF_OPERANDS_MAX], out[CF_OPERANDS_MAX];
    char *in_path, *out_path, *text;
};

/* A request to run the chosen case; odd: for outputs of a shape that it cannot have. -1: it failed.
 */
int cf_asking_prepare(struct checking *k, struct asking *a, int odd);
/* Is this reply of the form, type, shape and accuracy that the op has? 0; -1: it failed. */
int cf_asking_judge(struct checking *k, const struct asking *a, const char *line);
void cf_asking_free(struct asking *a);

#endif
