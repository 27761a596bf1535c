#!/usr/bin/env bash
# Debian's pgbouncer in transaction mode before a server on loopback: the stand-in for RDS Proxy in tests.
#   pgbouncer.sh up URL [DIR]   start it (as root it installs pgbouncer when missing) and print the URL through it
#   pgbouncer.sh env [DIR]      print TEST_POOLER_URL=...
#   pgbouncer.sh down [DIR]     stop it and remove the folder
# Any database of the server is reached by its name. DIR defaults to /var/tmp/spyhop-pgbouncer. POOLER_SESSIONS: server
# sessions a database, default 3, fewer than the tests' clients, so that clients really share them.
#
# After every transaction pooler.release() of packages/testing/pooler.sql looks through the session, in databases that
# have it: those of packages/testing/database.ts, which fails a test file whose transactions left something there.
set -euo pipefail

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
case ${1:-} in
up) [ $# -ge 2 ] || usage; server=$2 dir=${3:-/var/tmp/spyhop-pgbouncer} ;;
env | down) dir=${2:-/var/tmp/spyhop-pgbouncer} ;;
*) usage ;;
esac

install_pooler() {
  command -v pgbouncer >/dev/null && return 0
  [ "$(id -u)" -eq 0 ] || { echo "pgbouncer.sh: pgbouncer is not installed; as root this script installs it" >&2; exit 1; }
  apt-get update -qq
  # The package would start a service of its own.
  local policy=/usr/sbin/policy-rc.d made=
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=yes; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer >/dev/null
  [ -z "$made" ] || rm $policy
}

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
# Prints a part of the URL: hostname, port, username, password, pathname.
part() { node -p 'decodeURIComponent(new URL(process.argv[1])[process.argv[2]])' "$server" "$1"; }

case $1 in
up)
  install_pooler
  mkdir -p "$dir"
  chmod 755 "$dir"
  port=$(free_port)
  user=$(part username)
  password=$(part password)
  cat >"$dir/pgbouncer.ini" <<C
[databases]
* = host=$(part hostname) port=$(part port) user=$user${password:+ password=$password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${POOLER_SESSIONS:-3}
max_client_conn = 400
server_idle_timeout = 5
server_reset_query_always = 1
server_reset_query = DO \$\$ BEGIN IF to_regproc('pooler.release') IS NOT NULL THEN PERFORM pooler.release(); END IF; END \$\$
log_connections = 0
log_disconnections = 0
C
  # Not as root, which it refuses, and not as a user that a package may or may not have made.
  if [ "$(id -u)" -eq 0 ]; then
    chown -R nobody "$dir"
    chmod 600 "$dir/pgbouncer.ini"
    as_nobody="setpriv --reuid nobody --regid nogroup --clear-groups"
  fi
  (cd / && exec ${as_nobody:-} setsid pgbouncer -q "$dir/pgbouncer.ini" >"$dir/log" 2>&1 </dev/null) &
  pid=$!
  echo "postgres://$user@127.0.0.1:$port$(part pathname)" >"$dir/url"
  for _ in $(seq 100); do
    node -e 'require("net").connect(process.argv[1], "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => process.exit(1))' "$port" && break
    kill -0 "$pid" 2>/dev/null || { tail -5 "$dir/log" >&2; echo "pgbouncer.sh: it did not start, see $dir/log" >&2; exit 1; }
    sleep 0.1
  done
  echo "$pid" >"$dir/pid"
  cat "$dir/url" ;;
env) echo "TEST_POOLER_URL=$(cat "$dir/url")" ;;
down)
  [ -e "$dir/pid" ] || exit 0
  pid=$(cat "$dir/pid")
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  rm -rf "$dir" ;;
esac
