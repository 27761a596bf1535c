import { type Arming, armingEpoch } from "#trading/arming";
import type { Decimal } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import type { ArmingKey } from "./arming-key.ts";
import type { Books } from "./site.ts";

/** What a person arms a desk with. */
export interface ArmOrder {
  readonly key: ArmingKey;
  readonly account: string;
  readonly venue: string;
  readonly hours: number;
  readonly maxNotionalUsd: Decimal;
  readonly maxDailyLossUsd: Decimal;
  readonly actor: string;
  readonly reason: string;
  readonly at: Instant;
}

/** The desk did not take the arming, or cannot be armed. Nothing was changed. */
export class NotArmedError extends Error {
  override name = "NotArmedError";
  constructor(name: string, why: string) {
    super(`${name} was not armed: ${why}`);
  }
}

/**
 * Signs an arming for the desk as it is, has the desk keep it, and returns what a person reads of it. While the desk trades it
 * is for the epoch that the kill switch is in; else for the next one, which the resume makes.
 * @throws NotArmedError with the desk's own reason
 */
export async function armDesk({ name, mode, ask }: Books, order: ArmOrder): Promise<string> {
  if (mode !== "live") throw new NotArmedError(name, `it trades in ${mode}, which needs no arming`);
  const look = await ask({ act: "look" });
  const control = look.modes.find((one) => one.mode === mode)?.control;
  if (control === undefined || look.policyHash === null)
    throw new NotArmedError(name, "it does not say its kill switch and its policy: is it of an older release?");
  const { key, hours, account, venue, maxNotionalUsd, maxDailyLossUsd, actor, reason, at } = order;
  const arming: Arming = {
    ...{ format: "spyhop-arming/1", mode, venue, account, policyHash: look.policyHash },
    epoch: armingEpoch(control),
    ...{ maxNotionalUsd, maxDailyLossUsd, notBefore: at, notAfter: instant(millis(at) + hours * 3_600_000) },
  };
  const reply = await ask({ act: "arm", mode, arming: key.sign(arming), actor, reason, at });
  if (!reply.done) throw new NotArmedError(name, reply.why);
  const next =
    control.state === "ACTIVE"
      ? "It trades on."
      : `It is ${control.state}: npm run resume lets it trade. Any other change of the kill switch ends this arming.`;
  return [
    `${name} is armed until ${arming.notAfter} for account ${account}, in epoch ${arming.epoch}`,
    `at most ${maxNotionalUsd} USD of positions and ${maxDailyLossUsd} USD of loss a day, under policy ${look.policyHash.slice(0, 12)}`,
    `by ${actor}: ${reason}`,
    next,
  ].join("\n");
}

/** Takes back the arming of a desk, and returns what a person reads of it. */
export async function disarmDesk(
  { name, mode, ask }: Books,
  by: Pick<ArmOrder, "actor" | "reason" | "at">,
): Promise<string> {
  const { actor, reason, at } = by;
  await ask({ act: "arm", mode, arming: null, actor, reason, at });
  return `${name}: ${mode} is not armed any more. It opens nothing from now on; what makes a position smaller goes.`;
}
