#!/bin/sh
# selftest.sh BUILD: the fast self-test holds; and it does not where the store lies to it: a bug that was not planted, a
# judge that grants everything because its bank says that anything is noise, one that accuses twins because the bank's
# own twins are closer than rounding is. Each is shown on the records of the run, which is not repeated.
set -u
build=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME="$dir" XDG_STATE_HOME="$dir"
failed=0
command -v python3 > /dev/null || { echo "SKIP: needs python3"; exit 77; }

# expect CODE WORDS OPTION...: the exit code, and words of what is printed.
expect() {
    code=$1 words=$2
    shift 2
    "$build/conform" selftest "$@" > "$dir/out" 2>&1
    got=$?
    if [ "$got" -ne "$code" ] || ! grep -qF "$words" "$dir/out"; then
        echo "selftest: exit $got and not $code with \`$words\`"
        grep -E 'NOT|conform:|self-test' "$dir/out" | head -n 12
        failed=1
    fi
}

# lie SCRIPT: a Python script over the store of the training bugs, db, in a copy of the folder.
lie() {
    rm -rf "$dir/lie"
    cp -r "$dir/true" "$dir/lie"
    python3 -c '
import re, sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/training.db")
def bank(change):
    text, = db.execute("select value from meta where key = \"bank\"").fetchone()
    db.execute("update meta set value = ? where key = \"bank\"", (change(text),))
'"$1"'
db.commit()' "$dir/lie" || failed=1
}

expect 0 'The self-test holds.' --store="$dir/true"
[ "$failed" -eq 0 ] || exit 1
grep -q 'false alarms 0 of 320' "$dir/out" || { echo "selftest: no honest orders"; failed=1; }
python3 -c '
import json, sys
st = json.load(open(sys.argv[1]))
assert st["schema"] == "conform-selftest/1" and st["holds"] and st["why"] is None
assert st["bugs"] == st["caught"] >= 80 and st["sums"]["at_most"] < 0.01' "$dir/true/selftest.json" || failed=1

# Two lies at once, told apart by what is printed: a bug that does nothing, and twins that are too close.
lie 'db.execute("""update record set digest = (select digest from record as b where b.case_id = record.case_id
    and b.configuration = 1 and b.process = 0 and b.repetition = 0)
    where configuration = (select id from configuration where text like "%rate-by-0.5")""")
def closer(line):
    return line.group(1) + re.sub(r"p([-+]\d+)", lambda e: "p%+d" % (int(e.group(1)) - 20), line.group(2))
bank(lambda t: re.sub(r"^(twin \d+ \d+)(.*)", closer, t, flags=re.M))'
expect 1 'that differ by rounding alone were accused' --store="$dir/lie"
grep -q 'learning rate halved *logreg  unknown, NOT fail' "$dir/out" || { echo "selftest: it was not planted"; failed=1; }

# Half of the seeds that the configuration does not run end far away: anything is noise.
lie 'bank(lambda t: re.sub(r"^(seed (?:2[1-9]|[3-9]\d|1\d\d)) \S+", lambda m: m.group(0) if int(m.group(1)[5:]) % 2 else
    m.group(1) + " 0x1p+6", t, flags=re.M))'
expect 1 'planted bugs are not what they must be' --store="$dir/lie"
grep -q 'learning rate halved *logreg  fail  *pass, NOT fail' "$dir/out" || { echo "selftest: nothing was granted"; failed=1; }

expect 2 'selftest takes no' everything
touch "$dir/file"
expect 3 'Not a directory' --store="$dir/file"
exit $failed
