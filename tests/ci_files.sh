#!/bin/bash
# ci_files.sh SOURCE BUILD: the files of docs/ci, as far as a shell can try them: parsed, their shell steps taken out and run
# in a repository with a lock, where all is well, where a variable drifted, and where an upgrade regresses.
set -u
source=$1 build=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache HOME=$dir TMPDIR=$dir CI=1 PATH=$build:$PATH
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
unset "${!OMP_@}" "${!OPENBLAS_@}" GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE CONFORM_WAIVERS MAKEFLAGS MFLAGS
export RUNNER_TEMP=$dir/runner GITHUB_PATH=$dir/path CONFORM=$build
failed=0

fail() {
    echo "ci_files: $*"
    failed=1
}
/usr/bin/python3 -c 'import yaml' 2> /dev/null || { echo 'ci_files: python3-yaml is not installed'; exit 77; }

# steps FILE KIND: the shell of each step into $dir/steps/KIND.N.sh. A step that builds or is another's action is left out.
mkdir "$dir/steps" "$RUNNER_TEMP"
steps() {
    /usr/bin/python3 - "$1" "$2" "$dir/steps" <<'EOF'
import sys, yaml
path, kind, folder = sys.argv[1:]
document = yaml.safe_load(open(path, encoding="utf-8"))
if kind == "github":
    assert document[True] == ["pull_request"], "on:"  # YAML 1.1 reads the key `on` as a truth value
    assert document["permissions"] == {"contents": "read"}
    job = document["jobs"]["gate"]
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    assert any(step.get("if") == "${{ always() }}" for step in job["steps"]), "reports are kept when a step fails"
    scripts = [step["run"] for step in job["steps"] if "run" in step and step["name"] != "build conform"]
    assert len(scripts) == len([s for s in job["steps"] if "run" in s]) - 1
else:
    job = document["conform"]
    assert job["artifacts"]["when"] == "always" and job["artifacts"]["reports"]["junit"] == ".conform/conform.xml"
    scripts = ["\n".join(job["script"])]
for number, script in enumerate(scripts):
    assert "${{" not in script, "an expression in a script is a way in for strangers"
    with open(f"{folder}/{kind}.{number}.sh", "w", encoding="utf-8") as file:
        file.write(script + "\n")
EOF
}
steps "$source/docs/ci/github.yml" github || fail 'github.yml is not as it should be'
steps "$source/docs/ci/gitlab.yml" gitlab || fail 'gitlab.yml is not as it should be'

mkdir "$dir/r" && cd "$dir/r" || exit 1
git init -q . || exit 77
printf 'configurations:\n  - backend: plain\n    kernel: forward\n' > conform.yaml
cp "$source/docs/ci/conform.mk" .
printf 'include conform.mk\n' > Makefile
git add -A && git commit -qm first
conform lock -q --case 'sum f64 m=1 n=16 fill=integer seed={1..16}' --repeat 2 > "$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
git add -A && git commit -qm lock
# The whole suite takes too long for a test: the job's `run` gets a few cases by a wrapper with the program's name.
mkdir "$dir/few"
cat > "$dir/few/conform" <<EOF
#!/bin/sh
[ "\$1" = verify ] && exec $build/conform "\$@"
exec $build/conform "\$@" --case 'dot f64 m=15 n=300 fill=normal seed={1..8}'
EOF
chmod +x "$dir/few/conform"
export CONFORM=$dir/few PATH=$dir/few:$PATH

# work KIND: all its steps in order, as the service runs them; the exit code of the first that fails.
work() {
    local kind=$1 step
    if [ "$kind" = make ]; then
        make -s conform CONFORM="$dir/few/conform" OLD="${CONFORM_OLD:-}" NEW="${CONFORM_NEW:-}"
        return
    fi
    for step in "$dir/steps/$kind".*.sh; do
        [ -z "${CONFORM_NEW:-}" ] && grep -q '^conform gate' "$step" && continue # `if:` of the step
        bash --noprofile --norc -eo pipefail "$step" || return
    done
}
# expect WHAT CODES WORDS KIND
expect() {
    work "$4" > "$dir/out" 2>&1
    local got=$?
    case " $2 " in *" $got "*) ;; *) fail "$4: $1: exit $got, not $2"; tail -n 12 "$dir/out" ;; esac
    grep -qF -- "$3" "$dir/out" || { fail "$4: $1: does not say \`$3\`"; tail -n 12 "$dir/out"; }
    rm -rf .conform
}
[ "$(find "$dir/steps" -name '*.sh' | wc -l)" = 3 ] || fail 'not three scripts'
honest=$build/liars/libliar_honest.so
cp "$honest" "$dir/libnew.so" && chmod go-w "$dir/libnew.so"
for kind in github gitlab make; do
    refused=3
    [ $kind = make ] && refused=2 # make's own code for a recipe that failed
    unset CONFORM_OLD CONFORM_NEW
    expect 'all is well' 0 'the locked environment' $kind
    export OMP_NUM_THREADS=3
    expect 'a variable drifted' $refused 'variable OMP_NUM_THREADS: was unset, is 3' $kind
    unset OMP_NUM_THREADS
    export CONFORM_OLD="blas lib=$honest" CONFORM_NEW="blas lib=$dir/libnew.so"
    expect 'an upgrade' 0 'same bits' $kind
    export CONFORM_NEW="blas lib=$build/liars/libliar_drops.so"
    expect 'an upgrade that regresses' "$([ $kind = make ] && echo 2 || echo 1)" 'proven wrong' $kind
    echo x > new
    expect 'uncommitted work' $refused 'working tree new' $kind
    rm new
done
[ "$failed" = 0 ] && echo "ci_files: the steps of three files do what they say"
exit $failed
