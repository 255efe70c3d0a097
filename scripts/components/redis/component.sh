# Redis 7, Debian's, with the append-only file as its durability.
# shellcheck shell=bash
version=7

command_path() { echo /usr/bin/redis-server; }
install_component() { installed || apt_install redis-server redis-tools; }
installed() { [ -x "$(command_path)" ] && [ -x /usr/bin/redis-cli ]; }

server=yes
program=redis-server

prepare() { # PORT
  cat >"$home/redis.conf" <<EOF
bind 127.0.0.1
port $1
protected-mode yes
dir "$home"
appendonly yes
appendfsync everysec
save ""
maxmemory ${REDIS_MAXMEMORY:-256mb}
maxmemory-policy ${REDIS_MAXMEMORY_POLICY:-noeviction}
set-proc-title no
EOF
  launch=("$(command_path)" "$home/redis.conf")
}

answers() { # PORT: not while it still reads its file
  [ "$(timeout 2 redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null)" = PONG ]
}
