#!/bin/sh
# Compares Azure, the state and the configuration of the working directory, and changes nothing: `drift.sh DIRECTORY`.
#
# Exits with 0 when all three agree, with 2 when they do not, and with 1 when that could not be found out. DIRECTORY/summary.md
# says what was found, in Markdown. The plans stay beside it; like every plan they have the state's values in clear.
# ENGINE is terraform (the default) or tofu.
set -eu
engine=${ENGINE:-terraform}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Plans into $out/NAME and adds to what was found: `look NAME [ARGUMENT...]`.
found=0
look() {
    name=$1
    shift
    code=0
    "$engine" plan -input=false -no-color -lock-timeout=5m -detailed-exitcode -out="$out/$name" "$@" || code=$?
    case $code in
    0) ;;
    2) found=2 ;;
    *)
        printf '# Drift: not known\n\n`%s plan %s` failed with exit code %s; its log says why.\n' "$engine" "$*" "$code" \
            >"$out/summary.md"
        exit 1
        ;;
    esac
    "$engine" show -json "$out/$name" >"$out/$name.json"
}

rm -f "$out/summary.md"
# The first tells what others have changed in Azure, the second what an apply would do about that and about the configuration.
look refresh-only -refresh-only
look plan
python3 "$here/drift_summary.py" "$out/refresh-only.json" "$out/plan.json" >"$out/summary.md"
exit "$found"
