#!/usr/bin/env bash
# The failure loop: every call of every operation fails once and nothing breaks; planted bugs, which only a fault brings out, are found.
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target simulate >/dev/null
out=$(mktemp)
trap 'rm -f "$out"' EXIT

build/bin/simulate --failure-loop

found() {  # bug, what the loop must say of it
  local code=0
  build/bin/simulate --failure-loop --bug "$1" >"$out" || code=$?
  [ "$code" = 1 ] && grep -m 1 -E "$2" "$out" || { cat "$out"; echo "The failure loop does not find $1 (exit code $code)."; exit 1; }
}
found no_key '^place, call [0-9]+ \(order\) is not answered: no definite outcome'  # the retry meets its own order and does not know it
found event_after_commit '^place, call [0-9]+ \(events\) fails: I6 '
found index_forgets '^create, call [0-9]+ \(index\) fails: I7 '
