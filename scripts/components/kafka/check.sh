# shellcheck shell=bash
proved='1000 messages in 3 partitions; all survive kill9'

consumed() { # PORT: how many different messages the topic holds
  timeout 60 kcat -C -q -e -b "127.0.0.1:$1" -t checked -o beginning | sort -u | wc -l
}

check() { # PORT
  "$here/topics" "$1" checked:3 other:1
  "$here/topics" "$1" checked:3 # a second time is no fault
  seq 1000 | timeout 60 kcat -P -b "127.0.0.1:$1" -t checked -X acks=all -X enable.idempotence=true 2>"$dir/kcat.log"
  expect 'messages' 1000 "$(consumed "$1")"
}

after_crash() { # PORT
  expect 'messages after kill9' 1000 "$(consumed "$1")"
}
