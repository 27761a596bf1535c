import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { table, wrapped } from "#host/text-columns";
import { GENERATED_NOTICE } from "#reporting/markdown";
import { biasWith, eventWith, orderWith, reportWith, SCOPE, scoredWith, walletNamed } from "#testing/report";
import { instantOf } from "#units/time";
import { lookOf, type RunSummary, summaryText } from "./summary.ts";

const PLAIN = { columns: 80, colour: false };
const summaryWith = (parts: Partial<RunSummary> = {}): RunSummary => ({
  report: reportWith({ scope: { ...SCOPE, type: "run" } }),
  wallets: ["informed-1", "informed-2", "noise-1", "noise-2", "noise-3"].map((label, index) =>
    scoredWith(label, 8 - index, 5, `0x${String(index).repeat(40)}`),
  ),
  planted: [],
  deadLetters: 0,
  digest: "ab".repeat(32),
  reportPath: ".spyhop/report.md",
  seconds: 12.5,
  ...parts,
});

test("the end of a run says what was watched, what happened, who is credible, the bias, orders, positions and where to look", () => {
  const text = summaryText(summaryWith(), PLAIN);
  expect(text.replaceAll(/\s+/g, " ").trimStart().startsWith(GENERATED_NOTICE)).toBe(true);
  for (const part of [
    "1-practice, timeframe 1h instead of 4h, enter 0.12 instead of 0.25, exit 0.04 instead of 0.1; hash ",
    "42, 3 of them active",
    "3 (1 to 4), 1 missing",
    "2 swap, 1 cex deposit",
    "+0.180 whale-03 bought 1.2M USD of ETH, 02:13",
    "06-21 OPEN long ETH 0 → 120 ct (0 → 12 ETH, 0 → 13,529 USD) · 02:15:04 · filled 1,127.4 · cost 6.76 fee + 1.20 spread",
    "signal +0.280 above enter 0.25 (4h bias +0.31, confidence 62%, credibility 7.4) · size set by risk · policy 1-practice 73ea44af15f2 · order ",
    "denied 1 × sell BTC-USDT-SWAP: cooldown, daily loss",
    "open long 12 ETH: traded 12 ETH (12 at most), entry 1,127.40, mark 1,134.80",
    "net +82.04: realized 0.00, unrealized +88.80, fees -6.76, funding 0.00",
    "closed short BTC: traded 0.05 BTC (0.03 at most), entry 20,410.00, exit 20,120.50",
    "net +13.46: realized +14.48, fees -1.01, funding 0.00",
    "max drawdown 0.40%",
    "1 trade closed, 100% won net (chance 50%)",
    "Account, as of 2022-06-21 03:59 UTC No evidence of an edge: the market is generated, and policy 1-practice was set so that there are orders to look at.",
    "equity 10,000.00 to 10,082.04 USDT (+82.04)",
    "dead letters: 0",
    "ab".repeat(32),
    ".spyhop/report.md",
  ]) {
    expect(text.replaceAll(/\s+/g, " ")).toContain(part);
  }
});

test("wallets are ranked per horizon, the best and then the worst, and nobody twice", () => {
  const rows = summaryText(summaryWith(), PLAIN)
    .split("\n")
    .filter((line) => /^ {2}4h +(best|worst)/.test(line));
  expect(rows.map((row) => /(best|worst) +(\S+) +(\S+)/.exec(row)?.slice(1))).toEqual([
    ["best", "informed-1", "8.0"],
    ["best", "informed-2", "7.0"],
    ["best", "noise-1", "6.0"],
    ["worst", "noise-3", "4.0"],
  ]);
});

test("where outcomes settled later, a wallet stands by what the desk knew, and beside it by what it came to", () => {
  const stands = (label: string, at: [number, number], settled: [number, number], n: number) => {
    const { credibility, ...wallet } = scoredWith(label, 5, 5, `0x${String(n).repeat(40)}`);
    return {
      ...wallet,
      credibility: credibility.map((line) => ({
        ...line,
        ...(line.horizon === "24h" ? { score: 5, bets: 0, edge: 0.02 } : { score: at[0], bets: at[1], edge: 0.4 }),
        settled: { score: settled[0], bets: settled[1], edge: 0.79 },
      })),
    };
  };
  const wallets = [stands("late", [5.5, 3], [9.1, 22], 1), stands("early", [7, 8], [3.2, 20], 2)];
  const text = summaryText(summaryWith({ wallets }), PLAIN);
  const rows = text.split("\n").filter((line) => /^ {2}(4h|24h) +(best|worst)/.test(line));
  expect(rows.map((row) => row.trim().replaceAll(/\s+/g, " "))).toEqual([
    "4h best early 7.0 40% 8.0 3.2 79% 20.0 accumulator",
    "4h best late 5.5 40% 3.0 9.1 79% 22.0 accumulator",
    // Of a day nothing was known then: by what they came to.
    "24h best late 9.1 79% 22.0 accumulator",
    "24h worst early 3.2 79% 20.0 accumulator",
  ]);
  expect(text.replaceAll(/\s+/g, " ")).toContain("settled: as of 2022-06-21 03:59 UTC, once outcomes had settled");
});

test("blocks, settling, biases and the rest each say their own time", () => {
  const text = summaryText(summaryWith(), PLAIN);
  for (const part of [
    "period    2022-06-21 00:00 to 2022-06-21 00:00 UTC, of the blocks",
    "run       2022-06-21 00:00 to 2022-06-21 04:00 UTC, so that outcomes settle",
    "Bias, as of 2022-06-21 03:59 UTC",
    "Positions, as of 2022-06-21 03:59 UTC",
  ]) {
    expect(text).toContain(part);
  }
});

test("wallets that nothing is known of are no best and no worst, and a kind that is not known is not told", () => {
  const flat = scoredWith("nobody", 5, 5);
  const credibility = flat.credibility.map((line) => ({ ...line, score: 5, bets: 3.25 }));
  const wallets = [{ ...flat, archetype: "unknown", credibility }];
  const text = summaryText(summaryWith({ wallets }), PLAIN);
  expect(text).toContain("24h: no evidence yet: needs 25 bets at 24h, has 3.3");
  expect(text).not.toMatch(/best|worst|unknown/);
  const sure = wallets.map((line) => ({
    ...line,
    credibility: credibility.map((each) => ({ ...each, score: 9.8, edge: 0.9999 })),
  }));
  const told = summaryText(summaryWith({ wallets: sure }), PLAIN);
  expect(told).toContain("> 99%");
  expect(told).not.toMatch(/100%\s+3|unknown/);
});

test("every order is shown where all are asked for, and else the newest with how to see the others", () => {
  const orders = Array.from({ length: 20 }, (_, n) =>
    orderWith({ decidedAt: instantOf(`2022-06-21T02:${10 + n}:00.000Z`) }),
  );
  const summary = summaryWith({ report: reportWith({ orders }) });
  const told = (text: string) => text.split("\n").filter((line) => line.includes("OPEN long ETH"));
  expect(told(summaryText(summary, PLAIN))).toHaveLength(8);
  expect(summaryText(summary, PLAIN)).toContain("12 older (--orders all shows each), then:");
  expect(told(summaryText(summary, { ...PLAIN, orders: Number.POSITIVE_INFINITY }))).toHaveLength(20);
  expect(told(summaryText(summary, { ...PLAIN, orders: 0 }))).toHaveLength(0);
});

test("why nothing was traded is told for each asset", () => {
  const flat = {
    ...biasWith({ asset: "BTC", timeframe: "1h", value: 0, confidence: 0, credibility: null }),
    contributions: [],
  };
  const weak = biasWith({ asset: "ETH", timeframe: "1h", value: 0.3, confidence: 0.5, credibility: 6.5 });
  const report = reportWith({ orders: [], biases: [flat, weak], scope: { ...SCOPE, type: "run" } });
  const text = summaryText(summaryWith({ report }), PLAIN).replaceAll(/\s+/g, " ");
  expect(text).toContain("Why no trade, as of 2022-06-21 03:59 UTC");
  expect(text).toContain(
    "BTC: no evidence: 31.5 bets at 1h, and no wallet behind it stands above 5.0; a swap by a wallet above 5.0 would close it",
  );
  expect(text).toContain(
    "ETH: signal 0.07, above 0.12 needed (0.04 short); a bias of 0.48, a confidence of 80% or a credibility of 7.4 would close it",
  );
  expect(text).toContain("UNI: no 1h bias: a swap or an exchange transfer of it by a watched wallet would make one");
});

test("real input has no notice, and dead letters point to the log", () => {
  const text = summaryText(
    summaryWith({
      report: reportWith({ scope: { ...SCOPE, type: "run", generated: false, policy: {} } }),
      deadLetters: 2,
    }),
    PLAIN,
  );
  expect(text).not.toContain("Generated input");
  expect(text).not.toContain("No evidence");
  expect(text).toContain("2: a job failed, see the log");
});

test("an empty run is reported without a number that was not measured", () => {
  const report = reportWith({
    blocks: [],
    events: [],
    biases: [],
    wallets: [],
    outcomes: [],
    equity: [],
    orders: [],
    fills: [],
    positions: [],
  });
  const text = summaryText(summaryWith({ report, wallets: [] }), PLAIN);
  expect(text).toContain("4h: no evidence yet: needs 25 bets at 4h, has 0");
  expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
});

test("no line is wider than the terminal, and no label reaches it raw", () => {
  const label = fc
    .array(fc.constantFrom("\u001b[31m", "\u202e", "\r", "\n", "x", " ", "名", "\u0007"), { maxLength: 60 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(label, fc.integer({ min: 20, max: 300 }), (name, columns) => {
      const event = eventWith({ wallet: walletNamed(name), asset: name });
      const report = reportWith({ events: [event], scope: { ...SCOPE, inputName: name } });
      const text = summaryText(summaryWith({ report, wallets: [scoredWith(name, 7, 5)] }), { columns, colour: false });
      for (const line of text.split("\n")) {
        expect([...line].length).toBeLessThan(Math.min(100, Math.max(80, columns)));
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }
    }),
  );
});

test("colour only on a terminal, and never where NO_COLOR is set", () => {
  vi.stubEnv("NO_COLOR", "");
  expect(lookOf({ isTTY: true, columns: 120 })).toEqual({ columns: 120, colour: true });
  expect(lookOf({}).colour).toBe(false);
  vi.stubEnv("NO_COLOR", "1");
  expect(lookOf({ isTTY: true }).colour).toBe(false);
  vi.unstubAllEnvs();
  expect(summaryText(summaryWith(), { columns: 80, colour: true })).toContain(
    "\u001b[1mWallets, as of 2022-06-21 03:59 UTC\u001b[0m",
  );
});

test("columns are aligned, and cut where they are too wide", () => {
  expect(
    table(
      [{ max: 5 }, { max: 4, align: "right" }],
      [
        ["a", "1"],
        ["abcdefgh", "22"],
      ],
    ),
  ).toEqual(["a       1", "ab...  22"]);
});

test("a wrapped line keeps its indent and its words", () => {
  expect(wrapped("  one two three", 9, "  ")).toEqual(["  one two", "    three"]);
});
