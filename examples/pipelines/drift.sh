#!/bin/sh
# Compares Azure, the state and the configuration of the working directory, and changes nothing: `drift.sh DIRECTORY`.
#
# Exits with 0 when all three agree, with 2 when they do not, and with 1 when that could not be found out. DIRECTORY/summary.md
# says what was found, in Markdown. The plans stay beside it; like every plan they have the state's values in clear.
# ENGINE is terraform (the default) or tofu.
set -eu
# Whatever fails, and with whichever code: 2 says that there is drift.
trap 'exit 1' EXIT
[ $# -eq 1 ] || {
    echo "usage: drift.sh DIRECTORY" >&2
    exit 1
}
engine=${ENGINE:-terraform}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Runs a command. The summary says that nothing is known until everything has gone well.
try() {
    printf '# Drift: not known\n\nThis failed; the log says why:\n\n    %s\n' "$*" >"$out/summary.md"
    "$@"
}

# Plans into $out/NAME and leaves the exit code in $code: `look NAME [ARGUMENT...]`.
look() {
    name=$1 code=0
    shift
    # Nothing is written, and a lock takes the right to write.
    try "$engine" plan -input=false -no-color -lock=false -detailed-exitcode -out="$out/$name" "$@" || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 2 ]
    try "$engine" show -json "$out/$name" >"$out/$name.json"
}

try "$engine" init -input=false -no-color -lockfile=readonly
# The first tells what others have changed in Azure, the second what an apply would do about that and about the configuration.
look refresh-only -refresh-only
refresh_only=$code
look plan
try python3 "$here/drift_summary.py" "$refresh_only" "$out/refresh-only.json" "$code" "$out/plan.json" >"$out/summary.new"
mv "$out/summary.new" "$out/summary.md"
trap - EXIT
case $refresh_only$code in
00) exit 0 ;;
*) exit 2 ;;
esac
