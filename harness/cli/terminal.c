#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_NS 100000000

static int is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

static int wants_colour(const struct cf_options *options)
{
    const char *terminal = getenv("TERM"), *force = getenv("CLICOLOR_FORCE");

    if (options->colour && strcmp(options->colour, "auto") != 0)
        return strcmp(options->colour, "always") == 0;
    if (is_set("NO_COLOR"))
        return 0;
    if (force && *force && strcmp(force, "0") != 0)
        return 1;
    return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

static int columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return CF_PAGE_WIDTH;
    return size.ws_col < 40 ? 40 : size.ws_col;
}

struct cf_page cf_terminal_page(const struct cf_options *options)
{
    struct cf_page page = {CF_PAGE_WIDTH, wants_colour(options)};

    if (isatty(STDOUT_FILENO))
        page.width = columns(STDOUT_FILENO);
    return page;
}

int64_t cf_terminal_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void cf_progress_start(struct cf_progress *progress, const struct cf_options *options)
{
    *progress = (struct cf_progress){.start_ns = cf_terminal_clock(), .done_at_start = -1};
    progress->shown =
        isatty(STDERR_FILENO) && !is_set("CI") && !options->quiet && !options->no_progress;
    progress->width = progress->shown ? columns(STDERR_FILENO) : 0;
}

char *cf_progress_line(int64_t done, int64_t total, double elapsed_s, int64_t done_at_start,
                       const char *what, int width)
{
    static const char full[] = "####################", empty[] = "                    ";
    const int bars = total > 0 ? (int)(20 * done / total) : 0;
    const double rate = elapsed_s > 0 ? (double)(done - done_at_start) / elapsed_s : 0;
    const int64_t left_s = rate > 0 ? (int64_t)((double)(total - done) / rate + 0.5) : 0;
    char *line = cf_format("[%.*s%.*s] %lld of %lld", bars, full, 20 - bars, empty, (long long)done,
                           (long long)total);
    char *longer = rate > 0
                       ? cf_format("%s  %.0f/s  %lld:%02lld left  %s", line, rate,
                                   (long long)left_s / 60, (long long)left_s % 60, what ? what : "")
                       : cf_format("%s  %s", line, what ? what : "");

    free(line);
    for (char *at = longer; *at; ++at) /* a name must not drive the terminal */
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?';
    if ((int)strlen(longer) > width)
        longer[width > 0 ? width : 0] = '\0';
    return longer;
}

void cf_progress_show(void *context, int64_t done, int64_t total, const char *what)
{
    struct cf_progress *progress = context;
    const int64_t now = cf_terminal_clock();
    char *line;

    if (progress->done_at_start < 0)
        progress->done_at_start = done;
    if (!progress->shown || (progress->drawn && now - progress->drawn_ns < REDRAW_NS))
        return;
    line = cf_progress_line(done, total, (double)(now - progress->start_ns) * 1e-9,
                            progress->done_at_start, what, progress->width - 1);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    free(line);
    progress->drawn = 1;
    progress->drawn_ns = now;
}

void cf_progress_clear(struct cf_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = 0;
}
