/* window: convolution (shapes and layouts: parameters.h), every sum from +0.
 *   direct  one thread an output. fwd: by channel, then window; bwd_data: by filter, then window;
 *           bwd_filter: by image, then pixel. rsc: windows (pixels) outside, channels (filters,
 *           images) inside
 *   atomic  bwd_data: one thread a pixel of dy, which adds its products to dx; bwd_filter: one
 *           thread a tap and image, which adds its sum to dw; both in the order of arrival
 *   lay     one thread an element: from one layout to the other */
CF_DEVICE long long TYPED(index)(int nhwc, long long a, long long b, long long n_b, long long c,
                                 long long n_c, long long d, long long n_d)
{
    return nhwc ? ((a * n_c + c) * n_d + d) * n_b + b : ((a * n_b + b) * n_c + c) * n_d + d;
}

/* Element e of [a,b,c,d] in the layout's order. */
CF_DEVICE long long TYPED(place)(int nhwc, long long e, long long n_b, long long n_c, long long n_d)
{
    return nhwc ? TYPED(index)(1, e / n_d / n_c / n_b, e / n_d / n_c % n_b, n_b, e / n_d % n_c, n_c,
                               e % n_d, n_d)
                : e;
}

CF_KERNEL(TYPED(cf_cuda_lay), struct cf_cuda_lay)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long at = TYPED(place)(1, e, p.dim[1], p.dim[2], p.dim[3]);

    if (e >= p.dim[0] * p.dim[1] * p.dim[2] * p.dim[3])
        return;
    if (p.back)
        ((ELEMENT *)p.to)[e] = ((const ELEMENT *)p.from)[at];
    else
        ((ELEMENT *)p.to)[at] = ((const ELEMENT *)p.from)[e];
}

/* x under output (a, b) and tap (r, s) of channel c of image n, or -1 in the padding. */
CF_DEVICE long long TYPED(under)(const struct cf_cuda_window *p, long long n, long long c,
                                 long long a, long long b, long long r, long long s)
{
    const long long i = a * p->stride - p->pad + r * p->dilation;
    const long long j = b * p->stride - p->pad + s * p->dilation;

    return i < 0 || i >= p->h || j < 0 || j >= p->width
               ? -1
               : TYPED(index)(p->nhwc, n, c, p->c, i, p->h, j, p->width);
}

/* w at tap (r, s) of channel c (of the group) of filter k. */
CF_DEVICE REAL TYPED(weight)(const struct cf_cuda_window *p, long long k, long long c, long long r,
                             long long s)
{
    const long long cg = p->c / p->groups;

    return TYPED(load)(p->w, TYPED(index)(p->nhwc, k, c, cg, r, p->r, s, p->s));
}

/* y at pixel (a, b) of filter k of image n. */
CF_DEVICE REAL TYPED(pixel)(const struct cf_cuda_window *p, long long n, long long k, long long a,
                            long long b)
{
    return TYPED(load)(p->y, TYPED(index)(p->nhwc, n, k, p->k, a, p->p, b, p->q));
}

/* Three loops, the outermost first: over channels, rows, columns, or (rsc) rows, columns, channels.
 */
struct TYPED(loops) {
    long long n[3];
};

CF_DEVICE struct TYPED(loops)
    TYPED(loops_of)(int rsc, long long channels, long long rows, long long columns)
{
    struct TYPED(loops) loops;

    loops.n[0] = rsc ? rows : channels;
    loops.n[1] = rsc ? columns : rows;
    loops.n[2] = rsc ? channels : columns;
    return loops;
}

CF_KERNEL(TYPED(cf_cuda_window_fwd), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long b = e % p.q, a = e / p.q % p.p, k = e / p.q / p.p % p.k;
    const long long n = e / p.q / p.p / p.k, cg = p.c / p.groups;
    const long long c0 = k / (p.k / p.groups) * cg;
    const struct TYPED(loops) to = TYPED(loops_of)(p.rsc, cg, p.r, p.s);
    REAL sum = 0;

    if (n >= p.n)
        return;
    for (long long u = 0; u < to.n[0]; ++u)
        for (long long v = 0; v < to.n[1]; ++v)
            for (long long t = 0; t < to.n[2]; ++t) {
                const long long c = p.rsc ? t : u, r = p.rsc ? u : v, s = p.rsc ? v : t;
                const long long at = TYPED(under)(&p, n, c0 + c, a, b, r, s);

                if (at >= 0)
                    sum = CF_MULADD(TYPED(load)(p.x, at), TYPED(weight)(&p, k, c, r, s), sum);
            }
    ((REAL *)p.y)[TYPED(place)(p.nhwc, e, p.k, p.p, p.q)] = sum;
}

/* The output whose tap t lies over pixel i, or -1. */
CF_DEVICE long long TYPED(over)(const struct cf_cuda_window *p, long long i, long long t,
                                long long extent)
{
    const long long a = i + p->pad - t * p->dilation;

    return a < 0 || a % p->stride != 0 || a / p->stride >= extent ? -1 : a / p->stride;
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_data), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long j = e % p.width, i = e / p.width % p.h, c = e / p.width / p.h % p.c;
    const long long n = e / p.width / p.h / p.c, cg = p.c / p.groups, kg = p.k / p.groups;
    const long long k0 = c / cg * kg;
    const struct TYPED(loops) to = TYPED(loops_of)(p.rsc, kg, p.r, p.s);
    REAL sum = 0;

    if (n >= p.n)
        return;
    for (long long u = 0; u < to.n[0]; ++u)
        for (long long v = 0; v < to.n[1]; ++v)
            for (long long t = 0; t < to.n[2]; ++t) {
                const long long k = k0 + (p.rsc ? t : u), r = p.rsc ? u : v, s = p.rsc ? v : t;
                const long long a = TYPED(over)(&p, i, r, p.p), b = TYPED(over)(&p, j, s, p.q);

                if (a >= 0 && b >= 0)
                    sum = CF_MULADD(TYPED(pixel)(&p, n, k, a, b),
                                    TYPED(weight)(&p, k, c % cg, r, s), sum);
            }
    ((REAL *)p.x)[TYPED(place)(p.nhwc, e, p.c, p.h, p.width)] = sum;
}

/* Tap e of the filters over images first .. last - 1, from +0. */
CF_DEVICE REAL TYPED(of_images)(const struct cf_cuda_window *p, long long e, long long first,
                                long long last)
{
    const long long cg = p->c / p->groups, s = e % p->s, r = e / p->s % p->r;
    const long long c = e / p->s / p->r % cg, k = e / p->s / p->r / cg;
    const long long c0 = k / (p->k / p->groups) * cg;
    const struct TYPED(loops) to = TYPED(loops_of)(p->rsc, last - first, p->p, p->q);
    REAL sum = 0;

    for (long long u = 0; u < to.n[0]; ++u)
        for (long long v = 0; v < to.n[1]; ++v)
            for (long long t = 0; t < to.n[2]; ++t) {
                const long long n = first + (p->rsc ? t : u), a = p->rsc ? u : v;
                const long long b = p->rsc ? v : t;
                const long long at = TYPED(under)(p, n, c0 + c, a, b, r, s);

                if (at >= 0)
                    sum = CF_MULADD(TYPED(load)(p->x, at), TYPED(pixel)(p, n, k, a, b), sum);
            }
    return sum;
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_filter), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x, cg = p.c / p.groups;

    if (e < p.k * cg * p.r * p.s)
        ((REAL *)p.w)[TYPED(place)(p.nhwc, e, cg, p.r, p.s)] = TYPED(of_images)(&p, e, 0, p.n);
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_filter_atomic), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x, cg = p.c / p.groups;

    if (e < p.k * cg * p.r * p.s)
        atomicAdd((REAL *)p.w + TYPED(place)(p.nhwc, e, cg, p.r, p.s),
                  TYPED(of_images)(&p, e, blockIdx.y, blockIdx.y + 1ll));
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_data_atomic), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long b = e % p.q, a = e / p.q % p.p, k = e / p.q / p.p % p.k;
    const long long n = e / p.q / p.p / p.k, cg = p.c / p.groups;
    const long long c0 = k / (p.k / p.groups) * cg;

    if (n >= p.n)
        return;
    for (long long c = 0; c < cg; ++c)
        for (long long r = 0; r < p.r; ++r)
            for (long long s = 0; s < p.s; ++s) {
                const long long at = TYPED(under)(&p, n, c0 + c, a, b, r, s);

                if (at >= 0)
                    atomicAdd((REAL *)p.x + at,
                              TYPED(pixel)(&p, n, k, a, b) * TYPED(weight)(&p, k, c, r, s));
            }
}
