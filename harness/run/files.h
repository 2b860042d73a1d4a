/* files: what is known of a file beside its name, and which files a process has mapped. */
#ifndef CF_FILES_H
#define CF_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* SHA-256 of everything in the open file, lower-case hexadecimal. 0, or -1 with text "". */
int cf_file_sha256(int fd, char text[65]);
/* The same of a file by path. */
int cf_path_sha256(const char *path, char text[65]);
/* SHA-256 of bytes in memory. */
void cf_bytes_sha256(const void *bytes, size_t n_bytes, char text[65]);

/* The GNU build-id of an ELF file (note of type 3 in a PT_NOTE segment), hexadecimal; "" when it
 * has none or is no ELF file of this machine's class and order. */
void cf_file_build_id(int fd, char text[81]);

/* What the file's name says of its version: the digits after ".so." or before ".so"
 * ("libopenblasp-r0.3.21.so": "0.3.21"); "" when it says nothing. */
void cf_path_version(const char *path, char text[32]);

/* One file of which a process executes code. */
struct cf_code {
    char *path; /* as the process sees it; owned */
    int fd;     /* open on the very file that is mapped; -1 when it has gone or was replaced */
};

/* Reads /proc/PID/maps: each file once, in order of appearance. The caller frees with
 * cf_code_free. *n is 0 when the process has gone. */
struct cf_code *cf_code_list(pid_t pid, int *n);
void cf_code_free(struct cf_code *code, int n);

#endif
