import type { Decimal } from "#units/decimal";
import type { Instant } from "#units/time";

/** One change of the account's balance. Ids ascend in the order in which the venue wrote them. */
export interface Bill {
  readonly billId: string;
  /** OKX's words; what they mean is `billKind`'s. */
  readonly type: string;
  readonly subType: string;
  /** The currency that changed. */
  readonly asset: string;
  /** Null where it is about none, as a transfer. */
  readonly instrument: string | null;
  readonly at: Instant;
  /** Signed. */
  readonly change: Decimal;
  /** What it left of the currency. */
  readonly balance: Decimal;
  /** The part of it that is a result; of a funding fee its amount. */
  readonly pnl: Decimal;
  /** The part of it that is a fee: positive when paid, as a fill's. */
  readonly fee: Decimal;
  readonly venueOrderId: string | null;
  readonly tradeId: string | null;
}

/** What moved a balance. `unknown` = the venue has a subtype that this list lacks: it is kept, counted, and an alarm. */
export const BILL_KINDS = [
  ...(["trade", "liquidation", "adl", "clawback", "delivery", "moved", "funding", "transfer"] as const),
  ...(["margin", "convert", "interest", "unknown"] as const),
] as const;
export type BillKind = (typeof BILL_KINDS)[number];

/**
 * OKX's subtypes by what they mean, each a number of its own whatever the type of the bill.
 * Source: OKX v5, "Get bills details" and `account/subtypes`, as of 2026-06-27.
 */
const SUBTYPES: readonly (readonly [kind: BillKind, subTypes: readonly number[]])[] = [
  ["trade", [1, 2, 3, 4, 5, 6]],
  ["interest", [9]],
  ["transfer", [11, 12]],
  ["convert", [27, 28, 30, 118, 119]],
  ["liquidation", [100, 101, 102, 103, 104, 105, 106, 107, 109, 110, 111]],
  ["clawback", [108, 117]],
  ["delivery", [112, 113]],
  ["adl", [125, 126, 127, 128]],
  ["margin", [160, 161, 162]],
  ["funding", [173, 174]],
  ["moved", [324, 325, 326, 327, 328, 329]],
];
const KIND_OF: ReadonlyMap<string, BillKind> = new Map(
  SUBTYPES.flatMap(([kind, list]) => list.map((subType) => [String(subType), kind] as const)),
);

/** Returns what a bill of that subtype is. */
export const billKind = (subType: string): BillKind => KIND_OF.get(subType) ?? "unknown";
