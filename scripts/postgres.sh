#!/usr/bin/env bash
# A plain PostgreSQL 15 for tests, on Debian 12, as root: a throwaway server on loopback, in a folder of its own.
#   postgres.sh up [DIR]     start it (installs postgresql-15 when missing) and print its URL
#   postgres.sh env [DIR]    print TEST_DATABASE_URL=...
#   postgres.sh restart [DIR]   cut every session off and start again
#   postgres.sh down [DIR]   stop it and remove the folder
# DIR defaults to /var/tmp/spyhop-postgres. PG_PORT names the port, else a free one is taken.
set -euo pipefail
PGBIN=/usr/lib/postgresql/15/bin
dir=${2:-/var/tmp/spyhop-postgres}
url() { echo "postgres://postgres@127.0.0.1:$(cat "$dir/port")/postgres"; }
# PostgreSQL refuses to run as root.
as_postgres() { (cd / && setpriv --reuid postgres --regid postgres --clear-groups env -i PATH="$PGBIN:/usr/bin:/bin" LANG=C.UTF-8 "$@"); }

install_server() {
  [ -x "$PGBIN/postgres" ] && return 0
  apt-get update -qq
  # No cluster of the package's own: it would start with the machine, on the usual port.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null
}

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

case ${1:-} in
up)
  install_server
  if [ ! -e "$dir/data/PG_VERSION" ]; then
    mkdir -p "$dir"
    chmod 755 "$dir"
    install -d -o postgres -g postgres -m 700 "$dir/data"
    echo "${PG_PORT:-$(free_port)}" >"$dir/port"
    as_postgres initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    # Everybody is trusted but the members of one role, who are asked for a password: for tests of a changed one.
    sed -i '1i host all +password_asked 127.0.0.1/32 scram-sha-256' "$dir/data/pg_hba.conf"
    # Nothing here outlives the tests, so nothing is made durable.
    cat >>"$dir/data/postgresql.conf" <<C
listen_addresses = '127.0.0.1'
port = $(cat "$dir/port")
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
C
  fi
  as_postgres pg_ctl -D "$dir/data" -s status >/dev/null 2>&1 ||
    as_postgres pg_ctl -D "$dir/data" -s -w -t 60 -l "$dir/data/server.log" start ||
    { tail -5 "$dir/data/server.log" >&2; exit 1; }
  url ;;
env) echo "TEST_DATABASE_URL=$(url)" ;;
# Not as a crash: what a server made for tests has committed is not on its disk yet.
restart) as_postgres pg_ctl -D "$dir/data" -s -w -m fast -l "$dir/data/server.log" restart ;;
down)
  [ -e "$dir/data/PG_VERSION" ] || exit 0
  as_postgres pg_ctl -D "$dir/data" -s -w -m fast stop || true
  rm -rf "$dir" ;;
*)
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2 ;;
esac
