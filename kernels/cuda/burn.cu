/* burn: the chaotic chain of kernels/vector/vector.h, one thread an element and pass after pass,
 * which keeps a multiprocessor busy with multiplications and additions, no wrong bit of which is
 * rounded away. Each block writes down which multiprocessor it ran on (PTX ISA, special register
 * %smid), so that a wrong element has a place on the chip. */
CF_KERNEL(TYPED(cf_cuda_burn), struct cf_cuda_burn)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;

    if (threadIdx.x == 0 && p.processor)
        p.processor[blockIdx.x] = CF_PROCESSOR();
    if (i >= p.n)
        return;
    for (long long pass = 0; pass < p.passes; ++pass) {
        REAL x = ((const REAL *)p.x)[i];

        for (long long r = 0; r < p.rounds; ++r) {
            const REAL c = ((const REAL *)p.t)[r % 256] / 4;
            REAL y;

            if (p.fused) {
                y = CF_FMA(x, (REAL)0.75, c);
                x = CF_FMA(-(y + y), y, (REAL)1);
            } else {
                y = x * (REAL)0.75 + c;
                x = 1 - (y + y) * y;
            }
        }
        ((REAL *)p.out)[pass * p.n + i] = x;
    }
}
