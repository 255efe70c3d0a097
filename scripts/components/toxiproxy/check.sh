# shellcheck shell=bash
proved='Redis PING through it; a 300 ms toxic is felt'

check() { # PORT
  local redis proxy slow api=http://127.0.0.1:$1
  { read -r redis && read -r proxy; } < <("$here/free-port" 2)
  "$here/install" redis >/dev/null
  "$here/start" redis "$dir" "$redis" >/dev/null
  curl -sS -f -m 5 -o /dev/null "$api/proxies" \
    -d '{"name": "redis", "listen": "127.0.0.1:'"$proxy"'", "upstream": "127.0.0.1:'"$redis"'", "enabled": true}'
  expect 'PING through the proxy' PONG "$(timeout 5 redis-cli -h 127.0.0.1 -p "$proxy" ping)"
  curl -sS -f -m 5 -o /dev/null "$api/proxies/redis/toxics" -d '{"type": "latency", "attributes": {"latency": 300}}'
  timed slow timeout 5 redis-cli -h 127.0.0.1 -p "$proxy" ping >/dev/null
  ((slow >= 300)) || fail "PING took $slow ms in spite of a toxic of 300 ms"
  "$here/stop" redis "$dir"
}
