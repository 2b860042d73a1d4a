#include "signature.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPACE "conform-golden"

extern char **environ;

/* Runs a tool with its words, `in` as standard input (or NULL) and what it says thrown away, or
 * kept in said[]. Returns its exit code; 127 when there is no such tool. */
static int run_tool(const char *const words[], const char *in, char said[], size_t n_said)
{
    posix_spawn_file_actions_t actions;
    int ends[2], status, code;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return 126;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, in ? in : "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    code = posix_spawnp(&pid, words[0], &actions, NULL, (char *const *)words, environ) ? 127 : 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (code == 0 && n + 1 < n_said && (got = read(ends[0], said + n, n_said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    if (code == 0)
        code = waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 126;
    return code;
}

static int ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

int cf_signature_make(const char *path, const char *key, struct cf_error *err)
{
    const int mini = ends_in(key, ".key");
    const char *const ssh[] = {"ssh-keygen", "-q", "-Y",  "sign", "-f",
                               key,          "-n", SPACE, path,   NULL};
    const char *const minisign[] = {"minisign", "-S", "-q", "-s", key, "-m", path, NULL};
    char said[256], *old = cf_format("%s.sig", path);
    int code;

    if (!mini)
        unlink(old); /* ssh-keygen asks before it writes over a file */
    free(old);
    code = run_tool(mini ? minisign : ssh, NULL, said, sizeof said);
    if (code == 127)
        return cf_fail_with(err, 3, "%s is not installed, so %s cannot be signed",
                            mini ? "minisign" : "ssh-keygen", path);
    if (code != 0)
        return cf_fail_with(err, 3, "%s did not sign %s with %s (exit code %d)",
                            mini ? "minisign" : "ssh-keygen", path, key, code);
    return 0;
}

static int check_minisign(const char *path, const char *signers)
{
    const char *const words[] = {"minisign", "-V", "-q", "-p", signers, "-m", path, NULL};
    char said[256];

    return run_tool(words, NULL, said, sizeof said);
}

/* Who may have signed is looked up first; the signature must then be theirs. */
static int check_ssh(const char *path, const char *signature, const char *signers)
{
    const char *const any[] = {"ssh-keygen", "-Y", "check-novalidate", "-n",
                               SPACE,        "-s", signature,          NULL};
    const char *const who[] = {"ssh-keygen", "-Y", "find-principals", "-s",
                               signature,    "-f", signers,           NULL};
    char name[256], said[256];
    const char *const words[] = {"ssh-keygen", "-Y", "verify", "-f", signers,   "-I",
                                 name,         "-n", SPACE,    "-s", signature, NULL};
    int code;

    if (!signers)
        return run_tool(any, path, said, sizeof said);
    code = run_tool(who, NULL, name, sizeof name);
    if (code != 0)
        return code;
    name[strcspn(name, "\n")] = '\0';
    return run_tool(words, path, said, sizeof said);
}

int cf_signature_check(const char *path, const char *signers, struct cf_error *err)
{
    char *ssh = cf_format("%s.sig", path), *mini = cf_format("%s.minisig", path);
    const int has_ssh = access(ssh, R_OK) == 0, has_mini = access(mini, R_OK) == 0;
    int result = 0, code = 0;

    if (!has_ssh && !has_mini && signers)
        result = cf_fail_with(err, 3, "%s has no signature beside it (%s)", path, ssh);
    else if (has_mini && signers && !has_ssh)
        code = check_minisign(path, signers), result = 1;
    else if (has_ssh)
        code = check_ssh(path, ssh, signers), result = signers ? 1 : 2;
    if (code == 127)
        result =
            cf_fail_with(err, 3, "the tool that checks the signature of %s is not installed", path);
    else if (code != 0)
        result = cf_fail_with(err, 3, "the signature of %s does not hold%s", path,
                              signers ? ", or is of somebody else" : "");
    free(ssh);
    free(mini);
    return result;
}
