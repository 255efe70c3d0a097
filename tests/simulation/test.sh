#!/usr/bin/env bash
# The simulation: 1 000 seeds without a broken invariant, one seed twice, every kind of fault often enough, every planted bug found.
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target simulate >/dev/null
simulate=build/bin/simulate
out=$(mktemp)
trap 'rm -f "$out"' EXIT

$simulate --seeds 1000 >"$out" || { cat "$out"; echo "An invariant broke: the seeds above show it again, one by one, with simulate --seed N."; exit 1; }
grep -E 'fault|several orders' "$out"
tail -1 "$out"
awk '/fault|several orders/ && $1 < 100 { print "only " $0; few = 1 } END { exit few }' "$out" || { echo "That is fewer than 100 times."; exit 1; }

$simulate --contended --seeds 200 >"$out" || { cat "$out"; echo "An invariant broke: simulate --contended --seed N shows it again."; exit 1; }
tail -1 "$out"

# Another process, other addresses, other keys and tokens: the same run.
first=$($simulate --seeds 20 --jobs 1 | grep -o 'hash=[0-9a-f]*')
again=$($simulate --seeds 20 --jobs 3 | grep -o 'hash=[0-9a-f]*')
[ "$first" = "$again" ] || { echo "The same seeds ran differently: $first, then $again"; exit 1; }

for bug in no_key locks_unordered event_after_commit no_expiry absolute_stock no_inbox carts_unchecked index_forgets; do
  $simulate --find "$bug" --within 200
done
$simulate --contended --find key_passed --within 200
