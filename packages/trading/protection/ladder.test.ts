import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ETH_SWAP } from "#testing/instruments";
import { big, decimalOf, text } from "#units/decimal";
import { instantOf } from "#units/time";
import { clientOrderId, isOurs } from "../orders/client-order-id.ts";
import { POLICY, policyFrom } from "../plans/policy.ts";
import type { VenueStop } from "../venue.ts";
import { type Laddered, type Leg, type LegCommand, ladderOf, layLegs } from "./ladder.ts";
import { isLegId, legId } from "./leg-id.ts";
import { isStopId, stopId } from "./stop-id.ts";

const AT = instantOf("2026-01-02T03:04:05.678Z");
const BEFORE = instantOf("2026-01-02T03:04:05.677Z");
const ACCOUNT = { mode: "demo", venue: "okx" } as const;
const place = (trigger: string) => ({
  ...{ account: ACCOUNT, instrument: ETH_SWAP.id, openedAt: AT, trigger: decimalOf(trigger) },
});
const idAt = (trigger: string, attempt = 0) => legId(place(trigger), attempt);
const took = (trigger: string, filled: string, attempt = 0) => ({
  clientOrderId: idAt(trigger, attempt),
  filledSize: decimalOf(filled),
});

const held = (contracts: string, over: Partial<Laddered> = {}, entry = "1000"): Laddered => ({
  ...{ account: ACCOUNT, instrument: ETH_SWAP, openedAt: AT, stop: decimalOf("980"), taken: [] },
  position: { contracts: decimalOf(contracts), averagePrice: decimalOf(entry) },
  ...over,
});
const said = ({ legs, secured }: ReturnType<typeof ladderOf>) => [
  ...legs.map((leg) => `${leg.side} ${leg.size} at ${leg.trigger}`),
  ...(secured === null ? [] : [`stop at ${secured}`]),
];

describe("which legs a position has", () => {
  test.each<[string, Laddered, string[]]>([
    ["a third at one R, a third at two", held("9"), ["sell 3 at 1020", "sell 3 at 1040"]],
    ["a short", held("-9", { stop: decimalOf("1020") }), ["buy 3 at 980", "buy 3 at 960"]],
    ["sizes are floored to the lot", held("1"), ["sell 0.3 at 1020", "sell 0.3 at 1040"]],
    ["a leg below the least order goes with the next one up", held("0.2"), ["sell 0.1 at 1040"]],
    ["what is too small for any leg rides the stop", held("0.1"), []],
    ["prices go to the tick that is farther", held("9", {}, "1000.001"), ["sell 3 at 1020.01", "sell 3 at 1040.01"]],
    [
      "after the first leg the other is as it was, and the stop pays for the way",
      held("6", { taken: [took("1020", "3")] }),
      ["sell 3 at 1040", "stop at 1002"],
    ],
    [
      "a later attempt at a leg is that leg",
      held("6", { taken: [took("1020", "3", 2)] }),
      ["sell 3 at 1040", "stop at 1002"],
    ],
    ["a leg that is under way is not laid again", held("9", { taken: [took("1020", "0")] }), ["sell 3 at 1040"]],
    ["all taken", held("3", { taken: [took("1020", "3"), took("1040", "3")] }), ["stop at 1002"]],
    [
      "what was cut since then makes the rest smaller",
      held("3", { taken: [took("1020", "3")] }),
      ["sell 2 at 1040", "stop at 1002"],
    ],
    [
      "a new entry has legs of its own",
      held("9", { taken: [took("1020", "3")] }, "1010"),
      ["sell 3 at 1040", "sell 3 at 1070"],
    ],
    ["a stop in profit measures no risk", held("9", { stop: decimalOf("1001") }), []],
    ["a short's second leg would be below nothing", held("-9", { stop: decimalOf("1600") }), ["buy 3 at 400"]],
  ])("%s", (_, position, legs) => expect(said(ladderOf(position, POLICY))).toEqual(legs));

  test("the policy says how many, how large, how far, and none at all", () => {
    const by = (differences: Parameters<typeof policyFrom>[0]) => said(ladderOf(held("9"), policyFrom(differences)));
    expect(by({ takeProfitLegs: 0 })).toEqual([]);
    expect(by({ takeProfitLegs: 1, takeProfitParts: 1 })).toEqual(["sell 9 at 1020"]);
    expect(by({ takeProfitLegs: 3, takeProfitStep: 1.5 })).toEqual([
      "sell 3 at 1030",
      "sell 3 at 1060",
      "sell 3 at 1090",
    ]);
    expect(() => policyFrom({ takeProfitLegs: 4 })).toThrow("takeProfitLegs 4 is not at most takeProfitParts 3");
  });
});

const waits = (trigger: string, size: string, over: Partial<VenueStop> = {}): VenueStop => ({
  ...{
    algoId: `${trigger}`,
    stopId: idAt(trigger),
    instrument: ETH_SWAP.id,
    side: "sell",
    trigger: decimalOf(trigger),
  },
  ...{ triggerBy: "mark", isWhole: false, size: decimalOf(size), isReduceOnly: true, isMarket: true, placedAt: AT },
  ...over,
});
const two: Leg[] = [
  { side: "sell", trigger: decimalOf("1020"), size: decimalOf("3") },
  { side: "sell", trigger: decimalOf("1040"), size: decimalOf("3") },
];
const HERE = { account: ACCOUNT, instrument: ETH_SWAP, openedAt: AT };

describe("what is to be done about the legs that wait", () => {
  test.each<[string, Leg[], VenueStop[], LegCommand[]]>([
    ["none waits", two, [], two.map((leg) => ({ act: "place", ...leg }))],
    ["they wait", two, [waits("1020", "3"), waits("1040", "3")], []],
    ["closed", [], [waits("1020", "3")], [{ act: "cancel", algoId: "1020" }]],
    [
      "a person's take-profit is left alone",
      [],
      [waits("1020", "3", { stopId: null }), waits("1040", "1", { stopId: "x" })],
      [],
    ],
    [
      "smaller first, then larger",
      two,
      [waits("1020", "2"), waits("1040", "4")],
      [
        { act: "resize", algoId: "1040", size: decimalOf("3") },
        { act: "resize", algoId: "1020", size: decimalOf("3") },
      ],
    ],
    [
      "of another entry",
      two,
      [waits("1030", "3"), waits("1040", "3")],
      [
        { act: "cancel", algoId: "1030" },
        { act: "place", ...(two[0] as Leg) },
      ],
    ],
    ...(
      [
        ["of the other side", { side: "buy" }],
        ["of the whole position", { size: null }],
        ["of a position before this one", { stopId: legId({ ...place("1020"), openedAt: BEFORE }, 0) }],
        ["moved by a hand", { trigger: decimalOf("1025") }],
      ] as const
    ).map(([says, over]): [string, Leg[], VenueStop[], LegCommand[]] => [
      says,
      two.slice(0, 1),
      [waits("1020", "3", over)],
      [
        { act: "cancel", algoId: "1020" },
        { act: "place", ...(two[0] as Leg) },
      ],
    ]),
    ...(["isReduceOnly", "isMarket"] as const).map((flag): [string, Leg[], VenueStop[], LegCommand[]] => [
      `not ${flag}`,
      two.slice(0, 1),
      [waits("1020", "3", { [flag]: false })],
      [
        { act: "cancel", algoId: "1020" },
        { act: "place", ...(two[0] as Leg) },
      ],
    ]),
    [
      "by the last price",
      two.slice(0, 1),
      [waits("1020", "3", { triggerBy: "last" })],
      [
        { act: "cancel", algoId: "1020" },
        { act: "place", ...(two[0] as Leg) },
      ],
    ],
  ])("%s", (_, legs, waiting, commands) => expect(layLegs(HERE, legs, waiting)).toEqual(commands));
});

const lots = (least: number, most: number) => fc.integer({ min: least, max: most }).map((n) => text(big(n).div(10)));
const anyPolicy = fc
  .record({ takeProfitParts: fc.integer({ min: 1, max: 6 }), takeProfitStep: fc.constantFrom("0.5", "1", "2") })
  .chain((some) =>
    fc
      .record({ ...{ takeProfitLegs: fc.integer({ min: 0, max: Math.min(5, some.takeProfitParts) }) } })
      .map((legs) => policyFrom({ ...some, ...legs })),
  );
const anyHeld = fc
  .record({
    contracts: lots(-60, 60),
    stop: fc.integer({ min: 900, max: 1100 }),
    entry: fc.integer({ min: 9500, max: 10500 }),
  })
  .map(({ contracts, stop, entry }) => held(contracts, { stop: text(stop) }, text(big(entry).div(10))));
const anyWaiting = fc
  .array(
    fc.record({
      trigger: fc.constantFrom("1020", "1040", "1060", "980"),
      size: lots(1, 30),
      attempt: fc.integer({ min: 0, max: 2 }),
      mine: fc.boolean(),
    }),
    { maxLength: 5 },
  )
  .map((list) =>
    list.map(({ trigger, size, attempt, mine }, i) =>
      waits(trigger, size, { algoId: `${i}`, stopId: mine ? idAt(trigger, attempt) : null }),
    ),
  );

/** The venue's part of it, after each command. */
function steps(waiting: readonly VenueStop[], commands: readonly LegCommand[]): VenueStop[][] {
  let now = [...waiting];
  return commands.map((command) => {
    if (command.act === "cancel") now = now.filter(({ algoId }) => algoId !== command.algoId);
    if (command.act === "resize")
      now = now.map((one) => (one.algoId === command.algoId ? { ...one, size: command.size } : one));
    if (command.act === "place")
      now = [...now, waits(command.trigger, command.size, { algoId: `new ${command.trigger}`, side: command.side })];
    return now;
  });
}
const sum = (list: readonly { readonly size: string | null }[]) =>
  list.reduce((all, { size }) => all.plus(decimalOf(size ?? "0")), big(0));

describe("for every position, policy, and whatever waits", () => {
  test("legs are whole lots, none below the least order, and together never more than is held; nearer ones come first", () =>
    fc.assert(
      fc.property(anyHeld, anyPolicy, (position, policy) => {
        const { legs } = ladderOf(position, policy);
        expect(legs.length).toBeLessThanOrEqual(policy.takeProfitLegs);
        expect(sum(legs).lte(big(position.position.contracts).abs())).toBe(true);
        for (const { side, size, trigger } of legs) {
          expect([big(size).gte(ETH_SWAP.minSize), big(size).mod(ETH_SWAP.lotSize).eq(0)]).toEqual([true, true]);
          expect(side).toBe(big(position.position.contracts).gt(0) ? "sell" : "buy");
          const away = big(trigger)
            .minus(position.position.averagePrice)
            .times(side === "sell" ? 1 : -1);
          const risk = big(position.position.averagePrice).minus(position.stop).abs();
          expect(away.gte(risk.times(policy.takeProfitStep))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    ));

  test("a leg that fires leaves the others where they are, of the size they had", () =>
    fc.assert(
      fc.property(anyHeld, anyPolicy, (position, policy) => {
        const [first, ...rest] = ladderOf(position, policy).legs;
        if (first === undefined) return;
        const sign = first.side === "sell" ? -1 : 1;
        const contracts = text(big(position.position.contracts).plus(big(first.size).times(sign)));
        const after = {
          ...position,
          position: { ...position.position, contracts },
          taken: [took(first.trigger, first.size)],
        };
        if (big(contracts).eq(0)) return;
        const { legs, secured } = ladderOf(after, policy);
        expect(legs).toEqual(rest);
        const profit = big(secured ?? position.stop)
          .minus(position.position.averagePrice)
          .times(-sign);
        expect(profit.gt(0)).toBe(true);
      }),
      { numRuns: 1000 },
    ));

  test("once done there is nothing to do, nothing of a person is touched, and no step covers more than before or after", () =>
    fc.assert(
      fc.property(anyHeld, anyPolicy, anyWaiting, (position, policy, waiting) => {
        const { legs } = ladderOf(position, policy);
        const commands = layLegs(HERE, legs, waiting);
        const all = [waiting, ...steps(waiting, commands)];
        const last = all.at(-1) ?? [];
        const ours = (list: readonly VenueStop[]) => list.filter(({ stopId }) => isLegId("demo", stopId));
        expect(layLegs(HERE, legs, last)).toEqual([]);
        expect(
          ours(last)
            .map(({ trigger, size }) => `${size} at ${trigger}`)
            .sort(),
        ).toEqual(legs.map(({ trigger, size }) => `${size} at ${trigger}`).sort());
        expect(last.filter(({ stopId }) => stopId === null)).toEqual(waiting.filter(({ stopId }) => stopId === null));
        const most = [sum(ours(waiting)), sum(legs)].reduce((a, b) => (a.gt(b) ? a : b));
        for (const each of all) expect(sum(ours(each)).lte(most)).toBe(true);
      }),
      { numRuns: 1000 },
    ));
});

test("a leg's id is OKX's form, the same for the same place, and neither a stop's nor an order's", () => {
  const id = idAt("1020");
  expect(id).toMatch(/^e[a-z2-7]{29}00$/);
  expect(new Set([id, idAt("1020"), idAt("1020", 1), idAt("1040")]).size).toBe(3);
  expect([isLegId("demo", id), isLegId("live", id), isStopId("demo", id), isOurs("demo", id)]).toEqual([
    ...[true, false, false, false],
  ]);
  const order = clientOrderId({ ...ACCOUNT, instrument: ETH_SWAP.id, timeframe: "4h", biasAt: AT, leg: "plan" });
  expect([order, stopId(ACCOUNT, ETH_SWAP.id, AT, 0), null].map((other) => isLegId("demo", other))).toEqual([
    ...[false, false, false],
  ]);
  expect(() => idAt("1020", 100)).toThrow(RangeError);
});
