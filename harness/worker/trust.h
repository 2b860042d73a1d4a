/* trust: may others put another file in a library's place? Loading one runs its code as this user.
 */
#ifndef CF_TRUST_H
#define CF_TRUST_H

#include "error.h"

/* 0, or -1 and a sentence that names what can be written by others: the file, or a folder on its
 * way or on the way to what its links lead to. A folder with the sticky bit keeps others from
 * replacing what is not theirs; a group of its owner's own, or root's, is no others. What is not
 * there, or no absolute path, is left to whoever opens it. */
int cf_trust_path(const char *path, struct cf_error *err);

#endif
