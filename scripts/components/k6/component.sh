# k6, the load generator: a command, not a server.
# shellcheck shell=bash
. "$here/go.sh"
version=$(go_mod_version)

command_path() { echo "$cache/$name-$version/$name"; }
install_component() { keep_go_program go.k6.io/k6; }
