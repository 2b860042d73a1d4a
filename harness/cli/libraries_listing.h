/* libraries_listing: what can be fetched, and what is here. */
#ifndef CF_LIBRARIES_LISTING_H
#define CF_LIBRARIES_LISTING_H

#include "options.h"

int cf_list_libraries(const struct cf_options *options, struct cf_error *err);

#endif
