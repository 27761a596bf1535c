import fc from "fast-check";
import { expect, test } from "vitest";
import { instant, instantOf } from "#units/time";
import { clientOrderId, type Intent } from "./client-order-id.ts";

const INTENT: Intent = {
  venue: "paper",
  mode: "demo",
  instrument: "ETH-USDT-SWAP",
  timeframe: "4h",
  biasAt: instantOf("2022-06-21T02:30:00.000Z"),
  leg: "plan",
};

test("an id fits the venue and begins with its mode", () => {
  const id = clientOrderId(INTENT);
  expect(id).toMatch(/^d[a-z2-7]{26}00$/);
  expect(clientOrderId({ ...INTENT, mode: "live" })).toMatch(/^l/);
  expect(clientOrderId(INTENT, 7)).toMatch(/07$/);
  expect(() => clientOrderId(INTENT, 100)).toThrow(RangeError);
});

test("the same intent has the same id, another has another", () => {
  const intents = fc.record<Intent>({
    venue: fc.constantFrom("paper", "okx"),
    mode: fc.constantFrom("demo", "live"),
    instrument: fc.constantFrom("ETH-USDT-SWAP", "BTC-USDT-SWAP"),
    timeframe: fc.constantFrom("1h", "4h", "24h"),
    biasAt: fc.integer({ min: 0, max: 1e9 }).map((s) => instant(s * 1000)),
    leg: fc.constantFrom("plan", "stop"),
  });
  fc.assert(
    fc.property(intents, intents, (a, b) => {
      const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
      expect(clientOrderId(a) === clientOrderId(b)).toBe(same);
    }),
  );
});
