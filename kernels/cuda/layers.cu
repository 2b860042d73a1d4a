/* layers: what training steps need besides products. One thread an element, a row or a channel;
 * sums from +0, from the first term to the last. Exponential, logarithm and erf are the library's
 * of the side: their last bits differ between host and device.
 *
 *   relu_fwd          y = x > 0 ? x : 0, NaN where x is;  a = x
 *   relu_bwd          dx = x > 0 ? dy : 0;  a = x, b = dy
 *   bias_fwd          y = x + b[c];  a = x, b
 *   bias_bwd          db[c] = sum of dy over images and pixels;  a = dy
 *   bias_bwd_atomic   one thread an element of dy, added in the order of arrival
 *   gelu_fwd          y = x / 2 (1 + erf(x / sqrt(2)));  a = x
 *   softmax_fwd       y = exp(x - m) / sum of exp(x - m), m the row's maximum
 *   softmax_bwd       dx = y (dy - sum of y dy);  a = y, b = dy
 *   crossentropy_fwd  loss = sum of t ((m - x) + log of the sum);  a = x, b = t
 *   crossentropy_bwd  dx = softmax(x) (sum of t) - t;  a = x, b = t */
#define INDEX ((long long)blockIdx.x * blockDim.x + threadIdx.x)

CF_KERNEL(TYPED(cf_cuda_relu_fwd), struct cf_cuda_layer)
{
    const long long i = INDEX;
    const REAL *x = (const REAL *)p.a;

    if (i < p.rows * p.columns * p.plane)
        ((REAL *)p.y)[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
}

CF_KERNEL(TYPED(cf_cuda_relu_bwd), struct cf_cuda_layer)
{
    const long long i = INDEX;

    if (i < p.rows * p.columns * p.plane)
        ((REAL *)p.y)[i] = ((const REAL *)p.a)[i] > 0 ? ((const REAL *)p.b)[i] : 0;
}

CF_KERNEL(TYPED(cf_cuda_bias_fwd), struct cf_cuda_layer)
{
    const long long i = INDEX;

    if (i < p.rows * p.columns * p.plane)
        ((REAL *)p.y)[i] = ((const REAL *)p.a)[i] + ((const REAL *)p.b)[i / p.plane % p.columns];
}

CF_KERNEL(TYPED(cf_cuda_bias_bwd), struct cf_cuda_layer)
{
    const long long c = INDEX;
    REAL sum = 0;

    if (c >= p.columns)
        return;
    for (long long n = 0; n < p.rows; ++n)
        for (long long i = 0; i < p.plane; ++i)
            sum += ((const REAL *)p.a)[(n * p.columns + c) * p.plane + i];
    ((REAL *)p.y)[c] = sum;
}

CF_KERNEL(TYPED(cf_cuda_bias_bwd_atomic), struct cf_cuda_layer)
{
    const long long i = INDEX;

    if (i < p.rows * p.columns * p.plane)
        atomicAdd((REAL *)p.y + i / p.plane % p.columns, ((const REAL *)p.a)[i]);
}

CF_KERNEL(TYPED(cf_cuda_gelu_fwd), struct cf_cuda_layer)
{
    const long long i = INDEX;
    REAL x, inner;

    if (i >= p.rows * p.columns * p.plane)
        return;
    x = ((const REAL *)p.a)[i];
    inner = CF_PRODUCT(x, (REAL)0x1.6a09e667f3bcdp-1);
    inner = sizeof(REAL) == 4 ? (REAL)erff((float)inner) : (REAL)erf((double)inner);
    ((REAL *)p.y)[i] = CF_PRODUCT((REAL)0.5 * x, 1 + inner);
}

CF_DEVICE REAL TYPED(exponential)(REAL x)
{
    return sizeof(REAL) == 4 ? (REAL)expf((float)x) : (REAL)exp((double)x);
}

CF_DEVICE REAL TYPED(logarithm)(REAL x)
{
    return sizeof(REAL) == 4 ? (REAL)logf((float)x) : (REAL)log((double)x);
}

CF_DEVICE REAL TYPED(most)(const REAL *x, long long n)
{
    REAL most = x[0];

    for (long long j = 1; j < n; ++j)
        most = x[j] > most ? x[j] : most;
    return most;
}

CF_DEVICE REAL TYPED(sum_of_powers)(const REAL *x, REAL most, long long n)
{
    REAL sum = 0;

    for (long long j = 0; j < n; ++j)
        sum += TYPED(exponential)(x[j] - most);
    return sum;
}

CF_KERNEL(TYPED(cf_cuda_softmax_fwd), struct cf_cuda_layer)
{
    const long long i = INDEX, n = p.columns;
    const REAL *x = (const REAL *)p.a + i * n;
    REAL *y = (REAL *)p.y + i * n;
    REAL most, sum;

    if (i >= p.rows)
        return;
    most = TYPED(most)(x, n);
    sum = TYPED(sum_of_powers)(x, most, n);
    for (long long j = 0; j < n; ++j)
        y[j] = TYPED(exponential)(x[j] - most) / sum;
}

CF_KERNEL(TYPED(cf_cuda_softmax_bwd), struct cf_cuda_layer)
{
    const long long i = INDEX, n = p.columns;
    const REAL *y = (const REAL *)p.a + i * n, *dy = (const REAL *)p.b + i * n;
    REAL sum = 0;

    if (i >= p.rows)
        return;
    for (long long j = 0; j < n; ++j)
        sum = CF_MULADD(y[j], dy[j], sum);
    for (long long j = 0; j < n; ++j)
        ((REAL *)p.y)[i * n + j] = y[j] * (dy[j] - sum);
}

CF_KERNEL(TYPED(cf_cuda_crossentropy_fwd), struct cf_cuda_layer)
{
    const long long i = INDEX, n = p.columns;
    const REAL *x = (const REAL *)p.a + i * n, *t = (const REAL *)p.b + i * n;
    REAL most, log_sum, loss = 0;

    if (i >= p.rows)
        return;
    most = TYPED(most)(x, n);
    log_sum = TYPED(logarithm)(TYPED(sum_of_powers)(x, most, n));
    for (long long j = 0; j < n; ++j)
        loss = CF_MULADD(t[j], (most - x[j]) + log_sum, loss);
    ((REAL *)p.y)[i] = loss;
}

CF_KERNEL(TYPED(cf_cuda_crossentropy_bwd), struct cf_cuda_layer)
{
    const long long i = INDEX, n = p.columns;
    const REAL *x = (const REAL *)p.a + i * n, *t = (const REAL *)p.b + i * n;
    REAL most, sum, mass = 0;

    if (i >= p.rows)
        return;
    most = TYPED(most)(x, n);
    sum = TYPED(sum_of_powers)(x, most, n);
    for (long long j = 0; j < n; ++j)
        mass += t[j];
    for (long long j = 0; j < n; ++j)
        ((REAL *)p.y)[i * n + j] = TYPED(exponential)(x[j] - most) / sum * mass - t[j];
}
#undef INDEX
