import { POLICY } from "#trading/plans/policy";
import type { Exchange, VenueFill, VenueOrder, VenuePosition, VenueStop } from "#trading/venue";
import { big, type Decimal, decimalOf, text } from "#units/decimal";
import { instant } from "#units/time";

/** What everything costs there. */
export const PRICE = decimalOf("50");

/**
 * Returns a venue of one page, in this process, that fills what is told to it, at one price. `exchange` is its port: a test
 * replaces what it wants answered otherwise.
 */
export function handVenue(now: () => number) {
  const orders = new Map<string, VenueOrder>();
  const fills: VenueFill[] = [];
  const held = new Map<string, VenuePosition>();
  let count = 0;
  const trade = (instrument: string, signed: Decimal, clientOrderId: string | null): VenueFill => {
    const contracts = text(big(held.get(instrument)?.contracts ?? 0).plus(signed));
    const side = big(signed).gt(0) ? ("buy" as const) : ("sell" as const);
    const size = text(big(signed).abs());
    count += 1;
    const made: VenueFill = {
      ...{ tradeId: String(count), venueOrderId: `v${count}`, clientOrderId, instrument, side, size, price: PRICE },
      ...{ fee: decimalOf("0.01"), feeAsset: "USDT", liquidity: "taker", filledAt: instant(now()) },
    };
    fills.push(made);
    const worth = { averagePrice: PRICE, markPrice: PRICE, unrealizedPnl: decimalOf("0") };
    if (contracts === "0") held.delete(instrument);
    else held.set(instrument, { instrument, contracts, ...worth, updatedAt: made.filledAt });
    if (clientOrderId !== null) {
      const order = {
        clientOrderId,
        venueOrderId: made.venueOrderId,
        instrument,
        side,
        state: "filled" as const,
        size,
      };
      orders.set(clientOrderId, { ...order, filledSize: size, averagePrice: PRICE, updatedAt: made.filledAt });
    }
    return made;
  };
  const stops: VenueStop[] = [];
  const exchange: Exchange = {
    venue: "paper",
    now: async () => instant(now()),
    assertions: async () => [],
    submit: async () => ({ kind: "unknown", reason: "a venue by hand takes none" }),
    cancel: async () => false,
    order: async (_, clientOrderId) => orders.get(clientOrderId) ?? null,
    openOrders: async () => [],
    placeStop: async ({ stopId, instrument, side, trigger }) => {
      const whole = { isWhole: true, size: null, isReduceOnly: true, isMarket: true, triggerBy: "mark" } as const;
      stops.push({ ...whole, algoId: `a${stops.length}`, stopId, instrument, side, trigger, placedAt: instant(now()) });
      return { kind: "accepted" };
    },
    placeTakeProfit: async () => ({ kind: "unknown", code: null, reason: "a venue by hand takes none" }),
    resizeStop: async () => ({ kind: "unknown", code: null, reason: "a venue by hand takes none" }),
    moveStop: async () => ({ kind: "unknown", code: null, reason: "a venue by hand takes none" }),
    cancelStop: async (_, algoId) => {
      const [ended] = stops.splice(
        stops.findIndex((stop) => stop.algoId === algoId),
        1,
      );
      return ended === undefined ? { kind: "gone", code: null, reason: "there is none" } : { kind: "accepted" };
    },
    stops: async () => stops,
    stopFate: async () => null,
    takeProfits: async () => [],
    stopLimit: async () => null,
    marketLimit: async () => null,
    fills: async (since) => fills.filter((fill) => fill.filledAt >= since),
    fillsOf: async (_, venueOrderId) => fills.filter((fill) => fill.venueOrderId === venueOrderId),
    positions: async () => [...held.values()],
    balance: async () => ({ equity: decimalOf("1000"), cash: decimalOf("1000"), available: decimalOf("900") }),
    bills: async () => [],
    listing: async () => null,
    quote: async (instrument) => ({ instrument, bid: PRICE, ask: PRICE, mark: PRICE, at: instant(now()) }),
    indexPrice: async () => null,
    priceLimit: async () => null,
    leverage: async () => POLICY.venueLeverage,
    setLeverage: async () => false,
  };
  return { exchange, trade, fills, held, orders, stops };
}
