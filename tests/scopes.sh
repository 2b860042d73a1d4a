#!/bin/sh
# scopes.sh BUILD: orders of summation that are written out are invariant in exactly the ways that their order says.
# Each truth below follows from the order alone; the suites' own cases must find it, at both levels, with enough
# comparisons for a pass. A truth has a liar beside it: an order for which the same scope must fail.
set -u
build=$1
command -v python3 > /dev/null || { echo "SKIP: needs python3"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME="$dir" XDG_STATE_HOME="$dir"
failed=0

# check NAME: the findings on bits in NAME.json against lines `CONFIGURATION | GROUP | SCOPE | VERDICT` on standard input.
check() {
    python3 -c '
import json, sys
document = json.load(open(sys.argv[1] + ".json"))
label = [c["label"] for c in document["configurations"]]
found = {(label[f["configuration"]], f["group"], f["demand"]["scope"]): f
         for f in document["findings"] if f["component"] == "bits"}
wrong = n = 0
for line in sys.stdin:
    *key, verdict = [word.strip() for word in line.split("|")]
    one = found.get(tuple(key), {"verdict": "missing", "reason": ""})
    n += 1
    if one["verdict"] != verdict:
        wrong += 1
        print("scopes:", sys.argv[2], *key, "is", one["verdict"], "and not", verdict + ":", one["reason"])
sys.exit(wrong > 0 or n == 0)' "$dir/$1" "$1" || failed=1
}

# What holds of convolutions. A sum of products of bf16 or f16 has exact products, so that fma changes nothing; im2col
# adds the taps of an output in the order of direct-crs, and the columns of dx pixel by pixel, and dw image by image.
convolutions() {
    for op in conv2d_fwd conv2d_bwd_data conv2d_bwd_filter; do
        for kernel in direct-crs direct-rsc direct-crs-fma im2col-forward canon; do
            for scope in run batch position; do
                echo "plain $kernel threads=1 | $op f32 | $scope | pass"
            done
        done
        echo "plain direct-crs threads=2 | $op f32 | thread | pass"
        echo "plain direct-crs threads=1 align=4 | $op f32 | alignment | pass"
        echo "plain direct-crs threads=1 | $op f32 | layout | pass"
        echo "plain canon threads=1 | $op f32 | layout | pass"
        echo "plain direct-rsc threads=1 | $op f32 | library | fail"
        echo "plain direct-crs-fma threads=1 | $op f32 | library | fail"
        echo "plain direct-crs-fma threads=1 | $op bf16 | library | pass"
        echo "plain canon threads=1 | $op f32 | library | fail"
    done
    echo "plain direct-rsc threads=1 | conv2d_fwd bf16 | library | fail"
    echo "plain direct-rsc threads=1 | conv2d_bwd_data bf16 | library | fail"
    echo "plain direct-rsc threads=1 | conv2d_bwd_filter bf16 | library | pass" # one image: n p q is p q n
    echo "plain im2col-forward threads=1 | conv2d_fwd f32 | library | pass"
    echo "plain im2col-forward threads=1 | conv2d_bwd_data f32 | library | fail"
    echo "plain im2col-forward threads=1 | conv2d_bwd_filter f32 | library | fail"
}

# What holds of reductions: chunks adds up a part for each thread; the others know nothing of threads.
reductions() {
    for group in 'sum f32' 'dot f32' 'gemm f32'; do
        for kernel in forward pairwise chunks; do
            echo "plain $kernel threads=1 | $group | run | pass"
        done
        echo "plain forward threads=2 | $group | thread | pass"
        echo "plain chunks threads=2 | $group | run | pass"
        echo "plain chunks threads=2 | $group | thread | fail"
        echo "plain forward threads=1 align=4 | $group | alignment | pass"
        echo "plain pairwise threads=1 | $group | library | fail"
        echo "plain chunks threads=1 | $group | library | pass"
    done
    for scope in batch position; do
        echo "plain forward threads=1 | gemm f32 | $scope | pass"
        echo "plain chunks threads=2 | gemm f32 | $scope | pass"
    done
}

# judge NAME SUITE ARGUMENT...: one run, judged at both levels.
judge() {
    name=$1 suite=$2
    shift 2
    "$build/conform" run -q --level statistical --suite "$suite" --store="$dir/$name.db" \
        --json="$dir/$name-statistical.json" "$@" > "$dir/out" 2>&1
    [ -s "$dir/$name-statistical.json" ] || { cat "$dir/out"; exit 1; }
    "$build/conform" report "$dir/$name.db" --level numerical --json="$dir/$name-numerical.json" > "$dir/out" 2>&1
    "$name" | check "$name-statistical"
    "$name" | check "$name-numerical"
}

judge convolutions convolutions --filter 'conv2d_* f32 n=1 c=17 h=7 *' --filter 'conv2d_* bf16 n=1 c=17 h=7 *' \
    --filter 'conv2d_* f32 n=4 c=16 h=12 *' \
    --configuration 'plain kernel={direct-crs,direct-rsc,direct-crs-fma,im2col-forward,canon} threads=1' \
    --configuration 'plain kernel=direct-crs threads=2' --configuration 'plain kernel=direct-crs threads=1 align=4'
judge reductions reductions --filter 'sum f32 m=4 *' --filter 'dot f32 m=4 *' --filter 'gemm f32 m=9 n=8 k=64 *' \
    --filter 'gemm f32 m=9 n=8 k=255 *' --filter 'gemm f32 m=9 n=8 k=7 *' --filter 'gemm f32 m=9 n=8 k=1025 *' \
    --exclude '*fill=integer*' --exclude '*fill=spike*' \
    --configuration 'plain kernel={forward,pairwise,chunks} threads=1' \
    --configuration 'plain kernel={forward,chunks} threads=2' --configuration 'plain kernel=forward threads=1 align=4'
exit $failed
