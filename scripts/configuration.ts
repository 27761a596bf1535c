// Prints docs/configuration.md from the schemas: `node scripts/configuration.ts > docs/configuration.md`. What a variable
// means, and its unit, is said here; a variable without a meaning does not compile, or is refused below.
import type * as z from "zod";
import { schemas } from "#runtime/config";
import { DatabaseSecret } from "#runtime/postgres/database-secret";
import { limitLines, POLICY } from "#trading/plans/policy";
import { Target } from "../stacks/target.ts";

type Meanings = Readonly<Record<string, string>>;

const SETTINGS: Meanings = {
  SPYHOP_MODE: "which account: `demo` or `live`",
  CHAIN_ID: "id of the chain that the nodes must serve",
  INSTRUMENTS: "OKX swaps that are priced, biased and traded, separated by commas",
  BAR_SECONDS: "width of a candle, in seconds",
  HEAD_POLL_SECONDS: "seconds between looks at the head within its minute; 0 = one look a minute",
  EXPLORER_URL: "base of links to a block explorer; empty = no links",
  GIT_SHA: "the version, as reports and orders name it",
  VENUE: "`okx`, or `paper` for the paper venue",
  WARMUP_HOURS: "hours of candles that a new desk loads",
  GENERATED: "`true` where the input is generated: said wherever a figure is shown",
  INPUT_NAME: "what the input is called there",
  POLICY: "limits that differ from the defaults, as JSON: what `policy.toml` says",
  ARMING_KEY:
    "the public half of the key that signs armings (npm run arm -- --new-key FILE); without it live opens nothing",
  VERIFY: "how blocks far behind the head are proven: `full` or `linked` (docs/live.md)",
};
const ADDRESSES: Meanings = {
  DATABASE_URL: "`postgres://…`; wins over all else that names a database",
  DATABASE_SECRET_ID: "secret of an external database",
  DATABASE_HOST: "Aurora's proxy",
  DATABASE_PORT: "TCP port of that proxy",
  DATABASE_NAME: "Aurora's database",
  DATABASE_USER: "Aurora's role of the functions, which logs in with IAM tokens",
  SCHEMA_SECRET_ID: "secret of Aurora's owner, for migrations",
  SCHEMA_HOST: "Aurora's own endpoint, for migrations",
  ETH_RPC_URL: "Ethereum nodes, best first, separated by commas",
  RPC_SECRET_ID: "secret with the nodes instead",
  OKX_PUBLIC_URL: "where candles come from; OKX unless said",
  OKX_URL: "where orders go; OKX unless said",
  OKX_TD_MODE: "how OKX margins an order: `cross` or `isolated`",
  OKX_RATE_LIMIT: "`false` where OKX's limits do not hold: on doubles",
  EXCHANGE_SECRET_ID: "secret with the venue's key",
  CONTROL_SECRET_ID: "secret that is the control object: the kill switch outside of the database",
  RECORD_BUCKET: "bucket of the copy of the records; none unless said",
  RETRY_SECONDS: "seconds until a failed message comes again, by how often it failed",
  EVENT_BUS: "name of the event bus",
};
const TARGET: Meanings = {
  stage: "`dev`, `demo` or `live`",
  database: "`external` or `aurora`",
  region: "AWS region of everything but CloudFront's firewall",
  viewers: "who may see the API, as CIDR blocks",
  schedules: "`false` turns off the rules that follow the clock",
  alarmEmail: "where alarms are mailed to",
  firewall: "`waf`: AWS WAF; `function`: a function at CloudFront that knows the viewers alone",
  staticEgress: "requests to the exchange come from one address",
  budgetUsd: "dollars a month of the whole account, of which `alarmEmail` is told",
  logDays: "days that the API's and the firewall's logs of requests are kept",
  auditCopy: "`{ retentionDays }`: days for which nobody can remove a head of the records",
  settings: "variables of the functions, of the first table",
  gitSha: "the version; a deploy fills it in",
  originVersion: "version of the origin's secret; a deploy fills it in",
  emulator: "an emulator of AWS on this machine",
};
const SECRET: Meanings = {
  url: "`postgres://…`; may lead to a transaction pooler",
  directUrl: "the server itself, for migrations; `url` unless said",
  ca: "PEM of the authority that signed the server's certificate",
};
/** A field has no meaning here, or a meaning no field. */
class UndescribedError extends Error {
  override name = "UndescribedError";
}

/** Returns a row a field of a schema: name, what stands for it when it is left out, meaning. @throws UndescribedError */
function rowsOf(schema: z.ZodObject, meanings: Meanings): string[] {
  return Object.entries<z.ZodType>(schema.shape).map(([name, field]) => {
    const meaning = meanings[name];
    if (meaning === undefined) throw new UndescribedError(`scripts/configuration.ts says nothing of ${name}`);
    const left = field.safeParse(undefined);
    const standard = left.success ? (left.data === undefined ? "" : `\`${textOf(left.data)}\``) : "required";
    return `| \`${name}\` | ${standard} | ${meaning} |`;
  });
}

const textOf = (value: unknown): string =>
  Array.isArray(value) && value.length > 0 ? value.join(",") : JSON.stringify(value).replaceAll('"', "");
const table = (head: string, rows: readonly string[]): string[] => [
  `| ${head} | default | what it says |`,
  "| --- | --- | --- |",
  ...rows,
  "",
];

const { settings, ...needs } = schemas();
const addresses = [...new Set(Object.values(needs).flatMap((schema) => rowsOf(schema, ADDRESSES)))];
const policy = limitLines(POLICY).map(
  ({ name, standard, unit, meaning, source }) => `| \`${name}\` | \`${standard}\` | ${unit} | ${meaning} | ${source} |`,
);

process.stdout.write(
  `${[
    "# Configuration",
    "",
    "Written by `node scripts/configuration.ts > docs/configuration.md` from the schemas that read it; a test compares. What a",
    "command takes is in its `--help`. On a laptop the commands set the variables of the functions by themselves.",
    "",
    "## Variables of every function",
    "",
    ...table("variable", rowsOf(settings, SETTINGS)),
    "## Variables by need",
    "",
    "Read only by functions that need them; in the cloud the stacks set them. `QUEUE_URL_NAME` is the address of the queue NAME,",
    "`ORIGIN_SECRET_ID` the secret that CloudFront shows, `STAGE` the deployment's stage.",
    "",
    ...table("variable", addresses),
    "## Variables of commands",
    "",
    "| variable | commands | what it says |",
    "| --- | --- | --- |",
    "| `DATABASE_URL` | `start`, `live`, `migrate`, `status`, `explain`, `halt`, `reduce`, `resume`, `judge`, `redrive`, `audit`, `cloud-up` | a PostgreSQL server in place of the embedded database |",
    "| `AWS_ENDPOINT_URL` | `start`, `live`, `status`, `redrive` | an emulator of AWS in place of this process's queues and bus ([compose.md](compose.md)) |",
    "| `ETH_RPC_URL` | `live`, `record` | nodes, where `--rpc` is not given |",
    "| `TEST_DATABASE_URL`, `TEST_POOLER_URL`, `TEST_AWS_ENDPOINT_URL`, `TEST_S3_URL` | `test` | real servers for the tests that can use one |",
    "| `TEST_FIRST_HOUR` | `test` | 1 = the commands of [first-hour.md](first-hour.md) too, two minutes |",
    "| `SEED` | `test` | draws the same properties again |",
    "",
    "## Files",
    "",
    "| file | format | whose |",
    "| --- | --- | --- |",
    "| `stacks/targets/STAGE.json` | the table below | how a stage is deployed |",
    "| `policy.toml` | TOML: [the policy](#the-policy) | what differs from the default limits |",
    "| `--watchlist FILE` | CSV: `address,label,tags` ([recordings.md](recordings.md)) | whom to watch |",
    "| `--labels FILE` | CSV: `address,kind,name,source,date` | who is who |",
    "| a recording's folder | [recordings.md](recordings.md) | what `start` replays |",
    "| `.spyhop/` | database, queues, reports, logs | what the commands of this machine keep; delete it to start over |",
    "",
    "### A target, `stacks/targets/STAGE.json`",
    "",
    ...table("field", rowsOf(Target, TARGET)),
    "### The secret of an external database",
    "",
    ...table("field", rowsOf(DatabaseSecret, SECRET)),
    "The secrets of the nodes and of the venue are in the README, under Deploy.",
    "",
    "## The policy",
    "",
    "Every limit that a decision to trade depends on. `policy.toml` at the top of the repository says what differs, one a line, as",
    "`maxOrderUsd = 10000`; an unknown name, a value out of its range and two limits that contradict each other are refused. It counts",
    "for `npm start` on real blocks, for `npm run live` and for a deploy, which takes it to the functions (`npm run diff` shows it);",
    "`--policy FILE` names another one. `npm run policy` prints the limits in force and checks the file. Every decision keeps the whole",
    "policy with its hash, and each report says what differed. On generated input `packages/recording/sample/practice.toml` holds",
    "([decision 7](decisions/0007-practice-policy.md)).",
    "",
    "| limit | default | unit | what it says | source |",
    "| --- | --- | --- | --- | --- |",
    ...policy,
  ].join("\n")}\n`,
);
