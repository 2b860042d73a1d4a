/* promises_listing: what vendors document of equal bits, and where. */
#ifndef CF_PROMISES_LISTING_H
#define CF_PROMISES_LISTING_H

#include "options.h"

int cf_list_promises(const struct cf_options *options, struct cf_error *err);

#endif
