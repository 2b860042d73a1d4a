/* window: convolution (shapes: parameters.h), every sum from +0.
 *   direct  one thread an output. fwd: by channel, then window; bwd_data: by filter, then window;
 *           bwd_filter: by image, then pixel
 *   atomic  bwd_data: one thread a pixel of dy, which adds its products to dx; bwd_filter: one
 *           thread a tap and image, which adds its sum to dw; both in the order of arrival */
CF_DEVICE long long TYPED(index)(long long a, long long b, long long n_b, long long c,
                                 long long n_c, long long d, long long n_d)
{
    return ((a * n_b + b) * n_c + c) * n_d + d;
}

/* x under output (a, b) and tap (r, s) of channel c of image n, or -1 in the padding. */
CF_DEVICE long long TYPED(under)(const struct cf_cuda_window *p, long long n, long long c,
                                 long long a, long long b, long long r, long long s)
{
    const long long i = a * p->stride - p->pad + r * p->dilation;
    const long long j = b * p->stride - p->pad + s * p->dilation;

    return i < 0 || i >= p->h || j < 0 || j >= p->width
               ? -1
               : TYPED(index)(n, c, p->c, i, p->h, j, p->width);
}

CF_KERNEL(TYPED(cf_cuda_window_fwd), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long b = e % p.q, a = e / p.q % p.p, k = e / p.q / p.p % p.k;
    const long long n = e / p.q / p.p / p.k, cg = p.c / p.groups;
    const long long c0 = k / (p.k / p.groups) * cg;
    REAL sum = 0;

    if (n >= p.n)
        return;
    for (long long c = 0; c < cg; ++c)
        for (long long r = 0; r < p.r; ++r)
            for (long long s = 0; s < p.s; ++s) {
                const long long at = TYPED(under)(&p, n, c0 + c, a, b, r, s);

                if (at >= 0)
                    sum =
                        CF_MULADD(((const REAL *)p.x)[at],
                                  ((const REAL *)p.w)[TYPED(index)(k, c, cg, r, p.r, s, p.s)], sum);
            }
    ((REAL *)p.y)[e] = sum;
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
    REAL sum = 0;

    if (n >= p.n)
        return;
    for (long long k = k0; k < k0 + kg; ++k)
        for (long long r = 0; r < p.r; ++r)
            for (long long s = 0; s < p.s; ++s) {
                const long long a = TYPED(over)(&p, i, r, p.p), b = TYPED(over)(&p, j, s, p.q);

                if (a >= 0 && b >= 0)
                    sum = CF_MULADD(
                        ((const REAL *)p.y)[TYPED(index)(n, k, p.k, a, p.p, b, p.q)],
                        ((const REAL *)p.w)[TYPED(index)(k, c % cg, cg, r, p.r, s, p.s)], sum);
            }
    ((REAL *)p.x)[e] = sum;
}

/* Tap e of the filters, over the pixels of image n, on top of sum. */
CF_DEVICE REAL TYPED(of_image)(const struct cf_cuda_window *p, long long e, long long n, REAL sum)
{
    const long long cg = p->c / p->groups, s = e % p->s, r = e / p->s % p->r;
    const long long c = e / p->s / p->r % cg, k = e / p->s / p->r / cg;
    const long long c0 = k / (p->k / p->groups) * cg;

    for (long long a = 0; a < p->p; ++a)
        for (long long b = 0; b < p->q; ++b) {
            const long long at = TYPED(under)(p, n, c0 + c, a, b, r, s);

            if (at >= 0)
                sum = CF_MULADD(((const REAL *)p->x)[at],
                                ((const REAL *)p->y)[TYPED(index)(n, k, p->k, a, p->p, b, p->q)],
                                sum);
        }
    return sum;
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_filter), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    REAL sum = 0;

    if (e >= p.k * (p.c / p.groups) * p.r * p.s)
        return;
    for (long long n = 0; n < p.n; ++n)
        sum = TYPED(of_image)(&p, e, n, sum);
    ((REAL *)p.w)[e] = sum;
}

CF_KERNEL(TYPED(cf_cuda_window_bwd_filter_atomic), struct cf_cuda_window)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;

    if (e < p.k * (p.c / p.groups) * p.r * p.s)
        atomicAdd((REAL *)p.w + e, TYPED(of_image)(&p, e, blockIdx.y, 0));
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
                              ((const REAL *)p.y)[e] *
                                  ((const REAL *)p.w)[TYPED(index)(k, c, cg, r, p.r, s, p.s)]);
            }
}
