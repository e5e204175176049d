# Shared by the scripts here: where tools live, and Debian packages unpacked without installing them.
# Sourced, never run. Needs apt-get and dpkg-deb; writes only below $TOOLS.

TOOLS=${HEARTH_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/hearth-tools}
mkdir -p "$TOOLS"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The Debian mirror that apt is set to.
mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -1)
  [ -n "$uri" ] || uri=$(grep -rhoE 'https?://[^ ]+/debian/?' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v snapshot | head -1)
  [ -n "$uri" ] || die "no Debian mirror is set in /etc/apt: this script needs Debian (or a Debian-based system)"
  printf '%s' "${uri%/}"
}

# apt_in SUITE ARGS...: apt-get with a state of its own for one suite.
apt_in() {
  local suite=$1 root="$TOOLS/apt/$1"
  shift
  mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/etc/preferences.d"
  touch "$root/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$(mirror)" "$suite" > "$root/sources.list"
  apt-get -q -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts="$root/etc/preferences.d" \
    -o Dir::State::lists="$root/lists" -o Dir::State::status="$root/status" -o Dir::Cache="$root/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# fresh SUITE: package lists that are at most a day old.
fresh() {
  [ -n "$(find "$TOOLS/apt/$1/.fresh" -mmin -1440 2>/dev/null)" ] && return
  apt_in "$1" update >/dev/null 2>"$TOOLS/apt-errors" && touch "$TOOLS/apt/$1/.fresh"
}

# download PKG SUITES: prints the path of the package's file, from the first of SUITES (with / between) that has it.
download() {
  local suite
  for suite in ${2//\// }; do
    mkdir -p "$TOOLS/debs/$suite"
    if fresh "$suite" && (cd "$TOOLS/debs/$suite" && apt_in "$suite" download "$1" >/dev/null 2>"$TOOLS/apt-errors"); then
      ls -t "$TOOLS/debs/$suite/$1"_*.deb | head -1
      return
    fi
  done
  say "the package $1 could not be had from Debian ($2):"
  die "$(cat "$TOOLS/apt-errors" 2>/dev/null)"
}

# unpack DEST PKG@SUITE[/SUITE...]...: unpacks each package below DEST, from the first suite that has it. Once: a mark is kept.
unpack() {
  local dest=$1 want got
  mkdir -p "$dest/.have"
  exec 8>"$TOOLS/.lock" && flock 8
  for want in "${@:2}"; do
    [ ! -e "$dest/.have/${want%@*}" ] || continue
    got=$(download "${want%@*}" "${want#*@}") || exit 1
    dpkg-deb -x "$got" "$dest"
    touch "$dest/.have/${want%@*}"
    say "  unpacked $(basename "$got")"
  done
  exec 8>&-
}
