# Toxiproxy: a TCP proxy whose faults are set over HTTP.
# shellcheck shell=bash
. "$here/go.sh"
version=$(go_mod_version)

command_path() { echo "$cache/$name-$version/$name"; }
installed() { [ -x "$(command_path)" ] && has curl; }
install_component() {
  has curl || apt_install curl
  keep_go_program github.com/Shopify/toxiproxy/v2/cmd/server "-X github.com/Shopify/toxiproxy/v2.Version=$version"
}

server=yes
program=toxiproxy

prepare() { # PORT
  [ -f "$home/proxies.json" ] || echo '[]' >"$home/proxies.json"
  launch=("$(command_path)" -host 127.0.0.1 -port "$1" -config "$home/proxies.json")
}

answers() { # PORT
  curl -sf -m 2 -o "/dev/null" "http://127.0.0.1:$1/version"
}
