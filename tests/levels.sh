#!/bin/sh
# levels.sh BUILD: decisions, solvers and the classifier judged through real workers. Orders of summation are
# statistical; reduced inputs keep classes and lose solvers; sums in 8 bits keep the use alone.
set -u
build=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_CACHE_HOME="$dir" XDG_STATE_HOME="$dir"
failed=0

"$build/conform" run -q --level scientific --suite decisions --repeat 1 --json="$dir/levels.json" \
    --filter 'classify f32*' --filter 'solve_* f32*' --store="$dir/levels.db" \
    --configuration 'plain kernel={forward,pairwise,tf32}' \
    --configuration 'planted kernel={bf16-accumulator,scaled-8u}' > "$dir/out" 2>&1

# level CONFIGURATION GROUP LEVEL VERDICT: the cell's level, and its verdict at the level asked for.
level() {
    got=$(python3 -c '
import json, sys
document = json.load(open(sys.argv[1]))
at = [c["label"] for c in document["configurations"]].index(sys.argv[2])
for cell in document["cells"]:
    if cell["configuration"] == at and cell["group"] == sys.argv[3]:
        print(cell["level"], cell["verdict"])' "$dir/levels.json" "$1" "$2")
    [ "$got" = "$3 $4" ] || { echo "levels: $1 in $2 is '$got' and not '$3 $4'"; failed=1; }
}

command -v python3 > /dev/null || { echo "SKIP: needs python3"; exit 77; }
[ -s "$dir/levels.json" ] || { cat "$dir/out"; exit 1; }
level 'plain pairwise' 'classify f32' statistical pass
level 'plain pairwise' 'solve_cg f32' statistical pass
level 'plain pairwise' 'solve_jacobi f32' statistical pass
level 'plain tf32' 'classify f32' scientific pass
level 'plain tf32' 'solve_cg f32' none fail
level 'plain tf32' 'solve_jacobi f32' none fail
level 'planted bf16-accumulator' 'classify f32' functional fail
level 'planted bf16-accumulator' 'solve_cg f32' none fail
level 'planted scaled-8u' 'classify f32' scientific pass
level 'planted scaled-8u' 'solve_cg f32' statistical pass

# The frozen classifier is what its recipe makes.
"$build/helpers/classifier-main" > "$dir/classifier.txt" 2> /dev/null
cmp "$dir/classifier.txt" data/classifier.txt || failed=1
exit $failed
