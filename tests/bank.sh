#!/bin/sh
# bank.sh BUILD: a bank is built through real workers, interrupted and gone on with without loss; it is the one that is
# kept with the program, byte for byte; it is checked, and a bank with one other bit is found out.
set -u
build=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME="$dir" XDG_STATE_HOME="$dir"
failed=0
fail() { echo "bank: $*"; failed=1; }

make_bank() {
    "$build/conform" bank build --suite smoke --configuration 'plain kernel=forward' "--bank=$dir/b.bank" "$@"
}
make_bank > "$dir/first" 2>&1 &
pid=$!
# Until about a hundred of 564 runs are recorded.
while kill -0 "$pid" 2> /dev/null && [ "$(find "$dir" -name 'b.bank.db-wal' -size +2000k | wc -l)" = 0 ]; do sleep 0.05; done
kill -INT "$pid" 2> /dev/null
wait "$pid"
code=$?
[ "$code" = 130 ] || [ "$code" = 0 ] || fail "interrupted, it ends with $code: $(cat "$dir/first")"
[ "$code" = 0 ] || grep -q 'interrupted; the same command goes on' "$dir/first" || fail "it does not say how to go on: $(cat "$dir/first")"
[ "$code" = 0 ] || [ ! -e "$dir/b.bank" ] || fail "half a bank was written"
make_bank > "$dir/second" 2>&1 || fail "gone on with, it ends with $?: $(cat "$dir/second")"
[ ! -e "$dir/b.bank.db" ] || fail "records of a finished build are left"
cmp data/smoke/plain-forward.bank "$dir/b.bank" || fail "the bank is not the one that is kept"
grep -q 'claim `the larger rate is ahead after 256 steps`: registered' "$dir/second" || fail "claims: $(cat "$dir/second")"

"$build/conform" bank check "--bank=$dir/b.bank" > "$dir/check" 2>&1 || fail "check ends with $?: $(cat "$dir/check")"
grep -q '^0 of 10 seeds differ  train_logreg f32 steps=256 batch=32 fill=digits$' "$dir/check" || cat "$dir/check"
# The liar: the last link of one seed has one other digit.
awk '/^seed 7 / && !done { sub(/.$/, ($NF ~ /0$/) ? "1" : "0"); done = 1 } { print }' "$dir/b.bank" > "$dir/liar.bank"
"$build/conform" bank check "--bank=$dir/liar.bank" > "$dir/check" 2>&1 && fail "a bank of other bits is taken for the baseline's"
grep -q '^1 of 10 seeds differ' "$dir/check" || fail "it does not say what differs: $(cat "$dir/check")"
sed 's/^baseline .*/baseline plain kernel=kahan/' "$dir/b.bank" > "$dir/other.bank"
"$build/conform" bank check "--bank=$dir/other.bank" > "$dir/check" 2>&1 && fail "another kernel is taken for the bank's"
exit $failed
