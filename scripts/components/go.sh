# Programs that exist as Go modules: a Go that is new enough, and the build. Sourced by component.sh files.
# shellcheck shell=bash
go_needed=1.25.0  # the highest that a go.mod here asks for
go_version=1.26.8  # fetched when the machine has none that new

new_enough() { # GO: is this go command at least go_needed?
  local found
  found=$(GOTOOLCHAIN=local timeout 20 "$1" env GOVERSION 2>/dev/null) || return 1
  found=${found%% *}
  printf '%s\n' "$go_needed" "${found#go}" | sort -C -V
}

# find_go: sets go. Any Go since 1.19, Debian 12's own, can fetch a newer one: toolchains are
# published as a module, checked against Go's checksum database as every module is.
find_go() {
  local kept=go-$go_version
  for go in go /usr/local/go/bin/go "$cache/$kept/bin/go"; do
    new_enough "$go" && return
  done
  has go || apt_install golang-go
  has go || fail "no go command: install Debian's golang-go or any Go since 1.19"
  keep "$kept" fetch_go "$here/go.sh"
  go=$cache/$kept/bin/go
  new_enough "$go" || fail "the fetched Go $go_version does not run here"
}

fetch_go() { # RESULT SCRATCH
  local module folder
  module=golang.org/toolchain@v0.0.1-go$go_version.linux-$(go env GOARCH)
  cd "$2" || exit
  echo "fetching Go $go_version" >&2
  GOMODCACHE=$2/modules GOFLAGS=-modcacherw GOTOOLCHAIN=local retry 600 "$2/log" go mod download "$module" ||
    fail "Go $go_version could not be fetched as $module; install Go $go_needed or later and try again"
  folder=$2/modules/$module
  # A module may hold neither executables nor a nested go.mod: the go command undoes both
  # when it fetches a toolchain itself, here it is ours to do.
  find "$folder" -name _go.mod -execdir mv {} go.mod \;
  chmod -R u+w "$folder"
  find "$folder/bin" "$folder/pkg/tool" -type f -exec chmod +x {} +
  mv "$folder"/* "$1/"
}

go_mod_version() { sed -n 's/^require .* v//p' "$here/$name/go.mod"; }

# keep_go_program PACKAGE [LDFLAGS]: builds PACKAGE as NAME/go.mod and go.sum fix it.
keep_go_program() {
  local files=("$here/$name/go.mod" "$here/$name/go.sum")
  is_kept "$name-$version" "${files[@]}" && return
  find_go
  package=$1 ldflags=${2:-}
  keep "$name-$version" build_go_program "${files[@]}"
}

build_go_program() { # RESULT SCRATCH
  cp "$here/$name/go.mod" "$here/$name/go.sum" "$2/"
  cd "$2" || exit
  echo "building $name $version, which takes minutes" >&2
  GOMODCACHE=$2/modules GOCACHE=$2/build GOTMPDIR=$2 GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 \
    GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' \
    retry 3600 "$2/log" "$go" build -p 2 -trimpath -ldflags "-s -w $ldflags" -o "$1/$name" "$package" ||
    fail "$name $version did not build with $("$go" version)"
}
