#!/bin/bash
# lock.sh SOURCE BUILD: lock, change one thing, verify: that thing is named and nothing else is blamed. Then the exports, and
# --require-clean in every state of a repository.
set -u
source=$1 build=$2
conform=$build/conform
dir=$(mktemp -d) || exit 1
[ -n "${KEEP:-}" ] || trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" "$dir/home" "$dir/there"
export XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache HOME=$dir/home TMPDIR=$dir/there CI=1
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
unset "${!OMP_@}" "${!OPENBLAS_@}" "${!MKL_@}" GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
failed=0 checks=0

fail() {
    echo "lock: $*"
    failed=1
}

# expect CODE WORDS COMMAND...: the exit code, and words of either stream.
expect() {
    local code=$1 words=$2 got
    shift 2
    checks=$((checks + 1))
    timeout 60 "$@" > "$dir/out" 2> "$dir/err" < /dev/null
    got=$?
    [ "$got" = "$code" ] || { fail "exit $got and not $code: $*"; head -n 8 "$dir/out" "$dir/err"; }
    [ -z "$words" ] || grep -qF -- "$words" "$dir/out" "$dir/err" ||
        { fail "does not say \`$words\`: $*"; head -n 8 "$dir/out" "$dir/err"; }
}

# drift CODE WORDS [OPTION...]: verify names one difference, with these words, and no other.
drift() {
    local code=$1 words=$2
    shift 2
    expect "$code" "$words" "$conform" verify "$@"
    [ "$(grep -c '^  drift ' "$dir/out")" = 1 ] || { fail "not one difference for \`$words\`:"; cat "$dir/out"; }
}
held() {
    expect 0 'the locked environment' "$conform" verify "$@"
    grep -q '^  \(drift\|note\) ' "$dir/out" && { fail "something is blamed:"; cat "$dir/out"; }
}
commit() {
    git add -A && git commit -qm "$1" || fail "git commit $1"
}

# A repository with an adapter whose mood lies outside it, a package that it imports, data, and a matrix.
site=$dir/site
mkdir -p "$dir/r/data" "$site/thing" "$site/thing-1.0.dist-info"
cd "$dir/r" || exit 1
printf '__version__ = "1.0"\n' > "$site/thing/__init__.py"
printf 'Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n' > "$site/thing-1.0.dist-info/METADATA"
printf 'thing/__init__.py,,\nthing-1.0.dist-info/RECORD,,\n' > "$site/thing-1.0.dist-info/RECORD"
printf 'import thing\nimport beside\n' > imports.py
printf 'x = 1\n' > beside.py
# another DOUBLE FILE: the fake adapter with another answer than 1.5.
another() {
    /usr/bin/python3 - "$source/tests/fakes/adapter.sh" "$1" > "$2" <<'EOF'
import struct, sys
one = r"\000\000\000\000\000\000\370\077"
text = open(sys.argv[1]).read()
assert text.count(one) == 1
print(text.replace(one, "".join("\\%03o" % byte for byte in struct.pack("<d", float.fromhex(sys.argv[2])))))
EOF
}
another 2.5 "$dir/two.sh"
cat > moody.sh <<EOF
read -r script lie < "$dir/mood.\$1"
exec sh "\$script" "\$lie"
EOF
fake=$source/tests/fakes/adapter.sh
mood() { echo "$2 $3" > "$dir/mood.$1"; }
mood a "$fake" honest
mood b "$dir/right.sh" honest
case_='dot f64 m=1 n=8 fill=integer seed=1'
exact=$("$conform" replay "$case_" 'plain kernel=forward' | sed -n 's/.*exact \([^ ]*\) .*/\1/p')
another "$exact" "$dir/right.sh"
echo one > data/a
echo two > data/b
cp "$build/liars/libliar_honest.so" "$dir/libthing.so"
chmod go-w "$dir/libthing.so"
cat > conform.yaml <<EOF
configurations:
  - backend: adapter
    command: sh moody.sh a
  - backend: adapter
    command: sh moody.sh b
  - backend: adapter
    command: /usr/bin/python3 imports.py
    env: {PYTHONPATH: $site}
  - backend: blas
    lib: $dir/libthing.so
    threads: 1
EOF
git init -q . || { echo 'lock: no git'; exit 77; }
echo __pycache__ > .gitignore
commit first

OMP_NUM_THREADS=2 expect 0 '4 configurations, 1 cases' "$conform" lock --case "$case_" --repeat 2 --data data --image sha256:aa
export OMP_NUM_THREADS=2
cp conform.lock "$dir/first.lock"
jq -e '.python | .[] | .packages.thing.version == "1.0"' conform.lock > /dev/null || fail 'the package is not locked'
jq -e '[.files[] | select(.soname == "libc.so.6" and (.symbol_version | startswith("GLIBC_2.")))] | length == 1' conform.lock > /dev/null ||
    fail 'the names that libraries give themselves are not locked'
jq -e '.files | has("${here}/imports.py") and has("${here}/beside.py") and has("${here}/moody.sh")' conform.lock > /dev/null ||
    fail 'the files of the adapters are not locked'
expect 2 'write it again with --update' "$conform" lock
held --image sha256:aa --strict
expect 0 'is not known' "$conform" verify --tier=T0
commit 'the lock'
expect 0 'git commit' "$conform" verify --tier=files
held_now() { # the commit is noted; nothing else
    expect 0 'the locked environment' "$conform" verify --tier=files --image sha256:aa
    [ "$(grep -c '^  \(drift\|note\) ' "$dir/out")" = 1 ] || { fail 'not put back:'; cat "$dir/out"; }
}
held_now

files() {
    OMP_NUM_THREADS=3 drift 3 'variable OMP_NUM_THREADS: was 2, is 3' --tier=files
    OMP_NUM_THREADS='' drift 3 'variable OMP_NUM_THREADS: was 2, is unset' --tier=files
    OPENBLAS_CORETYPE=Haswell drift 3 'variable OPENBLAS_CORETYPE: was unset, is Haswell' --tier=files
    LD_LIBRARY_PATH=$dir drift 3 'variable LD_LIBRARY_PATH' --tier=files
    SECRET=x held_now
    drift 3 'container image: was sha256:aa, is sha256:bb' --tier=files --image sha256:bb
    printf x >> "$dir/libthing.so"; drift 3 'libthing.so: other bytes' --tier=files
    mv "$dir/libthing.so" "$dir/away"; drift 3 'libthing.so: is gone' --tier=files
    cp "$build/liars/libliar_honest.so" "$dir/libthing.so"; chmod go-w "$dir/libthing.so"; held_now
    echo On >> data/a; drift 3 'data/a: other bytes' --tier=files; git checkout -q data/a
    rm data/b; drift 3 'data/b: is gone' --tier=files; git checkout -q data/b
    echo > data/c; drift 3 'data/c: is new' --tier=files; rm data/c
    echo '# more' >> conform.yaml; drift 3 'conform.yaml: other bytes' --tier=files; git checkout -q conform.yaml
    echo 'y = 2' >> beside.py; drift 3 'beside.py: other bytes' --tier=files; git checkout -q beside.py
    echo 'x' > new; drift 3 'working tree new: was not there, is untracked' --tier=files; rm new
    echo '# x' >> "$site/thing/__init__.py"; drift 3 'thing: other bytes' --tier=files
    printf '__version__ = "1.0"\n' > "$site/thing/__init__.py"; held_now
    sed -i 's/^Version: 1.0/Version: 1.1/' "$site/thing-1.0.dist-info/METADATA"
    drift 3 'thing: was 1.0, is 1.1' --tier=files
    sed -i 's/^Version: 1.1/Version: 1.0/' "$site/thing-1.0.dist-info/METADATA"; held_now
    mv .git "$dir/git"; drift 3 'is no repository' --tier=files; mv "$dir/git" .git
    cp "$conform" "$build/conform-worker" "$dir/bin"
    ln -sfn "$source/adapters" "$dir/adapters"
    printf x >> "$dir/bin/conform-worker"
    PATH=$dir/bin:$PATH expect 3 'tool worker_sha256' "$dir/bin/conform" verify --tier=files --image sha256:aa
    rm "$dir/bin/conform-worker" "$dir/bin/conform"
}

# What no file tells: the adapter's mood.
moods() {
    mood b "$fake" hello_crash; drift 3 'was ran, is not-opened' --tier=load --image sha256:aa
    sed 's/"threads":1/"threads":1,"build":"7"/' "$dir/right.sh" > "$dir/other.sh"
    mood b "$dir/other.sh" honest; drift 3 'build: was absent, is 7' --tier=state --image sha256:aa
    mood b "$fake" honest; drift 1 'was none, is none, wrong' --image sha256:aa --json="$dir/json"
    jq -e '.exit == 1 and (.drifts | length == 1) and .drifts[0].tier == "levels" and .tiers[4].state == "not looked at"' \
        "$dir/json" > /dev/null || fail "verify --json: $(cat "$dir/json")"
    mood b "$dir/right.sh" honest
    mood a "$dir/two.sh" honest
    drift 1 'bits of `dot f64' --strict --image sha256:aa
    jq '.platform.cpu = "GenuineIntel/6/1" | del(.seal)' conform.lock > "$dir/other.lock"
    reseal "$dir/other.lock" > "$dir/r/other.lock"
    git -C "$dir/r" check-ignore -q other.lock || echo other.lock >> .git/info/exclude
    expect 0 'digests were not compared' "$conform" verify --strict --image sha256:aa other.lock
    rm other.lock
    mood a "$fake" honest
}

# The seal is no secret: SHA-256 of the compact form with sorted keys.
reseal() {
    python3 - "$1" <<'EOF'
import hashlib, json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    lock = json.load(file)
compact = json.dumps(lock, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
lock["seal"] = hashlib.sha256(compact.encode()).hexdigest()
print(json.dumps(lock, sort_keys=True))
EOF
}

refusals() {
    expect 2 'there is no lock' "$conform" verify none.lock
    sed 's/"OMP_NUM_THREADS": "2"/"OMP_NUM_THREADS": "3"/' conform.lock > "$dir/t.lock"
    expect 2 'was changed since conform wrote it' "$conform" verify "$dir/t.lock"
    head -c 900 conform.lock > "$dir/t.lock"
    expect 2 'ends in the middle' "$conform" verify "$dir/t.lock"
    jq '.lock_version = 2' conform.lock > "$dir/t.lock"
    expect 2 'later conform' "$conform" verify "$dir/t.lock"
    expect 2 'no plain file' "$conform" verify "$dir"
    expect 2 'is no tier' "$conform" verify --tier=T9
    expect 2 'give one of the two' "$conform" verify --tier=T1 --strict
    expect 2 'takes one lock' "$conform" verify a b
    expect 2 'cannot be read' "$conform" lock "$dir/u.lock" --data none
    expect 0 'did not say its packages, so they are not locked' "$conform" lock "$dir/v.lock" --case "$case_" --repeat 1 \
        --configuration "adapter command=/usr/bin/python3%20$dir/none.py"
    [ -e "$dir/u.lock" ] && fail 'a lock was written in spite of a mistake'
    # A lock that is sealed and holds nothing, or the wrong things, does not stop the program.
    for text in '{"lock_version":1}' '{"lock_version":1,"files":[],"cases":{"x":1},"configurations":{"a":2},"data_roots":[3]}' \
                '{"lock_version":1,"cases":{"x":{"at":5}},"python":{"p":7},"git":[],"variables":"x"}'; do
        echo "$text" > "$dir/t.json"
        reseal "$dir/t.json" > "$dir/t.lock"
        timeout 20 "$conform" verify "$dir/t.lock" > "$dir/out" 2>&1
        code=$?
        [ $code = 3 ] || [ $code = 2 ] || fail "exit $code for $text: $(tail -n 1 "$dir/out")"
    done
}

update() {
    echo On >> data/a
    expect 0 'data/a: other bytes' "$conform" lock --update --image sha256:aa
    grep -q 'case\|configuration' <(jq -r '.cases | keys[]' conform.lock) && fail 'odd cases'
    jq -e '.cases | length == 1' conform.lock > /dev/null || fail 'an update lost the cases'
    held --tier=files --image sha256:aa
    git checkout -q data/a conform.lock
}

exports() {
    expect 2 'did you mean `docker`' "$conform" export doker
    expect 2 'export needs' "$conform" export
    expect 3 'thing 1.0' "$conform" export requirements
    jq 'del(.python, .seal) | .fetched = {"openblas-0.3.29": [{"kind": "wheel", "package": "scipy-openblas32",
        "version": "0.3.29.0.0", "from": "py3", "sha256": "x"}]}' conform.lock > "$dir/t.json"
    reseal "$dir/t.json" > "$dir/t.lock"
    expect 0 'scipy-openblas32==0.3.29.0.0 --hash=sha256:02d32eafdf' "$conform" export requirements "$dir/t.lock"
    expect 0 'OMP_NUM_THREADS: "2"' "$conform" export conda "$dir/t.lock"
    /usr/bin/python3 -c 'import sys, yaml; d = yaml.safe_load(open(sys.argv[1])); assert d["variables"]["OMP_NUM_THREADS"] == "2", d
pip = d["dependencies"][-1]["pip"]
assert pip and all("==" in line and " --hash=sha256:" in line for line in pip), "each line is a requirement, as conda-lock wants it"
assert any("scipy" in line for line in pip), d' "$dir/out" || fail 'conda: no good YAML'
    expect 0 'ENV OMP_NUM_THREADS="2"' "$conform" export docker "$dir/t.lock"
    # The check of files that the fragment holds is a shell command: it holds here, and not with another digest.
    if grep -q '^RUN printf' "$dir/out"; then
        sed -n '/^RUN printf/,$p' "$dir/out" | sed '1s/^RUN //' > "$dir/check.sh"
        sh -e "$dir/check.sh" > /dev/null 2>&1 || fail 'the files do not pass their own check'
        sed 's/^      '"'"'[0-9a-f]/      '"'"'_/' "$dir/check.sh" > "$dir/check_.sh"
        sh -e "$dir/check_.sh" > /dev/null 2>&1 && fail 'other files pass the check'
    fi
    expect 0 '' "$conform" export dvc
    [ "$(sed -n 's/.*md5: //p' data.dvc | head -n 1)" = \
      "$(printf '[{"md5": "%s", "relpath": "a"}, {"md5": "%s", "relpath": "b"}]' \
         "$(md5sum < data/a | cut -d' ' -f1)" "$(md5sum < data/b | cut -d' ' -f1)" | md5sum | cut -d' ' -f1).dir" ] ||
        fail "data.dvc: $(cat data.dvc)"
    rm data.dvc
    echo On >> data/a; expect 2 'are not as locked' "$conform" export dvc; git checkout -q data/a
    mlflow
}

# The script against a server that keeps what it is sent.
mlflow() {
    expect 0 'MLFLOW_TRACKING_URI' "$conform" export mlflow --out "$dir/mlflow"
    cat > "$dir/bin/curl" <<EOF
#!/bin/sh
for word; do url=\$word; done
echo "\$url" >> "$dir/urls"
case "\$*" in *@-*) cat >> "$dir/sent" ;; esac
echo '{"run":{"info":{"run_id":"r1"}}}'
EOF
    chmod +x "$dir/bin/curl"
    expect 2 'MLFLOW_TRACKING_URI' sh "$dir/mlflow/mlflow.sh"
    MLFLOW_TRACKING_URI=http://h PATH=$dir/bin:$PATH expect 0 r1 sh "$dir/mlflow/mlflow.sh"
    [ "$(grep -c 'runs/create\|runs/log-batch\|artifacts/conform.lock\|runs/update' "$dir/urls")" -ge 4 ] || fail "sent to: $(cat "$dir/urls")"
    jq -se '(map(select(.params)) | length > 0) and (map(select(.metrics)) | length > 0) and
            all(.[1:][]; .run_id == "r1") and .[0].experiment_id == "0" and .[-1].status == "FINISHED"' "$dir/sent" > /dev/null ||
        fail 'the bodies are not those of MLflow'
    cmp -s "$dir/mlflow/conform.lock" conform.lock || fail 'the lock that is sent is another one'
}

# --require-clean: nothing runs, and the sentence says which paths.
clean() {
    local run=("$conform" run -q --require-clean --case 'dot f64 m=1 n=8 fill=integer seed=1' --configuration 'plain kernel=forward' --store "$dir/c.db")
    dirty() {
        rm -f "$dir/c.db"
        expect 2 "$1" "${run[@]}"
        [ -e "$dir/c.db" ] && fail "something ran in spite of: $1"
    }
    rm -f "$dir/c.db"; expect 0 '' "${run[@]}"
    [ -e "$dir/c.db" ] || fail 'nothing ran in a clean tree'
    echo x > "a b"; dirty '1 path is not committed: a b (untracked)'
    rm "a b"; echo >> beside.py; dirty 'beside.py (changed)'
    git add beside.py; dirty 'beside.py (changed)'; git reset -q --hard
    rm beside.py; dirty 'beside.py (deleted)'; git reset -q --hard
    mkdir deep; for i in 1 2 3 4 5 6 7; do echo $i > deep/$i; done; dirty 'deep/5 (untracked) and 2 more'; rm -r deep
    printf x > "$(printf 'odd\n\033[1m')"; dirty '1 path is not committed: odd'
    grep -q "$(printf '\033')" "$dir/err" && fail 'a name drives the terminal'
    rm -f odd*
    git checkout -q --detach; rm -f "$dir/c.db"; expect 0 '' "${run[@]}"; git checkout -q -
    git init -q "$dir/sub" && git -C "$dir/sub" commit -q --allow-empty -m x
    git -c protocol.file.allow=always submodule --quiet add "$dir/sub" sub > /dev/null 2>&1 || fail 'no submodule'
    commit submodule
    rm -f "$dir/c.db"; expect 0 '' "${run[@]}"
    echo x > sub/x; dirty 'sub (changed)'; rm sub/x
    git -C sub commit -q --allow-empty -m y; dirty 'sub (changed)'; git submodule --quiet update
    for command in 'gate --old a --new b' 'lock x.lock' 'bank build' 'qualify' 'replay a b' 'train a b' 'golden make x'; do
        echo x > new
        # shellcheck disable=SC2086 # words
        expect 2 'new (untracked)' "$conform" $command --require-clean
        rm new
    done
    (cd "$dir" && expect 2 'in no git repository' "$conform" run --require-clean; exit $failed) || failed=1
    (cd .git && expect 2 'in no working tree' "$conform" run --require-clean; exit $failed) || failed=1
    git init -q "$dir/empty"
    (cd "$dir/empty" && expect 2 'no commit yet' "$conform" run --require-clean; exit $failed) || failed=1
    PATH=$dir/nothing expect_here 2 'git is not in PATH'
}
expect_here() {
    checks=$((checks + 1))
    "$conform" run --require-clean > "$dir/out" 2> "$dir/err"
    local got=$?
    PATH=/usr/bin:/bin
    [ "$got" = "$1" ] && grep -qF "$2" "$dir/err" || fail "without git: exit $got, $(cat "$dir/err")"
}

files
moods
refusals
update
exports
clean
[ "$failed" = 0 ] && echo "lock: $checks commands as they should be"
exit $failed
