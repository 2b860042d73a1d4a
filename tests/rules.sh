#!/bin/sh
# rules.sh SOURCE BUILD: check_rules passes the source, and names each breach of a tree that was made to hold one of each.
set -u
source=$1 build=$2
command -v ctags > /dev/null && command -v nm > /dev/null || { echo "SKIP: needs ctags and nm"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

"$source/tests/check_rules" "$source" "$build" || failed=1

# liar FOLDER/FILE WORDS TEXT: a file with the text must be named together with the words.
liar() {
    rm -rf "$dir/tree"
    mkdir -p "$dir/tree/$(dirname "$1")" "$dir/tree/harness/base" "$dir/tree/harness/cli"
    : > "$dir/tree/harness/base/tensor.h"
    : > "$dir/tree/harness/cli/options.h"
    printf '%s\n' "$3" > "$dir/tree/$1"
    "$source/tests/check_rules" "$dir/tree" > "$dir/out" 2>&1 && { echo "rules: not caught: $1 $2"; failed=1; }
    grep -F "$1" "$dir/out" | grep -qF "$2" || { echo "rules: not named: $1 $2"; cat "$dir/out"; failed=1; }
}

liar kernels/blas/dot.c 'not its to include' '#include "tensor.h"'
liar suites/a.c 'not its to include' '#include "report.h"'
liar reports/a.c 'not its to include' '#include "options.h"'
liar reference/a.c 'not its to include' '#include "options.h"'
liar harness/base/a.c 'not its to include' '#include "options.h"'
liar harness/worker/a.c 'not its to include' '#include "options.h"'
liar harness/run/a.c 'not its to include' '#include "options.h"'
liar harness/base/a.c 'lines; at most 500' "$(yes '/* */' | head -n 501)"
liar harness/base/a.c 'columns; at most 100' "/* $(printf '%0110d' 0) */"
liar harness/base/a.c 'lines; at most 60' "int f(void)
{
$(yes '    ;' | head -n 70)
}"
liar harness/base/a.c 'use a sized call' 'int f(char *a) { return strcpy(a, "b") != 0; }'
liar harness/base/a.c 'use a sized call' 'int f(char *a) { return sprintf(a, "b"); }'
liar harness/base/a.c 'runs a shell' 'int f(void) { return system("ls"); }'
liar harness/cli/a.c 'sets the environment' 'int f(void) { return setenv("A", "b", 1); }'
liar harness/run/a.c 'loads code' 'void *f(void) { return dlopen("a", 1); }'
liar harness/base/a.c 'hides a struct' 'typedef struct a { int b; } a;'
liar harness/base/a.c 'unfinished' "/* TO""DO: this */"
liar harness/base/a.c 'is a path of one machine' "const char *a = \"/ho""me/me/x\";"
liar harness/base/a.c 'names a registry' "/* py""pi.org */"
mkdir -p "$dir/objects" "$dir/tree"
echo 'int stray;' > "$dir/objects/a.c"
cc -c -o "$dir/objects/a.o" "$dir/objects/a.c" && ar rc "$dir/objects/libcf_a.a" "$dir/objects/a.o"
"$source/tests/check_rules" "$dir/tree" "$dir/objects" | grep -qF 'lacks cf_: stray' || { echo "rules: a stray name is not caught"; failed=1; }
exit $failed
