/* manual: the manual page and the completion of bash, made from the tables of commands and options,
 * so that they say what --help says. */
#ifndef CF_MANUAL_H
#define CF_MANUAL_H

#include <stdio.h>

void cf_manual_man(FILE *out);  /* man(7) */
void cf_manual_bash(FILE *out); /* a script to be sourced; needs nothing but bash */

#endif
