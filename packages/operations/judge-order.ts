import type { Ruling } from "#trading/orders/ruling";
import type { Instant } from "#units/time";
import { RefusedError } from "./kill-switch.ts";
import type { Books } from "./site.ts";

/** What a person found at the venue. */
export interface Found {
  /** The order's id, or its client order id. */
  readonly order: string;
  readonly ruling: Ruling;
  readonly actor: string;
  readonly reason: string;
  readonly at: Instant;
}

const NEXT: Readonly<Record<Ruling, string>> = {
  found: "The reconciler asks the venue for it each minute and takes what it shows: open, filled or canceled.",
  "not-there": "Nothing more is expected of it. Its instrument, and the risk that it reserved, are free.",
};

/** Decides an order in doubt, in the audit log too, and returns what a person reads of it. @throws RefusedError */
export async function judgeOrder({ name, ask }: Books, found: Found): Promise<string> {
  const reply = await ask({ act: "judge", ...found });
  if (!reply.done) throw new RefusedError(`${name}: ${found.order}: ${reply.why}`);
  const { mode, side, size, instrument, status, clientOrderId } = reply.order;
  return [
    `${name}: the ${mode} order ${clientOrderId} (${side} ${size} ${instrument}) is ${status}, it was ${reply.before}`,
    `by ${found.actor}: ${found.reason}`,
    NEXT[found.ruling],
    "",
  ].join("\n");
}
