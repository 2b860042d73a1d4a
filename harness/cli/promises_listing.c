#include "promises_listing.h"

#include <stdlib.h>

#include "listing.h"
#include "promises.h"

int cf_list_promises(const struct cf_options *options, struct cf_error *err)
{
    struct cf_listing rows = {.column = {"promise", "along", "bits", "says"}};
    struct cf_promises promises;
    int result;

    cf_promises_load(&promises);
    for (int i = 0; i < promises.n; ++i) {
        const struct cf_promise *p = &promises.promise[i];
        char *says = cf_format("%s (%s %s, %s)", p->says, p->document, p->version, p->section);

        cf_listing_add(&rows, p->id, cf_scope_name(p->scope), cf_promised_name(p->promised), says);
        free(says);
    }
    result = cf_listing_print(&rows, options, 1, err);
    cf_listing_free(&rows);
    cf_promises_free(&promises);
    return result;
}
