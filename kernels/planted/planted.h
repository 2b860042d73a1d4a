/* planted: the backend's own words. */
#ifndef CF_PLANTED_H
#define CF_PLANTED_H

#include "kernel.h"

extern const struct cf_backend cf_backend_planted;

#endif
