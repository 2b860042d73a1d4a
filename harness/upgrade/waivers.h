/* waivers: changes that somebody answers for, for a while: a JSON array of
 *   {"case": GLOB, "owner": WHO, "reason": WHY, "expires": "YYYY-MM-DD", "digest": "xxh3:..."}
 * The digest is that of the new answer of the one case that the glob matches, or, for several, that
 * of their lines "CASE DIGEST\n" in the order of the gate. All five must be there. */
#ifndef CF_WAIVERS_H
#define CF_WAIVERS_H

#include "record.h"
#include "error.h"

struct cf_waiver {
    char *glob, *owner, *reason, *expires; /* owned */
    struct cf_digest digest;
};

struct cf_waivers {
    int n;
    struct cf_waiver *waiver;
};

/* -1 and a sentence (exit 2) that names the file and the entry. */
int cf_waivers_read(struct cf_waivers *waivers, const char *path, struct cf_error *err);
void cf_waivers_free(struct cf_waivers *waivers);

/* The first waiver whose glob matches the case, or -1. */
int cf_waivers_find(const struct cf_waivers *waivers, const char *case_text);

/* A waived change is one whose waiver is in force on `today` ("YYYY-MM-DD") for exactly these
 * answers. `text`, `digest`: the n failing cases that it matches and their new answers. Returns 1;
 * or 0 with the reason why it does not hold. */
int cf_waiver_holds(const struct cf_waiver *waiver, const char *today, const char *const text[],
                    const struct cf_digest digest[], int n, char reason[300]);
/* The digest that a waiver of these answers has to name. */
struct cf_digest cf_waiver_digest(const char *const text[], const struct cf_digest digest[], int n);

#endif
