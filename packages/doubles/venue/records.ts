import * as z from "zod";
import { type Big, big, Decimal, fixed, text, ZERO } from "#units/decimal";
import { sha256 } from "#units/ids";
import type { Cause } from "./ledger.ts";

const ms = z.number().int();

/** A position from flat to flat, or to now, as account/positions-history sums it up. */
export const PaperRecord = z.object({
  instId: z.string(),
  mgnMode: z.enum(["cross", "isolated"]),
  direction: z.enum(["long", "short"]),
  lever: Decimal,
  cTime: ms,
  uTime: ms,
  isOpen: z.boolean(),
  /** The most contracts held at once. */
  most: Decimal,
  /** Contracts ever opened and closed, and Σ contracts × price of each. */
  opened: Decimal,
  openedValue: Decimal,
  closed: Decimal,
  closedValue: Decimal,
  /** In USDT; negative = paid. */
  pnl: Decimal,
  fee: Decimal,
  funding: Decimal,
  penalty: Decimal,
  /** OKX's number for how it was closed last; empty while none of it was. */
  type: z.string(),
  /** The mark at its liquidation; empty for any other end. */
  triggerPx: z.union([Decimal, z.literal("")]),
});
export type PaperRecord = z.infer<typeof PaperRecord>;

/** One execution, as far as it is about the position before it. */
export interface Execution {
  readonly instId: string;
  readonly mgnMode: PaperRecord["mgnMode"];
  readonly lever: Decimal;
  /** Held before it, signed. */
  readonly held: Big;
  readonly signed: Big;
  readonly price: Big;
  readonly pnl: Big;
  /** In USDT; nothing where another currency paid it. */
  readonly fee: Big;
  readonly cause: Cause;
  readonly now: number;
}

interface Kept {
  readonly records: PaperRecord[];
}

const PLACES = 18;
const LIQUIDATIONS: readonly Cause[] = ["liquidation", "partial_liquidation"];

/** OKX's number for an end by `cause` that leaves some of the position, or nothing. Source: OKX v5, "Get positions history". */
function typeOf(cause: Cause, leaves: boolean): string {
  if (LIQUIDATIONS.includes(cause)) return leaves ? "4" : "3";
  if (cause === "adl") return leaves ? "5" : "6";
  return leaves ? "1" : "2";
}

/** Returns the record of what is held of an instrument; undefined when nothing is, or it was held before there were records. */
export const openRecord = ({ records }: Kept, instId: string): PaperRecord | undefined =>
  records.findLast((record) => record.instId === instId && record.isOpen);

const plus = (a: Decimal, b: Big): Decimal => text(big(a).plus(b));

function close(record: PaperRecord, { held, price, pnl, cause, now }: Execution, size: Big, fee: Big): void {
  const leaves = size.lt(held.abs());
  Object.assign(record, {
    ...{ closed: plus(record.closed, size), closedValue: plus(record.closedValue, size.times(price)) },
    ...{ pnl: plus(record.pnl, pnl), fee: plus(record.fee, fee), uTime: now, isOpen: leaves },
    type: typeOf(cause, leaves),
  });
}

function open(kept: Kept, execution: Execution, size: Big, fee: Big): void {
  const { instId, mgnMode, lever, held, signed, price, now } = execution;
  const isAdded = !held.eq(0) && held.gt(0) === signed.gt(0);
  let record = isAdded ? openRecord(kept, instId) : undefined;
  if (isAdded && record === undefined) return; // held before there were records
  if (record === undefined) {
    record = {
      ...{ instId, mgnMode, lever, direction: signed.gt(0) ? "long" : "short", cTime: now, uTime: now, isOpen: true },
      ...{ most: ZERO, opened: ZERO, openedValue: ZERO, closed: ZERO, closedValue: ZERO },
      ...{ pnl: ZERO, fee: ZERO, funding: ZERO, penalty: ZERO, type: "", triggerPx: "" },
    };
    kept.records.push(record);
  }
  const after = isAdded ? held.abs().plus(size) : size;
  Object.assign(record, {
    ...{ opened: plus(record.opened, size), openedValue: plus(record.openedValue, size.times(price)), lever },
    ...{ most: after.gt(record.most) ? text(after) : record.most, fee: plus(record.fee, fee), uTime: now },
  });
}

/** Keeps what an execution did to the position, and of one that crosses zero to both; its fee is divided by their sizes. */
export function keepExecution(kept: Kept, execution: Execution): void {
  const { instId, held, signed, fee } = execution;
  const size = signed.abs();
  const isClosing = !held.eq(0) && held.gt(0) !== signed.gt(0);
  const closing = !isClosing ? big(0) : size.lt(held.abs()) ? size : held.abs();
  const part = closing.eq(size) ? fee : big(fixed(fee.times(closing).div(size), PLACES));
  const record = isClosing ? openRecord(kept, instId) : undefined;
  if (record !== undefined) close(record, execution, closing, part);
  if (closing.lt(size)) open(kept, execution, size.minus(closing), fee.minus(part));
}

/** OKX gives a position of the same instrument and mode the id that it had before. */
export const positionIdOf = (instId: string, mgnMode: PaperRecord["mgnMode"]): string =>
  String(10n ** 18n + BigInt(`0x${sha256(`position ${instId} ${mgnMode}`).slice(0, 14)}`));

/** Returns it as OKX's account/positions-history gives it. */
export function recordRow(record: PaperRecord, contractSize: Big): Readonly<Record<string, string>> {
  const { instId, mgnMode, direction, lever, opened, closed, pnl, fee, funding, penalty, type } = record;
  const average = (value: Decimal, size: Decimal) => text(fixed(big(value).div(size), PLACES));
  const realized = big(pnl).plus(fee).plus(funding).plus(penalty);
  const margin = big(record.openedValue).times(contractSize).div(lever);
  return {
    ...{ instType: "SWAP", instId, mgnMode, type, cTime: String(record.cTime), uTime: String(record.uTime) },
    ...{ openAvgPx: average(record.openedValue, opened), closeAvgPx: average(record.closedValue, closed) },
    ...{ posId: positionIdOf(instId, mgnMode), openMaxPos: record.most, closeTotalPos: closed },
    ...{ realizedPnl: text(realized), pnlRatio: text(fixed(realized.div(margin), 8)), settledPnl: "" },
    ...{ pnl, fee, fundingFee: funding, liqPenalty: penalty, posSide: "net", lever, direction },
    ...{ triggerPx: record.triggerPx, uly: instId.replace(/-SWAP$/, ""), ccy: "USDT", nonSettleAvgPx: "" },
  };
}
