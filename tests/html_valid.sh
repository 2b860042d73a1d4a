#!/bin/sh
# html_valid.sh SAMPLES: the pages that test_reports left are well-formed to a parser of XML and to one of HTML, hold
# no script and no picture, and a browser that shows them asks for nothing else. Called by reports_valid.sh.
set -u
samples=$1
failed=0
fail() { echo "html_valid: $*"; failed=1; }

active='count(//*[local-name()="script" or local-name()="img" or local-name()="iframe" or local-name()="object" or @onerror or @onload])'
for page in "$samples"/*.html; do
    xmllint --noout "$page" || fail "$page is not well-formed"
    [ "$(xmllint --xpath "$active" "$page" 2> /dev/null)" = 0 ] || fail "$page holds something active"
    # libxml2 knows the elements of HTML 4 only.
    xmllint --html --noout "$page" 2>&1 | grep 'error :' | grep -v 'Tag [a-z0-9]* invalid' && fail "$page is no HTML"
    [ "$(xmllint --html --xpath "$active" "$page" 2> /dev/null)" = 0 ] || fail "$page holds something active as HTML"
    grep -q "default-src 'none'" "$page" || fail "$page has no policy"
done

browser=
for name in chromium chromium-browser google-chrome; do command -v $name > /dev/null 2>&1 && browser=$name && break; done
if [ -z "$browser" ] || ! command -v python3 > /dev/null 2>&1; then
    echo "note: chromium or python3 is not installed; no browser has shown the pages"
    exit $failed
fi
work=$(mktemp -d)
trap 'kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
cp "$samples"/*.html "$work"
# The liar: a page that asks for a picture and runs a script; the check must see both.
echo '<html><body><img src="asked"><script>fetch("ran")</script></body></html>' > "$work/liar.html"
(cd "$work" && exec python3 -u -c '
import http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words): print(self.path, file=open("asked.log", "a"), flush=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
print(server.server_port, file=open("port.new", "w"), flush=True)
import os; os.rename("port.new", "port")
server.serve_forever()') > /dev/null 2>&1 &
server=$!
for _ in $(seq 50); do [ -s "$work/port" ] && break; sleep 0.1; done
port=$(cat "$work/port")

# show PAGE...: what a browser asks for when it shows the pages, beside the pages themselves.
show() {
    : > "$work/asked.log"
    { echo '<html><body>'; for page in "$@"; do echo "<iframe src=\"$page\"></iframe>"; done; echo '</body></html>'; } > "$work/all.htm"
    timeout 50 $browser --headless --no-sandbox --disable-gpu --disable-background-networking --disable-dev-shm-usage \
        --user-data-dir="$work/profile" --virtual-time-budget=4000 --dump-dom "http://127.0.0.1:$port/all.htm" \
        > /dev/null 2>&1
    shown=$(grep -c '\.html$' "$work/asked.log")
    others=$(grep -vE '^/([a-z0-9-]*\.html|all\.htm|favicon\.ico)$' "$work/asked.log" | sort -u | tr '\n' ' ')
}
show liar.html
[ "$others" = "/asked /ran " ] || { echo "note: the browser did not show the liar (asked: $others); no page was shown"; exit $failed; }
# shellcheck disable=SC2046 # a list of words
show $(cd "$samples" && ls -- *.html)
[ "$shown" -ge 40 ] || fail "only $shown pages were shown"
[ -z "$others" ] || fail "the pages asked for $others"
exit $failed
