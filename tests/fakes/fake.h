/* fake: what the fakes of GPU libraries share. They compute on the host and lie as the environment
 * says: FAKE_GPU="no-device" and so on; each library names its lies. */
#ifndef CF_FAKE_H
#define CF_FAKE_H

#include <stdlib.h>
#include <string.h>

/* Is this the lie that was asked for? */
static inline int fake_lies(const char *lie)
{
    const char *asked = getenv("FAKE_GPU");

    return asked && strcmp(asked, lie) == 0;
}

/* The prototypes are those of the vendors' headers, which are not needed here. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define EXPORT __attribute__((visibility("default")))

#endif
