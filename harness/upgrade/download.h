/* download: one pinned file by the machine's own clients, into an empty folder; and folders. The
 * indexes are those that pip and apt are set up with: none is named here. */
#ifndef CF_DOWNLOAD_H
#define CF_DOWNLOAD_H

#include "libraries.h"

/* pip download with the hash required; for the pin's Python tag, not for the Python that runs. */
int cf_download_wheel(const struct cf_pin *pin, const char *folder, struct cf_error *err);
/* apt-get download from the pin's suite, through a private root of lists in the cache; signed by
 * Debian's archive keys. The machine's own lists and packages are left alone. */
int cf_download_deb(const struct cf_pin *pin, const char *folder, struct cf_error *err);

void cf_folder_remove(const char *path);
/* mkdir -p */
int cf_folder_make(const char *path, struct cf_error *err);
/* Where downloaded files are kept by digest; NULL and a sentence. The caller frees. */
char *cf_files_folder(struct cf_error *err);

#endif
