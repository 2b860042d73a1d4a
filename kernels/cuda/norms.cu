/* norms: batch norm and layer norm (groups: parameters.h). With m elements a group, mean = (sum of
 * x) / m, sigma = sqrt((sum of (x - mean)^2) / m + epsilon), z = (x - mean) / sigma:
 *   norm_statistics         mean and sigma of each group
 *   norm_fwd                one thread an element: y = gamma z + beta
 *   norm_sums               the sums of dy' and of dy' z over each group
 *   norm_sums_atomic        the same, one block a group: each warp adds its sums, in the order of
 *                           arrival
 *   norm_bwd                one thread an element: dx = ((dy' - (sum of dy') / m) - z ((sum of dy'
 *                           z) / m)) / sigma, times gamma for batch norm
 *   norm_parameters         layer norm: of each column dgamma = sum of dy z, dbeta = sum of dy
 *   norm_parameters_atomic  the same, one thread an element, added in the order of arrival
 * dy' = dy for batch norm, whose sums are dbeta and dgamma, and gamma dy for layer norm. A sum has
 * `lanes` threads of a block, and a block as many sums as fit: lane l adds terms l, l + lanes, ...
 * from +0; then their tree (s[l] += s[l + half]). One lane is one sum from the first term to the
 * last. */
CF_DEVICE long long TYPED(member)(const struct cf_cuda_norm *p, long long group, long long j)
{
    return (j / p->inner * p->groups + group) * p->inner + j % p->inner;
}

CF_DEVICE REAL TYPED(lanes_tree)(REAL value, unsigned lanes)
{
    CF_SHARED(REAL, s);
    REAL sum;

    s[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = lanes / 2; half > 0; half /= 2) {
        if (threadIdx.x % lanes < half)
            s[threadIdx.x] += s[threadIdx.x + half];
        __syncthreads();
    }
    sum = s[threadIdx.x - threadIdx.x % lanes];
    __syncthreads();
    return sum;
}

/* The sum that this thread works for: a group, or a column. */
CF_DEVICE long long TYPED(own_number)(const struct cf_cuda_norm *p)
{
    return ((long long)blockIdx.x * blockDim.x + threadIdx.x) / p->lanes;
}

CF_DEVICE REAL TYPED(square_root)(REAL x)
{
    return sizeof(REAL) == 4 ? (REAL)sqrtf((float)x) : (REAL)sqrt((double)x);
}

CF_KERNEL(TYPED(cf_cuda_norm_statistics), struct cf_cuda_norm)
{
    const long long group = TYPED(own_number)(&p), m = p.outer * p.inner;
    const long long terms = group < p.groups ? m : 0;
    const int lane = (int)threadIdx.x % p.lanes;
    const REAL *x = (const REAL *)p.x;
    REAL sum = 0, mean, squares = 0;

    for (long long j = lane; j < terms; j += p.lanes)
        sum += x[TYPED(member)(&p, group, j)];
    mean = TYPED(lanes_tree)(sum, (unsigned)p.lanes) / (REAL)m;
    for (long long j = lane; j < terms; j += p.lanes) {
        const REAL away = x[TYPED(member)(&p, group, j)] - mean;

        squares = CF_MULADD(away, away, squares);
    }
    squares = TYPED(lanes_tree)(squares, (unsigned)p.lanes) / (REAL)m;
    if (lane > 0 || group >= p.groups)
        return;
    ((REAL *)p.mean)[group] = mean;
    ((REAL *)p.sigma)[group] = TYPED(square_root)(squares + (REAL)CF_CUDA_EPSILON);
}

CF_DEVICE REAL TYPED(normal)(const struct cf_cuda_norm *p, long long group, long long i)
{
    return (((const REAL *)p->x)[i] - ((const REAL *)p->mean)[group]) /
           ((const REAL *)p->sigma)[group];
}

CF_KERNEL(TYPED(cf_cuda_norm_fwd), struct cf_cuda_norm)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long group = i / p.inner % p.groups, l = p.per_group ? group : i % p.inner;

    if (i < p.outer * p.groups * p.inner)
        ((REAL *)p.out)[i] = CF_MULADD(((const REAL *)p.gamma)[l], TYPED(normal)(&p, group, i),
                                       ((const REAL *)p.b)[l]);
}

/* dy' of element i. Products whose use a compiler may move round in themselves: what it contracts
 * is then the same everywhere. */
CF_DEVICE REAL TYPED(incoming)(const struct cf_cuda_norm *p, long long i)
{
    const REAL dy = ((const REAL *)p->b)[i];

    return p->per_group ? dy : CF_PRODUCT(((const REAL *)p->gamma)[i % p->inner], dy);
}

/* Elements first, first + step, ... of a group. */
CF_DEVICE void TYPED(add_group)(REAL *sum, REAL *sum_z, const struct cf_cuda_norm *p,
                                long long group, long long first, long long step)
{
    for (long long j = first; j < p->outer * p->inner; j += step) {
        const long long i = TYPED(member)(p, group, j);
        const REAL dy = TYPED(incoming)(p, i);

        *sum += dy;
        *sum_z = CF_MULADD(dy, TYPED(normal)(p, group, i), *sum_z);
    }
}

CF_KERNEL(TYPED(cf_cuda_norm_sums), struct cf_cuda_norm)
{
    const long long group = TYPED(own_number)(&p);
    const int lane = (int)threadIdx.x % p.lanes;
    REAL sum = 0, sum_z = 0;

    if (group < p.groups)
        TYPED(add_group)(&sum, &sum_z, &p, group, lane, p.lanes);
    sum = TYPED(lanes_tree)(sum, (unsigned)p.lanes);
    sum_z = TYPED(lanes_tree)(sum_z, (unsigned)p.lanes);
    if (lane > 0 || group >= p.groups)
        return;
    ((REAL *)p.sum)[group] = sum;
    ((REAL *)p.sum_z)[group] = sum_z;
}

CF_KERNEL(TYPED(cf_cuda_norm_sums_atomic), struct cf_cuda_norm)
{
    const long long group = blockIdx.x;
    REAL sum = 0, sum_z = 0;

    TYPED(add_group)(&sum, &sum_z, &p, group, threadIdx.x, blockDim.x);
    sum = TYPED(warp_tree)(sum);
    sum_z = TYPED(warp_tree)(sum_z);
    if (threadIdx.x % CF_CUDA_WARP > 0)
        return;
    atomicAdd((REAL *)p.sum + group, sum); /* both are zero */
    atomicAdd((REAL *)p.sum_z + group, sum_z);
}

CF_KERNEL(TYPED(cf_cuda_norm_bwd), struct cf_cuda_norm)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    const long long group = i / p.inner % p.groups;
    const REAL m = (REAL)(p.outer * p.inner);
    REAL z, mean, mean_z, dx;

    if (i >= p.outer * p.groups * p.inner)
        return;
    z = TYPED(normal)(&p, group, i);
    mean = ((const REAL *)p.sum)[group] / m;
    mean_z = ((const REAL *)p.sum_z)[group] / m;
    dx = (TYPED(incoming)(&p, i) - mean - CF_PRODUCT(z, mean_z)) / ((const REAL *)p.sigma)[group];
    ((REAL *)p.out)[i] = p.per_group ? dx * ((const REAL *)p.gamma)[group] : dx;
}

CF_KERNEL(TYPED(cf_cuda_norm_parameters), struct cf_cuda_norm)
{
    const long long column = TYPED(own_number)(&p), rows = column < p.inner ? p.groups : 0;
    const int lane = (int)threadIdx.x % p.lanes;
    REAL sum = 0, sum_z = 0;

    for (long long row = lane; row < rows; row += p.lanes) {
        const long long i = row * p.inner + column;
        const REAL dy = ((const REAL *)p.b)[i];

        sum += dy;
        sum_z = CF_MULADD(dy, TYPED(normal)(&p, row, i), sum_z);
    }
    sum = TYPED(lanes_tree)(sum, (unsigned)p.lanes);
    sum_z = TYPED(lanes_tree)(sum_z, (unsigned)p.lanes);
    if (lane > 0 || column >= p.inner)
        return;
    ((REAL *)p.dbeta)[column] = sum;
    ((REAL *)p.dgamma)[column] = sum_z;
}

CF_KERNEL(TYPED(cf_cuda_norm_parameters_atomic), struct cf_cuda_norm)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    REAL dy;

    if (i >= p.groups * p.inner)
        return;
    dy = ((const REAL *)p.b)[i];
    atomicAdd((REAL *)p.dbeta + i % p.inner, dy); /* both are zero */
    atomicAdd((REAL *)p.dgamma + i % p.inner, CF_PRODUCT(dy, TYPED(normal)(&p, i / p.inner, i)));
}
