/* embedding: de [v,c] from tokens [n] (a) and dy [n,c] (b); rows n, columns c, plane v.
 *   embedding_bwd         one thread an element of de: its rows from the first to the last, from +0
 *   embedding_bwd_atomic  one thread an element of dy, added in the order of arrival */
CF_KERNEL(TYPED(cf_cuda_embedding_bwd), struct cf_cuda_layer)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    REAL sum = 0;

    if (e >= p.plane * p.columns)
        return;
    for (long long i = 0; i < p.rows; ++i)
        if (((const REAL *)p.a)[i] == (REAL)(e / p.columns))
            sum += ((const REAL *)p.b)[i * p.columns + e % p.columns];
    ((REAL *)p.y)[e] = sum;
}

CF_KERNEL(TYPED(cf_cuda_embedding_bwd_atomic), struct cf_cuda_layer)
{
    const long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    REAL token;

    if (e >= p.rows * p.columns)
        return;
    token = ((const REAL *)p.a)[e / p.columns];
    if (token >= 0 && token < (REAL)p.plane)
        atomicAdd((REAL *)p.y + (long long)token * p.columns + e % p.columns,
                  ((const REAL *)p.b)[e]);
}
