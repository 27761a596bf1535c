import { type Arguments, type Command, runCommand } from "#host/cli";
import { POLICY_FILE, PRACTICE_FILE, readPolicy } from "#host/policy-file";
import { wrapped } from "#host/text-columns";
import { type LimitLine, limitLines, policyFrom, policyHash } from "#trading/plans/policy";

const command: Command = {
  usage: "npm run policy --",
  summary: "Prints every limit that the desk trades by, and checks the policy file.",
  options: {
    file: { value: "FILE", says: "the policy file", default: POLICY_FILE },
    practice: { says: "the policy of generated input instead" },
    json: { says: "print it as JSON" },
  },
  notes: [
    "A file says only what differs from the defaults: `maxOrderUsd = 10000`. It counts for `npm start` on real blocks,",
    "`npm run live` and a deploy. docs/configuration.md lists every limit.",
  ],
};

const WIDTH = 100;
const INDENT = 32;

/** Returns the lines of one limit; a star where it differs from the default. */
function shown({ name, value, standard, unit, meaning, source }: LimitLine): string[] {
  const differs = value !== standard;
  const first = `${differs ? "*" : " "} ${name.padEnd(22)} ${value.padStart(10)}  ${unit}`;
  const said = `${meaning}${differs ? `; default ${standard}` : ""} (${source})`;
  return [first, ...wrapped(said, WIDTH - INDENT).map((line) => " ".repeat(INDENT) + line)];
}

async function main(given: Arguments): Promise<void> {
  const file = given.flag("practice") ? PRACTICE_FILE : given.need("file");
  const policy = policyFrom(readPolicy(file));
  const [hash, limits] = [policyHash(policy), limitLines(policy)];
  if (given.flag("json")) return void process.stdout.write(`${JSON.stringify({ hash, limits }, null, 2)}\n`);
  const differ = limits.filter(({ value, standard }) => value !== standard).length;
  const head = `policy ${policy.version}, hash ${hash.slice(0, 12)}; ${differ} of ${limits.length} limits differ from the defaults`;
  process.stdout.write(`${[head, "", ...limits.flatMap(shown)].join("\n")}\n`);
}

await runCommand(command, main);
