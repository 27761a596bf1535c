import * as z from "zod";
import { big, Decimal as DecimalText, decimalOf, text } from "#units/decimal";
import { Horizon } from "#units/time";
import { hashOf } from "../canonical-json.ts";

/** What a limit is: in which unit, what it does, and where its default comes from. */
interface Said {
  readonly unit: string;
  readonly meaning: string;
  readonly source: string;
}

const OWN = "the desk's own";
/** Its stored 1h biases through the sizing alone: 35 orders became 15 to 19. */
const REPLAYED = "the generated sample, replayed";

/** A limit of the policy: a schema with its default, and what it says. */
const limit = <S extends z.ZodType>(schema: S, unit: string, meaning: string, source = OWN): S =>
  schema.meta({ unit, meaning, source } satisfies Said);

/** An exact decimal, written as a number or as text, within bounds that are part of it. */
const exact = (least: string, most: string, standard: string) =>
  z
    .union([z.number().transform((value) => text(value)), DecimalText])
    .refine((value) => big(value).gte(least) && big(value).lte(most), { error: `is not from ${least} to ${most}` })
    .prefault(decimalOf(standard));
const count = (least: number, most: number, standard: number) => z.int().min(least).max(most).default(standard);
const share = (standard: string) => exact("0.00001", "1", standard);
const fraction = (standard: string) => exact("0", "0.9", standard);
const part = (standard: string) => exact("0", "10", standard);
const dollars = (standard: string) => exact("1", "1000000000", standard);

/**
 * Every limit that a decision depends on: the one place where a default stands. A policy file holds what differs. The whole
 * of it, with its hash, is in the snapshot of each decision.   Source: docs/configuration.md, which is written from this
 */
const Limits = z.strictObject({
  version: limit(
    z
      .string()
      .regex(/^[\w.-]{1,32}$/)
      .default("1"),
    "name",
    "what reports call this policy",
  ),
  timeframe: limit(Horizon.default("4h"), "timeframe", "the bias that is traded"),
  credibilityFloor: limit(
    z.number().min(0).max(10).default(5),
    "0 to 10",
    "credibility of the wallets behind a bias that counts nothing; 5 = nothing is known",
  ),
  credibilityFull: limit(z.number().min(0).max(10).default(8), "0 to 10", "credibility that counts in full"),
  enter: limit(z.number().gt(0).max(1).default(0.25), "signal, 0 to 1", "above it a position is opened"),
  exit: limit(z.number().min(0).max(1).default(0.1), "signal, 0 to 1", "below it a position is closed"),
  riskPerTrade: limit(share("0.005"), "of equity", "lost at the stop at a full signal"),
  atrMultiple: limit(exact("0.1", "100", "2"), "hourly ATR", "distance of the stop"),
  stopFloor: limit(share("0.005"), "of the price", "the stop is at least as far"),
  adoptedStop: limit(
    exact("0.001", "0.5", "0.02"),
    "of the mark",
    "distance of the stop of what is held without an order of the desk's: adopted, by hand, or lost from the books; set once, moved nearer only",
  ),
  takeProfitLegs: limit(count(0, 5, 2), "legs", "parts of a position that are closed at a profit; 0 = none"),
  takeProfitParts: limit(
    count(1, 10, 3),
    "parts",
    "a position is divided in so many equal ones; what has no leg rides",
  ),
  takeProfitStep: limit(
    exact("0.1", "20", "1"),
    "times the distance to the stop",
    "from the entry to the first leg, and from leg to leg; after the first the stop is at the entry with its costs",
  ),
  atrHours: limit(count(1, 720, 14), "h", "hours that the average range is of"),
  minAtrHours: limit(count(1, 720, 4), "h", "fewer hours of candles give no average range, so no trade"),
  dailyVolatilityTarget: limit(
    share("0.01"),
    "of equity",
    "what a position may move equity by on a day of one standard deviation",
  ),
  openShare: limit(fraction("0.08"), "of a full position", "a smaller one is not opened", REPLAYED),
  growBand: limit(part("0.5"), "of what is held", "less is not added", REPLAYED),
  growShare: limit(fraction("0.08"), "of a full position", "less is not added", REPLAYED),
  shrinkBand: limit(part("0.35"), "of what is held", "less is not cut", REPLAYED),
  shrinkShare: limit(fraction("0.05"), "of a full position", "less is not cut", REPLAYED),
  orderGapSeconds: limit(count(0, 86_400, 900), "s", "from an instrument's last order to one that resizes", REPLAYED),
  minHoldSeconds: limit(count(0, 86_400, 900), "s", "a position is held at least, whatever its signal", REPLAYED),
  closeLooks: limit(count(1, 10, 2), "biases in a row", "so many below `exit` close a position", REPLAYED),
  edge: limit(
    z.enum(["off", "ledger"]).default("off"),
    "off or ledger",
    "`ledger` would open only what is expected to earn more than it costs; there is no ledger of signals yet, so `off`",
  ),
  maxOrderUsd: limit(dollars("25000"), "USD", "notional of an order"),
  maxAssetUsd: limit(dollars("50000"), "USD", "notional of an asset"),
  maxGrossUsd: limit(dollars("100000"), "USD", "notional of all assets"),
  maxLeverage: limit(exact("0.01", "125", "2"), "times equity", "notional of all assets"),
  venueLeverage: limit(
    exact("1", "125", "3"),
    "times the margin",
    "set at the venue for each instrument while it is flat; another one halts the desk",
    "OKX's default",
  ),
  maxTradeRisk: limit(share("0.005"), "of equity", "lost at one position's stop, with the way out"),
  maxPortfolioRisk: limit(share("0.03"), "of equity", "lost at all stops at once"),
  maxDailyLoss: limit(share("0.02"), "of the day's first equity", "a larger loss makes REDUCING"),
  maxDrawdown: limit(share("0.08"), "of the highest equity", "a larger fall makes HALTED"),
  maxUnexplainedSeconds: limit(
    count(0, 86_400, 180),
    "s",
    "a balance that the venue's bills do not explain yet is judged for no loss and no drawdown for so long",
  ),
  external: limit(
    z.enum(["protect", "halt"]).default("protect"),
    "protect or halt",
    "what others trade on an instrument of the desk: counted, covered and not added to, or the desk is halted",
  ),
  maxDustUsd: limit(
    exact("0", "1000", "5"),
    "USD",
    "what is left below the venue's least order and worth no more is dust: the venue is asked once to close it, then it is left alone, and as good as flat",
  ),
  maxCloseTries: limit(
    count(1, 100, 4),
    "orders",
    "so many that were to close a position, and ended without a fill, have the venue close all of it itself, once",
  ),
  maxStopsPerDay: limit(count(1, 1000, 3), "stops in 24 h", "so many end new positions"),
  cooldownSeconds: limit(count(0, 604_800, 900), "s", "from a close to the next position in its asset"),
  maxOrdersPerMinute: limit(count(1, 600, 6), "orders a minute", "of the account"),
  maxBiasAgeSeconds: limit(count(1, 86_400, 600), "s", "an older bias says nothing"),
  maxQuoteAgeSeconds: limit(
    count(1, 3600, 10),
    "s",
    "an older quote opens nothing, neither when it is planned nor when it is sent; by the venue's clock",
  ),
  maxQuoteAheadSeconds: limit(
    count(0, 60, 2),
    "s",
    "nor does one that is further in the future: the venue's own clocks may differ by so much",
  ),
  maxEquityAgeSeconds: limit(count(1, 3600, 300), "s", "older stored equity is asked for again before a decision"),
  maxComparedAgeSeconds: limit(
    count(1, 86_400, 180),
    "s",
    "nothing is opened in an instrument that was not compared with the venue for longer",
  ),
  unsentSeconds: limit(
    count(1, 3600, 30),
    "s",
    "an approved order that nobody has taken up for so long has lost its message, and is sent for once more",
  ),
  decisionTtlSeconds: limit(
    count(1, 86_400, 120),
    "s",
    "an approved order that nobody has taken up for longer is voided: the next plan decides afresh",
  ),
  forcedPauseSeconds: limit(
    count(0, 604_800, 3600),
    "s",
    "nothing is opened in an instrument for so long after the venue closed some of it by itself",
  ),
  maxUnknownSeconds: limit(
    count(1, 86_400, 60),
    "s",
    "an order that is unknown for longer past its deadline makes REDUCING",
  ),
  stuckSeconds: limit(
    count(1, 86_400, 30),
    "s",
    "an order that is unknown for longer past its deadline is counted for a person",
  ),
  quarantineSeconds: limit(
    count(1, 86_400, 900),
    "s",
    "an order of which the venue says nothing for longer past its deadline is left to a person; its instrument waits",
  ),
  maxUncoveredSeconds: limit(
    count(1, 60, 10),
    "s",
    "what is held, has had no stop for so long and is refused one is closed at market",
    "law E: a stop within 10 s, 60 s at worst",
  ),
  closeRepeatSeconds: limit(
    count(5, 60, 5),
    "s",
    "what is closed at market is looked at again after so long, for a minute, until nothing is left",
    "Lambda ends a row of invocations that ask for each other after sixteen: at most twelve are asked for",
  ),
  maxClockSkewSeconds: limit(
    count(1, 30, 2),
    "s",
    "a machine whose clock is further from the venue's makes HALTED: its deadlines would mean nothing",
    "OKX refuses a request that is 30 s off",
  ),
  maxRejects: limit(count(1, 1000, 5), "rejects in ten minutes", "so many make REDUCING"),
  breakSnapshots: limit(
    count(1, 100, 3),
    "snapshots",
    "so many with the same difference of books and venue make REDUCING",
  ),
  maxUnseenSeconds: limit(
    count(1, 86_400, 300),
    "s",
    "an instrument that failed and was not compared for longer makes REDUCING",
  ),
  maxUnseenRuns: limit(
    count(1, 1000, 3),
    "runs in a row",
    "so many that could not compare an instrument make REDUCING",
  ),
  liftRuns: limit(count(1, 10_000, 10), "runs in a row", "so many must agree for REDUCING to lift itself"),
  liftAfterSeconds: limit(count(1, 86_400, 300), "s", "and at least for so long"),
  liftEverySeconds: limit(count(1, 2_592_000, 86_400), "s", "an instrument's cause lifts itself no sooner again"),
  changeNoticeSeconds: limit(
    count(0, 604_800, 3600),
    "s",
    "nothing is opened so long before and after the venue changes a contract's terms",
  ),
  maxSlippageBps: limit(
    exact("0", "1000", "20"),
    "bps",
    "half the spread, and how far an opening order may fill from the best price",
  ),
  maxVolumeShare: limit(share("0.01"), "of the last hour's volume", "size of an opening order"),
  takerFeeBps: limit(exact("0", "1000", "5"), "bps", "fee of the way out", "OKX, regular users' swaps"),
  exitSlippageBps: limit(exact("0", "1000", "10"), "bps", "slippage assumed on the way out"),
});

/** The limits in force. Money, shares and bps are exact decimals. */
export type Policy = Readonly<z.output<typeof Limits>>;

/** What a policy file says: the limits that differ from the defaults, as they were written. */
export const PolicyDifferences = z.record(z.string(), z.union([z.string(), z.number()]));
export type PolicyDifferences = Readonly<z.infer<typeof PolicyDifferences>>;

/** A limit, for a person: its value in force and its default as text, and what it says. */
export interface LimitLine extends Said {
  readonly name: string;
  readonly value: string;
  readonly standard: string;
}

/** A policy says what it may not. One line a problem: which limit, and what is wrong with it. */
export class PolicyError extends Error {
  override name = "PolicyError";
  readonly problems: readonly string[];
  /** Names that no limit has, for a caller that knows how to say which was meant. */
  readonly unknown: readonly string[];
  constructor(problems: readonly string[], unknown: readonly string[]) {
    super(`the policy: ${problems.join("; ")}`);
    this.problems = problems;
    this.unknown = unknown;
  }
}

/** Each pair is in this order, or the limits contradict each other: the larger one would never be reached. */
const ORDERED = [
  ...[["exit", "enter"] as const, ["credibilityFloor", "credibilityFull"] as const],
  ...[["maxOrderUsd", "maxAssetUsd"] as const, ["maxAssetUsd", "maxGrossUsd"] as const],
  ...[["riskPerTrade", "maxTradeRisk"] as const, ["maxTradeRisk", "maxPortfolioRisk"] as const],
  ...[["maxDailyLoss", "maxDrawdown"] as const, ["minAtrHours", "atrHours"] as const],
  ["takeProfitLegs", "takeProfitParts"] as const,
  ...[["maxLeverage", "venueLeverage"] as const, ["stuckSeconds", "quarantineSeconds"] as const],
  ["maxUnknownSeconds", "quarantineSeconds"] as const,
] as const;
/** Of these the first must be strictly less: a span of nothing divides by zero, and one threshold is no band. */
const STRICT: ReadonlySet<string> = new Set(["exit", "credibilityFloor"]);

/** Orders that nobody has taken up are looked for once a minute. */
export const SWEEP_SECONDS = 60;

function contradictions(policy: Policy): string[] {
  const found = ORDERED.flatMap(([less, more]) => {
    const [a, b] = [big(policy[less]), big(policy[more])];
    if (STRICT.has(less) ? a.lt(b) : a.lte(b)) return [];
    return [`${less} ${policy[less]} is not ${STRICT.has(less) ? "below" : "at most"} ${more} ${policy[more]}`];
  });
  const { unsentSeconds: unsent, decisionTtlSeconds: ttl } = policy;
  if (ttl < unsent + SWEEP_SECONDS)
    found.push(
      `decisionTtlSeconds ${ttl} is not ${SWEEP_SECONDS} s above unsentSeconds ${unsent}: an order whose message is lost would be void before it is sent for again`,
    );
  return found;
}

/**
 * Returns the policy that `differences` make of the defaults.
 * @throws PolicyError naming every unknown limit, every value out of its range, and every two that contradict each other
 */
export function policyFrom(differences: PolicyDifferences): Policy {
  const result = Limits.safeParse(differences);
  if (!result.success) {
    const { issues } = result.error;
    const unknown = issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
    const wrong = issues.flatMap(({ code, path, message }) =>
      code === "unrecognized_keys" ? [] : [`${path.join(".")} ${String(differences[String(path[0])])}: ${message}`],
    );
    throw new PolicyError([...unknown.map((name) => `there is no limit ${name}`), ...wrong], unknown);
  }
  const problems = [
    ...contradictions(result.data),
    ...(result.data.edge === "ledger"
      ? ["edge ledger needs a ledger of signals, which this release does not keep"]
      : []),
  ];
  if (problems.length > 0) throw new PolicyError(problems, []);
  return result.data;
}

/** The defaults. */
export const POLICY: Policy = policyFrom({});

const made = new Map<string, Policy>();

/** Returns the policy that a desk or a report goes by. @throws PolicyError as `policyFrom` does */
export function policyOf({ policy }: { readonly policy: PolicyDifferences }): Policy {
  const key = JSON.stringify(policy);
  const known = made.get(key);
  if (known) return known;
  const fresh = policyFrom(policy);
  made.set(key, fresh);
  return fresh;
}

/** Returns the SHA-256 of a whole policy, defaults included, so that a default that changes changes it too. */
export const policyHash = (policy: Policy): string => hashOf({ ...policy });

/** Returns every limit with its value in `policy`, in the order of the schema. */
export const limitLines = (policy: Policy): LimitLine[] =>
  Limits.keyof().options.map((name) => ({
    ...(Limits.shape[name].meta() as unknown as Said), // `limit` gave it to each
    ...{ name, value: String(policy[name]), standard: String(POLICY[name]) },
  }));
