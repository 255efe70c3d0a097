# Consul, one agent in dev mode: all in memory, gone when it ends.
# shellcheck shell=bash
. "$here/go.sh"
version=$(go_mod_version)

command_path() { echo "$cache/$name-$version/$name"; }
installed() { [ -x "$(command_path)" ] && has curl; }
install_component() {
  has curl || apt_install curl
  keep_go_program github.com/hashicorp/consul
}

server=yes
program='consul agent'
neighbours=2 # PORT+1 server, PORT+2 serf
stop_signal=INT

prepare() { # PORT
  cat >"$home/consul.json" <<EOF
{
  "bind_addr": "127.0.0.1",
  "client_addr": "127.0.0.1",
  "disable_update_check": true,
  "disable_host_node_id": true,
  "log_level": "warn",
  "ports": {"http": $1, "server": $(($1 + 1)), "serf_lan": $(($1 + 2)),
            "serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1}
}
EOF
  launch=("$(command_path)" agent -dev -config-file "$home/consul.json" ${CONSUL_HCL:+-hcl "$CONSUL_HCL"})
}

answers() { # PORT: a leader is known, shown as "host:port"
  [[ $(curl -sf -m 2 "http://127.0.0.1:$1/v1/status/leader") == *:* ]]
}
