#!/bin/sh
# philox_device.sh SOURCE: the header that CPU and devices share is C++ too, and compiles for a device: the same words by
# a C++ compiler, and by nvcc (host side run, device side compiled to PTX; no GPU is needed).
set -u
source=$1
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cat > "$work/words.cu" << 'END'
#include <cstdio>

#include "philox_words.h"

#ifdef __CUDACC__
__global__ void fill(uint64_t *out, int64_t n)
{
    cf_stream_share(7, 3, 0, out, n, (int64_t)blockIdx.x * blockDim.x + threadIdx.x, (int64_t)gridDim.x * blockDim.x);
}
#endif

int main()
{
    uint64_t out[9];

    for (int t = 4; t >= 0; --t)
        cf_stream_share(7, 3, 0, out, 9, t, 5);
    for (int i = 0; i < 9; ++i)
        std::printf("%016llx\n", (unsigned long long)out[i]);
}
END
cat > "$work/words.c" << 'END'
#include <stdio.h>

#include "philox.h"

int main(void)
{
    for (uint64_t i = 0; i < 9; ++i)
        printf("%016llx\n", (unsigned long long)cf_stream_word(&(struct cf_stream){7, 3}, i));
}
END
include="-I$source/harness/base"
cc -std=c11 "$include" "$work/words.c" "$source/harness/base/philox.c" -o "$work/c" || { echo 'philox_device: C does not compile'; exit 1; }
"$work/c" > "$work/expected"
command -v c++ > /dev/null || { echo 'philox_device: skipped: there is no C++ compiler'; exit 77; }
c++ -Wall -Wextra -Werror -x c++ "$include" "$work/words.cu" -o "$work/cpp" || { echo 'philox_device: C++ does not compile'; exit 1; }
"$work/cpp" | diff "$work/expected" - || { echo 'philox_device: C++ draws other words'; exit 1; }
command -v nvcc > /dev/null || { echo 'philox_device: skipped: there is no nvcc'; exit 77; }
nvcc -arch=sm_90 "$include" "$work/words.cu" -o "$work/cuda" && nvcc -arch=sm_90 -ptx "$include" "$work/words.cu" -o "$work/words.ptx" ||
    { echo 'philox_device: nvcc does not compile it'; exit 1; }
"$work/cuda" | diff "$work/expected" - || { echo 'philox_device: the host side of nvcc draws other words'; exit 1; }
grep -q '\.visible \.entry .*fill' "$work/words.ptx" && grep -q '3528531795\|-766435501\|0xD2511F53' "$work/words.ptx" ||
    { echo 'philox_device: the device code does not hold the generator'; exit 1; }
# No float takes part: what a device draws cannot depend on its rounding.
grep -q '\.f32\|\.f64' "$work/words.ptx" && { echo 'philox_device: the device code computes with floats'; exit 1; }
echo 'philox_device: C, C++ and nvcc draw the same words'
