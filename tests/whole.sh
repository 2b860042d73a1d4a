#!/bin/sh
# whole.sh BUILD: `conform whole` from outside: one wrong answer in a million is found and named, equal ranges are
# called equal, what was interrupted goes on. The libms lie in one way each (tests/liars/libm.c).
set -u
build=$1
conform=$build/conform liars=$build/liars
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME="$dir/state" XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir" CI=1
failed=0

fail() {
    echo "whole: $*"
    failed=1
}

# expect CODE WORDS COMMAND...: the exit code, and words that the output has.
expect() {
    code=$1 words=$2
    shift 2
    "$@" > "$dir/out" 2> "$dir/err" < /dev/null
    got=$?
    [ "$got" = "$code" ] || { fail "exit $got instead of $code: $*"; cat "$dir/out" "$dir/err"; }
    grep -qF -- "$words" "$dir/out" "$dir/err" || { fail "no '$words' from: $*"; cat "$dir/out" "$dir/err"; }
}

# 0x3f900000 and on: 2^20 encodings, from 1.125 to 1.25.
RANGE='exp f32 n=1048576 range=whole first=1066401792'
whole() {
    lie=$1
    shift
    "$conform" whole "$liars/libm_honest.so" "$liars/libm_$lie.so" --case "$RANGE" "$@"
}
alone() {
    "$conform" whole "$liars/libm_$1.so" --case "$RANGE"
}

expect 0 '0 not correctly rounded; largest error 0.5' alone honest
cp "$liars/libm_honest.so" "$dir/libm_again.so" && chmod go-w "$dir/libm_again.so"
expect 0 'same bits at all 1,048,576 inputs' "$conform" whole "$liars/libm_honest.so" "$dir/libm_again.so" --case "$RANGE"

expect 1 'exp f32: regressed; bits differ at 1 of 1,048,576 inputs' whole one
grep -qF 'old right, new wrong at 1, first at x = 0x1.22468ap+0 (0x3f912345)' "$dir/out" || fail "the input is not named"
grep -qF '(0x4046e4dc), new 0x1.8dc9bap+1 (0x4046e4dd), correctly rounded 0x1.8dc9b8p+1 (0x4046e4dc)' "$dir/out" ||
    { fail "the answers are not named"; cat "$dir/out"; }
expect 0 'improved' "$conform" whole "$liars/libm_one.so" "$liars/libm_honest.so" --case "$RANGE"
expect 1 '256 not correctly rounded' whole block
expect 0 '1 not correctly rounded; largest error 1.' alone one
expect 1 'beyond the 5 ulp that the op allows' alone far
expect 1 'largest error inf' alone nan
expect 3 'crashed' alone crashes
expect 3 'crashed' whole crashes

# What is kept in a store is not asked again, and comes to the same words; another library is refused.
expect 1 'bits differ at 1 of' whole one --store="$dir/whole.db"
cp "$dir/out" "$dir/first"
expect 1 'bits differ at 1 of' whole one --store="$dir/whole.db" --resume
cmp -s "$dir/out" "$dir/first" || fail "the resumed run says something else"
sqlite=$(command -v sqlite3) && {
    RANGE='exp f32 n=3000000 range=whole first=1066401792'
    expect 1 'bits differ at 1 of 3,000,000' whole one --store="$dir/three.db"
    cp "$dir/out" "$dir/first"
    "$sqlite" "$dir/three.db" "DELETE FROM meta WHERE key LIKE 'whole exp%block 0' OR key LIKE 'whole exp%block 2'"
    expect 1 'bits differ at 1 of 3,000,000' whole one --store="$dir/three.db" --resume
    cmp -s "$dir/out" "$dir/first" || fail "the run with one block left says something else"
}
expect 0 'improved' "$conform" whole "$liars/libm_one.so" "$dir/libm_again.so" --case "$RANGE" --store="$dir/moved.db"
cp "$liars/libm_block.so" "$dir/libm_again.so"
expect 2 'is another file now' "$conform" whole "$liars/libm_one.so" "$dir/libm_again.so" --case "$RANGE" --store="$dir/moved.db" --resume
expect 2 'whole needs one library or two' "$conform" whole
expect 2 'whole asks exp, log, sin, cos, tanh and erf in f32' "$conform" whole "$liars/libm_one.so" --case 'exp f64 n=4 range=whole'
expect 2 'whole asks exp, log, sin, cos, tanh and erf in f32' "$conform" whole "$liars/libm_one.so" --case 'gelu_fwd f32 n=4 range=whole'
expect 2 '2^32 encodings' "$conform" whole "$liars/libm_one.so" --case 'exp f32 n=4294967296 range=whole step=2'

# All classes of number by a stride, as JSON, of this machine's own libm.
expect 0 '"verdict": "within bound"' "$conform" whole "libm lib=$(realpath "$(ldconfig -p | sed -n 's/.*libm\.so\.6 .*=> //p' | head -n 1)")" \
    --case '{exp,log,sin,cos,tanh,erf} f32 n=65536 range=whole step=65536' --json
[ "$(grep -c '"inputs": 65536' "$dir/out")" = 6 ] || fail "not all six functions"
exit $failed
