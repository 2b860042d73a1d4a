/* Which kernels run: the best that the processor has, unless a test forces others. */
#include "kernels.h"

static _Atomic int chosen = -1; /* of enum cf_exact_isa; -1: not looked at yet */

static bool is_here(enum cf_exact_isa isa)
{
#if defined(__x86_64__)
    if (isa == CF_EXACT_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512ifma");
    if (isa == CF_EXACT_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return isa == CF_EXACT_PORTABLE;
}

enum cf_exact_isa cf_exact_best_isa(void)
{
    if (is_here(CF_EXACT_AVX512))
        return CF_EXACT_AVX512;
    return is_here(CF_EXACT_AVX2) ? CF_EXACT_AVX2 : CF_EXACT_PORTABLE;
}

bool cf_exact_force_isa(enum cf_exact_isa isa)
{
    if (!is_here(isa))
        return false;
    chosen = (int)isa;
    return true;
}

const char *cf_exact_isa_name(enum cf_exact_isa isa)
{
    static const char *const names[CF_EXACT_ISAS] = {"portable", "avx2", "avx512"};

    return names[isa];
}

const struct cf_kernels *cf_kernels_get(void)
{
    static const struct cf_kernels *const tables[CF_EXACT_ISAS] = {
        &cf_kernels_portable, &cf_kernels_avx2, &cf_kernels_avx512};

    if (chosen < 0)
        chosen = (int)cf_exact_best_isa();
    return tables[chosen];
}
