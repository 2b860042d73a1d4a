#!/bin/sh
# price.sh BUILD: training steps on the kernels of a GPU, run on the host in a schedule that is drawn anew for each launch:
# fixed orders repeat their bits and those with atomics do not, nothing falls back on `plain`, and the reports tell the price.
set -u
build=$1
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
export XDG_CACHE_HOME="$work/cache"
command -v jq > /dev/null || { echo "price: jq is not installed"; exit 77; }

fail() {
    echo "price: $*"
    exit 1
}
steps='rows=100 fill=drawn seed=1'
"$build/conform" run --store store.db --quiet --repeat=1 --scope run --json=report.json --text=report.txt --html=report.html \
    --case "{train_cnn f32 steps=2 batch=4 hidden=4 accumulate=2,train_block f32 steps=1 batch=2 hidden=8} $steps" \
    --configuration 'cuda device=cpu flags=shuffled kernel={tree,atomic}' > log 2>&1
code=$?
[ "$code" -eq 1 ] || fail "atomics move the bits of training, and the exit code is $code"

# The configuration with this kernel: whether a primitive of it is plain's; how many findings across runs differ.
borrowed() {
    jq --arg k "$1" '[.configurations[] | select(.requested.kernel == $k) | .effective.composite | test("plain/")] |
        if length == 1 then .[0] else "not there" end' report.json
}
differing() {
    jq --arg k "$1" '(.configurations | map(.requested.kernel) | index($k)) as $i |
        [.findings[] | select(.configuration == $i and .demand.scope == "run" and .evidence.n_different > 0)] | length' report.json
}
for kernel in tree atomic; do
    [ "$(borrowed $kernel)" = false ] || fail "kernel=$kernel takes a primitive from plain"
done
[ "$(differing tree)" -eq 0 ] || fail 'a fixed order does not repeat its bits'
[ "$(differing atomic)" -eq 2 ] || fail "atomics differ in $(differing atomic) of 2 models"
jq -e '.prices | length == 1 and .[0].n_rounds >= 10 and .[0].n_cases == 2 and .[0].n_different > 0 and
    .[0].least <= .[0].ratio and .[0].ratio <= .[0].greatest and .[0].least > 0' report.json > /dev/null ||
    fail "the price is $(jq -c .prices report.json)"
for report in report.txt report.html; do
    grep -q 'Price of determinism' $report || fail "$report does not tell the price"
done
echo "price: $(sed -n '/Price of determinism/,/^$/p' report.txt | tail -n +2)"
