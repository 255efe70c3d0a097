# shellcheck shell=bash
proved='register; a blocking query wakes when it passes'

check() { # PORT: a service whose health check asks the agent itself
  local reply=$dir/reply index=0 tries
  curl -sS -f -m 5 -X PUT "http://127.0.0.1:$1/v1/agent/service/register" -d '{"Name": "checked", "Port": '"$1"', "Check":
    {"HTTP": "http://127.0.0.1:'"$1"'/v1/status/leader", "Interval": "200ms", "Status": "critical"}}'
  for ((tries = 0; tries < 20; tries++)); do
    curl -sS -f -m 10 -D "$reply.head" -o "$reply" \
      "http://127.0.0.1:$1/v1/health/service/checked?passing&index=$index&wait=5s"
    ! grep -q '"Service":"checked"\|"Service": "checked"' "$reply" || return 0
    index=$(sed -n 's/^x-consul-index: *\([0-9]*\).*/\1/Ip' "$reply.head")
  done
  fail 'the registered service never passed'
}
