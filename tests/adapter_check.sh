#!/bin/sh
# adapter_check.sh SOURCE BUILD: the conformance test of adapters passes an honest one and each reference adapter that can
# run here, and names each lie.
set -u
source=$1 build=$2
conform=$build/conform
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export TMPDIR="$dir" XDG_STATE_HOME="$dir" CI=1
failed=0

fail() {
    echo "adapter_check: $*"
    cat "$dir/out"
    failed=1
}

# A sanitized worker has no limit of memory (harness/run/launch.c), so that one liar has nothing to meet there.
eats=eats:run
if grep -q '^CF_SANITIZE:BOOL=ON' "$build/CMakeCache.txt"; then
    echo 'adapter_check: skipped eats: a worker with sanitizers is not limited in memory'
    eats=
fi

"$conform" adapter check "$build/liars/adapter_honest" > "$dir/out" 2>&1 || fail "the honest one does not pass"
# Each lie, and the check that must find it.
for pair in garbage:run garbage_hello:hello half:run huge:run wrong_id:run twice:run words:run no_file:run short_file:run \
            wrong_shape:run exits:run sleeps:run not_offered:run broke:run out_of_memory:run $eats once_silent:once; do
    "$conform" adapter check --timeout=1 "$build/liars/adapter_${pair%%:*}" > "$dir/out" 2>&1
    [ $? = 1 ] || fail "${pair%%:*} passes"
    grep -q "^FAIL *${pair#*:} " "$dir/out" || fail "${pair%%:*} is not found by the check ${pair#*:}"
done
"$conform" adapter check true > "$dir/out" 2>&1 && fail "a program that only ends passes"
"$conform" adapter check > "$dir/out" 2>&1
[ $? = 2 ] || fail "no command is no error"

# What an adapter may use is limited, and what leaves its group as well.
replay() {
    lie=$1
    shift
    "$conform" replay "$@" 'dot f64 m=1 n=8 fill=integer seed=1' "adapter command=$build/liars/adapter_$lie" > "$dir/out" 2>&1
}
if [ -n "$eats" ]; then
    replay eats --repeat=1 && fail "what eats all memory is no failure"
    grep -q 'out-of-memory' "$dir/out" || fail "what eats all memory is not out of it"
fi
replay sleeps --repeat=1 --timeout=0.3 && fail "what never answers is no failure"
grep -q 'timed-out: ' "$dir/out" || fail "what never answers is not timed out"
replay honest --repeat=1 --memory=64 || fail "a limit of memory stops who keeps to it"
replay escapes --repeat=1 --timeout=0.2 || fail "the process that it leaves behind is in its way"
pid=$(cat "$dir/escaped")
[ -n "$pid" ] || fail "nothing escaped"
lives() {
    state=$(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat" 2> /dev/null)
    [ -n "$state" ] && [ "$state" != Z ]
}
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    lives || break
    sleep 0.5
done
lives && { kill -KILL "$pid"; fail "what leaves the group of an adapter has no limit of CPU time"; }

for name in numpy torch; do
    python=
    for one in python3 /usr/bin/python3; do
        "$one" -c "import $name, numpy" > /dev/null 2>&1 && python=$one && break
    done
    [ -n "$python" ] || { echo "adapter_check: skipped $name: no python3 has $name"; continue; }
    "$conform" adapter check "$python" "$source/adapters/${name}_adapter.py" > "$dir/out" 2>&1 || fail "$name does not pass"
    "$conform" run -q --store "$dir/$name.db" --configuration "adapter command=$python%20$source/adapters/${name}_adapter.py" \
        --case '{sum,dot} f32 m=3 n=100 fill=normal' --case 'gemm f64 m=8 n=8 k=8 fill=integer' > "$dir/out" 2>&1 ||
        fail "$name does not run"
done
exit $failed
