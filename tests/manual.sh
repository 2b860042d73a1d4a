#!/bin/bash
# manual.sh SOURCE BUILD: the manual page and the completion say what --help says, command for command, option for
# option; they are what the program writes now; roff finds no fault; the completion completes; an installation works.
set -u
build=$2
conform=$build/conform
failed=0
fail() { echo "manual: $*"; failed=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for pair in man:conform.1 bash:conform.bash; do
    "$conform" manual "${pair%:*}" > now || fail "conform manual ${pair%:*} fails"
    cmp -s now "$build/${pair#*:}" || fail "${pair#*:} is not what the program writes now"
done

# Commands of --help, and the options of each with argument and words, blanks taken out.
"$conform" --help | sed -n '/^Commands/,$s/^  \([a-z]*\) .*/\1/p' > commands
[ "$(wc -l < commands)" -ge 18 ] || fail "only $(wc -l < commands) commands"
# unwrap: entries "--name=ARG words" of a help text or a rendered page, one a line, without blanks.
unwrap() {
    sed 's/^ *\(-[A-Za-z?], \)\{0,1\}\(--\)/\n\2/' | awk 'BEGIN { RS = "" } { gsub(/[[:space:]]/, ""); if (/^--/) print }'
}
# The page as text without hyphenation; a blank line between entries.
groff -man -Tascii -P-cbou -rLL=2000n "$build/conform.1" > page 2> warnings
sed -n '/^OPTIONS/,/^EXIT/p' page | sed '1d;$d' | unwrap | grep -v '^--\(help\|usage\|version\)' > page-options
: > help-options
while read -r command; do
    "$conform" "$command" --help | sed -n '/^  *-/,/^Mandatory/p' | sed '/^Mandatory/d' | sed 's/^ *\(-[A-Za-z?], \)\{0,1\}\(--\)/\n\2/' |
        awk 'BEGIN { RS = "" } { gsub(/[[:space:]]/, ""); if (/^--/ && !/^--(help|usage|version)/) print }' > of
    [ -s of ] || fail "$command --help lists no option"
    cat of >> help-options
    # Names, in the page's section of the command and in the completion.
    "$conform" "$command" --help | grep -oE '^ +(-[A-Za-z?], )?--[a-z-]+' | sed 's/.*--//' | grep -vxE 'help|usage|version' | sort > names
    sed -n '/^COMMANDS/,/^OPTIONS/p' page | grep -A 2 "^ *conform $command " | grep -o -- ' --[a-z-]*' | sed 's/ --//' | sort > page-names
    cmp -s names page-names || fail "the page says other options of $command: $(diff names page-names | tr '\n' ' ')"
    bash -c 'source "$1"; COMP_WORDS=(conform "$2" --) COMP_CWORD=2; _conform; printf "%s\n" "${COMPREPLY[@]}"' - "$build/conform.bash" "$command" |
        sed 's/^--//; s/=$//' | grep -vx help | sort > completed
    cmp -s names completed || fail "other options of $command are completed: $(diff names completed | tr '\n' ' ')"
done < commands
# Every option with its words; the page adds which commands have it.
sort -u help-options > a
sed 's/([a-z,]*)$//; s/(everycommand)$//' page-options | sort -u > b
cmp -s a b || fail "words differ: $(diff a b | head -n 6)"
[ -s warnings ] && fail "roff: $(head -n 3 warnings)"
groff -man -ww -z "$build/conform.1" 2>&1 | grep . && fail 'roff warns'
if command -v mandoc > /dev/null; then mandoc -T lint -W error "$build/conform.1" || fail 'mandoc finds errors'; fi

# complete WORD...: what is offered for the last word.
complete_() { bash -c 'source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _conform; echo "${COMPREPLY[*]}"' - "$build/conform.bash" "$@"; }
[ "$(complete_ conform qual)" = qualify ] || fail "qual: $(complete_ conform qual)"
[ "$(complete_ conform run --lev)" = --level= ] || fail "--lev: $(complete_ conform run --lev)"
[ "$(complete_ conform --lev)" = --level= ] || fail "without a command: $(complete_ conform --lev)"
[ "$(complete_ conform run --level = s)" = 'scientific statistical' ] || fail "--level=s: $(complete_ conform run --level = s)"
[ "$(complete_ conform run --suite = red)" = reductions ] || fail "--suite=red: $(complete_ conform run --suite = red)"
[ "$(complete_ conform list su)" = suites ] || fail "list su: $(complete_ conform list su)"
touch a-store.db
[ "$(complete_ conform report a-st)" = a-store.db ] || fail "a file: $(complete_ conform report a-st)"
[ "$(complete_ conform report --html = a-st)" = a-store.db ] || fail "a file behind an option: $(complete_ conform report --html = a-st)"

DESTDIR="$work/root" cmake --install "$build" --prefix /usr > install.log 2>&1 || fail "cmake --install: $(tail -n 2 install.log)"
[ -s "$work/root/usr/share/man/man1/conform.1" ] && [ -s "$work/root/usr/share/bash-completion/completions/conform" ] || fail 'page or completion was not installed'
"$work/root/usr/bin/conform" replay 'sum f32 m=1 n=3' 'plain kernel=forward' > out 2>&1 || fail "what was installed does not run: $(tail -n 2 out)"
exit $failed
