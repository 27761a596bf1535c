#!/usr/bin/env bash
# An AWS endpoint on loopback, without Docker: MiniStack 1.5.33 from PyPI (Python 3.10 or newer).
#   ministack.sh up DIR [PORT]   install into DIR if needed and start; ready in a second or two. PORT 0 or none: a free one
#   ministack.sh env DIR         print the environment for SDK, CDK and SST: eval "$(ministack.sh env DIR)"
#   ministack.sh down DIR        stop it and every function process that it started
# AUTH=true (in the environment of `up`) enforces the functions' IAM roles. REGION: of requests that name none (us-east-1).
# NODE_BIN: folder of the node that runs the functions. NODE_PATH: where @aws-sdk/client-s3 lies (SST's bootstrap needs it).
set -euo pipefail
[ $# -ge 2 ] || { sed -n 2,7p "$0"; exit 2; }
mkdir -p "$2"; dir=$(cd "$2" && pwd); version=1.5.33
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
case $1 in
up)
  port=${3:-0}
  [ "$port" != 0 ] || port=$(free_port)
  [ -x "$dir/venv/bin/ministack" ] || { python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q --disable-pip-version-check "ministack==$version" cryptography; }
  mkdir -p "$dir/tmp"; echo "$port" >"$dir/port"; echo "${REGION:-us-east-1}" >"$dir/region"
  # Its workers are CommonJS: below this repository's "type": "module" they would end at once, without a word.
  echo '{}' >"$dir/package.json"
  # A clean environment: what MiniStack has, every function gets.
  env -i HOME="$dir" LANG=C.UTF-8 TZ=UTC PATH="${NODE_BIN:-$(dirname "$(command -v node)")}:/usr/local/bin:/usr/bin:/bin" NODE_PATH="${NODE_PATH:-}" \
    GATEWAY_PORT="$port" BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 AWS_ENDPOINT_URL="http://127.0.0.1:$port" IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
    S3_DATA_DIR="$dir/s3" STATE_DIR="$dir/state" TMPDIR="$dir/tmp" AUTH="${AUTH:-false}" MINISTACK_REGION="${REGION:-us-east-1}" \
    setsid "$dir/venv/bin/ministack" >"$dir/log" 2>&1 </dev/null & echo $! >"$dir/pid"
  for _ in $(seq 200); do
    curl -sf "http://127.0.0.1:$port/_ministack/ready" >/dev/null && exit 0
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break; sleep 0.1
  done
  tail -5 "$dir/log"; echo "ministack did not start on port $port" >&2; exit 1 ;;
env)
  port=$(cat "$dir/port") region=$(cat "$dir/region")
  echo "export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=$region AWS_DEFAULT_REGION=$region SST_TELEMETRY_DISABLED=1" ;;
down)
  [ -f "$dir/pid" ] || exit 0; pid=$(cat "$dir/pid"); port=$(cat "$dir/port")
  curl -sf -m 10 -XPOST "http://127.0.0.1:$port/_ministack/reset" >/dev/null || true
  kill -- "-$pid" 2>/dev/null || true; rm -f "$dir/pid" ;;
*) sed -n 2,7p "$0"; exit 2 ;;
esac
