# shellcheck shell=bash
proved='SET, GET; the key survives kill9 after 2.2 s'
crash_after=2.2 # appendfsync everysec may lose the last second, and the last two when a sync of the disk is slow

ask() { timeout 5 redis-cli -h 127.0.0.1 -p "$@"; }

check() { # PORT
  expect SET OK "$(ask "$1" set checked 42)"
  expect GET 42 "$(ask "$1" get checked)"
}

after_crash() { # PORT
  expect 'GET after kill9' 42 "$(ask "$1" get checked)"
}
