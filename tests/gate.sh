#!/bin/sh
# gate.sh SOURCE BUILD: gate, diff and sweep from outside, with libraries that lie in one way each (tests/liars).
set -u
source=$1 build=$2
conform=$build/conform liars=$build/liars
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME="$dir/state" XDG_CACHE_HOME="$dir/cache" TMPDIR="$dir" CI=1
failed=0

fail() {
    echo "gate: $*"
    failed=1
}

# expect CODE WORDS COMMAND...: the exit code, and words that the output has.
expect() {
    code=$1 words=$2
    shift 2
    "$@" > "$dir/out" 2> "$dir/err" < /dev/null
    got=$?
    [ "$got" = "$code" ] || { fail "exit $got instead of $code: $*"; cat "$dir/out" "$dir/err"; }
    grep -qF -- "$words" "$dir/out" "$dir/err" || { fail "no '$words' from: $*"; cat "$dir/out" "$dir/err"; }
}

# Five versions: each a file of its own, one with a fault.
version() {
    cp "$liars/libliar_$1.so" "$dir/libthing-1.$2.so"
    chmod go-w "$dir/libthing-1.$2.so"
}
CASES="dot f64 m=15 n={64,300} fill=normal seed={1..3}"

version honest 0; version honest 1; version honest 2; version drops 3; version drops 4
expect 1 'first other accuracy' "$conform" sweep "$dir"/libthing-1.?.so --case "$CASES"
grep -A1 'first other accuracy' "$dir/out" | grep -q 'libthing-1.3.so' || fail "the planted regression is not named"
grep -q 'proven wrong' "$dir/out" || fail "the regression's nature is not told"
version honest 3; version honest 4
expect 0 'none of these versions' "$conform" sweep "$dir"/libthing-1.?.so --case "$CASES"
version reorders 3; version reorders 4
expect 0 'first other bits' "$conform" sweep "$dir"/libthing-1.?.so --case "$CASES"
grep -A1 'first other bits' "$dir/out" | grep -q 'libthing-1.3.so' || fail "the first other bits are not named"
grep -q 'first other accuracy.*none' "$dir/out" || fail "other bits are called another accuracy"

# One lie at a time against honest.
for pair in honest:0:'same bits' reorders:0:'nothing regressed' drops:1:'proven wrong' fickle:1:'differ from run to run' \
            crashes:3:'could not be measured' nan:1:'regressed' silent:1:'proven wrong'; do
    lie=${pair%%:*} rest=${pair#*:}
    expect "${rest%%:*}" "${rest#*:}" "$conform" diff "blas lib=$liars/libliar_honest.so" \
           "blas lib=$liars/libliar_$lie.so env.CONFORM_SIDE=new" --case "$CASES"
done
expect 1 '--fail-on=changed' "$conform" diff --fail-on=changed "$dir/libthing-1.0.so" "$dir/libthing-1.3.so" --case "$CASES"
expect 2 'write regressed or changed' "$conform" diff --fail-on=x "$dir/libthing-1.0.so" "$dir/libthing-1.3.so" --case "$CASES"

# A knob is found, and is believed only when its effect was read back.
expect 0 'because of kernel: with kernel=forward the new side gives the old bits' \
    "$conform" gate --old 'plain kernel=forward' --new 'plain kernel=pairwise' --case 'sum f64 m=4 n=1000 fill=normal'
# One that restores nothing on the new side, and yet makes both sides agree; not when it is not read back.
sided() {
    "$conform" diff "adapter command=$liars/adapter_sided_old" "adapter command=$liars/adapter_sided_$1" --case "dot f64 m=1 n={64,300} fill=normal seed={1..3}"
}
expect 0 'both sides agree with CONFORM_KNOB=new in 1 of the 1 kinds of cases that changed' sided new
grep -q 'none of the 2 settings tried restores the old bits on the new side alone' "$dir/out" || fail "the new side alone is not told"
expect 0 'no setting to try' sided mute
grep -q 'both sides' "$dir/out" && fail "a setting that was not read back is believed of both sides"
expect 0 'another order: one after the other, upwards -> a balanced tree; a term meets at most 6 roundings' \
    "$conform" gate --old 'plain kernel=forward' --new 'plain kernel=pairwise' --case 'sum f64 m=1 n=50 fill=normal seed={1..3}'
expect 0 'the same order in another arithmetic: 49 additions in f32 -> 49 additions in f32; 49 of 50 products enter unrounded (fused)' \
    "$conform" gate --old 'plain kernel=forward' --new 'plain kernel=fma' --case 'dot f32 m=1 n=50 fill=normal seed={1..3}'
expect 1 'level numerical wants the same bits' "$conform" gate -l numerical --old 'plain kernel=pairwise' \
    --new 'plain kernel=forward' --case 'sum f64 m=16 n={1000,1001} fill=normal seed={1..4}'

# A waiver: in force, expired, moved.
"$conform" diff --json="$dir/gate.json" --fail-on=changed "$dir/libthing-1.0.so" "$dir/libthing-1.3.so" \
    --case 'dot f64 m=16 n=300 fill=normal' > "$dir/out" 2>&1
digest=$(sed -n 's/.*"digest_new": *"\(xxh3:[0-9a-f]*\)".*/\1/p' "$dir/gate.json" | head -n 1)
waiver() {
    printf '[{"case":"dot f64*","owner":"ann","reason":"the new order is wanted","expires":"%s","digest":"%s"}]\n' "$1" "$2" > "$dir/w.json"
}
gate() {
    "$conform" diff --waivers="$dir/w.json" --fail-on=changed "$dir/libthing-1.0.so" "$dir/libthing-1.3.so" \
        --case 'dot f64 m=16 n=300 fill=normal'
}
waiver 2999-12-31 "$digest"; expect 0 '1 waived' gate
waiver 2020-01-01 "$digest"; expect 1 'expired' gate
waiver 2999-12-31 xxh3:00000000000000000000000000000000; expect 1 'moved' gate
echo '[{"case":"*"}]' > "$dir/w.json"; expect 2 'owner' gate

# A store as baseline; one that lacks records is refused by name.
"$conform" run -q --store "$dir/old.db" --configuration "blas lib=$liars/libliar_honest.so" \
    --case 'dot f64 m=16 n=300 fill=normal' > "$dir/out" 2>&1
expect 0 'same bits' "$conform" gate --old "$dir/old.db" --new "blas lib=$liars/libliar_honest.so"
expect 1 'proven wrong' "$conform" gate --old "$dir/old.db" --new "blas lib=$liars/libliar_drops.so"
sqlite=$(command -v sqlite3) && {
    cp "$dir/old.db" "$dir/part.db"
    "$sqlite" "$dir/part.db" 'DELETE FROM record WHERE process = 1' > /dev/null 2>&1 &&
        expect 2 'cannot be compared' "$conform" gate --old "$dir/part.db" --new "blas lib=$liars/libliar_honest.so"
}
# A store of a time when a number had more than one spelling.
python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE plan SET text = replace(text, '"'"'m=16'"'"', '"'"'m=016'"'"')")
d.commit()' "$dir/old.db" && expect 0 'same bits' "$conform" gate --old "$dir/old.db" --new "blas lib=$liars/libliar_honest.so"
expect 2 'gate needs --old and --new' "$conform" gate

# Strict: what is known not to repeat is refused before anything runs, and nothing else is.
strict() {
    "$conform" run -q --strict --store "$dir/strict.db" --case 'dot f64 m=16 n=300 fill=normal' "$@"
}
expect 2 'need not repeat: threads add' strict --configuration 'plain kernel={forward,arrival} threads=2'
[ ! -e "$dir/strict.db" ] || fail "a refused run has a store"
expect 0 '' strict --configuration 'plain kernel={forward,pairwise} threads=2' --scope run
rm -f "$dir/strict.db"
"$conform" run -q --store "$dir/fickle.db" --configuration "blas lib=$liars/libliar_fickle.so" \
    --configuration "blas lib=$liars/libliar_honest.so" --case 'dot f64 m=15 n=64 fill=normal' > "$dir/out" 2>&1
expect 2 'fickle.db holds two answers of it to `dot f64 m=15 n=64' strict --earlier "$dir/fickle.db" \
    --configuration "blas lib=$liars/libliar_fickle.so"
expect 0 '' strict --earlier "$dir/fickle.db" --configuration "blas lib=$liars/libliar_honest.so" --scope run
expect 2 'what --strict looks into' "$conform" run --earlier "$dir/fickle.db" --configuration 'plain kernel=forward'
# On either side of a gate, in any version of a sweep, and in what a store that is a side holds itself.
few() {
    words=$1
    shift
    expect 2 "$words" "$conform" "$@" --strict --store "$dir/side.db" --case 'dot f64 m=15 n=64 fill=normal'
    [ ! -e "$dir/side.db" ] || fail "a refused upgrade has run: $*"
}
honest="blas lib=$liars/libliar_honest.so" fickle="blas lib=$liars/libliar_fickle.so"
arrival='plain kernel=arrival threads=2'
few 'in the old side (`plain kernel=arrival' gate --old "$arrival" --new "$honest"
few 'in the new side (`plain kernel=arrival' diff "$honest" "$arrival"
few 'in version 3 of 3 (`plain kernel=arrival' sweep "$honest" 'plain kernel=forward' "$arrival"
few 'in the new side (`blas lib=' gate --earlier "$dir/fickle.db" --old "$honest" --new "$fickle"
few 'holds two answers' gate --old "$dir/fickle.db" --new "$honest"
grep -qF "in the old side (\`$fickle\`)" "$dir/err" || fail "a store's own two answers are not those of the old side"
expect 0 'same bits' "$conform" gate --strict --earlier "$dir/fickle.db" --old "$honest" --new "$honest env.CONFORM_SIDE=new" \
    --case 'dot f64 m=15 n=64 fill=normal'
expect 2 'what --strict looks into' "$conform" gate --earlier "$dir/fickle.db" --old "$honest" --new "$fickle"
expect 3 'conform fetch openblas-0.3.28' "$conform" gate --old openblas-0.3.28 --new openblas-0.3.29
expect 0 'openblas-0.3.28' "$conform" list libraries
exit $failed
