#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mpi.h"

#define RANKS_MAX 16
#define HELPER    "conform-mpi"

extern char **environ;

const char *const cf_mpi_algorithm[CF_MPI_ALGORITHMS] = {
    "default", "linear",         "nonoverlapping", "recursive_doubling",
    "ring",    "segmented_ring", "rabenseifner"};

/* Is mpirun still there? When it has gone, nobody will answer. */
static int lives(struct cf_library *library)
{
    if (library->pid > 0 && waitpid(library->pid, NULL, WNOHANG) == library->pid)
        library->pid = 0;
    return library->pid > 0;
}

static int transfer(struct cf_library *library, int fd, short events, char *bytes, size_t n)
{
    while (n > 0) {
        struct pollfd ready = {fd, events, 0};
        ssize_t done = 0;

        if (poll(&ready, 1, 200) > 0)
            done = events == POLLIN ? read(fd, bytes, n) : write(fd, bytes, n);
        else if (!lives(library))
            return -1;
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

int cf_mpi_read(struct cf_library *library, void *bytes, size_t n)
{
    return transfer(library, library->replies, POLLIN, bytes, n);
}

int cf_mpi_write(struct cf_library *library, const void *bytes, size_t n)
{
    return transfer(library, library->requests, POLLOUT, (char *)bytes, n);
}

/* Beside this program. */
static int find_helper(char path[512], struct cf_error *err)
{
    char self[480];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    snprintf(path, 512, "%.*s/" HELPER, strrchr(self, '/') ? (int)(strrchr(self, '/') - self) : 0,
             self);
    return access(path, X_OK) == 0
               ? 0
               : cf_fail(err,
                         "there is no %s beside the worker: it is built where an MPI compiler "
                         "(mpicc) is installed",
                         HELPER);
}

/* Opened for both ways, so that neither end waits for the other. */
static int make_pipes(struct cf_library *library, char path[2][96], struct cf_error *err)
{
    const char *base = getenv("TMPDIR");

    if (!base || strlen(base) > 30)
        base = P_tmpdir;
    snprintf(library->folder, sizeof library->folder, "%s/conform-mpi-XXXXXX", base);
    if (!mkdtemp(library->folder))
        return cf_fail(err, "no folder can be made in %s: %s", base, strerror(errno));
    snprintf(path[0], 96, "%s/requests", library->folder);
    snprintf(path[1], 96, "%s/replies", library->folder);
    if (mkfifo(path[0], 0600) != 0 || mkfifo(path[1], 0600) != 0)
        return cf_fail(err, "no pipe can be made in %s: %s", library->folder, strerror(errno));
    library->requests = open(path[0], O_RDWR | O_CLOEXEC | O_NONBLOCK);
    library->replies = open(path[1], O_RDWR | O_CLOEXEC | O_NONBLOCK);
    return library->requests < 0 || library->replies < 0
               ? cf_fail(err, "a pipe cannot be opened: %s", strerror(errno))
               : 0;
}

/* mpirun reads the null device: it would wait for a terminal that nobody sits at. */
static int spawn(struct cf_library *library, const char *helper, char path[2][96],
                 struct cf_error *err)
{
    char ranks[16], algorithm[16];
    const char *const argv[] = {"mpirun",
                                "-q",
                                "--oversubscribe",
                                "--allow-run-as-root",
                                "--bind-to",
                                "none",
                                "-n",
                                ranks,
                                "--mca",
                                "mpi_yield_when_idle",
                                "1",
                                "--mca",
                                "pml",
                                "ob1",
                                "--mca",
                                "btl",
                                "self,vader",
                                "--mca",
                                "btl_vader_single_copy_mechanism",
                                "none",
                                "--mca",
                                "coll_tuned_use_dynamic_rules",
                                library->algorithm > 0 ? "1" : "0",
                                "--mca",
                                "coll_tuned_allreduce_algorithm",
                                algorithm,
                                helper,
                                path[0],
                                path[1],
                                NULL};
    posix_spawn_file_actions_t actions;
    int failed;

    snprintf(ranks, sizeof ranks, "%d", library->ranks);
    snprintf(algorithm, sizeof algorithm, "%d", library->algorithm);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    failed = posix_spawnp(&library->pid, "mpirun", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        library->pid = 0;
    return failed ? cf_fail(err, "mpirun cannot be started: %s; install Open MPI", strerror(failed))
                  : 0;
}

/* The ranks' first words: how many they are, what is forced, and the version. */
static int greet(struct cf_library *library, struct cf_error *err)
{
    int64_t numbers[2];

    if (cf_mpi_read(library, numbers, sizeof numbers) != 0 ||
        cf_mpi_read(library, library->version, sizeof library->version) != 0)
        return cf_fail(err, "mpirun ended before its ranks said a word");
    library->ranks_got = (int)numbers[0];
    library->forced_got = (int)numbers[1];
    library->version[sizeof library->version - 1] = '\0';
    return 0;
}

static void remove_pipes(struct cf_library *library, char path[2][96])
{
    for (int i = 0; i < 2; ++i)
        unlink(path[i]);
    rmdir(library->folder);
}

static void close_mpi(struct cf_library *library)
{
    const int64_t farewell[3] = {-1, 0, 0};

    if (lives(library) && cf_mpi_write(library, farewell, sizeof farewell) == 0)
        waitpid(library->pid, NULL, 0);
    close(library->requests);
    close(library->replies);
    free(library);
}

static int read_keys(struct cf_library *library, const struct cf_pairs *keys, struct cf_error *err)
{
    const char *kernel = cf_pairs_get(keys, "kernel");
    int64_t ranks;

    if (cf_pairs_int(keys, "threads", 1, &ranks, err) != 0)
        return -1;
    if (ranks < 1 || ranks > RANKS_MAX)
        return cf_fail_with(err, 3, "mpi runs on 1 to %d ranks, not on threads=%lld", RANKS_MAX,
                            (long long)ranks);
    library->ranks = (int)ranks;
    while (kernel && library->algorithm < CF_MPI_ALGORITHMS &&
           strcmp(cf_mpi_algorithm[library->algorithm], kernel) != 0)
        ++library->algorithm;
    return library->algorithm < CF_MPI_ALGORITHMS
               ? 0
               : cf_fail(err,
                         "mpi has no algorithm `%s`; it has default, linear, nonoverlapping, "
                         "recursive_doubling, ring, segmented_ring, rabenseifner",
                         kernel);
}

static struct cf_library *open_mpi(const struct cf_pairs *keys, struct cf_error *err)
{
    struct cf_library *library = cf_alloc_zero(sizeof *library);
    char helper[512], path[2][96] = {"", ""};
    int failed;

    library->requests = library->replies = -1;
    failed = read_keys(library, keys, err) != 0 || find_helper(helper, err) != 0 ||
             make_pipes(library, path, err) != 0 || spawn(library, helper, path, err) != 0 ||
             greet(library, err) != 0;
    remove_pipes(library, path); /* both sides hold them open by now */
    if (!failed)
        return library;
    if (library->pid > 0)
        kill(library->pid, SIGTERM);
    free(library);
    return NULL;
}

static void state(struct cf_library *library, void (*emit)(void *, const char *, const char *),
                  void *context)
{
    char ranks[16];

    snprintf(ranks, sizeof ranks, "%d", library->ranks_got);
    emit(context, "version", library->version);
    emit(context, "threads", ranks);
    emit(context, "kernel",
         library->forced_got >= 0 && library->forced_got < CF_MPI_ALGORITHMS
             ? cf_mpi_algorithm[library->forced_got]
             : "unknown");
}

const struct cf_backend cf_backend_mpi = {.name = "mpi",
                                          .why = "MPI_Allreduce of Open MPI, by algorithm",
                                          .open = open_mpi,
                                          .close = close_mpi,
                                          .state = state};
