#!/bin/sh
# qualify.sh SOURCE BUILD: `conform qualify` from outside: a store, every report of it, each valid; flipped bits; what it
# refuses.
set -u
source=$1 build=$2
failed=0
fail() { echo "qualify: $*"; failed=1; }
command -v jq > /dev/null && command -v xmllint > /dev/null || { echo "SKIP: needs jq and xmllint"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
cd "$work" || exit 1
conform=$build/conform
cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')

"$conform" qualify -q --cpuset "$cpu" --budget 1s --sensitivity --case 'dot {f32,f64} m=1 n=20 fill=integer seed=1' \
    --configuration 'plain kernel={forward,pairwise}' --store q.db --text=q.txt --json=q.json --junit=q.xml --html=q.html \
    --markdown=q.md --openmetrics=q.prom --ocp=q.jsonl \
    --dcgm=q.dcgm --opendcdiag=q.yaml 2> err
code=$?
[ $code = 0 ] || [ $code = 3 ] || fail "exit $code: $(cat err)"
states=$(jq -r '[.units[].state] | unique | join(" ")' q.json)
case $states in pass | 'not-measured pass') ;; *) fail "units are $states" ;; esac
[ "$(jq '[.flips[].checks[] | select(.check == "bits" and .lowest_bit < 0)] | length' q.json)" = 0 ] || fail 'the digest was not measured'
[ "$(jq '.flips | length' q.json)" = 12 ] || fail "$(jq '.flips | length' q.json) operands were flipped, not 12"
[ "$(jq -r '[.flips[] | select(.operand == "output 0") | .checks[] | select(.check == "bits" or .check == "S1") | .lowest_bit] | unique | join(" ")' q.json)" = 0 ] ||
    fail 'the digest or S1 misses a bit of an output'
grep -q 'Detection sensitivity' q.txt || fail 'the text has no sensitivity'
xmllint --noout --schema "$source/tests/data/junit.xsd" q.xml 2> /dev/null || fail 'JUnit is not valid'
xmllint --noout q.html || fail 'HTML is not well-formed'
jq -es 'map(.sequenceNumber) == [range(length)]' q.jsonl > /dev/null || fail 'OCP records are no JSON lines'
if python3 -c 'import jsonschema' 2> /dev/null; then
    python3 "$source/tests/check_schema.py" "$source/docs/report.schema.json" q.json || fail 'the JSON schema is not met'
fi
jq -e --argjson cpu "$cpu" '.test_categories[0].tests | length == 14 and all(.results[0].entity_id == $cpu and .results[0].seed >= 1)' q.dcgm > /dev/null ||
    fail 'the DCGM fields are not there'
jq -e --argjson cpu "$cpu" '."cpu-info"[0].logical == $cpu and (."cpu-info"[0].family | type == "number") and
    (.tests | all(.threads[0]."loop-count" >= 0 and (.state.seed | startswith("conform:"))))' q.yaml > /dev/null || fail 'the OpenDCDiag fields are not there'
# The store gives the same again.
"$conform" report -q q.db --json=again.json --text=again.txt > /dev/null
cmp -s q.json again.json && cmp -s q.txt again.txt || fail 'a report of the store differs'

# Kernels that cannot answer are no sensitivity: exit 3, and said.
flips() { "$conform" qualify -q --cpuset "$cpu" --budget 1s --sensitivity --case 'sum f32 m=1 n=3' --text=lost.txt "$@" 2> err; }
flips --configuration 'blas lib=none.so'
[ $? = 3 ] && grep -q 'so no bit was flipped' err || fail "a library that is not there: $(cat err)"
"$conform" qualify -q --case 'dot f32 m=1 n=2' 2> err
[ $? = 2 ] && grep -q 'sensitivity flips bits' err || fail "a case without --sensitivity: $(cat err)"
"$conform" qualify -q --budget never 2> err
[ $? = 2 ] && grep -q 'is no time' err || fail "a budget that is none: $(cat err)"
exit $failed
