#!/bin/sh
# probe.sh BUILD: the probes through the whole program: known units are recognised by their answers, what cannot be
# asked is said, and the judge names the device's own order.
set -u
build=$1
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
export XDG_CACHE_HOME="$work/cache" XDG_STATE_HOME="$work/state"

fail() {
    echo "probe: $*"
    exit 1
}
command -v jq > /dev/null || { echo "probe: jq is not installed"; exit 77; }

"$build/conform" probe 'model device={v100,h100}' --quiet --json=found.json || fail "exit code $?"
for line in 'v100 f16 4 23 v100' 'h100 f16 16 25 h100, h200, b200' 'h100 tf32 8 25 h100, h200, b200' 'h100 e4m3 32 13 h100, h200'; do
    set -- $line
    device=$1 type=$2 block=$3 bits=$4
    shift 4
    got=$(jq -r --arg d "device=$device" --arg t "$type" \
        '.[] | select((.configuration | endswith($d)) and .type == $t) | "\(.block) \(.bits) \(.["as in"])"' found.json)
    [ "$got" = "$block $bits $*" ] || fail "$device $type is found as: $got"
done
jq -e '[.[] | select(.type == "f64")] | length == 1 and .[0].order == "ascending"' found.json > /dev/null || fail 'f64 of h100 is missing'

"$build/conform" probe 'plain' > log 2>&1
[ $? -eq 3 ] || fail 'a backend without a matrix unit is not told'
"$build/conform" probe 'model device=abacus' > log 2>&1
[ $? -eq 3 ] && grep -q 'v100, a100, h100' log || fail 'an unknown device is not told with those that are known'

# The kernels of a device, on the host: what a GPU would be asked, with the arithmetic of the model.
"$build/conform" probe 'cuda device=cpu kernel={f16,f16-f16}' --quiet --json=cuda.json || fail "the kernels of cuda: exit code $?"
jq -e '[.[] | "\(.type) \(.block) \(.bits) \(.sum) \(.["as in"])"] ==
    ["f16 16 25 cut, 23 bits h100, h200, b200", "f16 16 25 nearest, 10 bits h100, h200, b200"]' cuda.json > /dev/null ||
    fail "the kernels of cuda are found as: $(jq -c . cuda.json)"

# Devices differ along the scope device; each agrees with itself.
"$build/conform" run --case 'gemm f32 m=4 n=4 k=64 seed=1' --configuration 'model device={v100,h100,h200}' --quiet \
    --json=run.json > log 2>&1
jq -e '[.invariances[] | select(.scope == "run" and .level == "numerical")] | length == 1' run.json > /dev/null ||
    fail 'a model does not repeat'
jq -e '.equivalence_classes[0].class_of == [0, 1, 1]' run.json > /dev/null || fail 'h100 and h200 add alike, v100 does not'
echo 'probe: units are known by their answers'
