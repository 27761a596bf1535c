#!/usr/bin/env bash
# LocalStack on loopback, without Docker: localstack-core 4.14.0 from PyPI, the last release that asks for no token
# (Python 3.13 or newer). Queues, bus and secrets; its Lambda needs Docker, so stacks are deployed to MiniStack.
#   localstack.sh up DIR [PORT]   install into DIR if needed (a minute or two, 0.5 GB) and start. PORT 0 or none: a free one
#   localstack.sh env DIR         print the environment for SDK and tests: eval "$(localstack.sh env DIR)"
#   localstack.sh down DIR        stop it
# PYTHON: a python3.13 or newer, where none is on the PATH or among pyenv's. Without one, `up` ends with 3.
set -euo pipefail
usage() { sed -n '4,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
mkdir -p "$2"; dir=$(cd "$2" && pwd); version=4.14.0
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
# Its code imports warnings.deprecated, which Python 3.12 lacks, though its package says that 3.10 will do.
python() {
  local found
  for found in "${PYTHON:-}" python3 python3.14 python3.13 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python; do
    [ -n "$found" ] && "$found" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || continue
    echo "$found"
    return
  done
  echo "localstack.sh: LocalStack needs Python 3.13 or newer with venv; PYTHON names one" >&2
  return 3
}
case $1 in
up)
  port=${3:-0}
  [ "$port" != 0 ] || port=$(free_port)
  if [ ! -e "$dir/installed" ]; then
    found=$(python) || exit 3
    "$found" -m venv "$dir/venv"
    # Newer ones of these three do not start with 4.14.0: cbor2 lost _decoder, pyOpenSSL its add_extensions.
    "$dir/venv/bin/pip" install -q --disable-pip-version-check "localstack-core[runtime]==$version" \
      cbor2==5.6.5 pyopenssl==24.3.0 cryptography==44.0.3 service_identity
    touch "$dir/installed"
  fi
  mkdir -p "$dir/tmp" "$dir/home"; echo "$port" >"$dir/port"
  # A clean environment: neither proxies nor credentials of this machine. What it holds ends with it.
  env -i HOME="$dir/home" LANG=C.UTF-8 TZ=UTC TMPDIR="$dir/tmp" PATH="$dir/venv/bin:/usr/local/bin:/usr/bin:/bin" \
    GATEWAY_LISTEN="127.0.0.1:$port" SQS_ENDPOINT_STRATEGY=path DNS_ADDRESS=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 \
    EAGER_SERVICE_LOADING=0 setsid "$dir/venv/bin/python" -m localstack.runtime.main >"$dir/log" 2>&1 </dev/null & echo $! >"$dir/pid"
  for _ in $(seq 240); do
    curl -sf "http://127.0.0.1:$port/_localstack/health" >/dev/null && exit 0
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break; sleep 0.25
  done
  tail -5 "$dir/log"; echo "LocalStack did not start on port $port" >&2; exit 1 ;;
env)
  port=$(cat "$dir/port")
  echo "export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1" ;;
down)
  [ -f "$dir/pid" ] || exit 0
  kill -- "-$(cat "$dir/pid")" 2>/dev/null || true; rm -f "$dir/pid" ;;
*) usage ;;
esac
