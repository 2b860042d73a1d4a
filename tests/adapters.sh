#!/bin/sh
# adapters.sh SOURCE BUILD: the numpy adapter answers, in the order of its inputs, what exact integers have to be.
set -u
source=$1 build=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME="$dir/state" XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir" CI=1
python=
for one in python3 /usr/bin/python3; do
    "$one" -c 'import numpy' 2> /dev/null && python=$one && break
done
[ -n "$python" ] || { echo "adapters: skipped: no python3 with numpy (package python3-numpy)"; exit 77; }
adapter="adapter command=$(command -v "$python")%20$(printf %s "$source/adapters/numpy_adapter.py" | sed 's/%/%25/g; s/ /%20/g')"
"$build/conform" --no-progress --store "$dir/a.db" --json="$dir/a.json" --configuration 'plain kernel=forward' \
    --configuration "$adapter" --case '{dot,gemv,sum} {f32,f64} m={2,5} n={1,17,100} fill=integer seed={1..5}' \
    > "$dir/out" 2> "$dir/err" < /dev/null
level=$(jq -r '.configurations[] | select(.text | startswith("adapter")) | .level' "$dir/a.json" 2> /dev/null)
if [ "$level" != numerical ]; then
    echo "adapters: level '$level' where every sum is exact"; cat "$dir/out" "$dir/err"; exit 1
fi
# The liar: the same cases on a fill that rounds must not agree in every bit with a plain forward sum.
"$build/conform" --no-progress --store "$dir/b.db" --configuration 'plain kernel=forward' --configuration "$adapter" \
    --case 'dot f64 m=8 n={100,1000} fill=normal seed={1..5}' > "$dir/out" 2> "$dir/err" < /dev/null
code=$?
[ "$code" -eq 1 ] || { echo "adapters: exit $code for sums in another order"; cat "$dir/out" "$dir/err"; exit 1; }
"$python" "$source/tests/adapter_training.py" "$source/adapters" || exit 1
# Training: what enters a step has the program's own hashes, so that the first stage that parts is one that computes.
"$build/conform" --no-progress --store "$dir/c.db" --configuration 'plain kernel=forward' --configuration "$adapter" --scope library \
    --case 'train_mlp f32 steps=2 batch=4 hidden=8 optimizer=adam lr=0.005 dropout=10 augment=1 rows=100 fill=drawn seed=1' \
    > "$dir/out" 2> "$dir/err" < /dev/null
tr '\n' ' ' < "$dir/out" | tr -s ' ' | grep -q 'first at step 1 in the stage activations' || {
    echo "adapters: training does not part in the activations"; cat "$dir/out" "$dir/err"; exit 1
}
echo "adapters: numpy has the bits of exact sums, and others of rounded ones"
