import { big, type Decimal, floorTo, text } from "#units/decimal";
import type { Side } from "../venue.ts";
import { isNearer } from "./protect.ts";
import type { Protection } from "./protection.ts";

/** What is held of an instrument though no order of the desk's set a stop for it: adopted, by hand, or lost from the books. */
export interface Adopted {
  readonly instrument: string;
  readonly tickSize: Decimal;
  /** Of the stop: it sells what is long. */
  readonly side: Side;
  /** Null = not known: then no distance is measured from it. */
  readonly mark: Decimal | null;
  /** From the mark, as a share of it. */
  readonly distance: Decimal;
  /** Of any instrument. */
  readonly known: readonly Protection[];
}

/**
 * Returns where the stop of an adopted position is to be: where one that has not ended already is, the nearest to profit; else
 * at `distance` from the mark, on the tick that is nearer. It is measured once, and does not follow the mark. Null without both.
 */
export function adoptedStop({ instrument, tickSize, side, mark, distance, known }: Adopted): Decimal | null {
  const [kept, ...others] = known.filter(
    (row) => row.kind === "stop" && row.instrument === instrument && row.side === side && row.endedAt === null,
  );
  if (kept !== undefined)
    return others.reduce((best, { trigger }) => (isNearer(side, trigger, best) ? trigger : best), kept.trigger);
  if (mark === null) return null;
  const raw = big(mark).times(side === "sell" ? big(1).minus(distance) : big(1).plus(distance));
  const down = floorTo(raw, tickSize);
  return text(side === "sell" && !down.eq(raw) ? down.plus(tickSize) : down);
}
