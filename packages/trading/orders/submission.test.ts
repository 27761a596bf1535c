import { expect, test } from "vitest";
import { decimalOf } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { POLICY } from "../plans/policy.ts";
import type { SubmitReply } from "../venue.ts";
import { type OrderEvent, type OrderStatus, TRANSITIONS } from "./order.ts";
import { GRACE_MS, type Look, resolve, type UnknownOrder } from "./resolve.ts";
import type { StoredOrder } from "./stored-order.ts";
import {
  type Answer,
  BACKOFF_MS,
  changeOf,
  DEADLINE_MS,
  type Effect,
  eventOf,
  runSubmission,
  type SubmitOutcome,
  submission,
  submissionOf,
  WrongAnswer,
} from "./submission.ts";

// A model check: one approved order, a queue that delivers its message again and again, workers that crash and freeze
// between any two effects, a network that delays and loses requests and replies, a venue that takes any number of orders
// of one id (a market order fills at once, so its id is free again), and a reconciler. Seeded: a failure repeats.

type Step = Effect | { readonly kind: "look" };
type Reply = Answer | { readonly kind: "look"; readonly found: boolean };
type Machine = () => Generator<Step, SubmitOutcome, Reply>;
type Resolve = (order: UnknownOrder) => ReturnType<typeof resolve>;
const patient: Resolve = (order) => resolve(order, POLICY);

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface World {
  now: number;
  status: OrderStatus;
  version: number;
  expiresAt: Instant | null;
  looks: Look[];
  halted: boolean;
  /** Requests under way to the venue. */
  flying: { arrivesAt: number; expiresAt: number }[];
  /** When each venue order can be seen. */
  orders: number[];
  postsAfterHalt: number;
}

interface Worker {
  machine: ReturnType<Machine>;
  step: IteratorResult<Step, SubmitOutcome>;
  version: number;
  /** Whether the switch was on when this worker asked last. */
  confirmed: boolean;
}

const START = 1_655_775_000_000;
const FAR = instant(START + 1e10);
/** After a fill the venue's query may lag behind, but not by more than the grace. */
const LAG_MS = GRACE_MS / 2;

function move(world: World, version: number, event: OrderEvent): boolean {
  const to = TRANSITIONS[world.status][event];
  if (world.version !== version || to === null) return false;
  world.status = to;
  world.version += 1;
  return true;
}

function arrive(world: World): void {
  const due = world.flying.filter((request) => request.arrivesAt <= world.now);
  world.flying = world.flying.filter((request) => request.arrivesAt > world.now);
  for (const { arrivesAt, expiresAt } of due) if (arrivesAt <= expiresAt) world.orders.push(arrivesAt + LAG_MS);
}

const visible = (world: World): boolean => world.orders.some((from) => from <= world.now);

/** Posts: the reply comes back, or is lost, or the request is, or it comes late. */
function post(world: World, worker: Worker, expiresAt: Instant, chance: () => number): Reply {
  if (world.halted && !worker.confirmed) world.postsAfterHalt += 1;
  const fate = chance();
  const arrivesAt = world.now + Math.floor(chance() ** 3 * 90_000);
  if (fate < 0.1) return { kind: "reply", reply: { kind: "busy", code: "50011" } };
  if (fate < 0.2) return { kind: "reply", reply: { kind: "unknown", reason: "lost on the way" } };
  world.flying.push({ arrivesAt, expiresAt: millis(expiresAt) });
  if (fate < 0.6) return { kind: "reply", reply: { kind: "unknown", reason: "timeout" } };
  world.now = arrivesAt;
  arrive(world);
  const taken = arrivesAt <= millis(expiresAt);
  return { kind: "reply", reply: taken ? { kind: "accepted", venueOrderId: "1" } : { kind: "expired", code: "50037" } };
}

function perform(world: World, worker: Worker, step: Step, chance: () => number): Reply {
  switch (step.kind) {
    case "read":
      worker.version = world.version;
      return { kind: "status", status: world.status };
    case "clock":
      return { kind: "clock", now: instant(world.now) };
    case "claim": {
      const won = world.status === "approved" && move(world, world.version, world.halted ? "voided" : "claimed");
      const claimed = won && world.status === "submitting";
      if (claimed) world.expiresAt = step.expiresAt;
      if (claimed) worker.version = world.version;
      return { kind: "claim", won: claimed };
    }
    case "confirm":
      worker.confirmed = !world.halted;
      return { kind: "confirm", allowed: worker.confirmed };
    case "post":
      return post(world, worker, step.expiresAt, chance);
    case "wait":
      world.now += step.ms;
      return { kind: "waited" };
    case "look":
      return { kind: "look", found: visible(world) };
    case "record":
      if (move(world, worker.version, step.event)) worker.version = world.version;
      return { kind: "recorded" };
  }
}

/** One pass of the reconciler over the order. */
function reconcile(world: World, decide: Resolve, fails: boolean): void {
  const now = instant(world.now);
  const found = !fails && visible(world);
  if (world.status === "submitting") {
    if (found) move(world, world.version, "accepted");
    else if (world.expiresAt !== null && world.now > millis(world.expiresAt) + GRACE_MS)
      move(world, world.version, "lost");
  }
  if (world.status !== "unknown") return;
  const unknown = () => ({ expiresAt: world.expiresAt, now, looks: world.looks, hasFill: false });
  if (decide(unknown()) === "look" || found)
    world.looks.push({ at: now, outcome: fails ? "failed" : found ? "found" : "missing" });
  const verdict = decide(unknown());
  if (verdict === "adopt") move(world, world.version, "accepted");
  if (verdict === "expire") move(world, world.version, "expired");
  if (verdict === "quarantine") move(world, world.version, "quarantined");
}

interface Verdict {
  readonly duplicate: boolean;
  readonly orphan: boolean;
  readonly afterHalt: boolean;
  readonly stuck: boolean;
}

const DEAD: readonly OrderStatus[] = ["denied", "canceled", "rejected", "expired"];

function run(machine: Machine, decide: Resolve, seed: number): Verdict {
  const chance = random(seed);
  const world: World = {
    ...{ now: START, status: "approved", version: 1, expiresAt: null, looks: [], halted: false },
    ...{ flying: [], orders: [], postsAfterHalt: 0 },
  };
  let workers: Worker[] = [];
  const deliver = () => {
    const running = machine();
    workers.push({ machine: running, step: running.next(), version: 0, confirmed: false });
  };
  deliver();
  // Some schedules run through, in others a worker stands still while the world goes on.
  const pace = 0.05 + chance() * 0.6;
  for (let i = 0; i < 60; i++) {
    const at = Math.floor(chance() * workers.length);
    const worker = workers[at];
    const runs = chance() < pace;
    const dice = runs ? 1 : chance();
    if (runs && worker && !worker.step.done)
      worker.step = worker.machine.next(perform(world, worker, worker.step.value, chance));
    else if (dice < 0.25) world.now += Math.floor(chance() * 400);
    else if (dice < 0.5) world.now += Math.floor(chance() * 15_000);
    else if (dice < 0.55) workers = workers.filter((_, other) => other !== at);
    else if (dice < 0.65) deliver();
    else if (dice < 0.67) world.halted = true;
    else if (dice < 1) reconcile(world, decide, chance() < 0.3);
    arrive(world);
  }
  // The queue delivers until someone finishes; then the reconciler comes each minute, and every request has arrived.
  workers = [];
  deliver();
  for (const [last] = workers; last && !last.step.done; )
    last.step = last.machine.next(perform(world, last, last.step.value, chance));
  for (let minute = 0; minute < 30; minute++) {
    world.now += 60_000;
    arrive(world);
    reconcile(world, decide, false);
  }
  return {
    duplicate: world.orders.length > 1,
    orphan: world.orders.length > 0 && DEAD.includes(world.status),
    afterHalt: world.postsAfterHalt > 0,
    stuck: ["approved", "submitting", "unknown"].includes(world.status),
  };
}

function count(machine: Machine, decide: Resolve = patient, schedules = 5000) {
  const total = { duplicates: 0, orphans: 0, afterHalt: 0, stuck: 0 };
  for (let seed = 1; seed <= schedules; seed++) {
    const verdict = run(machine, decide, seed);
    total.duplicates += Number(verdict.duplicate);
    total.orphans += Number(verdict.orphan);
    total.afterHalt += Number(verdict.afterHalt);
    total.stuck += Number(verdict.stuck);
  }
  return total;
}

/** What the losing policies share: read, claim, then post as `sending` does; on a redelivery what `again` does. */
function* losing(
  sending: (claimedUntil: Instant) => Generator<Step, void, Reply>,
  again: () => Generator<Step, void, Reply>,
): Generator<Step, SubmitOutcome, Reply> {
  const read = (yield { kind: "read" }) as Extract<Reply, { kind: "status" }>;
  if (["submitting", "unknown"].includes(read.status)) {
    yield* again();
    return "left";
  }
  if (read.status !== "approved") return "done";
  const { now } = (yield { kind: "clock" }) as Extract<Reply, { kind: "clock" }>;
  const expiresAt = instant(millis(now) + DEADLINE_MS);
  const claim = (yield { kind: "claim", expiresAt }) as Extract<Reply, { kind: "claim" }>;
  if (claim.won) yield* sending(expiresAt);
  return "posted";
}

function* sendBy(expiresAt: Instant): Generator<Step, void, Reply> {
  const { reply } = (yield { kind: "post", expiresAt }) as Extract<Reply, { kind: "reply" }>;
  yield { kind: "record", event: eventOf(reply), reply };
}
function* leave(): Generator<Step, void, Reply> {
  yield { kind: "record", event: "lost", reply: null };
}

const MUTANTS: Record<string, Machine> = {
  "blind retry with the same id": () =>
    losing(
      () => sendBy(FAR),
      () => sendBy(FAR),
    ),
  "query, then retry": () =>
    losing(
      () => sendBy(FAR),
      function* () {
        const { found } = (yield { kind: "look" }) as Extract<Reply, { kind: "look" }>;
        if (!found) yield* sendBy(FAR);
      },
    ),
  "one POST, no deadline": () => losing(() => sendBy(FAR), leave),
  "no look at the switch before the POST": () => losing(sendBy, leave),
  "one POST, deadline computed when sending": () =>
    losing(function* () {
      const { now } = (yield { kind: "clock" }) as Extract<Reply, { kind: "clock" }>;
      yield* sendBy(instant(millis(now) + DEADLINE_MS));
    }, leave),
};

test("one POST with the deadline stored at claim: no duplicate, no orphan, nothing after a halt, nothing stuck", () => {
  const total = count(submission as Machine, patient, 20_000);
  expect(total).toEqual({ duplicates: 0, orphans: 0, afterHalt: 0, stuck: 0 });
});

test("what a busy venue did not take is posted again under the same deadline: no law is broken by it either", () => {
  const total = count(() => submission(BACKOFF_MS) as ReturnType<Machine>, patient, 20_000);
  expect(total).toEqual({ duplicates: 0, orphans: 0, afterHalt: 0, stuck: 0 });
  const again: Machine = () =>
    losing(function* (expiresAt) {
      for (let reply: SubmitReply = { kind: "busy", code: "" }; ; ) {
        yield { kind: "confirm" };
        ({ reply } = (yield { kind: "post", expiresAt: FAR }) as Extract<Reply, { kind: "reply" }>);
        if (reply.kind === "accepted") return void (yield { kind: "record", event: "accepted", reply });
        yield { kind: "wait", ms: expiresAt.length };
      }
    }, leave);
  expect(count(again).duplicates).toBeGreaterThan(100); // what is retried on any reply but this is sent twice
});

/** Answers the submit step; each POST with the next of `replies`. Returns what it did, and how it ended. */
async function driven(replies: readonly SubmitReply[], isLet: (posts: number) => boolean = () => true) {
  const done: Effect[] = [];
  const posts = () => done.filter(({ kind }) => kind === "post").length;
  const answer = async (effect: Effect): Promise<Answer> => {
    done.push(effect);
    if (effect.kind === "read") return { kind: "status", status: "approved" };
    if (effect.kind === "clock") return { kind: "clock", now: instant(START) };
    if (effect.kind === "claim") return { kind: "claim", won: true };
    if (effect.kind === "confirm") return { kind: "confirm", allowed: isLet(posts()) };
    if (effect.kind === "post") return { kind: "reply", reply: replies[posts() - 1] ?? { kind: "exists" } };
    return { kind: effect.kind === "wait" ? "waited" : "recorded" };
  };
  const outcome = await runSubmission(answer, BACKOFF_MS);
  const [last] = done.slice(-1);
  const deadlines = new Set(done.flatMap((effect) => (effect.kind === "post" ? [effect.expiresAt] : [])));
  const waits = done.flatMap((effect) => (effect.kind === "wait" ? [effect.ms] : []));
  return { outcome, posts: posts(), deadlines: [...deadlines], waits, event: last?.kind === "record" && last.event };
}

const BUSY = { kind: "busy", code: "50011" } as const;
const TAKEN = { kind: "accepted", venueOrderId: "1" } as const;

test("a busy venue is asked again before the deadline, each time under it and after a look at the switch", async () => {
  const deadline = [instant(START + DEADLINE_MS)];
  expect(await driven([BUSY, BUSY, TAKEN])).toEqual({
    ...{ outcome: "posted", posts: 3, deadlines: deadline, waits: [500, 1000], event: "accepted" },
  });
  expect(await driven([BUSY, BUSY, BUSY, BUSY, TAKEN])).toEqual({
    ...{ outcome: "posted", posts: 4, deadlines: deadline, waits: BACKOFF_MS, event: "expired" },
  });
  expect(BACKOFF_MS.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(DEADLINE_MS);
  expect(await driven([BUSY, TAKEN], (posts) => posts === 0)).toMatchObject({ posts: 1, event: "voided" });
  for (const reply of [
    { kind: "unknown", reason: "timeout" },
    { kind: "exists" },
    { kind: "expired", code: "1" },
  ] as const)
    expect(await driven([reply, TAKEN])).toMatchObject({ posts: 1, waits: [] });
});

test("the losing policies lose: the model tells them apart", () => {
  const found = Object.fromEntries(Object.entries(MUTANTS).map(([name, machine]) => [name, count(machine)]));
  expect(found["blind retry with the same id"]?.duplicates).toBeGreaterThan(100);
  expect(found["query, then retry"]?.duplicates).toBeGreaterThan(100);
  expect(found["one POST, no deadline"]?.duplicates).toBe(0);
  expect(found["one POST, no deadline"]?.orphans).toBeGreaterThan(20);
  expect(found["one POST, deadline computed when sending"]?.duplicates).toBe(0);
  expect(found["one POST, deadline computed when sending"]?.orphans).toBeGreaterThan(5);
  expect(found["no look at the switch before the POST"]?.afterHalt).toBeGreaterThan(5);
});

test("a weaker unknown rule loses orders: each fence is needed", () => {
  const lenient: Record<string, Resolve> = {
    "looks before the deadline count": (order) =>
      order.looks.length >= 3 && !order.looks.some((look) => look.outcome === "found")
        ? "expire"
        : order.looks.length < 3
          ? "look"
          : patient(order),
    "a failed look counts as missing": (order) =>
      patient({
        ...order,
        looks: order.looks.map((look) => (look.outcome === "failed" ? { ...look, outcome: "missing" } : look)),
      }),
    "one look without grace is enough": (order) => {
      if (order.looks.some((look) => look.outcome === "found")) return "adopt";
      return order.looks.some((look) => look.outcome === "missing" && look.at >= (order.expiresAt ?? ""))
        ? "expire"
        : "look";
    },
  };
  const found = Object.fromEntries(
    Object.entries(lenient).map(([name, rule]) => [name, count(submission as Machine, rule)]),
  );
  for (const total of Object.values(found)) expect(total.orphans).toBeGreaterThan(0);
});

test("a reply becomes an event", () => {
  expect(eventOf({ kind: "accepted", venueOrderId: "1" })).toBe("accepted");
  expect(eventOf({ kind: "rejected", code: "51008", reason: "balance" })).toBe("rejected");
  expect(eventOf({ kind: "halt", code: "50113", reason: "signature" })).toBe("rejected");
  expect(eventOf({ kind: "expired", code: "50037" })).toBe("expired");
  expect(eventOf({ kind: "busy", code: "50011" })).toBe("expired");
  expect(eventOf({ kind: "exists" })).toBe("lost");
  expect(eventOf({ kind: "unknown", reason: "timeout" })).toBe("lost");
});

test("a reply leaves in the order what a person needs to know", () => {
  expect(changeOf({ kind: "accepted", venueOrderId: "1" })).toEqual({ exchangeOrderId: "1" });
  const message = (reply: Parameters<typeof changeOf>[0]) => changeOf(reply).errorMessage;
  expect(message({ kind: "rejected", code: "51008", reason: "balance" })).toBe("51008 balance");
  expect(message({ kind: "halt", code: "50113", reason: "signature" })).toBe("50113 signature");
  expect(message({ kind: "expired", code: "50037" })).toBe("expired 50037");
  expect(message({ kind: "busy", code: "50011" })).toBe("busy 50011");
  expect(message({ kind: "exists" })).toBe("the venue knows the client order id");
  expect(message({ kind: "unknown", reason: "timeout" })).toBe("timeout");
  expect(message(null)).toBe("delivered again before a reply was recorded");
});

test("a limit goes out with its price, a close and a stop at market", () => {
  const order = { clientOrderId: "d1", instrument: "ETH", side: "sell", size: "3", price: "980", reduceOnly: true };
  const sent = (type: string) => submissionOf({ ...order, type } as StoredOrder, FAR);
  expect(sent("ioc")).toEqual({ ...order, type: "ioc", expiresAt: FAR });
  expect(sent("stop")).toEqual({ ...order, type: "market", price: null, expiresAt: FAR });
  expect(sent("market")).toMatchObject({ type: "market", price: null });
});

test("an order that opens has its stop with it, by an id of its own; one that reduces, or sets none, has not", () => {
  const order = {
    ...{ clientOrderId: "d1", type: "ioc", mode: "demo", reduceOnly: false },
    stopLoss: decimalOf("980"),
  };
  const stopOf = (change: object) => submissionOf({ ...order, ...change } as StoredOrder, FAR).stop;
  expect(stopOf({})).toEqual({ stopId: expect.stringMatching(/^d[a-z2-7]{29}00$/), trigger: "980" });
  expect(stopOf({})).toEqual(stopOf({ status: "unknown" }));
  expect(stopOf({ clientOrderId: "d2" })?.stopId).not.toBe(stopOf({})?.stopId);
  expect([stopOf({ reduceOnly: true }), stopOf({ stopLoss: null })]).toEqual([undefined, undefined]);
});

test("a driver that answers another question is a bug", async () => {
  await expect(runSubmission(async () => ({ kind: "recorded" }))).rejects.toThrow(WrongAnswer);
});
