/* signature: a file signed and checked by a tool that the user has: ssh-keygen (OpenSSH 8.1 and
 * later) or minisign. No key is made or kept here. */
#ifndef CF_SIGNATURE_H
#define CF_SIGNATURE_H

#include "error.h"

/* Signs `path` with a private key: PATH.sig by ssh-keygen, or, when the key's name ends in ".key",
 * PATH.minisig by minisign. -1 and a sentence (exit 3). */
int cf_signature_make(const char *path, const char *key, struct cf_error *err);

/* 1: signed by one of the signers (a file of allowed signers, or minisign's public key); 0: there
 * is no signature, and none was asked for; -1 and a sentence (exit 3): it does not hold, or signers
 * were named and there is no signature. signers NULL: whether it holds at all is checked, not whose
 * it is (then 2). */
int cf_signature_check(const char *path, const char *signers, struct cf_error *err);

#endif
