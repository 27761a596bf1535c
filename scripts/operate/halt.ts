import { type Arguments, runCommand, UsageError } from "#host/cli";
import { haltHard } from "#operations/hard-halt";
import { carryOutSwitch, type SwitchOrder, switchCommand, switchOrderOf } from "#operations/kill-switch";
import { boardOf } from "#operations/site";
import { haltAtVenue } from "#operations/venue-halt";
import { VENUE_NOTES, VENUE_OPTIONS, venueOf } from "#operations/venue-keys";
import { okxExchange } from "#runtime/okx/exchange";

const command = switchCommand(
  "halt",
  "Halts trading: no order leaves any more but a stop that closes a position. It never asks.",
  {
    hard: { says: "of a stage: first stop Lambda from taking plans and orders, which needs no database" },
    venue: { says: "by the venue's keys alone, without database and functions: cancels our orders, leaves stops" },
    flatten: { says: "with --venue: close every position of the account, reduce-only at market" },
    ...VENUE_OPTIONS,
  },
  [
    'Example: npm run halt -- --stage live --reason "the venue misprices BTC"',
    'When nothing else answers: npm run halt -- --venue --stage live --reason "the database is gone"',
    ...VENUE_NOTES,
    "npm run reduce or npm run resume loosens it; after --hard comes npm run resume -- --hard first.",
  ],
);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Two looks are this far apart. */
const LOOK_PAUSE_MS = 2000;

async function byKeys(given: Arguments, { options, reason, actor }: SwitchOrder): Promise<void> {
  const { stage, directory } = options;
  if (given.flag("hard")) throw new UsageError("--hard and --venue are two commands: give one after the other");
  const venue = await venueOf(given, stage);
  const board = boardOf(options, venue.mode);
  if (board === null) throw new UsageError("--venue wants --stage or --directory: where the control object is");
  const name = stage === undefined ? `the desk in ${directory}` : `stage ${stage}`;
  const who = { name, reason, actor: await actor() };
  const exchange = okxExchange(venue);
  await haltAtVenue({ ...who, exchange, board, flatten: given.flag("flatten"), pauseMs: LOOK_PAUSE_MS, say });
}

async function main(given: Arguments): Promise<void> {
  const order = switchOrderOf(given);
  const { stage } = order.options;
  if (given.flag("venue")) return byKeys(given, order);
  if (given.flag("flatten")) throw new UsageError("--flatten is for --venue");
  if (!given.flag("hard")) return say(await carryOutSwitch(order, { to: "HALTED", confirmed: true, mappings: null }));
  if (stage === undefined) throw new UsageError("--hard is for a stage; a desk of this machine is ended by Ctrl-C");
  const setSwitch = () => carryOutSwitch(order, { to: "HALTED", confirmed: true, mappings: "disabled" });
  await haltHard(stage, setSwitch, say);
}

await runCommand(command, main);
