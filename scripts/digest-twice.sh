#!/usr/bin/env bash
# Replays the sample twice into fresh folders and compares the digests of the two databases.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
digest() { npm start --silent -- --once --data "$folder/$1" 2>&1 | tee "$folder/$1.txt" | sed -n 's/.*[Dd]igest[: ]*\([0-9a-f]\{64\}\).*/\1/p' | head -1; }
first=$(digest one)
second=$(digest two)
tail -40 "$folder/two.txt"
echo "first  $first"
echo "second $second"
[ -n "$first" ] && [ "$first" = "$second" ]
