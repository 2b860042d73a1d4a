#!/bin/sh
# smoke.sh BUILD: training judged at every level against the bank of data/smoke, through real workers: a reordered sum,
# reduced inputs, a halved rate, losses that are not numbers, always or at times, other batches; a run that goes on to
# the next look, interrupted there and resumed; a bank that is altered, or another baseline's; and a run without one.
set -u
build=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME="$dir" XDG_STATE_HOME="$dir"
failed=0
bank=data/smoke/plain-forward.bank
command -v python3 > /dev/null || { echo "SKIP: needs python3"; exit 77; }

# run NAME BANK LEVEL CONFIGURATION...: its JSON in NAME.json. Of one cell alone where $filter says so.
filter=
run() {
    name=$1 words="--bank=$2" level=$3
    shift 3
    [ "$words" = --bank= ] && words=
    set -- "$@"
    for configuration in "$@"; do
        set -- "$@" "--configuration=$configuration"
        shift
    done
    # shellcheck disable=SC2086 # one word or none
    "$build/conform" run --suite smoke --level "$level" $words $filter --json="$dir/$name.json" \
        --store="$dir/$name.db" "$@" > "$dir/out" 2>&1
}

# cell NAME CONFIGURATION LEVEL VERDICT [TEXT]: the cell's level, its verdict at the level asked for, words of a reason.
cell() {
    python3 -c '
import json, sys
document = json.load(open(sys.argv[1]))
at = [c["label"] for c in document["configurations"]].index(sys.argv[2])
cell = [c for c in document["cells"] if c["configuration"] == at][0]
got = cell["level"] + " " + cell["verdict"]
reasons = cell["reason"] + " ".join(f["reason"] for f in document["findings"] if f["configuration"] == at)
ok = got == sys.argv[3] and sys.argv[4] in reasons
ok or print("smoke: %s is %s and not %s with `%s`: %s" % (sys.argv[2], got, sys.argv[3], sys.argv[4], reasons))
sys.exit(not ok)' "$dir/$1.json" "$2" "$3 $4" "${5-}" || failed=1
}

run all "$bank" scientific 'plain kernel=forward' 'plain kernel={pairwise,tf32,bf16}' \
    'plain kernel=planted:{rate-by-0.5,not-finite,no-reshuffle,flattered,sometimes-nan}'
[ -s "$dir/all.json" ] || { cat "$dir/out"; exit 1; }
cell all 'plain pairwise' statistical pass 'Attribution: rounding'
cell all 'plain tf32' statistical pass 'Attribution: not rounding; behaves like 11.8 bits'
cell all 'plain bf16' statistical pass 'Attribution: not rounding; behaves like 8.9 bits'
cell all 'plain planted:rate-by-0.5' none fail 'floor fail'
cell all 'plain planted:not-finite' none fail 'failures: 20 of 20'
cell all 'plain planted:no-reshuffle' none skip 'not the same data'
cell all 'plain planted:flattered' scientific pass 'not equivalent in regime P'

# Eight failures of 20 decide nothing, and the run goes on: 40 seeds do. Of nobody else are more seeds asked.
cell all 'plain planted:sometimes-nan' none fail 'at look 2; what decides is runs F: 18 of 40'
grep -q 'undecided after 20 seeds of .*; going on to 40 seeds' "$dir/out" || { cat "$dir/out"; failed=1; }
"$build/conform" run --suite smoke --level scientific "--bank=$bank" --store="$dir/cut.db" \
    --configuration 'plain kernel=forward' --configuration 'plain kernel={pairwise,planted:sometimes-nan}' \
    > "$dir/cut.out" 2>&1 &
pid=$!
while kill -0 "$pid" 2> /dev/null && ! grep -q 'going on' "$dir/cut.out"; do sleep 0.05; done
kill -INT "$pid" 2> /dev/null
wait "$pid"
"$build/conform" run -q --resume --store="$dir/cut.db" --json="$dir/cut.json" > /dev/null 2>&1
cell cut 'plain planted:sometimes-nan' none fail 'at look 2; what decides is runs F: 18 of 40'
cell cut 'plain pairwise' statistical pass 'Attribution: rounding'
python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))["summary"]
counts = s["n_planned"], s["n_recorded"]
ok = counts == (200, 200)
ok or print("smoke: %s requests planned and recorded, not 3 x 40 and 2 x 40" % (counts,))
sys.exit(not ok)' "$dir/cut.json" || failed=1

# Without a bank, and with one of another baseline or of other losses, nothing is known beyond bits.
filter=--filter=*lr=0.02*
run none '' statistical 'plain kernel=forward' 'plain kernel=pairwise'
cell none 'plain pairwise' none unknown 'conform bank build'
sed 's/^baseline .*/baseline plain kernel=kahan/' "$bank" > "$dir/other.bank"
run other "$dir/other.bank" statistical 'plain kernel=forward' 'plain kernel=pairwise'
cell other 'plain pairwise' none unknown 'another baseline'
sed 's/^\(seed [0-9]*\) 0x1\./\1 0x3./' "$bank" > "$dir/shifted.bank"
run shifted "$dir/shifted.bank" statistical 'plain kernel=forward' 'plain kernel=pairwise'
cell shifted 'plain pairwise' none unknown "the baseline is not the bank's"
sed '5d' "$bank" > "$dir/torn.bank"
run torn "$dir/torn.bank" statistical 'plain kernel=forward'
grep -q 'line 5 of the bank' "$dir/out" || { cat "$dir/out"; failed=1; }
exit $failed
