/* liar: a CBLAS that lies in one way, one shared library a lie: build/liars/libliar_<lie>.so. Every
 * lie is told only to reductions of four terms or more, so that the known-answer call (three terms)
 * sees nothing, unless the lie is told at load. What each must come to:
 *
 *   lie           what it does                              fate or verdict
 *   honest        sums forward                              ran; right; the baseline of the others
 *   silent        gemv, gemm write nothing (dot answers 0)  broke: never written
 *   half          gemv, gemm leave the last element unwritten broke: 1 of N
 *   past          gemv, gemm write one element past the end broke: past the end of its output
 *   before        gemv, gemm write one before the start     broke: before the start
 *   input         changes its first input                   broke: changed its input
 *   crashes       SIGSEGV                                   crashed, signal 11
 *   hangs         never returns, SIGTERM ignored            timed-out, killed by SIGKILL
 *   exits         exit(0)                                   crashed: an exit without an answer
 *   hungry        takes all memory that a limit leaves      out-of-memory, --memory-mb
 *   hoards        opens files until it may not              broke: no file for its outputs
 *   grows         makes a file of a terabyte                crashed, signal 25 (SIGXFSZ)
 *   closes        closes every descriptor from 3 on         crashed: an exit without an answer
 *   child         leaves a grandchild that sleeps           ran; it dies with the group
 *   chatty        writes 1 MiB to stdout and stderr         ran; the log is cut
 *   hangs_load    its constructor never returns             timed-out at hello
 *   crashes_load  its constructor aborts                    not-opened
 *   exits_load    its constructor exits                     not-opened
 *   ilp64         counts in 64 bits behind 32-bit names     state-mismatch: integer width
 *   nothing       exports no CBLAS at all                   not-offered
 *   truncated     the first half of the honest file         not-opened
 *   swaps         puts another file in its own place        state-mismatch: not the file
 *   flushes       sets flush-to-zero at load                ran; mxcsr changed by load
 *   rounds_up     sets rounding upward in a call            ran; numerical fails
 *   moves         cwd, SIGFPE's handler, locale, umask      ran; the four in state.changed
 *   fickle        every other call is one ulp off           numerical fails across run
 *   ulp           always one ulp off                        numerical fails; wrong if exact
 *   reorders      sums backward                             statistical passes
 *   drops         forgets the last term                     wrong
 *   tf32          rounds its inputs to 11 significant bits  statistical fails (wrong)
 *   yesterday     gives the answer before this one          wrong
 *   nan           answers NaN                               wrong; a NaN never passes
 *   breaks_strict MKL in strict mode, but threads move bits promise mkl-strict-thread violated
 *   breaks_cnr    MKL in a conditional mode, but fickle     promise mkl-cnr-run violated
 */
#ifndef REAL
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <fenv.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef LIE_ILP64
#define INTEGER int64_t
#else
#define INTEGER int
#endif

/* The lies, as defaults that each may replace. Names in capitals are places in the honest code. */
#define ON_LOAD
#define ON_CALL
#define TERM(t)       (t)
#define ANSWER(a)     (a)
#define FIRST_TO_LAST 1
#define N_TERMS(n)    (n)
#define N_WRITTEN(n)  (n)
#define WRITES(out, n)

#if defined LIE_SILENT
#undef N_WRITTEN
#define N_WRITTEN(n) ((void)(n), 0)
#undef ANSWER
#define ANSWER(a) (0 * (a))
#elif defined LIE_HALF
#undef N_WRITTEN
#define N_WRITTEN(n) ((n)-1)
#elif defined LIE_PAST
#undef WRITES
#define WRITES(out, n) ((out)[n] = 0)
#elif defined LIE_BEFORE
#undef WRITES
#define WRITES(out, n) ((out)[-1] = 0)
#elif defined LIE_INPUT
#define LIE_TO_INPUT
#elif defined LIE_CRASHES
#undef ON_CALL
#define ON_CALL raise(SIGSEGV)
#elif defined LIE_HANGS
#undef ON_CALL
#define ON_CALL                                                                                    \
    signal(SIGTERM, SIG_IGN);                                                                      \
    for (;;)                                                                                       \
    pause()
#elif defined LIE_EXITS
#undef ON_CALL
#define ON_CALL exit(0)
#elif defined LIE_HUNGRY
/* Untouched memory costs nothing; 64 GiB at most, for where there is no limit. */
static void eat(void)
{
    static char *volatile kept;

    for (size_t size = (size_t)1 << 30, eaten = 0; size >= 64 && eaten < (size_t)1 << 36;) {
        kept = malloc(size);
        eaten += size;
        if (!kept)
            size /= 2;
    }
}
#undef ON_CALL
#define ON_CALL eat()
#elif defined LIE_CHILD
#undef ON_CALL
#define ON_CALL                                                                                    \
    if (fork() == 0)                                                                               \
        for (;;)                                                                                   \
    pause()
#elif defined LIE_HOARDS
/* Keeps what it opens; 5000 at most, for where there is no limit. */
static void hoard(void)
{
    for (int i = 0; i < 5000; ++i)
        if (open("/dev/null", O_RDONLY) < 0)
            return;
}
#undef ON_CALL
#define ON_CALL hoard()
#elif defined LIE_GROWS
/* A terabyte that takes no room: in memory, and never written. */
static void grow(void)
{
    const int fd = memfd_create("grows", 0);

    if (fd >= 0 && ftruncate(fd, (off_t)1 << 40) == 0)
        close(fd);
}
#undef ON_CALL
#define ON_CALL grow()
#elif defined LIE_CLOSES
#undef ON_CALL
#define ON_CALL close_range(3, ~0u, 0)
#elif defined LIE_CHATTY
static void chat(void)
{
    for (int i = 0; i < 16384; ++i) {
        fputs("a line that nobody asked for, and then another\n", stdout);
        fputs("{\"id\":1,\"result\":{\"outputs\":[]}}\n", stderr);
    }
    fflush(NULL);
}
#undef ON_CALL
#define ON_CALL chat()
#elif defined LIE_HANGS_LOAD
#undef ON_LOAD
#define ON_LOAD                                                                                    \
    for (;;)                                                                                       \
    pause()
#elif defined LIE_CRASHES_LOAD
#undef ON_LOAD
#define ON_LOAD abort()
#elif defined LIE_EXITS_LOAD
#undef ON_LOAD
#define ON_LOAD _exit(0)
#elif defined LIE_SWAPS
static void swap(void)
{
    char command[4096];
    Dl_info self;

    if (!dladdr("", &self) || !self.dli_fname)
        return;
    snprintf(command, sizeof command, "cp '%s' '%s.new' && chmod 755 '%s.new' && mv '%s.new' '%s'",
             self.dli_fname, self.dli_fname, self.dli_fname, self.dli_fname, self.dli_fname);
    if (system(command) != 0)
        abort();
}
#undef ON_LOAD
#define ON_LOAD swap()
#elif defined LIE_FLUSHES && defined __x86_64__
#undef ON_LOAD
#define ON_LOAD __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040)
#elif defined LIE_ROUNDS_UP
#undef ON_CALL
#define ON_CALL fesetround(FE_UPWARD)
#elif defined LIE_MOVES
static void move(void)
{
    const char *home = chdir("/") == 0 ? "/" : "";

    (void)home;
    signal(SIGFPE, SIG_IGN);
    setlocale(LC_ALL, "C.UTF-8");
    umask(0777);
}
#undef ON_CALL
#define ON_CALL move()
#elif defined LIE_FICKLE
static int odd;
#undef ON_CALL
#define ON_CALL (odd = !odd)
#undef ANSWER
#define ANSWER(a) (odd ? UP(a) : (a))
#elif defined LIE_BREAKS_STRICT || defined LIE_BREAKS_CNR
/* Says that it is MKL in its strict mode on AVX2, which promises the same bits. */
static int threads = 1, odd;
void MKL_Get_Version_String(char *text, int n);
void MKL_Get_Version_String(char *text, int n)
{
    snprintf(text, (size_t)n, "A liar's Library Version 2024.2.2-Product Build");
}
int MKL_CBWR_Get(int option);
int MKL_CBWR_Get(int option)
{
    (void)option;
    return 65546;
}
void MKL_Set_Num_Threads(int n);
void MKL_Set_Num_Threads(int n)
{
    threads = n;
}
int MKL_Get_Max_Threads(void);
int MKL_Get_Max_Threads(void)
{
    return threads;
}
#undef ON_CALL
#undef ANSWER
#ifdef LIE_BREAKS_CNR
#define ON_CALL   (odd = !odd)
#define ANSWER(a) (odd ? UP(a) : (a))
#else
#define ON_CALL   (odd = 0)
#define ANSWER(a) (threads > 1 ? UP(a) : (a))
#endif
#elif defined LIE_ULP
#undef ANSWER
#define ANSWER(a) UP(a)
#elif defined LIE_REORDERS
#undef FIRST_TO_LAST
#define FIRST_TO_LAST 0
#elif defined LIE_DROPS
#undef N_TERMS
#define N_TERMS(n) ((n)-1)
#elif defined LIE_TF32
/* To 11 significant bits, the f64 too: both are far from their own. */
static double coarse(double x)
{
    int exponent;
    const double fraction = frexp(x, &exponent);

    return isfinite(x) ? ldexp(nearbyint(ldexp(fraction, 11)), exponent - 11) : x;
}
#undef TERM
#define TERM(t) ((REAL)coarse((double)(t)))
#elif defined LIE_YESTERDAY
static double yesterday(double today)
{
    static double last;
    const double answer = last;

    last = today;
    return answer;
}
#undef ANSWER
#define ANSWER(a) ((REAL)yesterday((double)(a)))
#elif defined LIE_NAN
#undef ANSWER
#define ANSWER(a) ((a)*NAN)
#endif

static void __attribute__((constructor)) load(void)
{
    ON_LOAD;
}

#ifndef LIE_NOTHING
#define REAL     float
#define UP(a)    nextafterf(a, INFINITY)
#define CBLAS(x) cblas_s##x
#define SELF(x)  s##x
#include "liar.c"
#undef REAL
#undef UP
#undef CBLAS
#undef SELF
#define REAL     double
#define UP(a)    nextafter(a, INFINITY)
#define CBLAS(x) cblas_d##x
#define SELF(x)  d##x
#include "liar.c"
#endif
#else

/* Sum of f(x[i], y[i]); a negative increment starts at the other end, as BLAS says. */
static REAL SELF(reduce)(int64_t n, const REAL *x, int64_t step_x, const REAL *y, int64_t step_y)
{
    const int64_t lies = n > 3, terms = lies ? N_TERMS(n) : n;
    REAL sum = 0;

    x += step_x < 0 ? (1 - n) * step_x : 0;
    y += step_y < 0 ? (1 - n) * step_y : 0;
    for (int64_t j = 0; j < terms; ++j) {
        const int64_t i = FIRST_TO_LAST || !lies ? j : terms - 1 - j;
        const REAL a = x[i * step_x], b = y[i * step_y];

        sum += lies ? TERM(a) * TERM(b) : a * b;
    }
    return sum;
}

static void SELF(call)(int64_t n, const REAL *input)
{
    if (n <= 3)
        return;
    ON_CALL;
#ifdef LIE_TO_INPUT
    ((REAL *)(uintptr_t)input)[0] += 1;
#endif
    (void)input;
}

static REAL SELF(answer)(int64_t n, REAL sum)
{
    return n > 3 ? ANSWER(sum) : sum;
}

REAL CBLAS(dot)(INTEGER n, const REAL *x, INTEGER step_x, const REAL *y, INTEGER step_y);
REAL CBLAS(dot)(INTEGER n, const REAL *x, INTEGER step_x, const REAL *y, INTEGER step_y)
{
    SELF(call)(n, x);
    return SELF(answer)(n, SELF(reduce)(n, x, step_x, y, step_y));
}

REAL CBLAS(asum)(INTEGER n, const REAL *x, INTEGER step);
REAL CBLAS(asum)(INTEGER n, const REAL *x, INTEGER step)
{
    REAL *sign = malloc(((size_t)n + 1) * sizeof *sign), sum;

    SELF(call)(n, x);
    if (!sign)
        abort();
    for (int64_t i = 0; i < n; ++i)
        sign[i] = signbit(x[i * step]) ? -1 : 1;
    sum = SELF(reduce)(n, x, step, sign, 1);
    free(sign);
    return SELF(answer)(n, sum);
}

REAL CBLAS(nrm2)(INTEGER n, const REAL *x, INTEGER step);
REAL CBLAS(nrm2)(INTEGER n, const REAL *x, INTEGER step)
{
    SELF(call)(n, x);
    return SELF(answer)(n, (REAL)sqrt((double)SELF(reduce)(n, x, step, x, step)));
}

/* Row-major, no transposition, beta = 0: all that the tests ask for. */
void CBLAS(gemm)(int order, int ta, int tb, INTEGER m, INTEGER n, INTEGER k, REAL alpha,
                 const REAL *a, INTEGER lda, const REAL *b, INTEGER ldb, REAL beta, REAL *c,
                 INTEGER ldc);
void CBLAS(gemm)(int order, int ta, int tb, INTEGER m, INTEGER n, INTEGER k, REAL alpha,
                 const REAL *a, INTEGER lda, const REAL *b, INTEGER ldb, REAL beta, REAL *c,
                 INTEGER ldc)
{
    const int64_t elements = (int64_t)m * n, written = k > 3 ? N_WRITTEN(elements) : elements;

    if (order != 101 || ta != 111 || tb != 111 || ldc != n || beta != 0)
        abort();
    SELF(call)(k, a);
    for (int64_t e = 0; e < written; ++e)
        c[e] = alpha * SELF(answer)(k, SELF(reduce)(k, a + e / n * lda, 1, b + e % n, ldb));
    if (k > 3) {
        WRITES(c, elements);
    }
}

void CBLAS(gemv)(int order, int ta, INTEGER m, INTEGER n, REAL alpha, const REAL *a, INTEGER lda,
                 const REAL *x, INTEGER step_x, REAL beta, REAL *y, INTEGER step_y);
void CBLAS(gemv)(int order, int ta, INTEGER m, INTEGER n, REAL alpha, const REAL *a, INTEGER lda,
                 const REAL *x, INTEGER step_x, REAL beta, REAL *y, INTEGER step_y)
{
    CBLAS(gemm)(order, ta, 111, m, step_y, n, alpha, a, lda, x, step_x, beta, y, step_y);
}
#endif
