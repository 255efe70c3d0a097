# shellcheck shell=bash
proved='3 requests to a local server, thresholds kept'

check() {
  local port
  port=$("$here/free-port")
  "$here/install" toxiproxy >/dev/null
  "$here/start" toxiproxy "$dir" "$port" >/dev/null
  cat >"$dir/script.js" <<EOF
import http from 'k6/http';
import {check} from 'k6';
export const options = {vus: 1, iterations: 3, thresholds: {http_reqs: ['count==3'], checks: ['rate==1']}};
export default () => check(http.get('http://127.0.0.1:$port/version', {timeout: '5s'}), {'is 200': (r) => r.status === 200});
EOF
  timeout 60 "$(command_path)" run --no-usage-report --quiet "$dir/script.js" >"$dir/k6.out" 2>&1 ||
    { tail "$dir/k6.out" >&2 && fail 'the k6 run failed'; }
  "$here/stop" toxiproxy "$dir"
}
