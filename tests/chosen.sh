#!/bin/sh
# chosen.sh SOURCE BUILD: what a library chose to run goes from the worker to the reports, to compare and to the gate; a promise
# about a choice is held against the records of that choice. The fake cuDNN (tests/fakes) names its engines; Debian's oneDNN, where
# it is installed, its implementations.
set -u
source=$1 build=$2
failed=0
fail() { echo "chosen: $*"; failed=1; }
command -v jq > /dev/null || { echo "SKIP: needs jq"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work" XDG_CACHE_HOME="$work" TMPDIR="$work" CI=1
cd "$work" || exit 1

# The program with a worker of its own, which finds the fakes in place of the driver.
mkdir bin
cp "$build/conform" bin/conform
cat > bin/conform-worker << END
#!/bin/sh
export LD_LIBRARY_PATH='$build/fakes' FAKE_GPU="\$(cat '$work/lie')"
exec '$build/conform-worker' "\$@"
END
chmod +x bin/conform-worker
cudnn="cudnn device=0 lib=$build/fakes/libcudnn.so.9"
filter='conv2d_bwd_filter f64 n=2 c=3 h=6 w=6 k=4 r=3 s=3 seed=1'
measure() { # LIE NAME WORDS...
    echo "$1" > lie
    name=$2
    shift 2
    bin/conform run -q --store "$name.db" --text="$name.txt" --json="$name.json" --csv="$name.csv" --html="$name.html" "$@" 2> err
    code=$?
    [ -s "$name.json" ] || { fail "no report: $(cat err)"; exit 1; }
}
has() { # FILE WORDS: lines are wrapped, so blanks are one
    tr -s ' \n' '  ' < "$1" | grep -qF -- "$2" || fail "no '$2' in $1"
}
state() { # NAME ID: the gravest state of a promise
    jq -r --arg id "$2" '[.promises[] | select(.id == $id) | .state] |
        if any(. == "violated") then "violated" else map(select(. != "not-exercised"))[0] // "none" end' "$1.json"
}

# Two engines, one with and one without the note NONDETERMINISTIC: each is held to what its own note says.
measure '' one --case "$filter" --configuration "$cudnn kernel={heuristic,deterministic}"
has one.txt 'engine=1 numerical_notes=NONDETERMINISTIC knobs=1:7 in 1 case'
has one.txt 'engine=0 numerical_notes=TENSOR_CORE knobs=1:7 in 1 case'
has one.txt 'the library chose otherwise: engine from 1 to 0'
has one.csv ',engine=0 numerical_notes=TENSOR_CORE knobs=1:7'
has one.html '<code>engine=0 numerical_notes=TENSOR_CORE knobs=1:7</code>'
jq -e '[.chosen[] | [.configuration, .n_cases, .n_records]] == [[0, 1, 300], [1, 1, 300]]' one.json > /dev/null ||
    fail "json: $(jq -c .chosen one.json)"
[ "$(state one cudnn-engine-run)" = holds ] || fail "an engine without the note: $(state one cudnn-engine-run)"
[ "$(state one cudnn-note-run)" = holds ] || fail "an engine with the note: $(state one cudnn-note-run)"
[ "$(state one cudnn-heuristic-run)" = none ] || fail 'the notes are known, and the heuristic is spoken of'
if python3 -c 'import jsonschema' 2> /dev/null; then
    python3 "$source/tests/check_schema.py" "$source/docs/report.schema.json" one.json || fail 'the JSON schema is not met'
fi

# The liar: an engine without the note whose bits differ.
measure fickle liar --case "$filter" --configuration "$cudnn kernel=deterministic"
[ "$code" = 1 ] || fail "a note that is not true: exit $code"
[ "$(state liar cudnn-engine-run)" = violated ] || fail "a note that is not true: $(state liar cudnn-engine-run)"
has liar.txt 'it had chosen engine=0 numerical_notes=TENSOR_CORE'

# In one group the engines with and the one without the note: only the records of the latter are held to the promise.
echo fickle > lie
bin/conform run -q --store mixed.db --json=mixed.json --text=mixed.txt --case "$filter" --configuration \
    "$cudnn kernel=engine flags=engine:{1,3}" 2> err
[ "$(state mixed cudnn-engine-run)" = violated ] || fail "engine 3 lies: $(state mixed cudnn-engine-run)"
jq -e '[.promises[] | select(.state == "violated") | .configuration] == [1]' mixed.json > /dev/null ||
    fail "violated by $(jq -c '[.promises[] | select(.state == "violated") | [.id, .configuration]]' mixed.json)"

# Time decides which algorithm runs: it is named as what made the difference.
measure '' find --case "$filter" --configuration "$cudnn kernel=find"
has find.txt 'algorithm=1 determinism=1'
has find.txt 'the library chose otherwise: algorithm from'
[ "$(state find cudnn-legacy-same-run)" = violated ] && fail 'an algorithm is blamed for what another one gave'

# cuBLAS's symv: other bits are documented where atomics are allowed, and nowhere else.
cublas="cublas device=0 lib=$build/fakes/libcublas.so.13"
measure '' symv --case 'symv f32 n=40 fill=normal seed=1' --configuration "$cublas flags=atomics:{0,1}"
[ "$(state symv cublas-atomics-run)" = holds ] || fail "symv with atomics: $(state symv cublas-atomics-run)"
[ "$(state symv cublas-run)" = holds ] || fail "symv without atomics: $(state symv cublas-run)"
has symv.txt 'atomics=1 in 1'
measure symv symv-liar --case 'symv f32 n=40 fill=normal seed=1' --configuration "$cublas flags=atomics:0"
[ "$(state symv-liar cublas-run)" = violated ] || fail "symv that differs without atomics: $(state symv-liar cublas-run)"

# Emulation that the environment turns on is told, and so is that it did not happen.
measure '' emulation --case 'gemm f64 m=8 n=8 k=16 fill=normal seed=1' \
    --configuration "$cublas env.CUBLAS_EMULATE_DOUBLE_PRECISION={1,0}" --configuration "$cublas"
jq -e '[.chosen[] | [.configuration, .chosen]] == [[0, "emulated_bits=48"], [1, "emulated_bits=none"]]' emulation.json > /dev/null ||
    fail "emulation: $(jq -c .chosen emulation.json)"

# Another engine in another run is named by compare and by the gate.
measure other-engine two --case "$filter" --configuration "$cudnn kernel={heuristic,deterministic}"
bin/conform compare one.db two.db > out 2> err
has out 'the library chose otherwise: engine from 1 to 0, numerical_notes from NONDETERMINISTIC to TENSOR_CORE'
bin/conform compare --json=out.json one.db two.db > /dev/null 2> err
jq -e '[.cases[] | .chosen != null] == [true, false]' out.json > /dev/null || fail "compare: $(jq -c .cases out.json)"
echo '' > lie
bin/conform gate --old "$cudnn" --new "$cudnn kernel=deterministic" --case "$filter" --json=gate.json > out 2> err
jq -e '(.chosen | startswith("in 1 of 1 changed cases the library chose otherwise")) and (.chosen | test("engine from 1 to 0")) and
    (.cases[0].chosen_new | startswith("engine=0"))' gate.json > /dev/null || fail "gate: $(jq -c '.chosen, .cases[0]' gate.json)"
bin/conform replay "$filter" "$cudnn kernel=deterministic" > out 2> err
has out 'engine=0 numerical_notes=TENSOR_CORE'

library=$(readlink -f /usr/lib/*/libdnnl.so.[23] 2> /dev/null | tail -n 1)
if [ -n "$library" ]; then
    "$build/conform" run -q --store onednn.db --json=onednn.json --text=onednn.txt --case \
        'conv2d_fwd f32 n=1 c=3 h=8 w=8 k=16 r=3 s=3 pad=1 seed=1' --configuration "onednn lib=$library kernel={blocked,ref}" 2> err
    jq -e '[.chosen[].chosen] | length == 2 and (.[0] | test("^implementation=(x64:)?(brgconv|jit|gemm|ref)")) and
        .[1] == "implementation=ref:any"' onednn.json > /dev/null || fail "oneDNN: $(jq -c .chosen onednn.json)"
    has onednn.txt 'the library chose otherwise: implementation from'
else
    echo "note: oneDNN is not installed; its implementations were not looked at"
fi
exit $failed
