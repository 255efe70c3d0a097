# shellcheck shell=bash
proved='SET, GET; the key survives kill9 after 1.2 s'
crash_after=1.2 # appendfsync everysec may lose the last second

ask() { timeout 5 redis-cli -h 127.0.0.1 -p "$@"; }

check() { # PORT
  expect SET OK "$(ask "$1" set checked 42)"
  expect GET 42 "$(ask "$1" get checked)"
}

after_crash() { # PORT
  expect 'GET after kill9' 42 "$(ask "$1" get checked)"
}
