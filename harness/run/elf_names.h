/* elf_names: the names that a shared library gives itself. */
#ifndef CF_ELF_NAMES_H
#define CF_ELF_NAMES_H

struct cf_elf_names {
    char soname[128]; /* DT_SONAME; "" when it has none or is no ELF file of this machine's class */
    char versions[64]; /* the last version of symbols that it defines ("GLIBC_2.36"); "" without */
};

/* Of a file; nothing in it is believed, so that a damaged one gives "" at worst (System V ABI,
 * "Dynamic Section"; LSB core, "Symbol Versioning"). */
void cf_elf_names(const char *path, struct cf_elf_names *names);

#endif
