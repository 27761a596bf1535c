import fc from "fast-check";
import { expect, test } from "vitest";
import { limitLines, POLICY, policyFrom, policyHash, policyOf } from "#trading/plans/policy";
import { PolicyFileError, PRACTICE_FILE, parsePolicy, readPolicy } from "./policy-file.ts";

const problem = (text: string): string => {
  try {
    parsePolicy(text, "policy.toml");
  } catch (error) {
    if (error instanceof PolicyFileError) return error.message;
    throw error;
  }
  return "";
};

test("the file at the top of the repository and the practice policy say what differs", () => {
  expect(policyFrom(readPolicy("policy.toml"))).toEqual(POLICY);
  const practice = readPolicy(PRACTICE_FILE);
  expect(policyFrom(practice)).toEqual({ ...POLICY, version: "1-practice", timeframe: "1h", enter: 0.12, exit: 0.04 });
  expect(policyHash(policyFrom(practice))).not.toBe(policyHash(POLICY));
});

test("a number and a text say the same exact decimal", () => {
  const policy = policyFrom(parsePolicy('maxOrderUsd = 10000\nriskPerTrade = "0.0015"', "here"));
  expect(policy).toMatchObject({ maxOrderUsd: "10000", riskPerTrade: "0.0015" });
  expect(policyFrom({ riskPerTrade: 0.0015 }).riskPerTrade).toBe("0.0015");
});

test.each([
  ["maxOderUsd = 1", "policy.toml: there is no limit maxOderUsd; did you mean maxOrderUsd?"],
  ["max_leverage = 1", "policy.toml: there is no limit max_leverage; did you mean maxLeverage?"],
  ["somethingElseEntirely = 1", "policy.toml: there is no limit somethingElseEntirely"],
  ["maxLeverage = 0", "policy.toml: maxLeverage 0: is not from 0.01 to 125"],
  ["maxLeverage = -1", "policy.toml: maxLeverage -1: is not from 0.01 to 125"],
  ["riskPerTrade = 0.006", "policy.toml: riskPerTrade 0.006 is not at most maxTradeRisk 0.005"],
  ["enter = 0.1", "policy.toml: exit 0.1 is not below enter 0.1"],
  ["credibilityFull = 5", "policy.toml: credibilityFloor 5 is not below credibilityFull 5"],
  ["maxOrderUsd = 60000", "policy.toml: maxOrderUsd 60000 is not at most maxAssetUsd 50000"],
  ["maxDrawdown = 0.01", "policy.toml: maxDailyLoss 0.02 is not at most maxDrawdown 0.01"],
  ["maxUncoveredSeconds = 61", "policy.toml: maxUncoveredSeconds 61: Too big: expected number to be <=60"],
  ["maxClockSkewSeconds = 0", "policy.toml: maxClockSkewSeconds 0: Too small: expected number to be >=1"],
  ["maxQuoteAheadSeconds = -1", "policy.toml: maxQuoteAheadSeconds -1: Too small: expected number to be >=0"],
  ["maxUnknownSeconds = 901", "policy.toml: maxUnknownSeconds 901 is not at most quarantineSeconds 900"],
  ["stuckSeconds = 901", "policy.toml: stuckSeconds 901 is not at most quarantineSeconds 900"],
  [
    "decisionTtlSeconds = 89",
    "policy.toml: decisionTtlSeconds 89 is not 60 s above unsentSeconds 30: an order whose message is lost would be void before it is sent for again",
  ],
  ["decisionTtlSeconds = 90", ""],
  ["[limits]\nenter = 0.3", "policy.toml: limits: a limit is a number or a text"],
  ["enter = true", "policy.toml: enter: a limit is a number or a text"],
])("%s is refused by name, or in order", (text, expected) => expect(problem(text)).toBe(expected));

test.each([
  ["enter = ", /^policy\.toml, line 1: /],
  ["enter = 0.3\nenter = 0.4", /^policy\.toml, line 2: /],
  ["maxOrderUsd = nan", /^policy\.toml: maxOrderUsd/],
  ["maxOrderUsd = inf", /^policy\.toml: maxOrderUsd/],
  ["maxStopsPerDay = 2.5", /^policy\.toml: maxStopsPerDay 2\.5: /],
  ["timeframe = '2h'", /^policy\.toml: timeframe 2h: /],
  ["maxOrderUsd = '1e4'", /^policy\.toml: maxOrderUsd 1e4: /],
])("%s is refused", (text, expected) => expect(problem(text)).toMatch(expected));

test("every limit has a unit, a meaning and a source, and says where it differs", () => {
  const lines = limitLines(policyFrom({ enter: 0.3 }));
  for (const { unit, meaning, source } of lines)
    expect([unit, meaning, source].every((said) => said !== "")).toBe(true);
  expect(lines.filter(({ value, standard }) => value !== standard).map(({ name }) => name)).toEqual(["enter"]);
  expect(lines.map(({ name }) => name)).toEqual(Object.keys(POLICY));
});

test("a file that is gone is named", () => {
  expect(() => readPolicy("nowhere.toml")).toThrow("nowhere.toml cannot be read (ENOENT)");
});

test("whatever a file says, the policy it makes is in order or refused", () => {
  const written = fc.record(
    {
      enter: fc.double({ noNaN: true, min: -1, max: 2 }),
      exit: fc.double({ noNaN: true, min: -1, max: 2 }),
      maxOrderUsd: fc.integer({ min: -5, max: 2_000_000 }),
      maxAssetUsd: fc.integer({ min: -5, max: 2_000_000 }),
      maxGrossUsd: fc.integer({ min: -5, max: 2_000_000 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(written, (differences) => {
      let policy: typeof POLICY;
      try {
        policy = policyOf({ policy: differences });
      } catch (error) {
        expect(error).toHaveProperty("name", "PolicyError");
        return;
      }
      expect(policy.exit).toBeLessThan(policy.enter);
      expect(Number(policy.maxOrderUsd)).toBeLessThanOrEqual(Number(policy.maxAssetUsd));
      expect(Number(policy.maxAssetUsd)).toBeLessThanOrEqual(Number(policy.maxGrossUsd));
    }),
  );
});
