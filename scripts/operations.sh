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
venue=
ended() { # the emulator first: it holds sessions of the database
  [ -z "$venue" ] || kill -TERM "$venue" 2>/dev/null || true
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
# The Node that npm scripts run under; the first on the PATH may be older.
node=("$(npx node -p process.execPath)" --disable-warning=ExperimentalWarning)
rehearse() { timeout 240 "${node[@]}" scripts/e2e-operations.ts "$@" --database "${url%/*}/$name"; }
# A venue of this machine, so that plans can be made and orders be claimed; the target then leads to it.
"${node[@]}" scripts/e2e-operations.ts venue --target "$directory/deployment/target.json" >"$directory/venue.log" 2>&1 &
venue=$!
until grep -q 'a venue is at' "$directory/venue.log"; do
  kill -0 "$venue" 2>/dev/null || { cat "$directory/venue.log"; exit 1; }
  sleep 1
done
stage=(--stage dev --target "$directory/deployment/target.json")
operate deploy -- "${stage[@]}" --yes # over what cloud-up deployed: only the bundles' revision and the venue are to change
operate diff -- "${stage[@]}"
operate watch -- "${stage[@]}"
operate status -- --stage dev
operate redrive -- events --stage dev
TEST_S3_URL=$AWS_ENDPOINT_URL npx vitest run packages/runtime/record-bucket.test.ts # the emulator's S3 has versions
operate cost

# What a person orders. Each is to say what is expected of it, and to end with the code that is; the rest is for the reader.
#   says CODE TEXT COMMAND...   TEXT is a part of a line; several are separated by |
says() {
  local code=$1 wanted=$2 got=0 log="$directory/command.log"
  shift 2
  local line="$*"
  echo "$ ${line/#run /npm run }"
  "$@" >"$log" 2>&1 || got=$?
  sed 's/^/    /' "$log"
  [ "$got" = "$code" ] || { echo "it ended with $got, not $code"; return 1; }
  while IFS= read -r -d '|' text; do
    grep -qF -- "$text" "$log" || { echo "it did not say: $text"; return 1; }
  done <<<"$wanted|"
}
run() { timeout 240 npm run --silent "$@"; }
doubtful=dbbbbbbbbbbbbbbbbbbbbbbbbbb00
me="by arn:aws:iam::000000000000:root"
rehearse seed
says 2 '--reason is missing' run halt -- --stage dev
says 0 "demo is HALTED, epoch 2 (before: ACTIVE, epoch 1)|$me: a drill" run halt -- --stage dev --reason "a drill"
says 0 'HALTED already' run halt -- --stage dev --reason "twice"
says 0 'plans that wait: 0|denied buy ETH-USDT-SWAP (trading_state' rehearse plan
says 0 'canceled buy BTC-USDT-SWAP (voided: trading is HALTED in epoch 2, approved in 1)' rehearse order
says 1 "in doubt  quarantined: buy 2 BTC-USDT-SWAP|client order id $doubtful|mapping   plans Enabled" run status -- --stage dev
says 1 'an order is in doubt' run resume -- --stage dev --reason "over" --yes
says 0 'is expired, it was quarantined' run judge -- $doubtful --not-there --stage dev --reason "not in its history"
says 1 'there is nothing to decide' run judge -- $doubtful --found --stage dev --reason "again"
says 0 'demo is REDUCING, epoch 3 (before: HALTED, epoch 2)' run reduce -- --stage dev --reason "carefully"
says 0 'demo is ACTIVE, epoch 4' run resume -- --stage dev --reason "over"
rehearse bury
says 0 'would drop|Nothing was changed' run redrive -- events --stage dev
says 0 'dropped 1, kept 0' run redrive -- events --stage dev --yes --reason "cleared"
# Without its database: the mappings are ended all the same. Then with it.
says 1 'the mapping of orders is Disabled|could not be set, and nothing is in the audit log: Error: connect ECONNREFUSED' \
  env DATABASE_URL=postgres://127.0.0.1:1/gone timeout 240 npm run --silent halt -- --hard --stage dev --reason "no database"
says 0 'demo is HALTED, epoch 5' run halt -- --hard --stage dev --reason "no database"
says 1 'mapping   plans Disabled|! plans and orders not consumed' run status -- --stage dev
says 0 'plans that wait: 1' rehearse plan
says 0 'demo is HALTED, epoch 6 (before: HALTED, epoch 5)|1 plans that had waited were dropped|the mapping of orders is Enabled' \
  run resume -- --hard --stage dev --reason "restored"
says 0 'demo is ACTIVE, epoch 7' run resume -- --stage dev --reason "restored"
says 0 'plans that wait: 0|open buy ETH-USDT-SWAP' rehearse plan # nobody reconciles here
says 0 "order.judged $me: not in its history|letters.redriven $me: cleared|the audit log is intact" rehearse audit

operate remove -- "${stage[@]}" --yes
if npm run --silent status -- --stage dev >"$directory/command.log" 2>&1; then echo "status finds a stage that was removed"; exit 1; fi
grep -q 'Is the stage deployed' "$directory/command.log"
kill -TERM "$up"
code=0 && wait "$up" || code=$?
[ "$code" -eq 0 ] || { tail -5 "$directory/up.log"; echo "cloud-up ended with $code, not with 0"; exit 1; }
