# Shared by the scripts in this folder; sourced, never run.
# Each component's own part is NAME/component.sh; what it defines is listed in README.md.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8

components=(postgres redis kafka elasticsearch opensearch consul k6 toxiproxy)
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cache=$(realpath -m "${SHOP_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/shop}")

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

now_ms() {
  local microseconds=${EPOCHREALTIME/[.,]/}
  echo $((microseconds / 1000))
}

# usage TEXT: ends with the first comment paragraph of the running script.
usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# load NAME: reads the component's own part.
load() {
  [[ " ${components[*]} " == *" $1 "* ]] || fail "unknown component '$1': one of ${components[*]}"
  name=$1
  # What a component that is a server overrides.
  server=no program='' neighbours=0 stop_signal=TERM
  # shellcheck disable=SC2317
  bury() { :; }
  # shellcheck source=/dev/null
  . "$here/$1/component.sh"
}

load_server() {
  load "$1"
  [ "$server" = yes ] || fail "$1 is a command, not a server: its path is $(command_path)"
}

# in_folder DIR: where the loaded component keeps what it owns.
in_folder() {
  dir=$(realpath -m "$1")
  home=$dir/$name
  pid_file=$dir/$name.pid
  port_file=$dir/$name.port
  log=$dir/$name.log
}

# --- processes ---------------------------------------------------------------

# alive PID: false for a zombie that nobody has waited for, once its last thread has ended.
alive() {
  local line fields
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${line##*) }" # from the third field on: state, ..., number of threads
  [ "${fields[0]}" != Z ] || ((fields[17] > 1))
}

# live_pid: prints the recorded pid when it is still this program of this folder.
live_pid() {
  local pid line
  { read -r pid <"$pid_file"; } 2>/dev/null || return 1
  { [[ $pid =~ ^[0-9]+$ ]] && alive "$pid"; } || return 1
  line=$(tr '\0' ' ' <"/proc/$pid/cmdline") 2>/dev/null || return 1
  [[ $line == *"$program"* && $line == *"$home"* ]] || return 1
  echo "$pid"
}

# family PID: the process, its children and theirs, parents first.
family() {
  local pid=$1 line fields stat
  local -A children=()
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    read -ra fields <<<"${line##*) }"
    children[${fields[1]}]+=" ${line%% *}"
  done
  local queue=("$pid")
  while ((${#queue[@]})); do
    pid=${queue[0]}
    queue=("${queue[@]:1}")
    echo "$pid"
    # shellcheck disable=SC2206 # a list of numbers
    queue+=(${children[$pid]:-})
  done
}

signal() { # SIGNAL PID...; one that has gone meanwhile is no fault
  local with=$1 pid
  shift
  for pid; do kill "-$with" "$pid" 2>/dev/null || true; done
}

# wait_gone SECONDS PID...: false when one is still there at the end.
wait_gone() {
  local until=$(($(now_ms) + $1 * 1000)) pid
  shift
  for pid; do
    while alive "$pid"; do
      (($(now_ms) < until)) || return 1
      sleep 0.02
    done
  done
}

# kill_family PID: kill -9 of a process and of all its children, the parent stopped first
# so that it starts none after they are listed; returns when they are gone.
kill_family() {
  local pids
  signal STOP "$1"
  mapfile -t pids < <(family "$1")
  signal KILL "${pids[@]}"
  wait_gone 10 "${pids[@]}"
}

# memory_mb PID: resident memory of a process family, shared pages counted once.
memory_mb() {
  local pid
  for pid in $(family "$1"); do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done |
    awk '/^Pss:/ {kb += $2} END {printf "%.0f", kb / 1024}'
}

# --- ports -------------------------------------------------------------------

# ports_in_use: every local port that a bind would find taken. Sockets that are
# only closing (TIME_WAIT, FIN_WAIT) don't count: servers bind beside them.
ports_in_use() {
  local hexadecimal
  while read -r hexadecimal; do
    echo $((16#$hexadecimal))
  done < <(cat /proc/net/{tcp,udp}{,6} 2>/dev/null |
    awk '$4 ~ /^(0A|01|02|07|08)$/ {n = split($2, address, ":"); print address[n]}' | sort -u)
}

port_taken() { # PORT; no grep -q behind a pipe: it would end ports_in_use early, and pipefail calls that a fault
  [[ " $(ports_in_use | tr '\n' ' ')" == *" $1 "* ]]
}

# --- installing --------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: by root, or by a user who may sudo.
apt_install() {
  local as_root=() options=(-qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3) package missing=()
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  has apt-get || fail "apt-get is missing, so ${missing[*]} must be installed by hand"
  if ((EUID != 0)); then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || fail "installing ${missing[*]} needs root or sudo without a password"
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive timeout --foreground -k 10 900 apt-get "${options[@]}")
  local said wish=(install -y --no-install-recommends "${missing[@]}")
  said=$("${as_root[@]}" "${wish[@]}" 2>&1 </dev/null) && return # the lists may be there
  said=$({ "${as_root[@]}" update && "${as_root[@]}" "${wish[@]}"; } 2>&1 </dev/null) ||
    fail "apt-get could not install ${missing[*]}: ${said##*$'\n'}"
}

recipe_of() { # FILE...: one hash of the files that decide what is built
  cat "$@" | sha256sum | cut -d' ' -f1
}

# is_kept NAME-VERSION FILE...: the cache holds it whole, built from these files.
is_kept() {
  local recipe target=$cache/$1
  shift
  { read -r recipe <"$target/recipe"; } 2>/dev/null && [ "$recipe" = "$(recipe_of "$@")" ]
}

# keep NAME-VERSION FUNCTION FILE...: runs FUNCTION RESULT SCRATCH on two empty folders
# and renames RESULT into the cache, so that the cache never holds half of anything.
# One at a time on a machine: whoever comes second waits and finds it done.
keep() {
  local what=$1 function=$2 work
  shift 2
  mkdir -p "$cache"
  (
    exec 9>"$cache/lock"
    flock -w 7200 9 || fail "another install has held $cache/lock for two hours"
    is_kept "$what" "$@" && exit 0
    rm -rf "$cache"/building.* # left by an install that was killed: we hold the lock
    work=$(mktemp -d "$cache/building.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/result" "$work/scratch"
    "$function" "$work/result" "$work/scratch"
    recipe_of "$@" >"$work/result/recipe"
    rm -rf "${cache:?}/$what"
    mv "$work/result" "$cache/$what"
  )
}

# retry SECONDS LOG COMMAND...: three tries of that long each, for what needs the network.
# What the command says goes into LOG, whose end is shown when all three have failed.
retry() {
  local seconds=$1 says=$2 try
  shift 2
  for try in 1 2 3; do
    timeout --foreground -k 10 "$seconds" nice "$@" </dev/null >>"$says" 2>&1 && return 0
    echo "try $try of 3 failed: $1" >>"$says"
  done
  tail -n 30 "$says" >&2
  return 1
}
