import { setTimeout as pause } from "node:timers/promises";
import { type Arguments, type Command, InterruptedError, runCommand, UsageError } from "#host/cli";
import { POLICY_FILE, readPolicy } from "#host/policy-file";
import type { Finding } from "#operations/exchange-check/check";
import { checkExchange, type ExchangeChecked, needsPerson } from "#operations/exchange-check/run";
import { findingText, summaryText } from "#operations/exchange-check/text";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "#operations/person";
import { type Books, openBooks } from "#operations/site";
import { SITE_OPTIONS, siteOf } from "#operations/site-options";
import { VENUE_NOTES, VENUE_OPTIONS, venueOf } from "#operations/venue-keys";
import { policyFrom } from "#trading/plans/policy";
import { instant } from "#units/time";

const command: Command = {
  usage: "npm run exchange --",
  summary:
    "Checks an account at the venue as the desk uses it: key, mode, leverage, clock; in demo what orders do too.",
  options: {
    check: { says: "ask; without --orders nothing is sent that changes anything" },
    orders: { says: "in demo: also post orders of the least size, and take them away again" },
    instrument: { value: "ID", says: "the swap to ask about", default: "ETH-USDT-SWAP" },
    policy: { value: "FILE", says: "limits that differ; default policy.toml" },
    json: { says: "print what was found as JSON; progress goes to standard error" },
    ...SITE_OPTIONS,
    ...VENUE_OPTIONS,
    ...PERSON_OPTIONS,
    reason: { value: "TEXT", says: "why, for the audit log; must be given with --orders where a desk is named" },
  },
  notes: [
    "Example: npm run exchange -- --check --keys demo-keys.json --orders",
    "It posts no order where something is held, rests or waits in the instrument. Stop a desk that trades the account first:",
    "it would take what the check does for somebody's hand. docs/runbook.md lists the answers to expect.",
    ...VENUE_NOTES,
    ...PERSON_NOTES,
    "Exit code 1 when something that the desk goes by is not as it assumes, is not known, or was left at the venue.",
  ],
};

/** Something that the desk goes by is not as it assumes; what, was printed before. */
class ExchangeDiffersError extends Error {
  override name = "ExchangeDiffersError";
  constructor() {
    super("this account is not yet as the desk assumes, see above");
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Writes the act to the audit log of the desk that was named. */
async function note(books: Books, checked: ExchangeChecked, reason: string, actor: string): Promise<void> {
  const differs = checked.findings.filter(({ verdict }) => verdict === "differs").map(({ name }) => name);
  const words = [
    `${checked.host}, ${checked.instrument}: ${checked.findings.length} checks with orders`,
    `differs: ${differs.join(", ") || "nothing"}`,
    ...(checked.left.length === 0 ? [] : [`left: ${checked.left.join(", ")}`]),
    ...(checked.interrupted ? ["interrupted"] : []),
  ];
  const act = {
    act: "note",
    mode: books.mode,
    what: "exchange.checked",
    result: words.join("; ").slice(0, 1000),
  } as const;
  await books.ask({ ...act, actor, reason, at: instant(Date.now()) });
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  if (!given.flag("check")) throw new UsageError("say --check: it is all that this command does");
  const options = siteOf(given);
  const isDesk = options.stage !== undefined || options.directory !== undefined;
  const orders = given.flag("orders");
  const reason = orders && isDesk ? reasonOf(given) : null;
  const policy = policyFrom(readPolicy(given.text("policy") ?? POLICY_FILE));
  const venue = await venueOf(given, options.stage, policy);
  const books = reason === null ? null : await openBooks(options); // before an order is sent: what cannot be kept is not done
  try {
    const json = given.flag("json");
    const tell = (finding: Finding): void =>
      json ? void process.stderr.write(`${finding.name}: ${finding.verdict}\n`) : say(findingText(finding));
    const checked = await checkExchange({
      ...{ venue, policy, instrument: given.need("instrument"), orders, signal, tell },
      pause: (ms) => pause(ms, undefined, { signal }).catch(() => undefined), // aborted: the next question says so
    });
    say(json ? JSON.stringify(checked, null, 2) : summaryText(checked));
    if (books !== null) await note(books, checked, reason ?? "", await actorOf(given, options.stage));
    else if (orders && !json) say("No desk was named: no audit log has it.");
    if (checked.interrupted)
      throw new InterruptedError(checked.left.length === 0 ? "nothing is left at the venue" : "see what is LEFT above");
    if (needsPerson(checked)) throw new ExchangeDiffersError();
  } finally {
    await books?.close();
  }
}

await runCommand(command, main);
