import type { Drizzle } from "#db/drizzle";
import * as s from "#db/schema";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant, instantOf, millis } from "#units/time";
import { ETH_SWAP } from "./instruments.ts";

/** Generated orders of one instrument, with their fills, for tests of what reads them. Nothing here happened. */
export const START = instantOf("2026-01-02T03:00:00.000Z");
export const LANE = { tradingMode: "demo", exchange: "paper", instrument: ETH_SWAP.id } as const;
export const minute = (n: number): Instant => instant(millis(START) + n * 60_000);

/** Returns a snapshot of a decision at a signal, with contracts held, under the policy of a hash. */
export const snapshotWith = (signal: number, held: string, hash: string) => ({
  ...{ bias: { value: 0.4, confidence: 0.7, components: { model_version: "bias-1" } }, credibility: 7, codes: [] },
  policy: { version: "own", enter: 0.25, exit: 0.1, takerFeeBps: "5", exitSlippageBps: "10", maxOrderUsd: "25000" },
  sizing: { s: signal, held, bounds: { risk: "12" } },
  ...{ quote: { bid: "1119", ask: "1121", mark: "1120" }, policy_hash: hash },
  trigger: { crossed: "enter", value: signal, threshold: 0.25 },
});

interface Wanted {
  /** Minutes after `START`; its fills follow a second apart. */
  readonly at: number;
  readonly side: "buy" | "sell";
  readonly size: string;
  readonly fills?: readonly (readonly [size: string, price: string])[];
  readonly type?: "ioc" | "market" | "stop";
  readonly stopLoss?: string;
  readonly biasAt?: Instant;
  readonly policySnapshot?: object | null;
}

export interface LaneWriter {
  /** Writes an order, filled as far as it has fills, at 1,122 on average; without any it is denied. */
  readonly order: (name: string, wanted: Wanted) => Promise<void>;
  /** Writes a fill of somebody's hand. */
  readonly external: (at: number, side: "buy" | "sell", size: string) => Promise<void>;
}

/** Lists the instrument, and returns what writes orders of it. */
export async function laneWriter(db: Drizzle): Promise<LaneWriter> {
  await db.insert(s.instruments).values({ ...ETH_SWAP, source: "test", updatedAt: START });
  const order: LaneWriter["order"] = async (name, { at, side, size, fills = [], type = "ioc", ...rest }) => {
    const filled = fills.reduce((sum, [part]) => sum + Number(part), 0);
    await db.insert(s.orders).values({
      ...{ ...LANE, id: idOf("order", name), clientOrderId: name, asset: "ETH", side, orderType: type },
      ...{ size: decimalOf(size), price: decimalOf("1120"), decidedAt: minute(at), updatedAt: minute(at) },
      ...{ policySnapshot: rest.policySnapshot ?? null, biasAt: rest.biasAt ?? null },
      ...{ status: filled > 0 ? "filled" : "denied", filledSize: decimalOf(String(filled)) },
      ...(rest.stopLoss === undefined ? {} : { stopLoss: decimalOf(rest.stopLoss) }),
      ...(filled > 0 ? { avgFillPrice: decimalOf("1122"), exchangeOrderId: `venue-${name}` } : {}),
    });
    if (fills.length === 0) return;
    await db.insert(s.orderFills).values(
      fills.map(([part, price], n) => ({
        ...{ ...LANE, exchangeTradeId: `${name}${n}`, orderId: idOf("order", name), side },
        ...{ filledAt: instant(millis(minute(at)) + 1000 * (n + 1)), size: decimalOf(part), price: decimalOf(price) },
        ...{ fee: decimalOf("0.1"), feeAsset: "USDT", liquidity: "taker" as const },
      })),
    );
  };
  const external: LaneWriter["external"] = async (at, side, size) => {
    await db.insert(s.orderFills).values({
      ...{ ...LANE, exchangeTradeId: `hand${at}`, orderId: null, cause: "hand", side, filledAt: minute(at) },
      ...{ size: decimalOf(size), price: decimalOf("1120"), fee: decimalOf("0"), feeAsset: "USDT", liquidity: "taker" },
    });
  };
  return { order, external };
}
