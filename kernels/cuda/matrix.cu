/* matrix: c [m,n] = a [m,k] b [k,n]; every element starts from +0 and adds its products by
 * ascending k.
 *   serial        one thread an element
 *   tiled         the same order, operands through tiles in shared memory: the same bits
 *   split         k in slices of equal length (the last may be shorter), one partial each; a second
 *                 launch adds them from the first to the last
 *   split_atomic  slices added to c in the order of arrival */
CF_DEVICE REAL TYPED(slice)(const struct cf_cuda_matrix *p, long long e, long long first,
                            long long last)
{
    const ELEMENT *a = (const ELEMENT *)p->a + e / p->n * p->k;
    const ELEMENT *b = (const ELEMENT *)p->b + e % p->n;
    REAL sum = 0;

    for (long long l = first; l < last; ++l)
        sum = CF_MULADD(TYPED(widen)(a[l]), TYPED(widen)(b[l * p->n]), sum);
    return sum;
}

CF_DEVICE long long TYPED(cut)(const struct cf_cuda_matrix *p, long long slice)
{
    const long long length = (p->k + p->slices - 1) / p->slices;

    return slice * length < p->k ? slice * length : p->k;
}

CF_KERNEL(TYPED(cf_cuda_serial), struct cf_cuda_matrix)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;

    if (e < p.m * p.n)
        TYPED(store)(p.c, e, TYPED(slice)(&p, e, 0, p.k));
}

CF_KERNEL(TYPED(cf_cuda_tiled), struct cf_cuda_matrix)
{
    CF_SHARED(REAL, tile);
    REAL *const of_a = tile, *const of_b = tile + CF_CUDA_TILE * CF_CUDA_TILE;
    const int u = (int)threadIdx.x / CF_CUDA_TILE, v = (int)threadIdx.x % CF_CUDA_TILE;
    const long long i = (long long)blockIdx.y * CF_CUDA_TILE + u;
    const long long j = (long long)blockIdx.x * CF_CUDA_TILE + v;
    REAL sum = 0;

    for (long long l = 0; l < p.k; l += CF_CUDA_TILE) {
        const int depth = p.k - l < CF_CUDA_TILE ? (int)(p.k - l) : CF_CUDA_TILE;

        if (i < p.m && v < depth)
            of_a[u * CF_CUDA_TILE + v] = TYPED(load)(p.a, i * p.k + l + v);
        if (j < p.n && u < depth)
            of_b[u * CF_CUDA_TILE + v] = TYPED(load)(p.b, (l + u) * p.n + j);
        __syncthreads();
        if (i < p.m && j < p.n)
            for (int t = 0; t < depth; ++t)
                sum = CF_MULADD(of_a[u * CF_CUDA_TILE + t], of_b[t * CF_CUDA_TILE + v], sum);
        __syncthreads();
    }
    if (i < p.m && j < p.n)
        TYPED(store)(p.c, i * p.n + j, sum);
}

CF_KERNEL(TYPED(cf_cuda_split), struct cf_cuda_matrix)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long s = blockIdx.y;

    if (e < p.m * p.n)
        ((REAL *)p.partial)[s * p.m * p.n + e] =
            TYPED(slice)(&p, e, TYPED(cut)(&p, s), TYPED(cut)(&p, s + 1));
}

CF_KERNEL(TYPED(cf_cuda_split_end), struct cf_cuda_matrix)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    REAL sum = 0;

    if (e >= p.m * p.n)
        return;
    for (int s = 0; s < p.slices; ++s)
        sum += ((const REAL *)p.partial)[s * p.m * p.n + e];
    TYPED(store)(p.c, e, sum);
}

CF_KERNEL(TYPED(cf_cuda_split_atomic), struct cf_cuda_matrix)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long s = blockIdx.y;

    if (e < p.m * p.n)
        atomicAdd((REAL *)p.c + e, TYPED(slice)(&p, e, TYPED(cut)(&p, s), TYPED(cut)(&p, s + 1)));
}
