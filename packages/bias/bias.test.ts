import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf } from "#units/ids";
import { HORIZONS, instant, millis } from "#units/time";
import { type BiasInput, biasOf, freshnessOf, normalMass } from "./bias.ts";
import { countsSince, decayOf } from "./decay.ts";
import { capsOf, ENTITY_CAP, type Term } from "./term.ts";

const NOW = Date.UTC(2024, 0, 10);
const AT = instant(NOW);
const K = 0.25;

const anyTerm = fc.record({
  wallet: fc.integer({ min: 0, max: 6 }),
  age: fc.integer({ min: 0, max: 40_000 }),
  d: fc.constantFrom(-1, -0.35, 0, 0.25, 1),
  w: fc.double({ min: 0, max: 1, noNaN: true }),
  channel: fc.constantFrom("swap", "asset_to_exchange"),
});
const anyTerms = fc.array(anyTerm, { maxLength: 60 }).map((list) =>
  list.map(
    ({ wallet, age, ...rest }, i): Term => ({
      eventId: idOf("event", i),
      walletId: idOf("wallet", wallet),
      at: instant(NOW - age * 1000),
      credibility: 6,
      ...rest,
    }),
  ),
);
const anyTimeframe = fc.constantFrom(...HORIZONS);
const input = (terms: readonly Term[], over: Partial<BiasInput> = {}): BiasInput => ({
  timeframe: "1h",
  at: AT,
  terms,
  k: K,
  freshness: 1,
  coverage: 1,
  ...over,
});

test("no events give 0 and no confidence", () => {
  const { value, confidence, components } = biasOf(input([]));
  expect([value, confidence, components.n, components.rest.contribution]).toEqual([0, 0, 0, 0]);
});

test("|bias| < 1, and the confidence is in [0, 1]", () => {
  fc.assert(
    fc.property(anyTerms, anyTimeframe, fc.double({ min: 1e-6, max: 5, noNaN: true }), (terms, timeframe, k) => {
      const { value, confidence } = biasOf(input(terms, { timeframe, k }));
      expect(Math.abs(value)).toBeLessThan(1);
      expect(confidence >= 0 && confidence <= 1).toBe(true);
    }),
  );
});

test("turning every direction round turns the sign, and nothing else", () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const [there, back] = [biasOf(input(terms)), biasOf(input(terms.map((term) => ({ ...term, d: -term.d }))))];
      expect(back.value + 0).toBe(-there.value + 0);
      expect(back.confidence).toBe(there.confidence);
    }),
  );
});

test("what is stored sums to the value, channels sum to A and B, and order never shows", () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const bias = biasOf(input(terms));
      const { contributions, rest, channels, A, B } = bias.components;
      expect(contributions.length).toBeLessThanOrEqual(20);
      expect(contributions.length + rest.n).toBe(terms.length);
      expect(contributions.reduce((sum, term) => sum + term.contribution, rest.contribution)).toBeCloseTo(
        bias.value,
        8,
      );
      if (rest.n === 0) expect(Math.abs(rest.contribution)).toBeLessThan(6e-7);
      expect(Object.values(channels).reduce((sum, c) => sum + c.A, 0)).toBeCloseTo(A, 7);
      expect(Object.values(channels).reduce((sum, c) => sum + c.B, 0)).toBeCloseTo(B, 7);
      expect(biasOf(input([...terms].reverse()))).toEqual(bias);
    }),
  );
});

test("one wallet holds at most 35 % of B + K", () => {
  const masses = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.double({ min: 0, max: 50, noNaN: true }), {
    maxKeys: 8,
  });
  fc.assert(
    fc.property(masses, fc.double({ min: 0.05, max: 5, noNaN: true }), (record, k) => {
      const map = new Map(Object.entries(record));
      const caps = capsOf(map, k);
      const held = [...map].map(([id, mass]) => mass * (caps.get(id) ?? Number.NaN));
      const b = held.reduce((sum, mass) => sum + mass, 0);
      for (const [i, mass] of held.entries()) {
        expect(mass).toBeLessThanOrEqual(ENTITY_CAP * (b + k) * (1 + 1e-9));
        // A cap is never tighter than it must be.
        const cap = caps.get([...map.keys()][i] ?? "") ?? 1;
        if (cap < 1) expect(mass).toBeCloseTo(ENTITY_CAP * (b + k), 9);
      }
    }),
  );
});

test("a lone wallet cannot move the bias beyond its cap", () => {
  const terms = Array.from(
    { length: 30 },
    (_, i): Term => ({
      eventId: idOf("event", i),
      walletId: idOf("wallet", "w"),
      at: AT,
      channel: "swap",
      d: 1,
      w: 1,
      credibility: 10,
    }),
  );
  expect(biasOf(input(terms)).value).toBe(0.35);
});

test("half-lives are 30 minutes, 2 hours and 12 hours", () => {
  const after = (seconds: number) => instant(NOW + seconds * 1000);
  expect(decayOf("1h", AT, after(1800))).toBeCloseTo(0.5, 12);
  expect(decayOf("4h", AT, after(7200))).toBeCloseTo(0.5, 12);
  expect(decayOf("24h", AT, after(43_200))).toBeCloseTo(0.5, 12);
  expect(() => decayOf("1h", after(1), AT)).toThrow(RangeError);
  expect(NOW - millis(countsSince("1h", AT))).toBe(36_000_000);
});

test("K is the median of busy windows, or a default", () => {
  expect(normalMass([])).toBe(0.25);
  expect(normalMass(Array(11).fill(3))).toBe(0.25);
  expect(normalMass([...Array(6).fill(1), ...Array(7).fill(3), 0, 0.001])).toBe(3);
  expect(normalMass([...Array(6).fill(1), ...Array(6).fill(3)])).toBe(2);
  expect(normalMass(Array(20).fill(0.02))).toBe(0.05);
});

test("a lagging chain lowers confidence", () => {
  expect(freshnessOf("1h", null, AT)).toBe(0);
  expect(freshnessOf("1h", instant(NOW - 12_000), AT)).toBe(1);
  expect(freshnessOf("1h", instant(NOW - 1_860_000), AT)).toBeCloseTo(0.5, 12);
  const terms: Term[] = [
    {
      eventId: idOf("event", "e"),
      walletId: idOf("wallet", "w"),
      at: AT,
      channel: "swap",
      d: 1,
      w: 0.5,
      credibility: 7,
    },
  ];
  expect(biasOf(input(terms, { freshness: 0.5 })).confidence).toBeLessThan(biasOf(input(terms)).confidence);
});
