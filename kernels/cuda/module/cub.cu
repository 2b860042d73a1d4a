/* cub: CUB's device-wide reduction and scan, as a library of its own that nothing links: CUB needs
 * C++ and the CUDA runtime, and the worker has neither. The runtime is that of lib=, opened before.
 *   cf_cub_sum(scratch, n_bytes, x, out, n, wide)   out = cub::DeviceReduce::Sum of x [n]
 *   cf_cub_scan(scratch, n_bytes, x, out, n, wide)  out [n] = cub::DeviceScan::InclusiveSum of x
 * scratch NULL: only *n_bytes is set. wide: double, else float. A cudaError_t. */
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_scan.cuh>

extern "C" int cf_cub_version(void)
{
    return CUB_VERSION;
}

extern "C" int cf_cub_sum(void *scratch, size_t *n_bytes, const void *x, void *out, int n, int wide)
{
    return wide ? cub::DeviceReduce::Sum(scratch, *n_bytes, (const double *)x, (double *)out, n)
                : cub::DeviceReduce::Sum(scratch, *n_bytes, (const float *)x, (float *)out, n);
}

extern "C" int cf_cub_scan(void *scratch, size_t *n_bytes, const void *x, void *out, int n,
                           int wide)
{
    return wide ? cub::DeviceScan::InclusiveSum(scratch, *n_bytes, (const double *)x, (double *)out,
                                                n)
                : cub::DeviceScan::InclusiveSum(scratch, *n_bytes, (const float *)x, (float *)out,
                                                n);
}
