#include "state.h"

#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"

static const struct {
    int number;
    const char *word;
} signals[CF_STATE_SIGNALS] = {{SIGSEGV, "handler SIGSEGV"}, {SIGFPE, "handler SIGFPE"},
                               {SIGILL, "handler SIGILL"},   {SIGBUS, "handler SIGBUS"},
                               {SIGINT, "handler SIGINT"},   {SIGTERM, "handler SIGTERM"},
                               {SIGCHLD, "handler SIGCHLD"}};

#if defined(__x86_64__)
#define STICKY 0x3fu /* the exception flags of MXCSR: every inexact sum sets one */

static void read_control(struct cf_state *state)
{
    unsigned short x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    state->x87 = x87;
    state->control = __builtin_ia32_stmxcsr() & ~STICKY;
}
#elif defined(__aarch64__)
static void read_control(struct cf_state *state)
{
    unsigned long fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    state->x87 = 0;
    state->control = (unsigned)fpcr;
}
#else
static void read_control(struct cf_state *state)
{
    state->x87 = state->control = 0;
}
#endif

static void read_handlers(struct cf_state *state)
{
    struct sigaction action;

    for (int i = 0; i < CF_STATE_SIGNALS; ++i) {
        CF_CHECK(sigaction(signals[i].number, NULL, &action) == 0);
        state->handler[i] = action.sa_handler; /* a union with sa_sigaction: either is a change */
    }
}

void cf_state_read(struct cf_state *state)
{
    struct stat cwd = {0};
    const char *locale = setlocale(LC_ALL, NULL);

    memset(state, 0, sizeof *state);
    read_control(state);
    state->rounding = fegetround();
    stat(".", &cwd); /* a removed directory still has its inode */
    state->cwd_device = cwd.st_dev;
    state->cwd_inode = cwd.st_ino;
    read_handlers(state);
    snprintf(state->locale, sizeof state->locale, "%s", locale ? locale : "");
    state->umask = umask(0);
    umask(state->umask);
}

static void add(json_t *words, int differs, const char *word)
{
    if (differs)
        json_array_append_new(words, json_string(word));
}

json_t *cf_state_changed(const struct cf_state *a, const struct cf_state *b)
{
    json_t *words = json_array();

    add(words, a->control != b->control, "mxcsr");
    add(words, a->rounding != b->rounding, "rounding");
    add(words, a->x87 != b->x87, "x87");
    add(words, a->cwd_device != b->cwd_device || a->cwd_inode != b->cwd_inode, "cwd");
    for (int i = 0; i < CF_STATE_SIGNALS; ++i)
        add(words, a->handler[i] != b->handler[i], signals[i].word);
    add(words, strcmp(a->locale, b->locale) != 0, "locale");
    add(words, a->umask != b->umask, "umask");
    return words;
}

const char *cf_state_rounding(const struct cf_state *state)
{
    switch (state->rounding) {
    case FE_TONEAREST:
        return "nearest";
    case FE_UPWARD:
        return "upward";
    case FE_DOWNWARD:
        return "downward";
    case FE_TOWARDZERO:
        return "toward-zero";
    default:
        return "unknown";
    }
}
