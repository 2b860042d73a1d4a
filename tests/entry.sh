#!/bin/sh
# entry.sh SOURCE BUILD: ./conform from another folder and through links; what it says when something is missing or the
# build fails. Nothing is installed and nothing outside a temporary folder is written.
set -u
source=$1 build=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() {
    echo "entry: $*"
    failed=1
}

# A tree with programs that say with which words they were called; the stamp is younger than every source.
mkdir -p "$dir/tree/build" "$dir/tree/cmake" "$dir/tree/harness" "$dir/links" "$dir/bin"
for folder in kernels reference reports suites; do mkdir "$dir/tree/$folder"; done
cp "$source/conform" "$dir/tree/"
cp "$source/cmake/install.sh" "$dir/tree/cmake/"
touch "$dir/tree/CMakeLists.txt" "$dir/tree/CMakePresets.json"
printf '#!/bin/sh\nfor word; do printf "[%%s]" "$word"; done\nexit 7\n' > "$dir/tree/build/conform"
cp "$dir/tree/build/conform" "$dir/tree/build/conform-worker"
chmod +x "$dir/tree/build/conform" "$dir/tree/build/conform-worker"
sleep 0.01
touch "$dir/tree/build/.conform-built"

ln -s ../tree/conform "$dir/links/one"
ln -s one "$dir/links/two"
for entry in "$dir/tree/conform" "$dir/links/one" "$dir/links/two"; do
    said=$(cd / && "$entry" 'a b' '' '*' 2> "$dir/err")
    code=$?
    [ "$code" = 7 ] || fail "the exit code of the program is lost: $code"
    [ "$said" = '[a b][][*]' ] || fail "words are lost: $said"
    [ -s "$dir/err" ] && fail "a second call has something to say: $(cat "$dir/err")"
done

# A source that is younger than the build means work: here without cmake, so that it must say what is missing.
for tool in sh dirname readlink find mkdir touch flock env id cat rm grep nproc tail; do
    command -v "$tool" > /dev/null && ln -s "$(command -v "$tool")" "$dir/bin/$tool"
done
sleep 0.01
touch "$dir/tree/harness/new.c"
PATH=$dir/bin CONFORM_INSTALL=0 "$dir/tree/conform" > "$dir/out" 2> "$dir/err"
[ $? = 3 ] || fail 'missing packages do not give exit code 3'
[ -s "$dir/out" ] && fail 'the standard output is not for complaints'
grep -q 'as root: apt-get install .*cmake' "$dir/err" || fail "does not say what to install: $(cat "$dir/err")"
[ "$(wc -l < "$dir/err")" = 1 ] || fail "more than a line: $(cat "$dir/err")"

# A source that does not build: a sentence and the log, not the old program.
if command -v cmake > /dev/null; then
    echo 'message(FATAL_ERROR "broken on purpose")' > "$dir/tree/CMakeLists.txt"
    cp "$source/CMakePresets.json" "$dir/tree/"
    CONFORM_INSTALL=0 "$dir/tree/conform" > "$dir/out" 2> "$dir/err"
    [ $? = 3 ] || fail 'a failed build does not give exit code 3'
    [ -s "$dir/out" ] && fail 'a failed build runs the old program'
    grep -q 'build.log says why' "$dir/err" || fail "a failed build has no log: $(cat "$dir/err")"
    CONFORM_INSTALL=0 "$dir/tree/conform" > "$dir/out" 2> "$dir/err" && fail 'a failed build is forgotten'
fi
exit $failed
