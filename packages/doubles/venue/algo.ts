import * as z from "zod";
import { type Big, big, Decimal, text, ZERO } from "#units/decimal";
import { sha256 } from "#units/ids";
import { ceilTick, floorTick } from "./book.ts";

const ms = z.number().int();

const Leg = z.object({
  triggerPx: Decimal,
  triggerPxType: z.enum(["last", "mark", "index"]),
  /** "-1" is a market order. */
  ordPx: z.string(),
});
export type AlgoLeg = z.infer<typeof Leg>;

/** A stop or take-profit that waits for its price. Source: OKX v5, "Algo trading", whose names and states these are. */
export const PaperAlgo = z.object({
  algoId: z.string(),
  algoClOrdId: z.string(),
  instId: z.string(),
  side: z.enum(["buy", "sell"]),
  ordType: z.enum(["conditional", "oco"]),
  tdMode: z.string(),
  /** Empty when it closes the whole position, whatever that is at the trigger. */
  sz: z.union([Decimal, z.literal("")]),
  reduceOnly: z.boolean(),
  cxlOnClosePos: z.boolean(),
  sl: Leg.nullable(),
  tp: Leg.nullable(),
  /** The order that carried it; empty for one that was placed by itself. */
  parent: z.string().default(""),
  /** Where the trigger of its stop goes when the first take-profit of its parent has been triggered; empty where it stays. */
  costPx: z.union([Decimal, z.literal("")]).default(""),
  state: z.enum(["live", "effective", "canceled", "order_failed"]),
  failCode: z.string(),
  ordIdList: z.array(z.string()),
  actualSide: z.enum(["", "sl", "tp"]),
  actualSz: z.string(),
  actualPx: z.string(),
  /** When its child order reaches the book, and the last price that it finds there; null before the trigger. */
  due: z.object({ at: ms, last: Decimal }).nullable(),
  triggerTime: ms.nullable(),
  cTime: ms,
  uTime: ms,
});
export type PaperAlgo = z.infer<typeof PaperAlgo>;

/** The TP/SL that an order carries, made an algo order of its own when the order is filled completely. */
export const Attached = z.object({
  attachAlgoClOrdId: z.string(),
  /** Of a take-profit of a part; empty for the whole order. */
  sz: z.union([Decimal, z.literal("")]).default(""),
  sl: Leg.nullable(),
  tp: Leg.nullable(),
  /** Whether its stop goes to the entry's average price after the first take-profit. */
  isCostPrice: z.boolean().default(false),
});
export type Attached = z.infer<typeof Attached>;

interface Kept {
  readonly algos: PaperAlgo[];
  readonly positions: readonly { readonly instId: string; readonly contracts: Decimal }[];
}

interface Parent {
  readonly instId: string;
  readonly ordId: string;
  readonly side: "buy" | "sell";
  readonly tdMode: string;
  readonly sz: Decimal;
  readonly accFillSz: Decimal;
  /** Σ contracts × price. */
  readonly filledValue: Decimal;
  readonly state: string;
  readonly attached: readonly Attached[];
}

/** Returns an id of 19 digits that ascends with time and depends on `parts` alone. */
export const algoIdAt = (now: number, ...parts: readonly string[]): string =>
  `${now}${(Number.parseInt(sha256(["algo", ...parts].join(" ")).slice(0, 12), 16) % 1_000_000).toString().padStart(6, "0")}`;

/** Waits for its price, or for its child order to reach the book. */
export const isWaiting = ({ state }: PaperAlgo): boolean => state === "live";

/** What a new algo order has not had yet. */
export const untouched = (
  now: number,
): Omit<
  PaperAlgo,
  "algoId" | "algoClOrdId" | "instId" | "side" | "ordType" | "tdMode" | "sz" | "sl" | "tp" | "parent" | "costPx" | Flags
> => ({
  ...{ state: "live" as const, failCode: "", ordIdList: [], actualSide: "" as const, actualSz: "", actualPx: "" },
  ...{ due: null, triggerTime: null, cTime: now, uTime: now },
});
type Flags = "reduceOnly" | "cxlOnClosePos";

/** Ends a waiting algo order. `failCode` makes it failed, none makes it canceled. */
export function endAlgo(algo: PaperAlgo, now: number, failCode = ""): void {
  algo.state = failCode === "" ? "canceled" : "order_failed";
  algo.failCode = failCode;
  algo.due = null;
  algo.uTime = now;
}

/**
 * Does what a fill of `order` brings about: its attached TP/SL when it is filled completely, and the end of what was to go
 * with a position that is closed now. An attached TP/SL is not reduce-only: it outlives an offsetting close and may then
 * open, which is the worst that users of OKX in net mode report. Source: python-okx, issue 112.
 */
export function afterFill(kept: Kept, order: Parent, before: Decimal, now: number, tick: Big): void {
  const held = big(kept.positions.find(({ instId }) => instId === order.instId)?.contracts ?? ZERO);
  const isClosed = !big(before).eq(0) && (held.eq(0) || held.gt(0) !== big(before).gt(0));
  for (const algo of kept.algos)
    if (isClosed && algo.cxlOnClosePos && algo.instId === order.instId && isWaiting(algo)) endAlgo(algo, now);
  if (order.state !== "filled") return;
  const cost = costOf(order, tick);
  for (const [nth, { attachAlgoClOrdId, sz, sl, tp, isCostPrice }] of order.attached.entries()) {
    kept.algos.push({
      ...{
        algoId: algoIdAt(now, order.ordId, attachAlgoClOrdId, ...(nth === 0 ? [] : [String(nth)])),
        algoClOrdId: attachAlgoClOrdId,
        instId: order.instId,
      },
      ...{
        side: order.side === "buy" ? "sell" : "buy",
        ordType: sl && tp ? "oco" : "conditional",
        tdMode: order.tdMode,
      },
      ...{ sz: sz === "" ? order.sz : sz, reduceOnly: false, cxlOnClosePos: false, sl, tp, ...untouched(now) },
      ...{ parent: order.ordId, costPx: isCostPrice ? cost : "" },
    });
  }
}

/** Returns the average price of an order on the tick, toward its profit: a stop there loses no tick of what it cost. */
function costOf({ side, accFillSz, filledValue }: Parent, tick: Big): Decimal {
  const average = big(filledValue).div(accFillSz);
  return text(side === "buy" ? ceilTick(average, tick) : floorTick(average, tick));
}

/**
 * Does what the trigger of `algo` brings about for the stop that its order carried beside it: it goes to what the position cost
 * when the first take-profit is triggered, if it is a cost-price stop that still waits. Source: OKX v5, amendPxOnTriggerType.
 */
export function afterTrigger({ algos }: Pick<Kept, "algos">, algo: PaperAlgo, now: number): void {
  if (algo.parent === "" || algo.actualSide !== "tp") return;
  const siblings = algos.filter((other) => other !== algo && other.parent === algo.parent);
  if (siblings.some(({ actualSide, state }) => actualSide === "tp" && state === "effective")) return;
  for (const other of siblings)
    if (isWaiting(other) && other.due === null && other.sl !== null && other.costPx !== "")
      Object.assign(other, { sl: { ...other.sl, triggerPx: other.costPx }, uTime: now });
}

const legFields = (name: "sl" | "tp", leg: AlgoLeg | null) => ({
  [`${name}TriggerPx`]: leg?.triggerPx ?? "",
  [`${name}TriggerPxType`]: leg?.triggerPxType ?? "",
  [`${name}OrdPx`]: leg?.ordPx ?? "",
});

/** Returns it as OKX's trade/order-algo gives it. */
export function algoRow(algo: PaperAlgo, lever: string): Readonly<Record<string, unknown>> {
  const { algoId, algoClOrdId, instId, side, ordType, tdMode, sz, state, failCode, ordIdList } = algo;
  return {
    ...{ instType: "SWAP", instId, algoId, algoClOrdId, clOrdId: "", ordId: ordIdList.at(-1) ?? "", ordIdList },
    ...{ side, posSide: "net", ordType, tdMode, sz, closeFraction: sz === "" ? "1" : "", lever, tag: "", ccy: "" },
    ...{ state, failCode, reduceOnly: String(algo.reduceOnly), cxlOnClosePos: String(algo.cxlOnClosePos) },
    ...legFields("sl", algo.sl),
    ...legFields("tp", algo.tp),
    ...{ actualSide: algo.actualSide, actualSz: algo.actualSz, actualPx: algo.actualPx, ordPx: "", triggerPx: "" },
    ...{ triggerPxType: "", triggerTime: algo.triggerTime === null ? "" : String(algo.triggerTime), tgtCcy: "" },
    ...{ amendPxOnTriggerType: algo.costPx === "" ? "0" : "1" },
    ...{ last: "", tpOrdKind: "condition", attachAlgoOrds: [], isTradeBorrowMode: "", quickMgnType: "" },
    ...{ cTime: String(algo.cTime), uTime: String(algo.uTime) },
  };
}

/** Returns the trigger of the leg that is reached at these prices, the stop before the take-profit; null for none. */
export function reachedLeg(
  { side, sl, tp }: PaperAlgo,
  prices: Readonly<Record<AlgoLeg["triggerPxType"], Parameters<typeof big>[0]>>,
): "sl" | "tp" | null {
  const closesLong = side === "sell";
  const passed = (leg: AlgoLeg | null, falls: boolean): boolean => {
    if (leg === null) return false;
    const now = big(prices[leg.triggerPxType]);
    return falls ? now.lte(leg.triggerPx) : now.gte(leg.triggerPx);
  };
  if (passed(sl, closesLong)) return "sl";
  return passed(tp, !closesLong) ? "tp" : null;
}
