#!/usr/bin/env bash
# TimescaleDB (Apache edition) and pgvector on PostgreSQL 17 for tests, on Debian 12, as root: a throwaway server on
# loopback. Debian 12 packages neither, so Debian 13 is unpacked into a folder and the server runs in it (chroot).
# Nothing is mounted and no service of the host is touched. The first start takes about a minute, later ones a second.
#   timescale.sh up          build the folder when missing, start the server and print its URL
#   timescale.sh env         print TEST_DATABASE_URL=...
#   timescale.sh programs    print a folder with the server's pg_dump and pg_restore, to be run here
#   timescale.sh restart     cut every session off and start again
#   timescale.sh down        stop the server; the folder stays as a cache
# TSDB_ROOT: the folder (default /var/cache/spyhop-timescale). TSDB_PORT: default 55417. DEBIAN_MIRROR: default the host's.
set -euo pipefail
root=${TSDB_ROOT:-/var/cache/spyhop-timescale}
port=${TSDB_PORT:-55417}
mirror=${DEBIAN_MIRROR:-$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1 || true)}
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \([^[ ][^ ]*\).*/\1/p' /etc/apt/sources.list 2>/dev/null | head -1 || true)
[ -n "$mirror" ] || [ "${1:-}" != up ] || { echo "timescale.sh: apt names no Debian mirror; set DEBIAN_MIRROR" >&2; exit 1; }
pgbin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/spyhop
url="postgres://postgres@127.0.0.1:$port/postgres"

inside() {
  env -i PATH="$pgbin:/usr/sbin:/usr/bin:/sbin:/bin" LANG=C.UTF-8 HOME=/var/lib/postgresql DEBIAN_FRONTEND=noninteractive \
    /usr/sbin/chroot "$@"
}
as_postgres() { inside --userspec=postgres:postgres "$root" "$@"; }

build() {
  [ -e "$root/.ready" ] && return 0
  rm -rf "$root"
  mkdir -p "$root"
  chmod 755 "$root"
  command -v debootstrap >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
  }
  # The debootstrap of Debian 12 has no script of that name yet; all releases share one.
  [ -e /usr/share/debootstrap/scripts/trixie ] || ln -s sid /usr/share/debootstrap/scripts/trixie
  debootstrap --variant=minbase trixie "$root" "$mirror" >"$root.log" 2>&1 || fail
  # Installing the packages must start no service and make no cluster.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  mkdir -p "$root/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
  printf '%s\n' 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' 'path-exclude /usr/share/locale/*' \
    force-unsafe-io force-confold >"$root/etc/dpkg/dpkg.cfg.d/01-small"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  inside "$root" apt-get -qq -y --no-install-recommends install \
    postgresql-17 postgresql-17-timescaledb postgresql-17-pgvector >>"$root.log" 2>&1 || fail
  inside "$root" apt-get clean
  rm -rf "$root"/var/lib/apt/lists/*
  touch "$root/.ready"
}

fail() {
  tail -20 "$root.log" >&2
  echo "timescale.sh: building $root failed, see $root.log" >&2
  exit 1
}

start() {
  if [ ! -e "$root$data/PG_VERSION" ]; then
    as_postgres initdb -D $data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    # Nothing here outlives the tests, so nothing is made durable. Each test file has a database of its own, and every
    # database with the extension takes a background worker and, while chunks are dropped, many locks.
    cat >>"$root$data/postgresql.conf" <<C
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
timescaledb.max_background_workers = 32
max_worker_processes = 48
max_locks_per_transaction = 256
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
C
  fi
  as_postgres pg_ctl -D $data -s status >/dev/null 2>&1 ||
    as_postgres pg_ctl -D $data -s -w -t 60 -l /var/lib/postgresql/server.log -o "-p $port" start ||
    { tail -5 "$root/var/lib/postgresql/server.log" >&2; exit 1; }
}

case ${1:-} in
up)
  build
  start
  echo "$url" ;;
env) echo "TEST_DATABASE_URL=$url" ;;
# With the libraries of the folder, on the files of the host.
programs)
  mkdir -p "$root/programs"
  loader=$(ls "$root"/lib64/ld-linux-x86-64.so.2 "$root"/lib/ld-linux-aarch64.so.1 2>/dev/null | head -1 || true)
  for name in pg_dump pg_restore; do
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$loader" "$root/usr/lib/$(uname -m)-linux-gnu" "$root$pgbin/$name" >"$root/programs/$name"
    chmod 755 "$root/programs/$name"
  done
  echo "$root/programs" ;;
# Not as a crash: what a server made for tests has committed is not on its disk yet.
restart) as_postgres pg_ctl -D $data -s -w -m fast -l /var/lib/postgresql/server.log -o "-p $port" restart ;;
down) as_postgres pg_ctl -D $data -s -w -m fast stop ;;
*)
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2 ;;
esac
