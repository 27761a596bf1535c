import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf } from "#units/ids";
import { HORIZONS, instant, millis } from "#units/time";
import { type BiasInput, biasOf, Explanation, freshnessOf, normalMass } from "./bias.ts";
import { countsSince, decayOf } from "./decay.ts";
import { capsOf, ENTITY_CAP, type Term } from "./term.ts";

/** Options that make a subarray hold all of `list`, in another order. */
const FULL = (list: readonly unknown[]) => ({ minLength: list.length, maxLength: list.length });
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
// Of any length up to 60, where fast-check by itself would rarely go past ten.
const anyTerms = fc.array(anyTerm, { maxLength: 60, size: "max" }).map((list) =>
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
      expect(Object.keys(channels)).toEqual(Object.keys(channels).toSorted());
    }),
  );
});

test("order does not show in the last bit either, where weights are so far apart that sums forget", () => {
  const weights = fc.array(fc.constantFrom(1, 3, 2 ** 53), { minLength: 3, maxLength: 12, size: "max" });
  fc.assert(
    fc.property(
      weights.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray([...list.keys()], FULL(list)))),
      ([list, order]) => {
        const terms = list.map(
          (w, i): Term => ({
            ...{ eventId: idOf("event", i), walletId: idOf("wallet", i), at: AT, channel: "swap" },
            ...{ d: 1, w, credibility: null },
          }),
        );
        expect(biasOf(input(order.flatMap((i) => terms[i] ?? [])))).toEqual(biasOf(input(terms)));
      },
    ),
    { numRuns: 300 },
  );
});

test("the twenty largest are told, by magnitude and then by event; the rest is summed", () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      const { contributions, rest } = biasOf(input(terms)).components;
      expect(contributions.length).toBe(Math.min(20, terms.length));
      expect(rest.n).toBe(terms.length - contributions.length);
      for (const [i, next] of contributions.slice(1).entries()) {
        const one = contributions[i] ?? next;
        const [size, then] = [Math.abs(one.contribution), Math.abs(next.contribution)];
        expect(size).toBeGreaterThanOrEqual(then);
        if (size === then) expect(one.event_id < next.event_id).toBe(true);
      }
    }),
  );
});

test("what is stored of a bias explains it: each mass is w · cap · δ, each wallet is capped, and the confidence follows", () => {
  const few = anyTerms.map((terms) => terms.slice(0, 20));
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(few, anyTimeframe, share, share, (terms, timeframe, freshness, coverage) => {
      const { confidence, components } = biasOf(input(terms, { timeframe, freshness, coverage }));
      const { A, B, Q, nEff, uncapped, contributions } = components;
      const scale = B + K;
      const byWallet = new Map<string, { mass: number; cap: number }>();
      for (const { wallet_id: id, w, cap, delta, d, contribution } of contributions) {
        expect(cap > 0 && cap <= 1).toBe(true);
        expect(contribution).toBeCloseTo((w * cap * delta * d) / scale, 7);
        byWallet.set(id, { mass: (byWallet.get(id)?.mass ?? 0) + w * cap * delta, cap });
      }
      for (const { mass, cap } of byWallet.values()) {
        expect(mass).toBeLessThanOrEqual(ENTITY_CAP * scale + 1e-6);
        if (cap < 1) expect(mass).toBeCloseTo(ENTITY_CAP * scale, 6);
      }
      const sum = (of: (one: (typeof contributions)[number]) => number) =>
        contributions.reduce((total, one) => total + of(one), 0);
      expect(A).toBeCloseTo(
        sum(({ w, cap, delta, d }) => w * cap * delta * d),
        7,
      );
      expect(B).toBeCloseTo(
        sum(({ w, cap, delta }) => w * cap * delta),
        7,
      );
      expect(Q).toBeCloseTo(
        sum(({ w, cap, delta }) => (w * cap * delta) ** 2),
        7,
      );
      expect(uncapped).toBeCloseTo(
        sum(({ w, delta }) => w * delta),
        7,
      );
      if (Q > 1e-4) expect(nEff / (B ** 2 / Q)).toBeCloseTo(1, 3);
      const sure = (B / scale) * (nEff / (nEff + 5)) * freshness * coverage;
      expect(Math.abs(confidence - sure)).toBeLessThan(0.000_51);
    }),
  );
});

test("a bias by hand", () => {
  // Two wallets of one half-life ago: masses 0.4 and 0.1, and B + K = 0.75. The cap of 0.35 · (B + K) binds the first:
  // x = 0.35 · (x + 0.1 + 0.25), so x = 0.188461538.
  const term = (name: string, w: number, d: number): Term => ({
    ...{ eventId: idOf("event", name), walletId: idOf("wallet", name), at: instant(NOW - 1_800_000) },
    ...{ channel: "swap", d, w, credibility: 6.5 },
  });
  const { value, confidence, components } = biasOf(input([term("a", 0.8, 1), term("b", 0.2, -1)], { coverage: 0.5 }));
  // A = 0.088461538, B = 0.288461538: A / (B + 0.25) = 0.164286. B² / Q = 1.828; 0.535714 · 1.828/6.828 · 0.5 = 0.072.
  expect({ value, confidence }).toEqual({ value: 0.164286, confidence: 0.072 });
  expect(components).toMatchObject({ A: 0.088461538, B: 0.288461538, uncapped: 0.5, n: 2, model_version: "bias-1" });
  expect(components.contributions.map(({ cap, contribution }) => [cap, contribution])).toEqual([
    [0.471153846, 0.35],
    [1, -0.185714286],
  ]);
});

test("a stored explanation is read with what its readers need, and not when a part is missing", () => {
  const { components } = biasOf(
    input(fc.sample(anyTerms, { seed: 7, numRuns: 20 }).find(({ length }) => length > 3) ?? []),
  );
  const { n, contributions } = components;
  expect(contributions.length).toBeGreaterThan(3);
  expect(Explanation.parse(JSON.parse(JSON.stringify(components)))).toEqual({
    n,
    contributions: contributions.map(({ event_id, wallet_id, contribution, credibility }) => ({
      ...{ event_id, wallet_id, contribution, credibility },
    })),
  });
  expect(Explanation.safeParse({ n }).success).toBe(false);
  expect(Explanation.safeParse({ n, contributions: [{ ...contributions[0], credibility: "6" }] }).success).toBe(false);
  expect(Explanation.safeParse({ n: 0.5, contributions: [] }).success).toBe(false);
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
        const factor = caps.get([...map.keys()][i] ?? "") ?? Number.NaN;
        expect(factor > 0 && factor <= 1).toBe(true);
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
  expect(() => decayOf("1h", after(1), AT)).toThrow(new RangeError(`decay backwards: ${after(1)} to ${AT}`));
  expect(NOW - millis(countsSince("1h", AT))).toBe(36_000_000);
});

test("K is the median of busy windows, or a default", () => {
  expect(normalMass([])).toBe(0.25);
  expect(normalMass(Array(11).fill(3))).toBe(0.25);
  expect(normalMass([...Array(6).fill(1), ...Array(7).fill(3), 0, 0.001])).toBe(3);
  expect(normalMass([...Array(6).fill(1), ...Array(6).fill(3)])).toBe(2);
  expect(normalMass(Array(20).fill(0.02))).toBe(0.05);
});

test("K has as many busy windows above it as below, in whatever order they come; a window of 0.01 is busy", () => {
  const busy = fc.array(fc.double({ min: 0.05, max: 40, noNaN: true }), { minLength: 12, maxLength: 40, size: "max" });
  fc.assert(
    fc.property(busy, fc.array(fc.double({ min: 0, max: 0.0099, noNaN: true })), (windows, quiet) => {
      const k = normalMass([...windows, ...quiet]);
      const [below, above] = [windows.filter((b) => b < k - 1e-9), windows.filter((b) => b > k + 1e-9)];
      expect(Math.max(below.length, above.length)).toBeLessThanOrEqual(windows.length / 2);
      expect(normalMass([...quiet, ...windows].reverse())).toBe(k);
    }),
  );
  expect(normalMass([...Array(11).fill(3), 0.01])).toBe(3);
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
