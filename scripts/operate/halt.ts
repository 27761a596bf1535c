import { type Arguments, runCommand, UsageError } from "#host/cli";
import { haltHard } from "#operations/hard-halt";
import { carryOutSwitch, switchCommand, switchOrderOf } from "#operations/kill-switch";

const command = switchCommand(
  "halt",
  "Halts trading: no order leaves any more but a stop that closes a position. It never asks.",
  { hard: { says: "of a stage: first stop Lambda from taking plans and orders, which needs no database" } },
  [
    'Example: npm run halt -- --stage live --reason "the venue misprices BTC"',
    "npm run reduce or npm run resume loosens it; after --hard comes npm run resume -- --hard first.",
  ],
);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(given: Arguments): Promise<void> {
  const order = switchOrderOf(given);
  const { stage } = order.options;
  if (!given.flag("hard")) return say(await carryOutSwitch(order, { to: "HALTED", confirmed: true, mappings: null }));
  if (stage === undefined) throw new UsageError("--hard is for a stage; a desk of this machine is ended by Ctrl-C");
  const setSwitch = () => carryOutSwitch(order, { to: "HALTED", confirmed: true, mappings: "disabled" });
  await haltHard(stage, setSwitch, say);
}

await runCommand(command, main);
