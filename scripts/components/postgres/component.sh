# PostgreSQL 15, Debian's programs on a cluster of our own.
# shellcheck shell=bash
version=15
bin=/usr/lib/postgresql/$version/bin

command_path() { echo "$bin/postgres"; }
install_component() { installed || apt_install postgresql-$version postgresql-client-$version; }
installed() { [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] && [ -x "$bin/psql" ]; }

server=yes
program=$bin/postgres
stop_signal=INT # "fast": ends sessions, writes a checkpoint

prepare() { # PORT
  local setting sockets=$home
  become_owner
  [ -f "$home/data/PG_VERSION" ] || create_cluster
  forget_the_dead
  ((${#home} < 90)) || sockets= # a socket's path has at most 107 bytes
  launch=("${owner[@]}" "$bin/postgres" -D "$home/data"
    -c listen_addresses=127.0.0.1 -c "port=$1"
    -c "unix_socket_directories=$sockets" -c unix_socket_permissions=0700
    -c max_connections=200 -c fsync=on -c synchronous_commit=on -c timezone=UTC -c log_timezone=UTC
    -c dynamic_shared_memory_type=mmap) # in the folder, so a killed server leaves nothing in /dev/shm
  for setting in ${PG_SETTINGS:-}; do launch+=(-c "$setting"); done
}

# become_owner: sets owner, the prefix to run as whom the cluster belongs to. PostgreSQL refuses
# root, so root runs it as the user postgres; where that user cannot pass the folders above
# (a 0700 folder of root's), it is given the right to pass and read, no right to write.
become_owner() {
  owner=()
  ((EUID == 0)) || return 0
  chown postgres: "$home"
  owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
  "${owner[@]}" test -d "$home/." || owner+=(--inh-caps=+dac_read_search --ambient-caps=+dac_read_search)
  "${owner[@]}" test -d "$home/." || fail "the user postgres cannot enter $home: choose a folder below one that all may pass"
}

# forget_the_dead: a killed server's pid stays taken where the machine's init is slow to wait for it,
# and PostgreSQL then believes that it still runs.
forget_the_dead() {
  local lock pid
  for lock in "$home/data/postmaster.pid" "$home"/.s.PGSQL.*.lock; do
    { read -r pid <"$lock"; } 2>/dev/null || continue
    alive "$pid" || rm -f "$lock"
  done
}

# Text compares by bytes (as SQLite does, and so that indexes serve LIKE 'prefix%');
# letters are Unicode's; ICU's collations are there by name: COLLATE "fr-x-icu".
create_cluster() {
  local fresh=$home/data.new passing=$home/password.new
  password_file=$dir/postgres.password
  [ -z "${PG_PASSWORD_FILE:-}" ] || install -m 600 "$PG_PASSWORD_FILE" "$password_file"
  [ -s "$password_file" ] || (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$password_file")
  rm -rf "$fresh"
  install -m 600 "$password_file" "$passing"
  ((EUID != 0)) || chown postgres: "$passing"
  "${owner[@]}" timeout 120 "$bin/initdb" -D "$fresh" --username=shop --pwfile="$passing" \
    --auth-host=scram-sha-256 --auth-local=trust \
    --encoding=UTF8 --lc-collate=C --lc-ctype=C.UTF-8 --lc-messages=C >"$log" 2>&1 ||
    { tail "$log" >&2 && fail "initdb failed"; }
  rm -f "$passing"
  mv "$fresh" "$home/data"
}

# bury: removes what a killed server leaves outside its folder, should it never be started again:
# the segment that guards against two servers on one folder, named in the lock file's seventh line.
bury() {
  local segment
  segment=$(sed -n '7s/.* //p' "$home/data/postmaster.pid" 2>/dev/null) || return 0
  [ -z "$segment" ] || ipcrm -m "$segment" 2>/dev/null || true
}

sql() { # PORT DATABASE ARGUMENT...: psql as shop
  local port=$1 database=$2 password
  shift 2
  read -r password <"$dir/postgres.password" || true
  PGPASSWORD=$password PGCONNECT_TIMEOUT=2 timeout 30 "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$port" -U shop -d "$database" "$@"
}

answers() { # PORT
  [ "$(sql "$1" postgres -c 'SELECT 1' 2>/dev/null)" = 1 ]
}
