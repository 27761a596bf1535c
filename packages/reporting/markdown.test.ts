import fc from "fast-check";
import { expect, test } from "vitest";
import {
  biasWith,
  eventWith,
  orderWith,
  recordsWith,
  reportWith,
  SCOPE,
  scoredWith,
  walletNamed,
  whyWith,
} from "#testing/report";
import { limitLines, POLICY, policyFrom, policyHash } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { instantOf } from "#units/time";
import { composeReport } from "./compose.ts";
import { GENERATED_NOTICE, markdown } from "./markdown.ts";
import { escaped, plain } from "./plain.ts";
import { POLICY_LETTERS } from "./policy-text.ts";
import { Report } from "./report.ts";
import { sentences } from "./sentences.ts";

const HASH = `0x${"12".repeat(32)}`;

test("the first line says that the input is generated, and only then", () => {
  expect(markdown(reportWith()).split("\n")[0]).toBe(`**${GENERATED_NOTICE}**`);
  expect(markdown(reportWith({ scope: { ...SCOPE, generated: false, policy: {} } }))).not.toContain(GENERATED_NOTICE);
});

test("a report passes its own schema, as JSON too", () => {
  const report = reportWith();
  expect(Report.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
});

test("the summary is three to five sentences that name who moved the market, why, and how trading went", () => {
  const told = sentences(reportWith());
  expect(told.length).toBeGreaterThanOrEqual(3);
  expect(told.length).toBeLessThanOrEqual(5);
  const text = told.join(" ");
  expect(text).toContain("watched 42 wallets");
  expect(text).toContain("whale-03 bought 1.2M USD of ETH");
  expect(text).toContain("ETH leans slightly up over 1 h (+0.08, confidence 31%)");
  expect(text).toContain("policy denied 1 plan (cooldown)");
  expect(text).toContain("Equity went from 10,000.00 to 10,082.04 USDT (+0.82%)");
});

test("the headline names the strongest lean of the timeframe that is traded", () => {
  const weak = biasWith({ asset: "AAVE", timeframe: "4h", value: 0.07, confidence: 0.3 });
  const strong = biasWith({ asset: "LINK", timeframe: "4h", value: -0.25, confidence: 0.51 });
  const loud = biasWith({ asset: "AAVE", timeframe: "1h", value: 0.9, confidence: 0.9 });
  const biases = [loud, weak, strong];
  const real = sentences(reportWith({ biases, scope: { ...SCOPE, generated: false, policy: {} } })).join(" ");
  expect(real).toContain("LINK leans down over 4 h (-0.25, confidence 51%). AAVE leans slightly up over 4 h");
  expect(sentences(reportWith({ biases })).join(" ")).toContain("AAVE leans strongly up over 1 h (+0.90");
});

test("where nothing is known no bias is told as flat, and no wallet by a score that says nothing", () => {
  const flat = (asset: string, timeframe: "1h" | "4h" | "24h") => ({
    ...biasWith({ asset, timeframe, value: 0, confidence: 0, credibility: null }),
    contributions: [],
  });
  const biases = [flat("ETH", "4h"), flat("ETH", "24h"), biasWith({ asset: "ETH", timeframe: "1h" })];
  const report = reportWith({ biases, orders: [], scope: { ...SCOPE, generated: false, policy: {} } });
  expect(sentences(report).join(" ")).toContain("There is no evidence yet: needs 25 bets at 4h, has 12.4.");
  const text = markdown(report);
  expect(text).toContain("| ETH | +0.31 (62%) | – | – |");
  expect(text).toContain("- 24h: no evidence yet: needs 25 bets at 24h, has 0");
  expect(text).not.toMatch(/is flat|0\.00 \(0%\)/);
  const { credibility, ...wallet } = scoredWith("new", 7, 5);
  const empty = credibility.map((line) => (line.horizon === "24h" ? { ...line, bets: 0, edge: 0 } : line));
  const wallets = [{ ...wallet, archetype: "unknown", credibility: empty }];
  const section = markdown(reportWith({ wallets })).split("## Wallets")[1]?.split("## Orders")[0] ?? "";
  expect(section).toContain("- 4h **7.0**");
  expect(section).not.toMatch(/unknown|24h/);
});

test("the policy is told whole: its name, each limit that differs, and the hash that every order keeps", () => {
  const of = (policy: Record<string, string | number>) =>
    markdown(reportWith({ scope: { ...SCOPE, policy } })).match(/^Policy .*$/m)?.[0];
  const hash = (policy: Record<string, string | number>) => policyHash(policyFrom(policy)).slice(0, 12);
  expect(of({})).toBe(`Policy 1, every limit as by default; hash ${hash({})}.`);
  const own = { version: "mine_2", enter: 0.3, maxOrderUsd: 10_000 };
  expect(of(own)).toBe(
    `Policy mine_2, enter 0.3 instead of 0.25, maxOrderUsd 10000 instead of 25000; hash ${hash(own)}.`,
  );
  // A limit takes less than this, so all of them fit.
  expect(limitLines(POLICY).length * 80).toBeLessThan(POLICY_LETTERS);
});

test("an asset without an order says what stood first in its way", () => {
  const text = markdown(reportWith({ orders: [], scope: { ...SCOPE, generated: false, policy: {} } }));
  expect(text).toContain("## Why no trade\n\nAs of 2022-06-21 03:59:\n");
  expect(text).toContain("- **ETH**: signal 0.15, above 0.25 needed (0.10 short); a bias of 0.51 would close it");
  expect(text).toContain("- **UNI**: no 4h bias: ");
  expect(text).toMatch(/^No order was placed\. BTC: signal -0\.04, below -0\.25 needed/m);
  expect(markdown(reportWith({ tradedAssets: ["ETH"] }))).not.toContain("Why no trade");
  const stopped = orderWith({ asset: "ETH", status: "denied", why: { ...orderWith().why, denied: ["daily_loss"] } });
  const strong = biasWith({ value: 0.8, confidence: 0.9, credibility: 8 });
  const denied = reportWith({ orders: [stopped], biases: [strong], scope: { ...SCOPE, generated: false, policy: {} } });
  expect(markdown(denied)).toContain("- **ETH**: denied by daily loss");
  const before = reportWith({
    ...{ orders: [], standing: [stopped], biases: [strong] },
    scope: { ...SCOPE, generated: false, policy: {} },
  });
  expect(markdown(before)).toContain("- **ETH**: denied by daily loss");
  expect(before.denials).toEqual([]);
});

test("a run tells the period of its blocks apart from the time that it took to settle", () => {
  const told = sentences(reportWith({ scope: { ...SCOPE, type: "run" } })).join(" ");
  expect(told).toContain("In the 36 s of blocks to 2022-06-21 00:00 UTC the desk watched 42 wallets over 3 blocks");
  expect(told).toContain("It went on to 2022-06-21 04:00 so that outcomes could settle.");
  expect(told).toContain("As of 2022-06-21 03:59: ETH leans");
});

test("a name with an underscore inside is told as it is written", () => {
  expect(escaped("uniswap_v2")).toBe("uniswap_v2");
  expect(escaped("_a_ b__c")).toBe("&#95;a&#95; b&#95;&#95;c");
  const event = eventWith({ venue: "uniswap_v2", wallet: walletNamed("fund_7") });
  const text = markdown(reportWith({ events: [event] }));
  expect(text).toContain("· uniswap_v2 ·");
  expect(text).toContain("fund_7");
});

test("only what pulls the way of the bias is given as its reason", () => {
  const report = reportWith({ biases: [biasWith({ timeframe: "1h", value: -0.2 }, [eventWith()])] });
  expect(sentences(report).join(" ")).not.toContain("mostly because");
});

test("a period without anything is reported without a zero that was not measured", () => {
  const text = markdown(
    reportWith({
      blocks: [],
      events: [],
      biases: [],
      wallets: [],
      outcomes: [],
      equity: [],
      orders: [],
      fills: [],
      positions: [],
    }),
  );
  expect(text).toContain("No block came in during the 4 h to 04:00 UTC");
  expect(text).toContain("There is no bias yet.");
  expect(text).toContain("No order was placed.");
  expect(text).toContain("There is no account snapshot yet.");
  expect(text).toContain("no block, so no lag");
  expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
});

test("an unpriced event is unpriced, with its amount", () => {
  expect(markdown(reportWith())).toContain("bought 1.2M FOO (unpriced)");
});

test("an event links to the explorer where there is one, and else shows the short hash alone", () => {
  expect(markdown(reportWith())).toContain(`[0x1212...1212](https://etherscan.io/tx/${HASH})`);
  const bare = markdown(reportWith({ scope: { ...SCOPE, explorerUrl: null } }));
  expect(bare).toContain("0x1212...1212");
  expect(bare).not.toContain("](");
});

test("an explorer or a hash that is none makes no link", () => {
  for (const explorerUrl of ["javascript:alert(1)", "https://a b", "https://x)(y"]) {
    expect(markdown(reportWith({ scope: { ...SCOPE, explorerUrl } }))).not.toContain("](");
  }
  expect(markdown(reportWith({ events: [eventWith({ txHash: "0x12) [x](http://evil" })] }))).not.toContain("](");
});

test("orders say why, denied plans say which policy and how often", () => {
  const text = markdown(reportWith());
  expect(text).toContain(
    "  signal +0.280 above enter 0.25 (4h bias +0.31, confidence 62%, credibility 7.4) · size set by risk · policy 1-practice 73ea44af15f2 · order ",
  );
  expect(text).toContain("- 1 × sell BTC-USDT-SWAP: cooldown, daily loss (last 03:10)");
  const why = { ...orderWith().why, denied: ["cooldown"] };
  const many = ["01", "02", "03"].map((m) =>
    orderWith({ decidedAt: instantOf(`2022-06-21T03:${m}:00.000Z`), status: "denied", why }),
  );
  expect(markdown(reportWith({ orders: many }))).toContain("- 3 × buy ETH-USDT-SWAP: cooldown (last 03:03)");
});

test("every order is told where all are asked for, and else the newest", () => {
  const orders = Array.from({ length: 20 }, (_, n) =>
    orderWith({ decidedAt: instantOf(`2022-06-21T02:${10 + n}:00.000Z`), filledAt: null }),
  );
  const report = reportWith({ orders });
  const told = (text: string) => text.split("\n").filter((line) => line.startsWith("- OPEN long ETH"));
  expect(told(markdown(report))).toHaveLength(12);
  expect(markdown(report)).toContain("And 8 older orders.");
  expect(told(markdown(report, Number.POSITIVE_INFINITY))).toHaveLength(20);
  expect(markdown(report, Number.POSITIVE_INFINITY)).not.toContain("older order");
});

test("each position can be recomputed from what is shown: traded size, prices, and the parts of its net result", () => {
  const text = markdown(reportWith());
  // 12 × (1,134.80 − 1,127.40) = 88.80, less 6.76.
  expect(text).toContain("traded 12 ETH (12 at most), entry 1,127.40, mark 1,134.80");
  expect(text).toContain("net +82.04: realized 0.00, unrealized +88.80, fees -6.76, funding 0.00");
  // 0.05 × (20,410 − 20,120.50) = 14.475 (rounded half-even), less 1.0133.
  expect(text).toContain("traded 0.05 BTC (0.03 at most), entry 20,410.00, exit 20,120.50");
  expect(text).toContain("net +13.46: realized +14.48, fees -1.01, funding 0.00");
});

test("beside each rate stands what a coin would have had, and the account's loss is its max drawdown", () => {
  const text = markdown(reportWith());
  expect(text).toContain("- 1h: 61.1% of 18 (chance 44.4%)");
  expect(text).toContain("| Closed trades | 1, 100% won net (chance 50%) |");
  expect(text).toContain("| Max drawdown | 0.40% |");
});

test("a stop says so, and a token that nobody listed has no amount", () => {
  const why = { bias: null, confidence: null, credibility: null, signal: null, bound: [], trigger: null };
  expect(markdown(reportWith({ orders: [orderWith({ type: "stop", why: whyWith(why) })] }))).toContain(
    "  the position's stop was reached · policy",
  );
  const event = eventWith({ asset: null, amount: decimalOf("123456789"), notionalUsd: null });
  expect(markdown(reportWith({ events: [event] }))).toContain("bought an unlisted token (unpriced)");
});

test("a halt is said in the summary", () => {
  const text = sentences(reportWith({ trading: { state: "HALTED", reason: "drawdown" } })).join(" ");
  expect(text).toContain("Trading is HALTED (drawdown).");
});

test("wallets that rose are apart from those that fell, the largest move first", () => {
  const { walletsUp, walletsDown } = reportWith();
  expect(walletsUp.map((line) => line.wallet.label)).toEqual(["whale-03"]);
  expect(walletsDown.map((line) => line.wallet.label)).toEqual(["noise-2"]);
  expect(markdown(reportWith())).toContain("- 4h **7.1** (was 5.6) · edge 71% · 12.4 bets");
});

test("a wallet that was never scored rose or fell from 5", () => {
  const { walletsUp } = reportWith({ wallets: [scoredWith("new", 6.2, null)] });
  expect(walletsUp).toHaveLength(1);
});

test("the order of the records never shows", () => {
  const records = recordsWith();
  const turned = {
    ...records,
    events: records.events.toReversed(),
    biases: records.biases.toReversed(),
    wallets: records.wallets.toReversed(),
    orders: records.orders.toReversed(),
    positions: records.positions.toReversed(),
    blocks: records.blocks.toReversed(),
  };
  expect(markdown(composeReport(turned))).toBe(markdown(composeReport(records)));
});

/** What stays of Markdown once entities and the parts that the report itself writes are taken away. */
const hostileLabel = fc
  .array(
    fc.constantFrom(
      "|",
      "`",
      "<b>",
      "\n# x\n",
      "](http://e)",
      "\u202e",
      "\u0007",
      "**",
      "| a | b |",
      "\r\n|---|",
      "&lt;",
      "<!--",
      "www.e.example",
      "a",
      " ",
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(""));

test("a hostile name changes no line, table, heading or link of a report", () => {
  const build = (label: string, symbol: string): string => {
    const wallet = walletNamed(label);
    const event = eventWith({ wallet, asset: symbol, venue: label, pattern: label });
    return markdown(
      reportWith({
        events: [event],
        biases: [biasWith({ asset: symbol }, [event])],
        wallets: [{ ...scoredWith("x", 7, 5), wallet, archetype: label }],
        orders: [orderWith({ error: label, instrument: symbol })],
        trading: { state: "ACTIVE", reason: label },
        scope: { ...SCOPE, inputName: label, venue: label },
      }),
    );
  };
  const shape = (text: string) =>
    text
      .split("\n")
      .map((line) => [
        /^(#+ |- |\*\*|\| | {2}|>|---)?/.exec(line)?.[0],
        line.split("|").length,
        line.split("](").length,
        line.split("`").length,
        line.split("**").length,
      ]);
  const calm = shape(build("name", "SYM"));
  fc.assert(
    fc.property(hostileLabel, hostileLabel, (label, symbol) => {
      const text = build(label, symbol);
      expect(shape(text)).toEqual(calm);
      expect(text).not.toMatch(/[<>]/);
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});

test("names and symbols are cut to 32 characters", () => {
  expect(plain("x".repeat(200))).toHaveLength(32);
  expect(markdown(reportWith({ events: [eventWith({ asset: "Y".repeat(100) })] }))).not.toContain("Y".repeat(33));
});

test("tables fit a phone: four columns at most, no line over 60 characters", () => {
  const long = biasWith({ asset: "A".repeat(64), value: -0.999999, confidence: 1 });
  const text = markdown(reportWith({ biases: [long, { ...long, timeframe: "1h" }, { ...long, timeframe: "24h" }] }));
  const table = text.split("\n").filter((line) => line.startsWith("|"));
  expect(table.length).toBeGreaterThan(4);
  for (const line of table) {
    expect(line.length).toBeLessThanOrEqual(60);
    expect(line.split("|").length - 2).toBeLessThanOrEqual(4);
  }
});

test("beside each profit or loss on generated input stands that it proves nothing, and which policy made it", () => {
  const text = markdown(reportWith());
  const notice =
    "No evidence of an edge: the market is generated, and policy 1-practice was set so that there are orders to look at.";
  for (const section of ["## Positions", "## Performance"]) expect(text).toContain(`${section}\n\n*${notice}*\n`);
  expect(text).toMatch(/^Equity went from .* in fees\. No evidence of an edge/m);
  expect(markdown(reportWith({ scope: { ...SCOPE, generated: false, policy: {} } }))).not.toContain("No evidence");
  expect(markdown(reportWith({ scope: { ...SCOPE, mode: "live", policy: {} } }))).toContain(
    "*No evidence of an edge: the market is generated.*",
  );
});
