# install.sh: read by ./conform, tests/run and .ci/run. Says what is missing and installs it where that is possible.
# Nothing is looked up on the network when everything is there. CONFORM_INSTALL=0 never installs.

# What each package is known by, so that other distributions and hand-made installations count: a pkg-config module,
# a command (cmd:) or a file (file:).
build_packages='
gcc cmd:cc
libc6-dev file:/usr/include/stdio.h
cmake cmd:cmake
ninja-build cmd:ninja
pkg-config cmd:pkg-config
libuv1-dev libuv
libsqlite3-dev sqlite3
libjansson-dev jansson
libsodium-dev libsodium
libzstd-dev libzstd
libhwloc-dev hwloc
libyaml-dev yaml-0.1
libmpfr-dev mpfr
libxxhash-dev libxxhash
zlib1g-dev zlib
'
test_packages='
libcriterion-dev criterion
libflint-arb-dev file:/usr/include/arb_hypgeom.h
libxml2-utils cmd:xmllint
jq cmd:jq
universal-ctags cmd:ctags
binutils cmd:nm
git cmd:git
util-linux cmd:script
groff-base cmd:groff
openssh-client cmd:ssh-keygen
minisign cmd:minisign
openmpi-bin cmd:mpirun
python3-jsonschema file:/usr/lib/python3/dist-packages/jsonschema/__init__.py
python3-yaml file:/usr/lib/python3/dist-packages/yaml/__init__.py
'
ci_packages='
clang cmd:clang
clang-format cmd:clang-format
libclang-rt-14-dev file:/usr/lib/llvm-14/lib/clang
'
# The libraries that are measured. They are never linked, and none of them must be there.
subject_packages='libopenblas0-pthread libopenblas0-openmp libopenblas0-serial libblis4-pthread libblis4-openmp
libblis4-serial libatlas3-base libblas3 libdnnl2 libfftw3-single3 libfftw3-double3'

say() {
    echo "conform: $*" >&2
}

is_there() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" > /dev/null 2>&1 ;;
    file:*) [ -e "${1#file:}" ] ;;
    *) pkg-config --exists "$1" 2> /dev/null ;;
    esac
}

# missing LIST: the packages of a list that are not there.
missing() {
    echo "$1" | while read -r package known_by; do
        [ -z "$package" ] || is_there "$known_by" || printf '%s ' "$package"
    done
}

# Root, or sudo that does not ask. Prints the prefix of a command; fails when there is none.
privilege() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif command -v sudo > /dev/null 2>&1 && sudo -n true 2> /dev/null; then
        echo 'sudo -n'
    else
        return 1
    fi
}

# apt_install PACKAGE...: the package lists are fetched only when the first attempt fails.
apt_install() {
    prefix=$(privilege) || return 1
    get="$prefix env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=60"
    $get install --no-install-recommends "$@" > "$install_log" 2>&1 && return 0
    $get update >> "$install_log" 2>&1
    $get install --no-install-recommends "$@" >> "$install_log" 2>&1
}

# require LIST: installs what is missing of a list, or says what to do and fails.
require() {
    wanted=$(missing "$1")
    [ -z "$wanted" ] && return 0
    if [ "${CONFORM_INSTALL:-1}" != 0 ] && command -v apt-get > /dev/null 2>&1 && privilege > /dev/null; then
        say "installing: $wanted"
        # shellcheck disable=SC2086 # a list of words
        apt_install $wanted
        wanted=$(missing "$1")
        [ -z "$wanted" ] && return 0
        [ -s "$install_log" ] && tail -n 5 "$install_log" >&2
    fi
    say "these packages are missing and could not be installed; as root: apt-get install $wanted"
    return 1
}

# offer_subjects: installs libraries to measure; each that cannot be had is left out. CONFORM_SUBJECTS=0 leaves all out.
offer_subjects() {
    [ "${CONFORM_SUBJECTS:-1}" != 0 ] && [ "${CONFORM_INSTALL:-1}" != 0 ] || return 0
    command -v apt-get > /dev/null 2>&1 && command -v dpkg-query > /dev/null 2>&1 || return 0
    wanted=
    for package in $subject_packages; do
        # shellcheck disable=SC2016 # dpkg's own variable
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || wanted="$wanted $package"
    done
    [ -n "$wanted" ] || return 0
    privilege > /dev/null || { say "no right to install more libraries to measure:$wanted"; return 0; }
    say "installing libraries to measure:$wanted"
    # shellcheck disable=SC2086 # a list of words
    apt_install $wanted && return 0
    for package in $wanted; do
        apt_install "$package" || say "$package is not to be had here; it is left out"
    done
    return 0
}

# A build directory that was made in another place cannot be used again.
forget_foreign_build() {
    [ -f "$1/CMakeCache.txt" ] || return 0
    grep -q "^CMAKE_HOME_DIRECTORY:INTERNAL=$root\$" "$1/CMakeCache.txt" || rm -rf "$1/CMakeCache.txt" "$1/CMakeFiles"
}

# build_preset PRESET FOLDER [TARGET...]: configures and builds in silence; the log is shown on failure.
build_preset() {
    preset=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    forget_foreign_build "$folder"
    log=$folder/build.log
    (cd "$root" && cmake --preset "$preset" && cmake --build "$folder" --parallel "$jobs" ${1:+--target "$@"}) \
        > "$log" 2>&1 && return 0
    grep -E -m 20 'error|Error|FAILED' "$log" >&2
    say "the build failed; $log says why"
    return 1
}

jobs=${CONFORM_JOBS:-$(nproc 2> /dev/null || echo 2)}
