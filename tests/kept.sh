# To be sourced in the root of the clone: keeps what is slow to fetch or build outside the clone, for the next clone. It is in
# $FOUNDRYHUB_ENGINES_CACHE, by default in the user's cache directory; set that empty to do without.
cache=${FOUNDRYHUB_ENGINES_CACHE-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/foundryhub-engines}
if [ -z "$cache" ] || ! mkdir -p "$cache" 2>/dev/null || ! [ -w "$cache" ]; then
    cache=$PWD/.engines/cache
fi
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
platform=$(uname -s)-$(uname -m)

scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# A directory beside its later place, so that moving it there is all or nothing.
make_scratch() {
    scratch=$(mktemp -d "$cache/new.XXXXXX")
}

# The finished directory $1 takes its place, unless somebody else was faster.
keep() {
    [ -d "$1" ] || mv "$scratch" "$1"
    rm -rf "$scratch"
    scratch=
}
