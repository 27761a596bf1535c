#!/usr/bin/env bash
# Replays a short generated recording twice into fresh folders, and once more into the database of each URL given, and
# compares the digests. With --sample it replays the shipped sample instead, which takes longer.
#   digest-twice.sh [--sample] [URL...]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
recording=recordings/sample
if [ "${1:-}" = --sample ]; then shift; else
  recording=$folder/short
  npm run --silent make-sample -- --slots 150 --out "$recording" >"$folder/make.txt" 2>&1 || { cat "$folder/make.txt"; exit 1; }
fi
replay() {
  npm start --silent -- --once --replace --recording "$recording" --data "$folder/$1" >"$folder/$1.txt" 2>&1 || { cat "$folder/$1.txt" >&2; exit 1; }
  sed -n 's/.*digest: *\([0-9a-f]\{64\}\).*/\1/p' "$folder/$1.txt"
}
# Beside each other: what else the machine does must change nothing of what is decided.
replay one >"$folder/first" &
one=$!
second=$(replay two) || { kill "$one"; exit 1; }
wait "$one"
first=$(cat "$folder/first")
tail -60 "$folder/two.txt"
echo "first  $first"
echo "second $second"
[ -n "$first" ] && [ "$first" = "$second" ]
for url in "$@"; do
  there=$(DATABASE_URL=$url replay server)
  echo "server $there"
  [ "$first" = "$there" ]
done
