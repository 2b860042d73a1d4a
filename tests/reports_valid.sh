#!/bin/sh
# reports_valid.sh SOURCE BUILD: every sample that test_reports left is valid: JUnit by xmllint against the schema of
# the JUnit dialect that CI systems read, JSON by jq, and by the published schema.
set -u
source=$1 samples=$2/samples
failed=0
fail() { echo "reports_valid: $*"; failed=1; }

[ -s "$samples/honest.json" ] || { echo "reports_valid: test_reports left no samples"; exit 1; }
command -v xmllint > /dev/null && command -v jq > /dev/null || { echo "SKIP: needs xmllint and jq"; exit 77; }
xmllint --noout --schema "$source/tests/data/junit.xsd" "$samples"/*.xml 2> "$samples/xmllint.log" ||
    { fail "JUnit is not valid"; grep -v ' validates$' "$samples/xmllint.log"; }
# The liar: the schema must refuse a suite without its counts.
sed 's/ tests="[0-9]*"//' "$samples/honest.xml" > "$samples/liar.xml_"
xmllint --noout --schema "$source/tests/data/junit.xsd" "$samples/liar.xml_" 2> /dev/null && fail "the JUnit schema accepts anything"
for file in "$samples"/*.json; do
    jq -e '.schema == "conform-report/1"' "$file" > /dev/null || fail "$file is no report"
done
jq -S . "$samples/honest.json" | jq -c . > "$samples/sorted" && jq -c . "$samples/honest.json" | cmp -s - "$samples/sorted" ||
    fail "the keys of honest.json are not sorted"
if python3 -c 'import jsonschema' 2> /dev/null; then
    python3 "$source/tests/check_schema.py" "$source/docs/report.schema.json" "$samples"/*.json || fail "the JSON schema is not met"
else
    echo "note: python3-jsonschema is not installed; the JSON schema was not checked"
fi
"$source/tests/html_valid.sh" "$samples" || failed=1
exit $failed
