#!/bin/sh
# promises.sh BUILD: libraries that say they are MKL in its reproducible modes. Two break what is documented of it and
# must be told; an honest library with the same bits must not be.
set -u
build=$1
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
export XDG_CACHE_HOME="$work/cache"

fail() {
    echo "promises: $*"
    exit 1
}

# measure LIBRARY THREADS: a report in report.json and report.txt; its exit code in $code.
measure() {
    rm -f store.db
    "$build/conform" run --store store.db --quiet --json=report.json --text=report.txt \
        --case '{gemm f64 m=4 n=4 k=64,dot f64 m=1 n=64} seed=1' \
        --configuration "blas lib=$build/liars/libliar_$1.so threads=$2 env.MKL_CBWR=AVX2%2CSTRICT" > log 2>&1
    code=$?
}
# state ID GROUP: the gravest state of a promise in a group.
state() {
    jq -r --arg id "$1" --arg group "$2" '[.promises[] | select(.id == $id and .group == $group) | .state] |
        if any(. == "violated") then "violated" else map(select(. != "not-exercised"))[0] // "none" end' report.json
}

command -v jq > /dev/null || { echo "promises: jq is not installed"; exit 77; }

measure breaks_strict '{1,2}'
[ "$code" -eq 1 ] || fail "threads move the bits of a strict mode, and the exit code is $code"
[ "$(state mkl-strict-thread 'gemm f64')" = violated ] || fail 'a broken promise across threads is not told'
[ "$(state mkl-strict-thread 'dot f64')" = none ] || fail 'strict mode is promised for dot, which no document does'
[ "$(state mkl-strict-thread-others 'dot f64')" = holds ] || fail 'what is documented to differ does not hold'
[ "$(state mkl-cnr-run 'gemm f64')" = holds ] || fail 'a promise that is kept does not hold'
jq -e '[.findings[] | select(.documented == "mkl-strict-thread-others" and .group == "dot f64")] | length > 0' \
    report.json > /dev/null || fail 'a difference that is documented is not marked as such'
jq -e '[.findings[] | select(.documented != null and .group == "gemm f64")] | length == 0' report.json > /dev/null ||
    fail 'a difference that breaks a promise is marked as documented'
jq -e '.run.sentence | test("1 documented promise is violated")' report.json > /dev/null || fail 'the sentence is silent'
grep -q 'oneMKL Developer Guide' report.txt || fail 'the report does not name where the promise is written'

measure breaks_cnr 1
[ "$(state mkl-cnr-run 'gemm f64')" = violated ] || fail 'a broken promise across runs is not told'

# Violated at a level that asks for less than bits: still no success.
"$build/conform" report store.db --level functional --json=report.json > log 2>&1
[ $? -eq 1 ] || fail 'a broken promise passes when a lower level is asked for'

measure honest 1
[ "$code" -eq 0 ] || fail "an honest library ends with $code: $(cat log)"
jq -e '.promises | length == 0' report.json > /dev/null || fail 'a library that nobody documents has promises'
echo 'promises: kept, broken and documented differences are told apart'
