/* The scheduler of grid.h: every thread of the resident blocks is a coroutine with a stack of its
 * own; it runs until it waits for its warp, its block or the grid, or ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "grid.h"

#define STACK    (32 * 1024)
#define WARP     32
#define TOGETHER 3 /* blocks that are resident in a shuffled schedule */

enum wait { READY, FOR_WARP, FOR_BLOCK, FOR_GRID, ENDED };

struct thread {
    void *here; /* its stack pointer while others run; NULL: it has not begun */
    enum wait wait;
    unsigned shuffles; /* and shares so far: which of the two rows of a warp's values is in use */
    struct cf_grid_index index;
};

struct warp {
    double value[2][WARP];
    unsigned words[2][WARP][CF_GRID_WORDS];
};

struct block {
    struct cf_grid_index index;
    void *shared;
    int alive; /* threads that have not ended; 0: the place is free */
};

struct grid {
    const struct cf_grid_launch *launch;
    struct thread *thread; /* [resident, block size], of the crew */
    struct warp *warp;
    struct block *block;      /* [resident] */
    unsigned resident, warps; /* warps of a block */
    unsigned *order, n_blocks, next;
    uint64_t random;
    struct thread *current;
    void *back; /* the scheduler's stack pointer while a thread runs */
};

/* Threads with their stacks, kept from launch to launch: making them costs more than running them.
 */
static struct {
    struct thread *thread;
    char *stacks;
    size_t n;
} crew;

struct cf_grid_place cf_grid_now;
static struct grid *now; /* the one launch of this thread of the process */

/* xorshift64 (Marsaglia, Xorshift RNGs, 2003): a schedule needs no better. */
static unsigned below(struct grid *g, unsigned n)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return (unsigned)((g->random >> 16) % n);
}

static void permute(struct grid *g, unsigned *order, unsigned n)
{
    for (unsigned i = 0; i < n; ++i)
        order[i] = i;
    for (unsigned i = n; g->launch->shuffled && i > 1; --i) {
        const unsigned j = below(g, i), kept = order[i - 1];

        order[i - 1] = order[j];
        order[j] = kept;
    }
}

/* Keeps what a callee has to keep on the stack and goes on with another. Not setjmp or swapcontext:
 * those ask the kernel for the signal mask, or are watched by sanitizers that know one stack only.
 */
void cf_grid_switch(void **from, void *to);
#if defined(__x86_64__)
#define KEPT 6 /* words below the address of return */
__asm__(".text\n.type cf_grid_switch, @function\n.globl cf_grid_switch\ncf_grid_switch:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp, (%rdi)\nmovq %rsi, %rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
        ".size cf_grid_switch, .-cf_grid_switch\n");
#else
#define KEPT 0 /* no other processor has been tried: cf_grid_run refuses */
void cf_grid_switch(void **from, void *to)
{
    *from = to;
}
#endif

/* ---- In a thread ---- */

static void leave(enum wait wait)
{
    struct thread *self = now->current;

    self->wait = wait;
    cf_grid_switch(&self->here, now->back);
}

static void begin(void)
{
    for (;;) {
        now->launch->entry(now->launch->parameters);
        leave(ENDED);
    }
}

void cf_grid_block_sync(void)
{
    leave(FOR_BLOCK);
}

void cf_grid_sync(void)
{
    leave(FOR_GRID);
}

/* Two rows in turn: a lane can be one shuffle ahead of the slowest, never two. */
double cf_grid_shuffle_down(double value, unsigned offset)
{
    struct thread *self = now->current;
    struct warp *warp = &now->warp[(size_t)(self - now->thread) / WARP];
    const unsigned lane = self->index.x % WARP, row = self->shuffles++ % 2;

    warp->value[row][lane] = value;
    leave(FOR_WARP);
    return lane + offset < WARP ? warp->value[row][lane + offset] : value;
}

const unsigned *cf_grid_share(const unsigned words[CF_GRID_WORDS])
{
    struct thread *self = now->current;
    struct warp *warp = &now->warp[(size_t)(self - now->thread) / WARP];
    const unsigned row = self->shuffles++ % 2;

    memcpy(warp->words[row][self->index.x % WARP], words, sizeof warp->words[0][0]);
    leave(FOR_WARP);
    return warp->words[row][0];
}

/* ---- Around the threads ---- */

/* What a stack holds when its thread begins: words to keep, then where to go. The address of
 * return of begin itself is 0, and the stack is aligned as at any call. */
static void *first_frame(char *end)
{
    void **word = (void **)(void *)end;
    void (*const to)(void) = begin;

    *--word = NULL;
    --word;
    memcpy(word, &to, sizeof to);
    for (int i = 0; i < KEPT; ++i)
        *--word = NULL;
    return word;
}

static void enter(struct grid *g, struct thread *thread)
{
    const struct block *block = &g->block[(size_t)(thread - g->thread) / g->launch->block.x];

    g->current = thread;
    cf_grid_now.thread = thread->index;
    cf_grid_now.block = block->index;
    cf_grid_now.shared = block->shared;
    if (!thread->here)
        thread->here = first_frame(crew.stacks + (size_t)(thread - g->thread + 1) * STACK);
    cf_grid_switch(&g->back, thread->here);
}

static void prepare(struct thread *thread, unsigned t)
{
    thread->wait = READY;
    thread->shuffles = 0;
    thread->index = (struct cf_grid_index){t, 0, 0};
}

/* The next block of the order takes place `b`. */
static void settle(struct grid *g, unsigned b)
{
    const struct cf_grid_launch *launch = g->launch;
    struct block *block = &g->block[b];
    unsigned number;

    if (g->next == g->n_blocks)
        return;
    number = g->order[g->next++];
    block->index =
        (struct cf_grid_index){number % launch->grid.x, number / launch->grid.x % launch->grid.y,
                               number / launch->grid.x / launch->grid.y};
    block->alive = (int)launch->block.x;
    memset(block->shared, 0xff, launch->shared_bytes); /* as on a device: anything but zero */
    for (unsigned t = 0; t < launch->block.x; ++t)
        prepare(&g->thread[b * launch->block.x + t], t);
}

/* Threads first .. first + n - 1, when all that live wait in one way, go on. */
static void release(struct grid *g, size_t first, size_t n, enum wait wait)
{
    for (size_t i = first; i < first + n; ++i)
        if (g->thread[i].wait != wait && g->thread[i].wait != ENDED)
            return;
    for (size_t i = first; i < first + n; ++i)
        if (g->thread[i].wait == wait)
            g->thread[i].wait = READY;
}

/* Runs a warp until no lane of it is ready. 0: none was. */
static int run_warp(struct grid *g, unsigned w)
{
    struct block *block = &g->block[w / g->warps];
    struct thread *lane = &g->thread[(size_t)w * WARP];
    unsigned order[WARP];
    int ran = 0, again = block->alive > 0;

    while (again) {
        again = 0;
        permute(g, order, WARP);
        for (int i = 0; i < WARP; ++i)
            if (lane[order[i]].wait == READY) {
                enter(g, &lane[order[i]]);
                block->alive -= lane[order[i]].wait == ENDED;
                again = ran = 1;
            }
        release(g, (size_t)w * WARP, WARP, FOR_WARP);
    }
    return ran;
}

static int is_over(const struct grid *g)
{
    for (unsigned b = 0; b < g->resident; ++b)
        if (g->block[b].alive > 0)
            return 0;
    return g->next == g->n_blocks;
}

/* One turn of every warp, then whoever waits for what has come to pass goes on. */
static int turn(struct grid *g, unsigned *order)
{
    const size_t size = g->launch->block.x;
    int ran = 0;

    permute(g, order, g->resident * g->warps);
    for (unsigned i = 0; i < g->resident * g->warps; ++i)
        ran |= run_warp(g, order[i]);
    for (unsigned b = 0; b < g->resident; ++b) {
        if (g->block[b].alive > 0)
            release(g, b * size, size, FOR_BLOCK);
        else
            settle(g, b);
    }
    if (g->launch->cooperative)
        release(g, 0, g->resident * size, FOR_GRID);
    return ran;
}

/* Makes the crew at least n threads large. */
static int muster(size_t n)
{
    void *stacks;

    if (n <= crew.n)
        return 0;
    stacks = mmap(NULL, n * STACK, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stacks == MAP_FAILED)
        return -1;
    if (crew.stacks)
        munmap(crew.stacks, crew.n * STACK);
    free(crew.thread);
    crew.stacks = stacks;
    crew.thread = calloc(n, sizeof *crew.thread);
    crew.n = crew.thread ? n : 0;
    return crew.thread ? 0 : -1;
}

static int allocate(struct grid *g)
{
    const struct cf_grid_launch *launch = g->launch;
    const size_t threads = (size_t)g->resident * launch->block.x;

    if (muster(threads) != 0)
        return -1;
    g->thread = crew.thread;
    for (size_t i = 0; i < threads; ++i)
        g->thread[i].wait = ENDED;
    g->warp = calloc(threads / WARP, sizeof *g->warp);
    g->block = calloc(g->resident, sizeof *g->block);
    g->order = malloc((g->n_blocks + threads / WARP) * sizeof *g->order);
    if (!g->warp || !g->block || !g->order)
        return -1;
    for (unsigned b = 0; b < g->resident; ++b)
        if (!(g->block[b].shared = malloc(launch->shared_bytes + 1)))
            return -1;
    return 0;
}

static void release_memory(struct grid *g)
{
    for (unsigned b = 0; g->block && b < g->resident; ++b)
        free(g->block[b].shared);
    free(g->block);
    free(g->warp);
    free(g->order);
}

/* Threads that stay half-way through a kernel are not to go on with another. */
static int give_up(void)
{
    for (size_t i = 0; i < crew.n; ++i)
        crew.thread[i].here = NULL;
    return -1;
}

static int has_ready(const struct grid *g)
{
    for (size_t i = 0; i < (size_t)g->resident * g->launch->block.x; ++i)
        if (g->thread[i].wait == READY)
            return 1;
    return 0;
}

static int run(struct grid *g)
{
    permute(g, g->order, g->n_blocks);
    for (unsigned b = 0; b < g->resident; ++b)
        settle(g, b);
    while (!is_over(g))
        if (!turn(g, g->order + g->n_blocks) && !has_ready(g) && !is_over(g))
            return give_up(); /* e.g. a barrier that not every thread reaches */
    return 0;
}

int cf_grid_run(const struct cf_grid_launch *launch)
{
    struct grid g = {.launch = launch, .warps = launch->block.x / WARP, .random = 1};
    int result;

    g.n_blocks = launch->grid.x * launch->grid.y * launch->grid.z;
    if (KEPT == 0 || g.n_blocks == 0 || launch->block.x % WARP != 0)
        return -1;
    g.resident = launch->cooperative ? g.n_blocks : launch->shuffled ? TOGETHER : 1;
    if (g.resident > g.n_blocks)
        g.resident = g.n_blocks;
    if (launch->shuffled && getrandom(&g.random, sizeof g.random, 0) < 0)
        return -1;
    g.random |= 1;
    result = allocate(&g);
    if (result == 0) {
        now = &g;
        cf_grid_now = (struct cf_grid_place){
            .block_size = launch->block, .grid_size = launch->grid, .fma = launch->fma};
        result = run(&g);
        now = NULL;
    }
    release_memory(&g);
    return result;
}
