#!/bin/sh
# golden.sh SOURCE BUILD: packs of cases with their only right answers: made, checked, signed by the tools that are
# installed; and each way in which a pack, its manifest, its signature or the answers can be wrong is refused and named.
set -u
build=$2
failed=0
fail() { echo "golden: $*"; failed=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
conform=$build/conform

# expect CODE WORDS COMMAND...: exit code, and words in either stream.
expect() {
    code=$1 words=$2
    shift 2
    "$@" > out 2>&1
    got=$?
    [ $got = "$code" ] || { fail "exit $got and not $code: $*"; head -n 3 out; }
    [ -z "$words" ] || grep -qF -- "$words" out || { fail "does not say \`$words\`: $*"; head -n 3 out; }
}

expect 0 '' "$conform" golden make p.golden --case 'dot {f64,f32} m=2 n=100 fill=integer seed={1,2}' \
    --case 'chain f64 n=128 rounds=50 passes=1'
[ "$(wc -l < p.golden)" = 7 ] || fail "a pack of five cases has $(wc -l < p.golden) lines"
expect 0 'p.golden: 5 cases, whole, not signed' "$conform" golden check p.golden
"$conform" golden make again.golden --case 'chain f64 n=128 rounds=50 passes=1' --case 'dot {f32,f64} m=2 n=100 fill=integer seed={2,1}'
cmp -s p.golden again.golden || fail 'the order of the cases changes the pack'
expect 2 'more than one right answer' "$conform" golden make q.golden --case 'dot f64 m=2 n=100 fill=uniform seed=1'
[ -e q.golden ] && fail 'a pack that cannot be made was written'

# Wrong answers: a kernel that leaves out its last term, and a pack whose digest is another's, with an honest manifest.
expect 1 'conform replay "dot f32' "$conform" golden check p.golden 'planted kernel=last-dropped'
remake() { # LINES on stdin: a pack with a manifest of its own
    { cat > body; cat body; printf 'manifest sha256 %s\n' "$(sha256sum body | cut -d' ' -f1)"; }
}
head -n 6 p.golden | sed '3s/ [0-9a-f]\{32\} dot/ 00000000000000000000000000000000 dot/' | remake > wrong.golden
expect 1 'FAIL' "$conform" golden check wrong.golden 'plain kernel=forward'
# Cases whose inputs are not those that the pack was made for: not measured, never a pass.
head -n 6 p.golden | sed '3s/^[0-9a-f]\{32\}/00000000000000000000000000000000/' | remake > moved.golden
expect 3 '1 not measured' "$conform" golden check moved.golden 'plain kernel=forward'

# The pack or its manifest, tampered with or cut.
sed '3s/seed=1/seed=3/' p.golden > t1.golden
sed '$s/sha256 ./sha256 g/' p.golden > t2.golden
head -n 6 p.golden > t3.golden
sed '1s/golden.1/golden\/2/' p.golden > t4.golden
head -c 200 p.golden > t5.golden
for pack in t1 t2 t3 t5; do expect 3 'its manifest does not match' "$conform" golden check $pack.golden; done
expect 3 'is no golden pack of version 1' "$conform" golden check t4.golden
expect 2 'cannot be read' "$conform" golden check none.golden
expect 3 'has no signature beside it' "$conform" golden check p.golden --signers /dev/null

# sign_and_break KIND KEY SIGNERS OTHER-SIGNERS SUFFIX: by this tool.
sign_and_break() {
    kind=$1 key=$2 signers=$3 others=$4 suffix=$5
    rm -f p.golden.sig p.golden.minisig
    expect 0 '' "$conform" golden make p.golden --case 'dot f64 m=2 n=100 fill=integer seed={1,2}' --sign "$key"
    [ -s p.golden.$suffix ] || fail "$kind left no signature"
    expect 0 'signed by one of the signers' "$conform" golden check p.golden --signers "$signers" 'plain kernel=forward'
    expect 3 'does not hold' "$conform" golden check p.golden --signers "$others"
    # Whoever changes the pack can make the manifest fit, but not the signature.
    head -n 3 p.golden | sed '2s/seed=1/seed=7/' | remake > p2 && mv p2 p.golden
    expect 3 'does not hold' "$conform" golden check p.golden --signers "$signers"
    rm p.golden.$suffix
    expect 3 'has no signature beside it' "$conform" golden check p.golden --signers "$signers"
    expect 3 'did not sign' "$conform" golden make p.golden --case 'dot f64 m=2 n=4 fill=integer' --sign "none$6"
}
if command -v ssh-keygen > /dev/null; then
    for name in one two; do
        ssh-keygen -q -t ed25519 -N '' -C $name -f $name
        echo "$name@example namespaces=\"conform-golden\" $(cat $name.pub)" > $name.allowed
    done
    sign_and_break ssh-keygen one one.allowed two.allowed sig ''
    expect 0 '' "$conform" golden make s.golden --case 'dot f64 m=2 n=4 fill=integer' --sign one
    expect 0 'signed; --signers=FILE would say by whom' "$conform" golden check s.golden 'plain kernel=forward'
    # A signature of the same key that was made for something else.
    rm s.golden.sig && ssh-keygen -q -Y sign -f one -n file s.golden
    expect 3 'does not hold' "$conform" golden check s.golden --signers one.allowed
else
    echo "note: ssh-keygen is not installed; its signatures were not tried"
fi
if command -v minisign > /dev/null; then
    for name in a b; do minisign -G -W -f -p $name.pub -s $name.key > /dev/null 2>&1 < /dev/null; done
    sign_and_break minisign a.key a.pub b.pub minisig .key
else
    echo "note: minisign is not installed; its signatures were not tried"
fi
expect 3 'is not installed' env PATH="$work" "$conform" golden make s.golden --case 'dot f64 m=2 n=4 fill=integer' --sign one

# A unit with a fault: the pack names it.
if [ -x "$build/liars/conform-worker-faulty" ] && grep -q avx2 /proc/cpuinfo && taskset -c 0 true 2> /dev/null; then
    mkdir bad && cp "$conform" bad/conform && cp "$build/liars/conform-worker-faulty" bad/conform-worker
    expect 0 '' "$conform" golden make c.golden --case 'chain f64 n=128 rounds=50 passes=1 seed={1,2}'
    expect 0 '2 same, 0 different' "$conform" golden check c.golden 'vector kernel=avx2 cpus=0'
    expect 1 '0 same, 2 different' bad/conform golden check c.golden 'vector kernel=avx2 cpus=0'
fi
exit $failed
