import { type Arguments, runCommand } from "#host/cli";
import { carryOutSwitch, switchCommand, switchOrderOf } from "#operations/kill-switch";

const command = switchCommand(
  "reduce",
  "Lets out only what makes a position smaller. Of a desk that is halted this loosens, as npm run resume does.",
  { yes: { says: "in live, where the desk is halted: you mean it" } },
  ['Example: npm run reduce -- --stage live --reason "fewer positions over the weekend"'],
);

async function main(given: Arguments): Promise<void> {
  const order = switchOrderOf(given);
  const said = await carryOutSwitch(order, { to: "REDUCING", confirmed: given.flag("yes"), mappings: null });
  process.stdout.write(`${said}\n`);
}

await runCommand(command, main);
