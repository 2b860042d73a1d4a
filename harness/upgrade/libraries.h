/* libraries: versions of libraries that `conform fetch` can bring without root: their pins
 * (data/libraries.tsv, part of the program) and the user's cache of unpacked ones. */
#ifndef CF_LIBRARIES_H
#define CF_LIBRARIES_H

#include "error.h"

/* One file to be had. Pins of one name belong together, in one folder; the first says `file`. */
struct cf_pin {
    const char *name;              /* "openblas-0.3.28" */
    const char *kind;              /* "wheel" or "deb" */
    const char *package, *version; /* as its index calls them */
    const char *from;              /* wheel: Python tag, "py3" or "cp311"; deb: the suite */
    const char *sha256;            /* of the file, in hexadecimal */
    const char *file;              /* what to open in the folder, a glob; "-": nothing */
};

struct cf_pins {
    int n;
    struct cf_pin *pin; /* owned */
    char *text;         /* that they point into; owned */
};

/* The pins of the program. */
void cf_pins_load(struct cf_pins *pins);
/* Pins of a table: tab-separated columns in the order of struct cf_pin, '#' lines are remarks. -1
 * and a sentence when a line has no seven columns. */
int cf_pins_parse(struct cf_pins *pins, const char *table, struct cf_error *err);
void cf_pins_free(struct cf_pins *pins);
/* The first pin of a name, or -1. */
int cf_pins_find(const struct cf_pins *pins, const char *name);

/* $XDG_CACHE_HOME/conform/libraries, else ~/.cache/conform/libraries; "" when there is no home. The
 * caller frees. */
char *cf_libraries_folder(void);
/* The folder of a name, when every pin of it is unpacked there; else NULL. The caller frees. */
char *cf_library_folder(const struct cf_pins *pins, const char *name);
/* The file of a name in that folder; NULL when it is not here. The caller frees. */
char *cf_library_file(const struct cf_pins *pins, const char *name);

/* The configuration that a fetched name stands for: its backend, lib= or command=, sysroot= where
 * the folder holds a C library of its own. `adapters`: the folder of the reference adapters. NULL
 * and a sentence when it is not here. The caller frees. */
char *cf_library_configuration(const struct cf_pins *pins, const char *name, const char *adapters,
                               struct cf_error *err);

/* Brings a name into the cache: each file downloaded by the machine's own pip or apt-get (nothing
 * is installed), its SHA-256 compared before anything is unpacked, the folder renamed into place
 * when it is whole. Done already: nothing happens. -1 and a sentence (exit 3: it cannot be had,
 * with the reason; exit 2: no such name). `say` (may be NULL) is told what goes on. */
int cf_library_fetch(const struct cf_pins *pins, const char *name, void (*say)(const char *),
                     struct cf_error *err);

/* The downloaded file of one pin in the cache, its SHA-256 right; -1 and a sentence. *path: owned
 * by the caller. */
int cf_pin_download(const struct cf_pin *pin, char **path, struct cf_error *err);

#endif
