#!/bin/bash
# cli.sh SOURCE BUILD: the command line from outside: exit codes, what goes to which stream, bad input of every kind,
# interruption and resumption, reports that are the same for the same store. Needs no library to measure.
set -u
source=$1 build=$2
conform=$build/conform
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config HOME=$dir CI=1
unset NO_COLOR CLICOLOR_FORCE
cd "$dir" || exit 1
failed=0 checks=0
case_='dot f64 m=1 n=1000 fill=uniform seed=1'
orders='plain kernel={forward,pairwise}'

fail() {
    echo "cli: $*"
    failed=1
}

# expect CODE WORDS COMMAND...: the exit code, and words in what the standard error says ('' for any).
expect() {
    local code=$1 words=$2 got
    shift 2
    checks=$((checks + 1))
    timeout 60 "$@" > out 2> err
    got=$?
    [ "$got" = "$code" ] || { fail "exit $got and not $code: $*"; head -n 5 err; }
    [ -z "$words" ] || grep -qF -- "$words" err || { fail "does not say \`$words\`: $*"; head -n 5 err; }
}

# sentence: the last complaint was one line.
sentence() {
    [ "$(wc -l < err)" = 1 ] || { fail "more than one sentence:"; cat err; }
    grep -q '^conform: ' err || fail "does not say who speaks: $(cat err)"
}

usage() {
    expect 2 'did you mean `level`' "$conform" --levle numerical && sentence
    expect 2 'did you mean `numerical`' "$conform" --level numercal && sentence
    expect 2 'did you mean `thread`' "$conform" --scope thrad && sentence
    expect 2 'did you mean `replay`' "$conform" rplay && sentence
    expect 2 'did you mean `suites`' "$conform" list suits && sentence
    expect 2 'there is no suite' "$conform" --suite nonsense && sentence
    expect 2 'there is no op `dott`' "$conform" --case 'dott f64 n=1' --configuration 'plain kernel=forward' && sentence
    expect 2 'did you mean `normal`' "$conform" replay 'dot f64 m=1 n=1 fill=nrmal' 'plain kernel=forward' && sentence
    expect 2 'did you mean `plain`' "$conform" replay "$case_" 'plian kernel=forward' && sentence
    expect 2 'did you mean `plain`' "$conform" gate --old 'plian kernel=forward' --new plain && sentence
    expect 2 'is no file and no backend' "$conform" gate --old nothing --new plain && sentence
    expect 2 'no ELF file' "$conform" diff /etc/passwd /etc/passwd && sentence
    expect 2 'no ELF file' "$conform" sources /etc/passwd && sentence
    expect 2 'is not a store of conform' "$conform" report /etc/passwd && sentence
    expect 2 'cannot be written: No such file' "$conform" --case "$case_" --configuration "$orders" --html=none/x && sentence
    expect 2 'cannot be written: Is a directory' "$conform" --case "$case_" --configuration "$orders" --json=. && sentence
    expect 2 'no type' "$conform" --case 'dot f65 m=1 n=1' --configuration 'plain kernel=forward' && sentence
    expect 0 '' "$conform" replay --repeat=1 "$case_" 'plain chunks threads=1'
    grep -q 'plain kernel=chunks threads=1' out || fail 'a label is not the configuration that it names'
    expect 0 '' "$conform" diff --case "$case_" 'plain forward' 'plain pairwise'
    expect 2 '`conform list configurations` shows those' "$conform" replay "$case_" 'plainly forward' && sentence
    expect 2 '`conform list configurations` shows those' "$conform" replay "$case_" 'openblas 9.9.9 threads=1' && sentence
    expect 2 'does not know `thread`' "$conform" --case "$case_" --configuration 'plain thread=1' && sentence
    expect 2 'replay needs' "$conform" replay "$case_" && sentence
    expect 2 'compare needs' "$conform" compare a && sentence
    expect 2 'report needs' "$conform" report && sentence
    expect 2 'cannot be read' "$conform" --matrix none.yaml && sentence
    expect 2 'requires an argument' "$conform" --level
    printf 'configurations:\n- backend: plain\n  thread: 1\n' > bad.yaml
    expect 2 'bad.yaml:3:3: there is no key `thread`; did you mean `threads`?' "$conform" --matrix bad.yaml && sentence
    expect 4 'no case is left' "$conform" --filter 'no such case' --configuration "$orders" && sentence
    expect 4 'no configuration matches' "$conform" --configuration 'nosuch*' && sentence
    expect 0 '' "$conform" --help
    grep -q -- --level out || fail 'help names no --level'
    expect 0 '' "$conform" replay --help
    expect 0 '' "$conform" --version
    [ -z "$(ls "$dir/state/conform" 2> /dev/null)" ] || fail "a mistake left a store: $(ls "$dir/state/conform")"
}

lists() {
    for what in suites ops cases fills configurations backends levels scopes; do
        expect 0 '' "$conform" list "$what"
        [ -s out ] || fail "list $what says nothing"
        [ -s err ] && fail "list $what complains: $(cat err)"
        expect 0 '' "$conform" list "$what" --json
        jq -e 'length > 0' out > /dev/null || fail "list $what --json is no JSON"
    done
    steps='train_logreg f32 steps=4 batch=8 fill=digits snapshots=3'
    expect 0 '' "$conform" train "$steps" plain --truth --json
    jq -e '.schema == "conform-train/1" and (.distance | length) == 3 and .distance[2].from_true < 1e-5' out > /dev/null ||
        fail 'train --json has no distances'
    expect 1 '' "$conform" divergence "$steps" 'plain kernel=forward' 'plain kernel=reverse' --json
    jq -e '.kind == "benign rounding" and .different > 0' out > /dev/null || fail 'divergence --json names no rounding'
    expect 0 '' "$conform" divergence "$steps" 'plain kernel=forward' 'plain kernel=forward' --json
    jq -e '.kind == "none" and .step == null' out > /dev/null || fail 'divergence --json finds one where there is none'
    expect 2 'has no option `--json`' "$conform" merge --json a b && sentence
    expect 0 '' "$conform" env --json
    jq -e '."cpu.vendor"' out > /dev/null || fail 'env --json names no CPU'
}

verdicts() {
    expect 1 'passed' "$conform" --case "$case_" --configuration "$orders" --store a.db
    grep -q 'replay  conform replay' out || fail 'a difference has no replay line'
    tail -n 1 err | grep -Eq '^conform: [0-9]+ passed, [0-9]+ failed, [0-9]+ unknown, [0-9]+ skipped, [0-9]+ changed \(level numerical, [0-9.]+ s; store a.db\)$' ||
        fail "the closing line is $(tail -n 1 err)"
    # The replay line, pasted, shows the difference again.
    line=$(sed -n 's/^  replay  conform //p' out | head -n 1)
    eval "set -- $line"
    expect 1 '' "$conform" "$@"
    grep -q 'elements differ in their bits' out || fail "the replay shows no difference: $line"
    grep -q 'got -\{0,1\}0x' out || fail 'the replay shows no hexadecimal float'
    # Integers have one answer in any order.
    expect 0 '' "$conform" --case 'dot f64 m=4 n=100 fill=integer seed=1' --configuration "$orders" --store b.db --quiet
    [ -s err ] && fail "--quiet is not quiet: $(cat err)"
    expect 0 '' "$conform" replay 'dot f64 m=4 n=100 fill=integer seed=1' "$orders"
    grep -q 'runs agree bit for bit' out || fail 'the replay shows no agreement'
    expect 3 '' "$conform" replay "$case_" 'blas lib=./none.so threads=1'
    # Could not measure is not a pass.
    head -c 3000 "$build/conform-worker" > truncated.so
    expect 3 '' "$conform" --case "$case_" --configuration 'plain kernel=forward' --configuration "blas lib=$dir/truncated.so" --store c.db
    grep -q 'Not measured' out || fail 'a truncated library is not named'
}

streams() {
    for code in 0 1 3; do
        case $code in
        0) configuration='plain kernel=forward' ;;
        1) configuration=$orders ;;
        3) configuration="blas lib=$dir/truncated.so" ;;
        esac
        expect $code '' "$conform" --json --case "$case_" --configuration "plain kernel=forward" --configuration "$configuration"
        jq -e ".run.exit == $code" out > /dev/null || fail "--json is no report at exit $code"
    done
    expect 1 '' "$conform" report a.db --json=a.json --junit=a.xml --markdown=a.md --text=a.txt
    [ -s out ] && fail 'documents in files leave words on the standard output'
    for file in a.json a.xml a.md a.txt; do
        [ -s "$file" ] || fail "$file is empty"
        mv "$file" "first-$file"
    done
    expect 1 '' "$conform" report a.db --json=a.json --junit=a.xml --markdown=a.md --text=a.txt
    for file in a.json a.xml a.md a.txt; do
        cmp "$file" "first-$file" || fail "$file differs from itself"
    done
    xmllint --noout --schema "$source/tests/data/junit.xsd" a.xml 2> /dev/null || fail 'JUnit is not valid'
    checks=$((checks + 1))
    "$conform" report a.db > /dev/full 2> err
    [ $? = 3 ] && grep -q 'cannot be written: No space left' err || fail "a full device: $(cat err)"
    expect 2 'cannot be written' "$conform" report a.db --json=none/x.json
    grep -q "$(printf '\033')" out && fail 'colour without a terminal'
    expect 1 '' env CLICOLOR_FORCE=1 "$conform" report a.db
    grep -q "$(printf '\033')" out || fail 'CLICOLOR_FORCE gives no colour'
    expect 1 '' env CLICOLOR_FORCE=1 NO_COLOR=1 "$conform" report a.db
    grep -q "$(printf '\033')" out && fail 'NO_COLOR gives colour'
    expect 1 '' env NO_COLOR=1 "$conform" report a.db --color always
    grep -q "$(printf '\033')" out || fail '--color always gives no colour'
}

stores() {
    expect 2 '' "$conform" --case "$case_" --configuration "$orders" --store a.db && sentence
    expect 2 '--resume goes on' "$conform" --resume --store a.db --case "$case_" && sentence
    expect 1 'passed' "$conform" --resume --store a.db
    echo 'not a store' > text.db
    expect 2 '' "$conform" report text.db && sentence
    head -c 5000 a.db > cut.db
    expect 3 '' "$conform" report cut.db && sentence
    cmp -s text.db <(echo 'not a store') || fail 'a file that is no store was changed'
    expect 2 '' "$conform" report none.db && sentence
    expect 3 '' "$conform" --case "$case_" --configuration "$orders" --store none/x.db && sentence
    expect 0 '' "$conform" compare a.db a.db
    expect 2 'in common' "$conform" compare a.db b.db
    expect 0 '' "$conform" compare a.db a.db --json
    jq -e '.summary.same > 0 and .summary.regressed == 0' out > /dev/null || fail 'a run differs from itself'
    # The default place, with its folders.
    expect 1 "store $dir/state/conform/" "$conform" --case "$case_" --configuration "$orders"
    ls "$dir"/state/conform/*.db > /dev/null 2>&1 || fail 'no store in its default place'
}

# Stopped by a signal in the middle, then resumed: no record is lost, none is made twice.
interruption() {
    checks=$((checks + 1))
    "$conform" --case 'sum f64 m=1 n={1..100} fill=uniform seed=1' --configuration "$orders" --repeat 16 --store i.db > out 2> err &
    pid=$!
    for _ in $(seq 300); do # it answers signals once it has workers
        pgrep -P $pid conform-worker > /dev/null && break
        sleep 0.05
    done
    sleep 0.2
    kill -INT $pid
    wait $pid
    code=$?
    [ $code = 130 ] || { fail "an interrupted run exits $code"; return; }
    grep -q -- '--resume --store i.db' err || fail "an interruption does not say how to go on: $(cat err)"
    expect 1 '' "$conform" run --resume --store i.db --json
    jq -e '.run.complete and .summary.n_planned == .summary.n_recorded and .summary.n_planned == 32000' out > /dev/null ||
        fail 'a resumed run is not complete'
}

usage
lists
verdicts
streams
stores
interruption
[ "$failed" = 0 ] && echo "cli: $checks commands as they should be"
exit $failed
