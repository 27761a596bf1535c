import * as z from "zod";
import { big, type Decimal, text } from "#units/decimal";
import type { OrderId } from "#units/ids";
import type { Instant } from "#units/time";
import { type Fill, type FillCause, once, signed, totalOf } from "./fill.ts";

/** What a change of exposure is called, everywhere. Source: docs/glossary.md#act */
export const ACTS = ["open", "add", "cut", "close", "flip", "stop", "take-profit", "liquidated", "external"] as const;
export const Act = z.enum(ACTS);
export type Act = z.infer<typeof Act>;

/** Signed contracts held before a change and after it. */
export interface Change {
  readonly before: Decimal;
  readonly after: Decimal;
}

/** What made a change: an order of the desk, by its type; or a fill that is of no order in the books, by its cause. */
export type Maker = { readonly type: string } | { readonly cause: FillCause };

/**
 * Returns what a change is called. What made it goes first: a stop is a stop, however much it closes. `liquidated` is the
 * venue's liquidation; whatever else is of no order of the desk is `external`.
 * @throws RangeError when nothing changes
 */
export function actOf({ before, after }: Change, maker: Maker): Act {
  const [was, is] = [big(before), big(after)];
  if (was.eq(is)) throw new RangeError(`nothing changes: ${before} contracts before and after`);
  if ("cause" in maker) return maker.cause === "liquidation" ? "liquidated" : "external";
  if (maker.type === "stop") return "stop";
  if (maker.type === "take_profit") return "take-profit";
  if (was.eq(0)) return "open";
  if (is.eq(0)) return "close";
  if (was.gt(0) !== is.gt(0)) return "flip";
  return is.abs().gt(was.abs()) ? "add" : "cut";
}

/** A fill that counts in a position, and why where it is of no order in the books. */
export interface Counted extends Fill {
  readonly cause: FillCause | null;
}

/** What one order did to what is held, or one fill of no order. */
export interface Step extends Change {
  /** Null = of no order in the books. */
  readonly orderId: OrderId | null;
  readonly cause: FillCause | null;
  /** Of its first fill. */
  readonly at: Instant;
  /** Unsigned contracts, the average price, and the fees, as costs. */
  readonly total: ReturnType<typeof totalOf>;
}

/**
 * Returns what each order, and each fill of none, did to what is held in one instrument, by first fill. `before` is what was
 * held at that fill, and `after` is `before` with all its fills: another order's between them counts in its own step.
 * Nothing is held before the first of `fills`; replayed ones count once, and the order given never shows.
 */
export function stepsOf<F extends Counted>(fills: readonly F[]): Step[] {
  const byStep = new Map<string, { readonly before: Decimal; readonly fills: Counted[] }>();
  let held = big(0);
  for (const fill of once(fills) as F[]) {
    const key = fill.orderId ?? `fill ${fill.tradeId}`;
    const step = byStep.get(key) ?? { before: text(held), fills: [] };
    step.fills.push(fill);
    byStep.set(key, step);
    held = held.plus(signed(fill));
  }
  return [...byStep.values()].flatMap(({ before, fills: own }) => {
    const [first] = own;
    if (first === undefined) return [];
    const after = own.reduce((sum, fill) => sum.plus(signed(fill)), big(before));
    const { orderId, cause, filledAt: at } = first;
    return { orderId, cause, at, before, after: text(after), total: totalOf(own) };
  });
}
