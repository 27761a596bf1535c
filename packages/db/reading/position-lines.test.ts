import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#testing/database";
import { END, START, writeDeskRows } from "#testing/desk-rows";
import { POLICY } from "#trading/plans/policy";
import type { VenueFill } from "#trading/venue";
import { big, decimalOf, text } from "#units/decimal";
import { instant, millis } from "#units/time";
import { orderFills, positions, protections } from "../schema.ts";
import { listedInstruments } from "../trading/instruments.ts";
import { sqlStore } from "../trading/store.ts";
import { positionLines } from "./position-lines.ts";

const ACCOUNT = { mode: "demo", venue: "paper" } as const;
const ETH = "ETH-USDT-SWAP";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await writeDeskRows(database.db);
  await database.db.delete(positions); // a row that came from no fill
});
afterAll(() => database.close());

const RUN = { account: ACCOUNT, by: "reconcile-orders", policy: POLICY, barSeconds: 60 } as const;

/** Books fills, and values the position at 1,150. */
const booked = async (fills: readonly VenueFill[]) => {
  const [listed = null] = await listedInstruments(database.db, [ETH]);
  const seen = { instrument: ETH, listed, fills, feePrices: [], since: null, orderIds: [] };
  const worth = { mark: decimalOf("1150"), equity: decimalOf("10000") };
  const stays = () => ({ steps: [], impossible: false });
  await sqlStore(database.db).book({ ...RUN, at: END }, { ...seen, ...worth }, stays);
};

/** Books a fill of the desk's own order, `minute` after the start. */
const fill = (minute: number, side: "buy" | "sell", size: string, price: string) =>
  booked([
    {
      ...{ instrument: ETH, tradeId: `m${minute}`, clientOrderId: "filled", venueOrderId: "v1", side },
      ...{ filledAt: instant(millis(START) + minute * 60_000), size: decimalOf(size), price: decimalOf(price) },
      ...{ fee: decimalOf("0.2"), feeAsset: "USDT", liquidity: "taker" },
    },
  ]);

const rebuild = () => booked([]);

test("a position that was reduced and grown again shows all that was traded, the peak, and a net that its parts add up to", async () => {
  await fill(40, "sell", "4", "1130");
  await fill(41, "buy", "6", "1140");
  await rebuild();
  const [open] = await positionLines(database.db, POLICY, sql`p.closed_at IS NULL`);
  expect(open).toMatchObject({ size: "1.4", tradedSize: "1.8", peakSize: "1.4", feesUsd: "1.08", fundingUsd: "0" });
  await fill(42, "sell", "14", "1150");
  await rebuild();
  const [closed] = await positionLines(database.db, POLICY, sql`p.closed_at IS NOT NULL`);
  // 0.1 × (4 × 1,130 + 14 × 1,150 − 12 × 1,127.4 − 6 × 1,140) = 25.12, less 0.68 + 3 × 0.20.
  expect(closed).toMatchObject({ tradedSize: "1.8", peakSize: "1.4", realizedUsd: "25.12", netUsd: "23.84" });
  const { entryPrice, exitPrice, tradedSize } = closed ?? {};
  const byHand = big(exitPrice ?? 0)
    .minus(entryPrice ?? 0)
    .times(tradedSize ?? 0);
  expect(text(byHand.round(8))).toBe("25.12");
});

test("a position whose fills are gone says nothing of what was traded", async () => {
  await database.db.delete(orderFills);
  const [closed] = await positionLines(database.db, POLICY, sql`p.closed_at IS NOT NULL`);
  expect(closed).toMatchObject({ size: "1.4", tradedSize: null, peakSize: null, netUsd: "23.84" });
});

test("an open position shows the stop and the legs that wait for it, and for how long it had none; no other row of protections", async () => {
  await fill(50, "buy", "5", "1150");
  await rebuild();
  const open = async () =>
    (await positionLines(database.db, POLICY, sql`p.closed_at IS NULL`)).map(({ atVenue }) => atVenue);
  expect(await open()).toEqual([null]);
  const at = (seconds: number) => instant(millis(START) + 50 * 60_000 + seconds * 1000);
  const row = {
    tradingMode: "demo",
    exchange: "paper",
    instrument: ETH,
    kind: "stop",
    side: "sell",
    trigger: decimalOf("1100"),
    exposedAt: at(0),
    wantedAt: at(1),
  } as const;
  const live = { ...row, status: "live", liveAt: at(1.5) } as const;
  await database.db.insert(protections).values([
    { ...live, stopId: "waits", algoId: "1" },
    { ...row, stopId: "sent", status: "sending" },
    { ...live, stopId: "leg", kind: "tp", trigger: decimalOf("1190"), size: decimalOf("2") },
    { ...row, stopId: "leg sent", kind: "tp", size: decimalOf("2"), status: "sending" },
    { ...live, stopId: "over", status: "canceled", endedAt: at(9) },
    { ...live, stopId: "elsewhere", exchange: "okx" },
  ]);
  // (1,100 − 1,150) × 0.5, less 5 bps of 550; the mark is the entry.
  const figures = { contracts: "5", size: "0.5", awayPercent: "4.3", netUsd: "-25.28" };
  expect(await open()).toEqual([{ trigger: "1100", liveAt: at(1.5), unprotectedSeconds: 1.5, ...figures }]);
  const [line] = await positionLines(database.db, POLICY, sql`p.closed_at IS NULL`);
  expect(line).toMatchObject({
    ...{ uncovered: "0", legs: [{ trigger: "1190", contracts: "2", size: "0.2", awayPercent: "3.5", netUsd: "7.88" }] },
  });
  await fill(51, "sell", "5", "1150");
  await rebuild();
  expect(
    (await positionLines(database.db, POLICY, sql`p.contracts = 0`)).every(({ atVenue }) => atVenue === null),
  ).toBe(true);
});
