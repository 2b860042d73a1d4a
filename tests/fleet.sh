#!/bin/sh
# fleet.sh BUILD: four machines, one of them with a fault in one bit: merged, exactly that one is named; one against
# one takes no side; shards fall together again; what is missing or given twice is said.
set -u
build=$1
failed=0
fail() { echo "fleet: $*"; failed=1; }
[ -x "$build/liars/conform-worker-faulty" ] || { echo "SKIP: the faulty worker is built on x86-64 only"; exit 77; }
command -v jq > /dev/null || { echo "SKIP: needs jq"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
mkdir "$work/bad"
cp "$build/conform" "$work/bad/conform"
cp "$build/liars/conform-worker-faulty" "$work/bad/conform-worker"
conform=$build/conform

# node PROGRAM NAME: one machine of the fleet. The fault is in the AVX2 unit of CPU 0.
node() {
    "$1" run -q --no-progress --node "$2" --store "$work/$2.db" --case 'chain f64 n=128 rounds=50 passes=1 seed={1..6}' \
        --configuration 'vector kernel={scalar,avx2} cpus=0' --text="$work/$2.txt"
}
for name in n0 n1 n3; do node "$conform" $name; done
node "$work/bad/conform" n2
if ! grep -q avx2 "$work/n0.txt"; then echo "SKIP: no AVX2, or CPU 0 is not ours"; exit 77; fi

# report STORE FILTER: jq over the JSON report.
report() { "$conform" report -q --no-progress "$1" --json 2> /dev/null | jq -rc "$2"; }

"$conform" merge -q "$work/all.db" "$work/n0.db" "$work/n1.db" "$work/n2.db" "$work/n3.db" || fail "merge failed"
states=$(report "$work/all.db" '.nodes | map(.name + "=" + .state) | join(" ")')
[ "$states" = "n0=agrees n1=agrees n2=outlier n3=agrees" ] || fail "four machines, one bad: $states"
where=$(report "$work/all.db" '.nodes[2] | .configuration + " | " + .case + " | " + .element')
[ "$where" = "vector kernel=avx2 cpus=0 node=n2 | chain f64 n=128 rounds=50 passes=1 fill=uniform seed=1 | output 0 element 5" ] ||
    fail "the fault is said to be at $where"
bits=$(report "$work/all.db" '.nodes[2] | .expected + " " + .got')
[ $(( ${bits% *} ^ ${bits#* } )) = $((0x20000)) ] || fail "the wrong bit is said to be in $bits"
"$conform" report -q "$work/all.db" --html="$work/fleet.html" > /dev/null 2>&1
grep -q 'lw">outlier' "$work/fleet.html" || fail "the page does not show the outlier"
[ "$(grep -o 'lw">outlier' "$work/fleet.html" | wc -l)" = 1 ] || fail "the page shows more than one outlier"

# The order of the stores does not matter; a second merge says the same.
"$conform" merge -q "$work/again.db" "$work/n3.db" "$work/n2.db" "$work/n0.db" "$work/n1.db" || fail "merge in another order failed"
"$conform" report -q "$work/all.db" --json="$work/a.json" > /dev/null 2>&1
"$conform" report -q "$work/again.db" --json="$work/b.json" > /dev/null 2>&1
cmp -s "$work/a.json" "$work/b.json" || fail "the order of the stores matters"

# One against one: no majority, and nobody is blamed.
"$conform" merge -q "$work/two.db" "$work/n0.db" "$work/n2.db" || fail "merge of two failed"
states=$(report "$work/two.db" '[.nodes[].state] | join(" ")')
[ "$states" = "no-majority no-majority" ] || fail "one against one: $states"

# Given twice, missing, cut.
cp "$work/n0.db" "$work/copy.db"
"$conform" merge -q "$work/x.db" "$work/n0.db" "$work/copy.db" 2> "$work/err" && fail "a store given twice was merged"
grep -q 'count twice' "$work/err" || fail "a store given twice: $(cat "$work/err")"
[ -e "$work/x.db" ] && fail "a refused merge left a store"
"$conform" merge -q "$work/y.db" "$work/n0.db" "$work/n1.db" --expect 4 2> "$work/err"
[ $? = 3 ] || fail "two of four stores is not exit 3"
grep -q '2 of 4 stores are missing' "$work/err" || fail "missing stores: $(cat "$work/err")"

# Shards of one run are the run.
one() { "$conform" run -q --no-progress "$@" --configuration 'plain kernel={forward,pairwise}' \
            --case 'dot f64 m=1 n={3,5,7,9,11,13} fill=uniform seed={1..4}' --text="$work/ignored"; }
one --store "$work/whole.db"
for i in 0 2 3; do CONFORM_SHARD_INDEX=$i CONFORM_SHARD_COUNT=4 one --shard auto --store "$work/s$i.db"; done
"$conform" merge -q "$work/some.db" "$work/s0.db" "$work/s3.db" "$work/s2.db" --expect 4 2> "$work/err"
[ $? = 3 ] && grep -q 'array=1$' "$work/err" || fail "the missing shard is not named: $(cat "$work/err")"
one --shard 1/4 --store "$work/s1.db"
"$conform" merge -q "$work/parts.db" "$work/s2.db" "$work/s0.db" "$work/s3.db" "$work/s1.db" --expect 4 || fail "merge of shards failed"
for key in '.cells | sort' '[.findings[] | [.suite, .group, .configuration, .component, .verdict, .evidence.n_compared, .evidence.n_different]] | sort' '.cases | sort'; do
    [ "$(report "$work/whole.db" "$key")" = "$(report "$work/parts.db" "$key")" ] || fail "shards and whole differ in $key"
done
"$conform" run -q --shard 4/4 > /dev/null 2> "$work/err"
[ $? = 2 ] || fail "shard 4/4 is accepted"
env -i PATH="$PATH" HOME="$work" "$conform" run -q --shard auto > /dev/null 2> "$work/err"
[ $? = 2 ] || fail "auto without a launcher is accepted"

# Open MPI as launcher, where it is installed: its variables say which shard.
if command -v mpirun > /dev/null 2>&1; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    (cd "$work" && mpirun --oversubscribe -np 2 sh -c "$conform"' run -q --no-progress --per-node --store m$OMPI_COMM_WORLD_RANK.db \
        --case "sum f64 m=1 n=9 fill=uniform seed=1" --configuration "plain kernel=forward" --text=m.txt' < /dev/null) ||
        fail "mpirun failed"
    "$conform" merge -q "$work/m.db" "$work/m0.db" "$work/m1.db" --expect 2 || fail "merge after mpirun failed"
    [ "$(report "$work/m.db" '.nodes | map(.name + "=" + .state) | join(" ")')" = "n0=agrees n1=agrees" ] || fail "mpirun: nodes"
else
    echo "note: Open MPI is not installed; its variables were not tried"
fi
exit $failed
