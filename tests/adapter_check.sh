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

"$conform" adapter check "$build/liars/adapter_honest" > "$dir/out" 2>&1 || fail "the honest one does not pass"
# Each lie, and the check that must find it.
for pair in garbage:run garbage_hello:hello half:run huge:run wrong_id:run twice:run words:run no_file:run short_file:run \
            wrong_shape:run exits:run sleeps:run not_offered:run broke:run out_of_memory:run; do
    "$conform" adapter check --timeout=1 "$build/liars/adapter_${pair%%:*}" > "$dir/out" 2>&1
    [ $? = 1 ] || fail "${pair%%:*} passes"
    grep -q "^FAIL *${pair#*:} " "$dir/out" || fail "${pair%%:*} is not found by the check ${pair#*:}"
done
"$conform" adapter check true > "$dir/out" 2>&1 && fail "a program that only ends passes"
"$conform" adapter check > "$dir/out" 2>&1
[ $? = 2 ] || fail "no command is no error"

for name in numpy torch; do
    python3 -c "import $name, numpy" > /dev/null 2>&1 || { echo "adapter_check: skipped $name: python3 has no $name"; continue; }
    "$conform" adapter check python3 "$source/adapters/${name}_adapter.py" > "$dir/out" 2>&1 || fail "$name does not pass"
    "$conform" run -q --store "$dir/$name.db" --configuration "adapter command=python3%20$source/adapters/${name}_adapter.py" \
        --case '{sum,dot} f32 m=3 n=100 fill=normal' --case 'gemm f64 m=8 n=8 k=8 fill=integer' > "$dir/out" 2>&1 ||
        fail "$name does not run"
done
exit $failed
