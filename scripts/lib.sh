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

# unpack DEST PKG@SUITE[/SUITE...]...: unpacks each package below DEST, from the first suite that has it. Once: a mark is kept.
unpack() {
  local dest=$1 want pkg suite suites got
  shift
  mkdir -p "$dest"
  for want in "$@"; do
    pkg=${want%@*} suites=${want#*@} got=
    [ -e "$dest/.have/$pkg" ] && continue
    for suite in ${suites//\// }; do
      if [ ! -e "$TOOLS/apt/$suite/.fresh" ]; then
        apt_in "$suite" update >/dev/null 2>&1 || continue
        touch "$TOOLS/apt/$suite/.fresh"
      fi
      mkdir -p "$TOOLS/debs/$suite"
      if (cd "$TOOLS/debs/$suite" && apt_in "$suite" download "$pkg" >/dev/null 2>&1); then
        got=$(ls -t "$TOOLS/debs/$suite/${pkg}"_*.deb | head -1)
        break
      fi
    done
    [ -n "$got" ] || die "the package $pkg could not be had from Debian ($suites)"
    dpkg-deb -x "$got" "$dest"
    mkdir -p "$dest/.have" && touch "$dest/.have/$pkg"
    say "  unpacked $(basename "$got")"
  done
}
