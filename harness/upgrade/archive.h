/* archive: unpacks what a stranger packed. Every member is checked before anything of it is
 * written: a name that is absolute, has `..`, is empty or lies behind a link; a device, a socket or
 * a pipe; a set-user-id or set-group-id bit; a name that was there before; a link that leads out of
 * the folder; more than CF_ARCHIVE_MEMBERS members or CF_ARCHIVE_BYTES bytes. Files become 0644 or
 * 0755, whatever the archive says. On failure what was written stays: unpack into a folder that is
 * renamed when it is whole. */
#ifndef CF_ARCHIVE_H
#define CF_ARCHIVE_H

#include <stddef.h>

#include "error.h"

#define CF_ARCHIVE_MEMBERS 200000
#define CF_ARCHIVE_BYTES   (8ULL << 30)

/* A zip file (a wheel) in memory: stored or deflated members, CRC checked; no zip64, no encryption
 * (APPNOTE 6.3.3, sections 4.3.7, 4.3.12, 4.3.16). */
int cf_archive_unzip(const void *bytes, size_t n_bytes, const char *folder, struct cf_error *err);
/* A tar stream in memory: ustar, GNU long names, pax path and linkpath (POSIX.1-2008, pax).
 * Symbolic links are made when they are relative, without `..`; others are left out. */
int cf_archive_untar(const void *bytes, size_t n_bytes, const char *folder, struct cf_error *err);

/* The writing half, shared by the two formats. */
struct cf_unpacking {
    int root; /* descriptor of the folder */
    long n_members;
    unsigned long long n_bytes;
    struct cf_error *err;
};
int cf_unpacking_start(struct cf_unpacking *u, const char *folder, struct cf_error *err);
void cf_unpacking_stop(struct cf_unpacking *u);
/* Each 0, or -1 and a sentence that names the member. `mode`: permission bits and the three above.
 */
int cf_unpacking_folder(struct cf_unpacking *u, const char *name, unsigned mode);
int cf_unpacking_file(struct cf_unpacking *u, const char *name, unsigned mode, const void *bytes,
                      size_t n_bytes);
int cf_unpacking_link(struct cf_unpacking *u, const char *name, const char *target, int is_hard);
int cf_unpacking_refuse(struct cf_unpacking *u, const char *name, const char *why);

#endif
