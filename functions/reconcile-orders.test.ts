import { afterAll, beforeAll, expect, test } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { auditLogs } from "#db/schema";
import { paperKey, paperSecret, SECRET_ID } from "#doubles/venue/key";
import { type PaperVenue, paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import type { Laptop } from "#local/laptop";
import { recordedCandles } from "#recording/candle-source";
import { type LogLine, useSink } from "#runtime/log";
import { provide, services } from "#runtime/services";
import { tinyContent } from "#testing/chain/tiny-recording";
import { testDesk } from "#testing/desk";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";

const clock = virtualClock(Date.parse("2023-11-15T00:30:00.000Z")); // past an hour's first minute: a first run alone asserts
const lines: LogLine[] = [];
let venue: PaperVenue;
let desk: Laptop;

beforeAll(async () => {
  useSink((line) => void lines.push(line));
  const { manifest, instruments } = tinyContent();
  const price = decimalOf("2000");
  const bar = { open: price, high: price, low: price, close: price, volume: decimalOf("100000") };
  const candles = Array.from({ length: 60 }, (_, i) => ({
    openedAt: instant(clock.now() + (i - 30) * 60_000),
    ...bar,
  }));
  const source = recordedCandles({ manifest, instruments, candles: () => candles });
  venue = await paperVenue({ clock, source, key: paperKey });
  const env = {
    ...{ SPYHOP_MODE: "demo", INSTRUMENTS: "ETH-USDT-SWAP", BAR_SECONDS: "60", EXCHANGE_SECRET_ID: SECRET_ID },
    ...{ VENUE: "paper", OKX_URL: venue.url, OKX_PUBLIC_URL: venue.url, OKX_RATE_LIMIT: "false" },
  };
  desk = await testDesk({ env, secrets: new Map([[SECRET_ID, paperSecret()]]) });
});
afterAll(async () => {
  useSink(null);
  provide("exchange", null);
  await desk.close();
  await venue.close();
});

test("a halt by keys alone is taken over and told though the venue's assertions fail, and the failure is told too", async () => {
  const { exchange, control } = await services(["exchange", "control"]);
  provide("exchange", { ...exchange, assertions: () => Promise.reject(new Error("no reply from account/config")) });
  const halt = { state: "HALTED", reason: "by keys alone", actor: "a person" } as const;
  const written = await control.write({
    ...halt,
    ...{ mode: "demo", epoch: 0, changedAt: instant(clock.now()), booked: false },
  });
  expect(written).toBeNull();

  await expect(desk.runSchedule("reconcile-orders", instant(clock.now()))).rejects.toThrow("assertions");
  await desk.drain();

  const told = await drizzleOf(desk.database.db).select().from(auditLogs);
  expect(told.map(({ action }) => action)).toContain("trading.changed");
  expect(JSON.stringify(told)).toContain("by keys alone");
  const failed = lines.filter(({ level }) => level === "error").map((line) => JSON.stringify(line));
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatch(/PartsFailed.*assertions.*no reply from account\/config/);
});
