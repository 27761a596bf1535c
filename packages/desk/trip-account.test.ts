import { expect, test } from "vitest";
import { ACCOUNT, BTC, ETH, handDesk, START } from "#testing/hand/desk";
import { clientOrderId } from "#trading/orders/client-order-id";
import type { StoredOrder } from "#trading/orders/stored-order";
import { POLICY, type Policy } from "#trading/plans/policy";
import { type Comparison, compared, type Found } from "#trading/positions/comparison";
import type { FillCause, ForeignFill } from "#trading/positions/fill";
import type { OpenPosition } from "#trading/positions/position-row";
import { legId } from "#trading/protection/leg-id";
import { stopId } from "#trading/protection/stop-id";
import type { AccountFacts } from "#trading/store";
import type { VenueOrder } from "#trading/venue";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";
import { type Seen, tripAccount } from "./trip-account.ts";

const d = decimalOf;
const AT = instant(START);
const MINUTE = 60_000;
const QUIET: Seen = {
  ...{ breaks: [], foreign: [], waiting: [], impossibleFills: 0, credentialError: false, isExplained: true },
};
const health = (equity: string, dayStart = equity, peak = equity) => ({
  ...{ equity: d(equity), dayStart: d(dayStart), peak: d(peak), at: AT, rejects: 0 },
});
const fill = (cause: FillCause, instrument: string = ETH.id): ForeignFill =>
  ({
    ...{ instrument, cause, side: "buy", size: d("3") },
  }) as ForeignFill;
const waits = (id: string | null, instrument: string = ETH.id): VenueOrder => ({
  ...{ clientOrderId: id, venueOrderId: "v7", instrument, side: "sell", state: "open", size: d("2") },
  ...{ filledSize: d("0"), averagePrice: null, updatedAt: AT },
});

interface Given {
  readonly seen?: Partial<Seen>;
  readonly facts?: Partial<AccountFacts>;
  readonly policy?: Partial<Policy>;
  readonly standing?: readonly Comparison[];
}

function stage() {
  const desk = handDesk();
  const trip = async ({ seen = {}, facts = {}, policy = {}, standing = [] }: Given = {}) => {
    const run = {
      account: ACCOUNT,
      at: desk.at(),
      by: "reconcile-orders",
      policy: { ...POLICY, ...policy },
      barSeconds: 300,
    };
    const ago = instant(START - 7 * 24 * 60 * MINUTE);
    const stored = await desk.store.accountFacts({ ...run, endedSince: ago, filledSince: ago });
    const rows = new Map(standing.map((row) => [row.instrument, row]));
    const job = { store: desk.store, run, ids: [ETH.id], standing: rows, facts: { ...stored, ...facts } };
    return tripAccount(job, { ...QUIET, ...seen });
  };
  return { ...desk, trip };
}
const tripped = async (given: Given) => {
  const control = await stage().trip(given);
  return control && `${control.state}: ${control.reason}`;
};

test.each<[string, Given, string | null]>([
  ["all is well", {}, null],
  ["no equity is known", { facts: { health: null } }, null],
  ["a daily loss", { facts: { health: health("979", "1000", "1000") } }, "REDUCING: daily loss 0.021"],
  ["a drawdown", { facts: { health: health("900", "900", "1000") } }, "HALTED: drawdown 0.1"],
  [
    "a fall that the bills do not explain yet",
    { facts: { health: health("900", "1000", "1000") }, seen: { isExplained: false } },
    null,
  ],
  [
    "rejects, whether the bills explain the balance or not",
    { facts: { health: { ...health("1000"), rejects: POLICY.maxRejects } }, seen: { isExplained: false } },
    `REDUCING: ${POLICY.maxRejects} rejects in ten minutes`,
  ],
  ["a late fill", { seen: { impossibleFills: 1 } }, "REDUCING: 1 late or excess fills"],
  [
    "a refused key",
    { seen: { credentialError: true } },
    "HALTED: the venue refused the credentials or the configuration",
  ],
  ["a liquidation", { seen: { foreign: [fill("liquidation")] } }, `REDUCING: ${ETH.id}: liquidation, buy 3 contracts`],
  [
    "one that an earlier run left behind",
    { facts: { foreign: [fill("adl")] } },
    `REDUCING: ${ETH.id}: adl, buy 3 contracts`,
  ],
  [
    "an order that the books lost",
    { seen: { foreign: [fill("lost")] } },
    `REDUCING: ${ETH.id}: an order of the desk's that its books do not have, buy 3 contracts`,
  ],
  ["a trade by hand", { seen: { foreign: [fill("hand")] } }, null],
  [
    "a trade by hand, where the policy halts for it",
    { seen: { foreign: [fill("hand")] }, policy: { external: "halt" } },
    `HALTED: not the desk's: ${ETH.id}: hand, buy 3 contracts`,
  ],
  ["one of another instrument", { seen: { foreign: [fill("hand", BTC.id)] }, policy: { external: "halt" } }, null],
  [
    "what the venue does itself",
    { seen: { foreign: [fill("delivery")] }, policy: { external: "halt" } },
    `REDUCING: ${ETH.id}: delivery, buy 3 contracts`,
  ],
  [
    "an order of somebody's",
    { seen: { waiting: [waits(null)] }, policy: { external: "halt" } },
    `HALTED: not the desk's: ${ETH.id}: order v7, sell 2`,
  ],
  ["an order of somebody's, where that is let be", { seen: { waiting: [waits(null)] } }, null],
  [
    "an order of somebody's elsewhere",
    { seen: { waiting: [waits(null, BTC.id)] }, policy: { external: "halt" } },
    null,
  ],
  ...[
    clientOrderId({ ...ACCOUNT, instrument: ETH.id, timeframe: "4h", biasAt: AT, leg: "plan" }),
    stopId(ACCOUNT, ETH.id, AT, 0),
    legId({ account: ACCOUNT, instrument: ETH.id, openedAt: AT, trigger: d("52") }, 0),
  ].map((id): [string, Given, null] => [
    `the desk's own ${id.slice(0, 1)}`,
    { seen: { waiting: [waits(id)] }, policy: { external: "halt" } },
    null,
  ]),
  [
    "what is held off the list",
    { facts: { open: [{ instrument: BTC.id, contracts: d("2") } as OpenPosition] } },
    `REDUCING: ${BTC.id}: 2 contracts are held and it is not traded any more`,
  ],
  ["what is held on it", { facts: { open: [{ instrument: ETH.id, contracts: d("2") } as OpenPosition] } }, null],
])("%s", async (_, given, wanted) => expect(await tripped(given)).toBe(wanted));

test("an order that is unknown for too long reduces; one that is not, or whose fate is known, does not", async () => {
  const after = (status: StoredOrder["status"], seconds: number, expiresAt: Instant | null = AT) => {
    const desk = stage();
    desk.pass(seconds * 1000);
    return desk.trip({ facts: { atVenue: [{ id: idOf("order", "o"), status, expiresAt } as StoredOrder] } });
  };
  const most = POLICY.maxUnknownSeconds;
  expect([await after("unknown", most), await after("open", most + 1), await after("unknown", most + 1, null)]).toEqual(
    [...[null, null, null]],
  );
  expect(await after("unknown", most + 1)).toMatchObject({
    ...{ state: "REDUCING", reason: `1 orders unknown for over ${most} s`, actor: "reconcile-orders" },
  });
});

/** How ETH stands after runs of a minute each. */
const after = (runs: number, found: Found, from = START, before: Comparison | null = null): Comparison =>
  Array.from({ length: runs }).reduce<Comparison | null>(
    (row, _, i) => compared(row, ETH.id, instant(from + i * MINUTE), found),
    before,
  ) as Comparison;

test("an instrument that nobody could compare reduces, and what it tripped lifts itself once it agreed for long enough", async () => {
  const desk = stage();
  const failing = after(POLICY.maxUnseenRuns, { kind: "failed" });
  expect(await desk.trip({ standing: [after(POLICY.maxUnseenRuns - 1, { kind: "failed" })] })).toBeNull();
  expect(await desk.trip({ standing: [failing] })).toMatchObject({
    ...{ state: "REDUCING", reason: `${ETH.id} could not be compared with the venue`, lifts: [`unseen:${ETH.id}`] },
  });
  const agreeing = (runs: number) => after(runs, { kind: "agrees" }, START + MINUTE, failing);
  desk.pass(60 * MINUTE);
  expect(await desk.trip({ standing: [] })).toBeNull(); // nobody knows how it stands
  expect(await desk.trip({ standing: [agreeing(POLICY.liftRuns - 1)] })).toBeNull();
  expect(await desk.trip({ standing: [{ ...agreeing(99), liftedAt: desk.at() }] })).toBeNull(); // once a day
  const lifted = await desk.trip({ standing: [agreeing(POLICY.liftRuns)] });
  expect(lifted).toMatchObject({
    ...{ state: "ACTIVE", epoch: 3, changedAt: desk.at(), actor: "reconcile-orders" },
    reason: `lifted itself: books and venue agree again (unseen:${ETH.id})`,
  });
  expect(await desk.trip()).toEqual(lifted); // the same run says the same
  desk.pass(MINUTE);
  expect(await desk.trip()).toBeNull();
});

test("a break whose instrument lifted itself within a day waits for a person; so does a halt", async () => {
  const found: Found = { kind: "differs", ours: d("2"), theirs: d("1"), positionAt: null, seenAt: AT };
  const row = { ...after(1, found), liftedAt: AT };
  const breaks = [{ instrument: ETH.id, ours: d("2"), venue: d("1") }];
  const desk = stage();
  expect(await desk.trip({ standing: [row], seen: { breaks } })).toMatchObject({
    ...{ state: "REDUCING", lifts: [], reason: `${ETH.id}: fills say 2, the venue 1` },
  });
  desk.pass(60 * MINUTE);
  const standing = [after(99, { kind: "agrees" })];
  expect(await desk.trip({ standing })).toBeNull();
  const halted = stage();
  const change = { state: "REDUCING", reason: "", actor: "t", at: AT, lifts: [`break:${ETH.id}`] } as const;
  await halted.store.tighten("demo", change);
  await halted.store.tighten("demo", { ...change, state: "HALTED", lifts: [] });
  halted.pass(60 * MINUTE);
  expect(await halted.trip({ standing })).toBeNull();
  expect((await halted.store.control("demo")).state).toBe("HALTED");
});
