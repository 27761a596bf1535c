#!/usr/bin/env bash
# Runs the commands of a deployed desk as a user does, against an emulator of AWS on this machine: each must end well.
#   scripts/operations.sh URL     of a PostgreSQL server on which a database may be made
set -euo pipefail
cd "$(dirname "$0")/.."
url=$1
directory=.spyhop/operations
name=spyhop_operations_$$
psql=$(command -v psql || ls /usr/lib/postgresql/*/bin/psql | tail -1)
"$psql" -q "$url" -c "CREATE DATABASE $name"
npm run --silent bundle >/dev/null
rm -rf "$directory" && mkdir -p "$directory"
node scripts/launch.mjs cloud-up --database "${url%/*}/$name" --directory "$directory" >"$directory/up.log" 2>&1 &
up=$!
ended() { # the emulator first: it holds sessions of the database
  kill -TERM "$up" 2>/dev/null || true # a job in the background ignores SIGINT
  wait "$up" || true
  bash scripts/ministack.sh down "$directory/ministack" || true
  "$psql" -q "$url" -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"
}
trap ended EXIT
until grep -q 'The API is at' "$directory/up.log"; do
  kill -0 "$up" 2>/dev/null || { tail -20 "$directory/up.log"; exit 1; }
  sleep 1
done
sleep 2 # it says where it is, and then it stays
kill -0 "$up" 2>/dev/null || { tail -5 "$directory/up.log"; echo "cloud-up did not stay up"; exit 1; }
# shellcheck disable=SC1091
. "$directory/env"

# Runs a command of the project; says in a line that it ended well, or shows all that it said.
operate() {
  local log="$directory/command.log"
  if timeout 240 npm run --silent "$@" >"$log" 2>&1; then echo "npm run $1: $(grep -v '^ *$' "$log" | tail -1 | cut -c1-120)"
  else cat "$log"; echo "npm run $*: FAILED"; return 1; fi
}
stage=(--stage dev --target "$directory/deployment/target.json")
operate deploy -- "${stage[@]}" --yes # over what cloud-up deployed: nothing is to change but the bundle's revision
operate diff -- "${stage[@]}"
operate watch -- "${stage[@]}"
operate status -- --stage dev
operate redrive -- events --stage dev
operate cost
operate remove -- "${stage[@]}" --yes
if npm run --silent status -- --stage dev >"$directory/command.log" 2>&1; then echo "status finds a stage that was removed"; exit 1; fi
grep -q 'Is the stage deployed' "$directory/command.log"
kill -TERM "$up"
code=0 && wait "$up" || code=$?
[ "$code" -eq 0 ] || { tail -5 "$directory/up.log"; echo "cloud-up ended with $code, not with 0"; exit 1; }
