#!/bin/sh
# adapter.sh LIE: speaks the adapter protocol for a request whose output is one f64, and misbehaves:
#
#   honest       answers 1.5
#   crash        dies of SIGSEGV            exit         exits with code 3 after a word on stderr
#   dies_NAME    dies of that signal: BUS, ILL, FPE, ABRT, KILL, XFSZ
#   deaf         never answers, ignores SIGTERM          hang    never answers
#   half         half a reply, then silence              closes  closes its replies and lives on
#   more         a second line right behind the first    nan     NaN for a number
#   list         a list instead of an object             both    result and error
#   code         an error that is none                   minus   a negative time
#   child        leaves a process behind that holds every descriptor; its number is in $out.pid
#   child_dies   the same, then dies                     flood   writes 1 MiB to stdout and stderr
#   link         a link instead of a file                extra   a tensor too many
#   type         i64 instead of f64                      offset  overlapping tensors
#   big          a file larger than its tensors          hello_* the same at hello
#   threads      says that 2 threads are in effect       version speaks version 2
#   idle         dies after its first answer             late    says something between requests
#   changes      notes that a call changed the state     seconds counts in seconds
lie=$1
one='\000\000\000\000\000\000\370\077'

header() { # length 80, padded
    printf '\120\000\000\000\000\000\000\000%-80s' "$1"
}

answer() {
    y='{"y0":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'
    case $lie in
    type) y='{"y0":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}' ;;
    offset) y='{"y0":{"dtype":"F64","shape":[1],"data_offsets":[0,9]}}' ;;
    esac
    if [ "$lie" = extra ]; then
        printf '\240\000\000\000\000\000\000\000%-160s'"$one$one" \
            '{"y0":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"y1":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}' >"$out"
    elif [ "$lie" = link ]; then
        { header "$y"; printf "$one"; } >"$out.there"
        ln -s "$out.there" "$out"
    else
        { header "$y"; printf "$one"; } >"$out"
    fi
    [ "$lie" != big ] || head -c 2000000 /dev/zero >>"$out"
    echo "{\"id\":$id,\"result\":{\"outputs\":[\"y0\"],$1\"state\":{$2}}}" >&3
}

misbehave() {
    case $1 in
    crash) kill -SEGV $$ ;;
    dies_*) kill -"${1#dies_}" $$ ;;
    exit) echo "no more paper" >&2; exit 3 ;;
    deaf) trap '' TERM; while :; do sleep 60 & wait; done ;;
    hang) exec sleep 600 ;;
    half) printf '{"id":%s,"res' "$id" >&3; exec sleep 600 ;;
    closes) exec 3>&-; exec sleep 600 ;;
    more) printf '{"id":%s,"result":{}}\n{"id":%s,"result":{}}\n' "$id" "$id" >&3 ;;
    nan) echo "{\"id\":$id,\"result\":{\"wall_ns\":NaN}}" >&3 ;;
    list) echo "[$id]" >&3 ;;
    both) echo "{\"id\":$id,\"result\":{},\"error\":{}}" >&3 ;;
    code) echo "{\"id\":$id,\"error\":{\"code\":\"tired\",\"message\":\"x\"}}" >&3 ;;
    minus) answer '"wall_ns":-5,' ;;
    child) sleep 600 & echo $! >"$out.pid"; answer '"wall_ns":7,' ;;
    child_dies) sleep 600 & echo $! >"$out.pid"; kill -KILL $$ ;;
    flood)
        head -c 500000 /dev/zero | tr '\0' 'o'
        head -c 500000 /dev/zero | tr '\0' 'e' >&2
        echo; echo "the end of the flood"
        answer '"wall_ns":7,' ;;
    idle) answer '"wall_ns":7,'; exit 0 ;;
    late) answer '"wall_ns":7,'; sleep 0.1; echo '{"id":1,"result":{}}' >&3 ;;
    changes) answer '"wall_ns":7,' '"mxcsr":"0x9fc0","changed":["mxcsr","cwd"]' ;;
    chooses) answer '"wall_ns":7,"chosen":"engine=40 notes=A\u001b",' ;;
    chooses_none) answer '"wall_ns":7,"chosen":{"engine":40},' ;;
    chooses_much) answer "\"wall_ns\":7,\"chosen\":\"a=$(head -c 500 /dev/zero | tr '\0' x)\"," ;;
    seconds) answer '"wall_s":0.25,' ;;
    *) answer '"wall_ns":7,' ;;
    esac
}

while read -r line; do
    id=${line#*\"id\":}
    id=${id%%[,\}]*}
    out=${line##*\"out\":\"}
    out=${out%%\"*}
    case $line in
    *'"method":"bye"'*) exit 0 ;;
    *'"method":"hello"'*)
        effective='"threads":1'
        protocol=1
        case $lie in
        hello_*) misbehave "${lie#hello_}"; continue ;;
        threads) effective='"Threads":2,"version":"7.1"' ;;
        version) protocol=2 ;;
        esac
        echo "{\"id\":$id,\"result\":{\"protocol\":$protocol,\"name\":\"fake\",\"version\":\"1.2\",\"effective\":{$effective}}}" >&3 ;;
    *) misbehave "$lie" ;;
    esac
done
