import { afterAll, beforeAll, expect, test } from "vitest";
import { seedCursor } from "#db/chain/blocks";
import { watchWallets } from "#db/chain/wallets";
import { drizzleOf } from "#db/drizzle";
import { explained } from "#db/reading/explanation";
import { latestReport } from "#db/reading/reports";
import { verifyRecords } from "#db/records";
import { auditLogs, bias, eventRefs, orders, positions } from "#db/schema";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { Laptop } from "#local/laptop";
import { recordedCandles } from "#recording/candle-source";
import { explainText } from "#reporting/explain-text";
import { type LogLine, useSink } from "#runtime/log";
import { send } from "#runtime/send";
import { provide } from "#runtime/services";
import { chainNode, tinyChain } from "#testing/chain/chain-node";
import { NOBODY, tinyContent, WHALE } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { resultOf } from "#testing/order-steps";
import { PRACTICE } from "#testing/practice";
import { REPLIES } from "#topology/operations";
import type { ScheduleName } from "#topology/schedules";
import { policyOf } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";

// From a block to a report through every queue on the way, on whichever database the tests run: in CI also on a server
// behind a transaction pooler. Only the bias is given, so that there is something to trade within minutes.
const START = Date.parse("2023-11-14T23:50:00.000Z");
const INSTRUMENT = "ETH-USDT-SWAP";
const BARS = 24 * 60;
const clock = virtualClock(START);
let venue: PaperVenue;
let desk: Laptop;
const lines: LogLine[] = [];

/** Generated bars of a minute around 2,000, from twenty hours before the start to four after it. */
const bars = Array.from({ length: BARS }, (_, i) => {
  const [open, close] = i % 2 === 0 ? [2000, 2003] : [2003, 2000];
  const row = {
    open: decimalOf(String(open)),
    high: decimalOf("2003"),
    low: decimalOf("2000"),
    close: decimalOf(String(close)),
    volume: decimalOf("100000"),
  };
  return { openedAt: instant(START - 20 * 3_600_000 + i * 60_000), ...row };
});

async function run(...names: readonly ScheduleName[]): Promise<void> {
  for (const name of names) {
    await desk.runSchedule(name, instant(clock.now()));
    await desk.drain();
  }
}
const pass = (minutes: number): void => clock.set(clock.now() + minutes * 60_000);

beforeAll(async () => {
  useSink((line) => void lines.push(line));
  const content = tinyContent();
  const source = recordedCandles({
    manifest: content.manifest,
    instruments: content.instruments,
    candles: () => bars,
  });
  venue = await paperVenue({ clock, source, key: paperKey });
  const env = {
    ...{ SPYHOP_MODE: "demo", INSTRUMENTS: INSTRUMENT, BAR_SECONDS: "60", HEAD_POLL_SECONDS: "0", GENERATED: "true" },
    QUEUE_DELAYS: "none",
    POLICY: JSON.stringify(PRACTICE),
    ...{ VENUE: "paper", OKX_URL: venue.url, OKX_PUBLIC_URL: venue.url, OKX_RATE_LIMIT: "false", WARMUP_HOURS: "20" },
    EXCHANGE_SECRET_ID: SECRET_ID,
  };
  desk = await testDesk({ env, secrets: new Map([[SECRET_ID, paperSecret()]]) });
  const chain = tinyChain(START / 1000, 5);
  provide(
    "rpc",
    chainNode(() => chain),
  );
  const db = drizzleOf(desk.database.db);
  await watchWallets(db, "ethereum", [{ address: WHALE, label: "Whale", tags: [] }], instant(START));
  await seedCursor(db, "ethereum", { number: 0, hash: NOBODY });
});
afterAll(async () => {
  useSink(null);
  await desk.close();
  await venue.close();
});

test("blocks become events, a bias an order, the order a position, and all of it a report", async () => {
  const db = drizzleOf(desk.database.db);
  await run("maintain-storage", "sync-prices", "reconcile-orders");
  pass(2);
  await run("watch-head", "sync-prices", "settle-outcomes", "refresh-biases", "reconcile-orders");
  const [event] = await db.select().from(eventRefs);
  if (!event) throw new Error("nothing was ingested");
  expect(await db.$count(eventRefs)).toBe(10);

  pass(1);
  const at = instant(clock.now());
  const term = { event_id: event.id, wallet_id: event.walletId, contribution: 0.6, credibility: 9 };
  const leaning = {
    timestamp: at,
    asset: "ETH",
    timeframe: "1h",
    value: decimalOf("0.6"),
    confidence: decimalOf("0.9"),
  } as const;
  await db.insert(bias).values({ ...leaning, components: { n: 1, contributions: [term] } });
  await run("sync-prices");
  await send("plans", [{ lane: `demo:${INSTRUMENT}`, mode: "demo", asset: "ETH", instrument: INSTRUMENT, at }]);
  await desk.drain();
  pass(1);
  await run("sync-prices", "reconcile-orders");
  expect(await db.select().from(orders)).toMatchObject([{ status: "filled", side: "buy", signalEventId: event.id }]);
  const [{ id: orderId, stopLoss } = {}] = await db.select().from(orders);
  expect(lines.filter((line) => line.orderId !== undefined)).toMatchObject([
    {
      level: "info",
      message: expect.stringMatching(/^order (open|filled)$/),
      orderId,
      instrument: INSTRUMENT,
      side: "buy",
    },
  ]);
  expect(await db.select().from(positions)).toMatchObject([{ side: "long", closedAt: null }]);
  expect(venue.state().orders).toHaveLength(1);

  const told = REPLIES.explain.parse(
    JSON.parse(
      JSON.stringify(await explained(desk.database.db, orderId?.slice(0, 8) ?? "", policyOf({ policy: PRACTICE }))),
    ),
  );
  if (!told.found) throw new Error(told.why);
  const { explanation } = told;
  expect(resultOf(explanation.steps ?? [])).toBe(explanation.order.size);
  expect(explanation.text).toMatch(/^OPEN long ETH 0 → [\d,.]+ ct \(.* ETH, 0 → [\d,]+ USD\) · 23:53:00 · filled /);
  expect(explanation.whyText).toMatch(
    /^signal \+0\.540 above enter 0\.12 \(1h bias \+0\.60, .* · policy 1-practice [0-9a-f]{12} · /,
  );
  expect(explanation.events.map(({ event, by }) => [event, by])).toEqual([
    ["proposed", "plan-order"],
    ["approved", "plan-order"],
    ["claimed", "submit-order"],
    ["accepted", "submit-order"],
    ["filled", "reconcile-orders"],
  ]);
  expect(explanation.limits.length).toBeGreaterThan(10);
  expect([explanation.stop.before, explanation.stop.after?.price]).toEqual([null, stopLoss]);
  const text = explainText(explanation);
  for (const part of [
    "Decision",
    "may hold: ",
    "trade risk · ",
    " → 1,9",
    "edge off",
    "request: one POST",
    "reply: accepted as ",
  ])
    expect(text).toContain(part);
  expect(text).not.toMatch(/undefined|NaN|null|\[object/);

  clock.set(Date.parse("2023-11-15T00:00:00.000Z"));
  await run("build-report");
  const stored = await latestReport(db);
  expect(stored?.markdown).toContain(INSTRUMENT.split("-")[0]);
  expect(stored?.report.scope.end).toBe("2023-11-15T00:00:00.000Z");
  const facts = (await db.select().from(auditLogs)).map(({ action }) => action);
  expect(facts.toSorted()).toEqual(["order.closed", "report.built"]);
  const { faults, head } = await verifyRecords(db, instant(clock.now() + 6 * 24 * 3_600_000), []);
  expect(faults).toEqual([]);
  expect(head).toMatchObject({ audit: { rows: 2 }, orders: { events: 5 } });
  expect(desk.deadLetters()).toEqual([]);
});
