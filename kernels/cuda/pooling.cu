/* pooling: over windows of r x s pixels (shapes: parameters.h); taps of a window and windows over a
 * pixel in row-major order, padding being none; sums from +0.
 *   maxpool_fwd         one thread a window: its largest pixel, the first of equal ones; NaN where
 *                       there is one
 *   avgpool_fwd         one thread a window: the sum of its pixels over the divisor
 *   maxpool_bwd         one thread a pixel, which gathers dy of the windows whose largest it is
 *   avgpool_bwd         one thread a pixel, which gathers dy over the divisor of its windows
 *   maxpool_bwd_atomic, avgpool_bwd_atomic  one thread a window, which adds to its pixels in the
 *                       order of arrival
 */
struct TYPED(spot) {
    long long n, c, p, q; /* a window */
};

CF_DEVICE struct TYPED(spot) TYPED(spot_of)(const struct cf_cuda_window *g, long long e)
{
    struct TYPED(spot) at;

    at.q = e % g->q;
    at.p = e / g->q % g->p;
    at.c = e / g->q / g->p % g->c;
    at.n = e / g->q / g->p / g->c;
    return at;
}

/* The pixel that a window's gradient goes to. */
CF_DEVICE long long TYPED(largest)(const struct cf_cuda_window *g, const REAL *x,
                                   struct TYPED(spot) o)
{
    long long best = -1;

    for (long long r = 0; r < g->r; ++r)
        for (long long s = 0; s < g->s; ++s) {
            const long long at = TYPED(under)(g, o.n, o.c, o.p, o.q, r, s);

            if (at >= 0 && (best < 0 || x[at] > x[best] || (x[at] != x[at] && x[best] == x[best])))
                best = at;
        }
    return best;
}

CF_DEVICE REAL TYPED(divisor)(const struct cf_cuda_pool *p, struct TYPED(spot) o)
{
    long long n = 0;

    for (long long r = 0; r < p->g.r; ++r)
        for (long long s = 0; s < p->g.s; ++s)
            n += p->whole || TYPED(under)(&p->g, o.n, o.c, o.p, o.q, r, s) >= 0;
    return (REAL)n;
}

CF_KERNEL(TYPED(cf_cuda_maxpool_fwd), struct cf_cuda_pool)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const struct TYPED(spot) o = TYPED(spot_of)(&p.g, e);
    const REAL *x = (const REAL *)p.a;

    if (o.n < p.g.n)
        ((REAL *)p.out)[e] = x[TYPED(largest)(&p.g, x, o)];
}

CF_KERNEL(TYPED(cf_cuda_avgpool_fwd), struct cf_cuda_pool)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const struct TYPED(spot) o = TYPED(spot_of)(&p.g, e);
    REAL sum = 0;

    if (o.n >= p.g.n)
        return;
    for (long long r = 0; r < p.g.r; ++r)
        for (long long s = 0; s < p.g.s; ++s) {
            const long long at = TYPED(under)(&p.g, o.n, o.c, o.p, o.q, r, s);

            if (at >= 0)
                sum += ((const REAL *)p.a)[at];
        }
    ((REAL *)p.out)[e] = sum / TYPED(divisor)(&p, o);
}

/* What window o gives to pixel e. */
CF_DEVICE REAL TYPED(share)(const struct cf_cuda_pool *p, struct TYPED(spot) o, long long e,
                            int of_largest)
{
    const long long window = TYPED(index)(0, o.n, o.c, p->g.c, o.p, p->g.p, o.q, p->g.q);

    if (of_largest)
        return TYPED(largest)(&p->g, (const REAL *)p->a, o) == e ? ((const REAL *)p->b)[window] : 0;
    return ((const REAL *)p->b)[window] / TYPED(divisor)(p, o);
}

/* Windows ascend where taps descend. A sum that starts from +0 keeps its bits when +0 is added. */
CF_DEVICE void TYPED(gather)(const struct cf_cuda_pool *p, int of_largest)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long j = e % p->g.width, i = e / p->g.width % p->g.h;
    const long long plane = e / p->g.width / p->g.h;
    struct TYPED(spot) o;
    REAL sum = 0;

    o.n = plane / p->g.c;
    o.c = plane % p->g.c;
    if (o.n >= p->g.n)
        return;
    for (long long r = p->g.r - 1; r >= 0; --r)
        for (long long s = p->g.s - 1; s >= 0; --s) {
            o.p = TYPED(over)(&p->g, i, r, p->g.p);
            o.q = TYPED(over)(&p->g, j, s, p->g.q);
            if (o.p >= 0 && o.q >= 0)
                sum += TYPED(share)(p, o, e, of_largest);
        }
    ((REAL *)p->out)[e] = sum;
}

CF_KERNEL(TYPED(cf_cuda_maxpool_bwd), struct cf_cuda_pool)
{
    TYPED(gather)(&p, 1);
}

CF_KERNEL(TYPED(cf_cuda_avgpool_bwd), struct cf_cuda_pool)
{
    TYPED(gather)(&p, 0);
}

CF_KERNEL(TYPED(cf_cuda_maxpool_bwd_atomic), struct cf_cuda_pool)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const struct TYPED(spot) o = TYPED(spot_of)(&p.g, e);

    if (o.n < p.g.n)
        atomicAdd((REAL *)p.out + TYPED(largest)(&p.g, (const REAL *)p.a, o),
                  ((const REAL *)p.b)[e]);
}

CF_KERNEL(TYPED(cf_cuda_avgpool_bwd_atomic), struct cf_cuda_pool)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const struct TYPED(spot) o = TYPED(spot_of)(&p.g, e);

    if (o.n >= p.g.n)
        return;
    for (long long r = 0; r < p.g.r; ++r)
        for (long long s = 0; s < p.g.s; ++s) {
            const long long at = TYPED(under)(&p.g, o.n, o.c, o.p, o.q, r, s);

            if (at >= 0)
                atomicAdd((REAL *)p.out + at, ((const REAL *)p.b)[e] / TYPED(divisor)(&p, o));
        }
}
