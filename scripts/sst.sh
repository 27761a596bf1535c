#!/usr/bin/env bash
# Types what a user of SST types, in a clean clone, against an emulator of AWS on this machine: npx sst deploy, diff, remove.
#   scripts/sst.sh URL     of a PostgreSQL server on which a database may be made
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD url=$1
name=spyhop_sst_$$
folder=$(mktemp -d)
psql=$(command -v psql || ls /usr/lib/postgresql/*/bin/psql | tail -1)
ended() { # the emulator first: it holds sessions of the database
  bash "$home/scripts/ministack.sh" down "$home/.spyhop/sst" || true
  "$psql" -q "$url" -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"
  rm -rf "$folder"
}
trap ended EXIT
"$psql" -q "$url" -c "CREATE DATABASE $name"
git clone -q "$home" "$folder/spyhop"
cd "$folder/spyhop"
ln -s "$home/node_modules" node_modules # as npm ci would have left it
npx node -e '
  const edit = (stage, fields) => {
    const file = `stacks/targets/${stage}.json`;
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, "utf8")), ...fields }));
  };
  edit("dev", { firewall: "waf", emulator: true, schedules: false });
  edit("live", { alarmEmail: "desk@example.com" });'
AUTH=true REGION=eu-central-1 NODE_BIN=$(npx node -p 'path.dirname(process.execPath)') NODE_PATH="$home/node_modules" \
  bash scripts/ministack.sh up "$home/.spyhop/sst"
eval "$(bash scripts/ministack.sh env "$home/.spyhop/sst")"

# Runs a command of SST; shows all that it said when it ends otherwise than it should.
log=$folder/log
sst() {
  local began=$SECONDS
  timeout -k 30 600 npx sst "$@" --stage dev >"$log" 2>&1 </dev/null || { tail -60 "$log"; echo "npx sst $*: FAILED"; return 1; }
  echo "npx sst $* --stage dev: $((SECONDS - began)) s"
}
said() { grep -q -- "$1" "$log" || { tail -60 "$log"; echo "nowhere: $1"; return 1; }; }

if sst deploy >/dev/null; then echo "deployed without its secrets"; exit 1; fi
said 'nothing was created: the secret spyhop/dev/database is missing'
if grep -q '^ *at ' "$log"; then echo "a refusal shows a stack"; exit 1; fi
if timeout -k 30 400 npx sst deploy --stage live >"$log" 2>&1; then echo "deployed live without its name"; exit 1; fi
said 'If you mean it: npm run deploy -- --stage live --confirm live'
npx node --input-type=module -e '
  import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
  const exchange = { mode: "demo", apiKey: "k", secret: "s", passphrase: "p" };
  const secrets = { database: { url: process.argv[1] }, rpc: { urls: ["http://127.0.0.1:9"] }, exchange };
  const client = new SecretsManagerClient({});
  for (const [name, fields] of Object.entries(secrets))
    await client.send(new CreateSecretCommand({ Name: `spyhop/dev/${name}`, SecretString: JSON.stringify(fields) }));
' "${url%/*}/$name"
# SST would prepare both regions by itself. The policy of the bucket that it makes refuses plain http, which the emulator speaks.
cdk() { (cd "$folder" && "$home/node_modules/.bin/cdk" bootstrap "$@" aws://000000000000/us-east-1 aws://000000000000/eu-central-1); }
cdk --show-template 2>/dev/null | perl -0pe 's/^  StagingBucketPolicy:\n(?:   .*\n|\n)*//m' >"$folder/bootstrap.yaml"
cdk --template "$folder/bootstrap.yaml" >"$log" 2>&1 || { tail -20 "$log"; exit 1; }

# Prints the stacks of the desk in a region.
stacks() {
  curl -sf "$AWS_ENDPOINT_URL" -d 'Action=ListStacks&Version=2010-05-15' \
    -H "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/$1/cloudformation/aws4_request, SignedHeaders=host, Signature=0" |
    tr -d '\n ' | sed 's/<member>/\n/g' | grep -v 'StackStatus>DELETE_COMPLETE' | sed -n 's/.*<StackName>\(dev-spyhop-[^<]*\)<.*/\1/p' | sort | tr '\n' ' '
}
standing() { # region, stacks
  local found
  found=$(stacks "$1")
  [ "$found" = "$2" ] || { echo "in $1 stand [$found], not [$2]"; return 1; }
}
sst deploy
standing us-east-1 'dev-spyhop-firewall '
standing eu-central-1 'dev-spyhop-alarms dev-spyhop-api dev-spyhop-pipeline dev-spyhop-release dev-spyhop-secrets '
sst diff
[ "$(grep -c 'Diff:.*No changes' "$log")" -eq 2 ] || { tail -60 "$log"; echo "a diff right after the deploy is not empty"; exit 1; }
sst remove
standing us-east-1 ''
standing eu-central-1 ''
