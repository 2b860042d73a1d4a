#!/bin/sh
# engines.sh SOURCE BUILD: the catalogue of cuDNN's engines for an H200 against what was seen of cuDNN 9.19: how many
# can be used and which notes they carry (n=8, c=k=64, 28x28, 3x3), and which shapes take the non-deterministic engine
# first. Skipped with its reason where cuDNN is missing or is another version.
set -u
source=$1 build=$2
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
device=$source/data/devices/h200.json

fail() {
    echo "engines: $*"
    exit 1
}
list() {
    "$build/conform" list engines --device "$device" "$@" > "$work/log" 2>&1
}
command -v jq > /dev/null || { echo 'engines: jq is not installed'; exit 77; }

# What needs no cuDNN: sentences for what is wrong.
"$build/conform" list engines > "$work/log" 2>&1
[ $? -eq 2 ] && grep -q 'needs the description of a device' "$work/log" || fail 'no device is named, and that is not told'
list --library=nowhere
[ $? -eq 2 ] && grep -q 'nowhere' "$work/log" || fail "a library that is not there: $(cat "$work/log")"
list --library="$build/liars/libliar_honest.so"
[ $? -eq 3 ] && grep -q 'is no cuDNN 9' "$work/log" || fail "a library that is no cuDNN: $(cat "$work/log")"
jq 'del(.multiProcessorCount)' "$device" > "$work/half.json"
"$build/conform" list engines --device "$work/half.json" > "$work/log" 2>&1
[ $? -eq 2 ] && grep -q 'does not say `multiProcessorCount`' "$work/log" || fail 'half a device is taken for a whole one'
list --case 'sum f64 m=1 n=8'
code=$?
if [ $code -eq 3 ]; then
    echo "engines: skipped: $(cat "$work/log")"
    exit 77
fi
[ $code -eq 2 ] && grep -q 'engines are listed for conv2d_fwd' "$work/log" || fail "an op without engines: $(cat "$work/log")"

list --json="$work/some.json" --case '{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f16,bf16,f64} n=8 c=64 h=28 w=28 k=64 r=3 s=3 pad=1 layout={nhwc,nchw}' ||
    fail "$(cat "$work/log")"
version=$(jq -r .cudnn "$work/some.json")
case $version in
9.19.*) ;;
*) echo "engines: skipped: this is cuDNN $version; what is compared was seen of 9.19"; exit 77 ;;
esac
# op type layout: global usable TENSOR_CORE DOWN_CONVERT REDUCED FFT-or-WINOGRAD non-deterministic
jq -r '.cases[] | (.case | split(" ")) as $w |
    def n(note): [.engines[] | select(.numerical | index(note))] | length;
    [$w[0], $w[1], (if .case | test("nhwc") then "nhwc" else "nchw" end), .global, (.engines | length), n("TENSOR_CORE"),
     n("DOWN_CONVERT_INPUTS"), n("REDUCED_PRECISION_REDUCTION"), n("FFT") + n("WINOGRAD"),
     ([.engines[] | select(.numerical | index("NONDETERMINISTIC")) | .engine | tostring] | join(",") | if . == "" then "-" else . end)] |
    map(tostring) | join(" ")' "$work/some.json" | sort > "$work/seen"
sort > "$work/expected" << 'END'
conv2d_fwd f32 nhwc 81 23 15 6 0 0 -
conv2d_fwd f32 nchw 81 22 15 6 0 0 -
conv2d_bwd_data f32 nhwc 85 34 25 12 0 0 25
conv2d_bwd_data f32 nchw 85 33 25 12 0 0 25
conv2d_bwd_filter f32 nhwc 75 32 25 11 2 0 20
conv2d_bwd_filter f32 nchw 75 31 25 11 2 0 20
conv2d_fwd f16 nhwc 81 23 15 0 0 0 -
conv2d_fwd f16 nchw 81 22 15 0 0 0 -
conv2d_fwd bf16 nhwc 81 22 14 0 0 0 -
conv2d_fwd bf16 nchw 81 21 14 0 0 0 -
conv2d_bwd_data f16 nhwc 85 34 25 0 1 0 25
conv2d_bwd_data f16 nchw 85 33 25 0 1 0 25
conv2d_bwd_data bf16 nhwc 85 33 25 0 1 0 25
conv2d_bwd_data bf16 nchw 85 32 25 0 1 0 25
conv2d_bwd_filter f16 nhwc 75 32 25 0 3 0 20
conv2d_bwd_filter f16 nchw 75 31 25 0 3 0 20
conv2d_bwd_filter bf16 nhwc 75 30 23 0 1 0 20
conv2d_bwd_filter bf16 nchw 75 29 23 0 1 0 20
conv2d_fwd f64 nhwc 81 9 3 0 0 0 -
conv2d_fwd f64 nchw 81 9 3 0 0 0 -
conv2d_bwd_data f64 nhwc 85 9 3 0 0 0 25
conv2d_bwd_data f64 nchw 85 9 3 0 0 0 25
conv2d_bwd_filter f64 nhwc 75 8 3 0 0 0 20
conv2d_bwd_filter f64 nchw 75 8 3 0 0 0 20
END
diff "$work/expected" "$work/seen" || fail 'the engines of an H200 are not those that were seen'

# first SHAPE...: op, type, layout of the cases whose first engine is declared non-deterministic.
first() {
    list --json="$work/first.json" --case "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter} {f32,f64,f16,bf16} $1 layout={nchw,nhwc}" ||
        fail "$(cat "$work/log")"
    jq -r '.cases[] | select(.first_is_nondeterministic) | (.case | split(" ")) as $w |
        "\($w[0] | sub("conv2d_"; "")) \($w[1]) \(if .case | test("nhwc") then "nhwc" else "nchw" end)"' "$work/first.json" | sort | tr '\n' ';'
}
both='bwd_data f64 nchw;bwd_data f64 nhwc;bwd_filter f64 nchw;bwd_filter f64 nhwc;'
filter='bwd_filter f64 nchw;bwd_filter f64 nhwc;'
got=$(first 'n=128 c=3 h=32 w=32 k=64 r=3 s=3 pad=1')
[ "$got" = "bwd_data f32 nchw;bwd_data f64 nchw;bwd_data f64 nhwc;bwd_filter f32 nchw;bwd_filter f32 nhwc;$filter" ] || fail "CIFAR stem: $got"
got=$(first 'n=32 c=3 h=224 w=224 k=64 r=7 s=7 stride=2 pad=3')
[ "$got" = "bwd_data f32 nchw;bwd_data f32 nhwc;$both" ] || fail "ImageNet stem: $got"
got=$(first 'n=8 c=64 h=14 w=14 k=64 r=3 s=3 pad=1')
[ "$got" = "bwd_data f32 nchw;$both" ] || fail "c=k=64 at 14x14: $got"

# The batch decides: one shape is a control for scope run and for scope batch.
list --json="$work/batch.json" --case 'conv2d_bwd_filter f32 n={1,2,8,16,32} c=3 h=32 w=32 k=64 r=3 s=3 pad=1' || fail "$(cat "$work/log")"
got=$(jq -c '[.cases[].heuristic[0].engine]' "$work/batch.json")
[ "$got" = '[0,50,50,40,20]' ] || fail "the batch does not decide as it was seen to: $got"

# Another device, other engines: Winograd is there on an A100.
"$build/conform" list engines --device "$source/data/devices/a100.json" --json="$work/a100.json" \
    --case 'conv2d_fwd f32 n=8 c=64 h=28 w=28 k=64 r=3 s=3 pad=1' > "$work/log" 2>&1 || fail "$(cat "$work/log")"
jq -e '[.cases[0].engines[] | select(.numerical | index("WINOGRAD"))] | length > 0' "$work/a100.json" > /dev/null ||
    fail 'an A100 has the engines of an H200'
echo "engines: cuDNN $version offers an H200 what it was seen to"
