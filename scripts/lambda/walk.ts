import {
  auditLogs,
  bias,
  chainBlocks,
  equitySnapshots,
  eventAnalysis,
  eventRefs,
  orders,
  positions,
  prices,
  protections,
  reports,
  walletScores,
  wallets as watched,
} from "#db/schema";
import { ROUTES } from "#topology/topology";
import { decimalOf } from "#units/decimal";
import { instant } from "#units/time";
import { bundledJobs } from "../../stacks/bundle/bundle.ts";
import type { BundledDesk } from "./bundled-desk.ts";

/** A bundle answered an event, and what should have come of it did not. */
export class EffectError extends Error {
  override name = "EffectError";
}

type Say = (what: string, effect: string) => void;
type Table = Parameters<BundledDesk["db"]["$count"]>[0];

/** Returns the rows of a table. @throws EffectError when there is none */
async function rowsIn({ db }: BundledDesk, table: Table, what: string): Promise<number> {
  const count = await db.$count(table);
  if (count === 0) throw new EffectError(`${what}: nothing was stored`);
  return count;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const pass = ({ clock }: BundledDesk, ms: number): void => clock.set(clock.now() + ms);
/** Goes on to the next whole multiple of `ms`. */
const passTo = ({ clock }: BundledDesk, ms: number): void => clock.set(Math.floor(clock.now() / ms + 1) * ms);

/**
 * Walks one piece of work through every bundle: the tasks, ticks, messages of plain and ordered queues, requests. After
 * each it looks for the effect. At least `blocks` are ingested.
 * @throws EffectError naming what did not happen; InvocationError with what the function wrote.
 */
export async function walk(desk: BundledDesk, blocks: number, say: Say): Promise<void> {
  await prepare(desk, say);
  await follow(desk, blocks, say);
  await score(desk, say);
  await trade(desk, say);
  await operate(desk, say);
  await report(desk, say);
  await request(desk, say);
  const silent = bundledJobs().filter(({ job }) => !desk.functions.answered.has(job));
  if (silent.length > 0) throw new EffectError(`no event reached ${silent.map(({ job }) => job).join(", ")}`);
}

async function prepare(desk: BundledDesk, say: Say): Promise<void> {
  const first = (await desk.runTask("migrate-schema")) as { ran: readonly string[] };
  if (first.ran.length === 0) throw new EffectError("migrate-schema: no migration ran on an empty database");
  const again = (await desk.runTask("migrate-schema")) as { ran: readonly string[] };
  if (again.ran.length > 0) throw new EffectError(`migrate-schema: ran ${again.ran.join(", ")} twice`);
  say("migrate-schema", `invoked twice: ${first.ran.length} migrations, then none`);
  await desk.seed();
  const { manifest, headers, watchlist, labels } = desk.recording;
  const at = instant((headers[0]?.timestamp ?? 0) * 1000);
  const list = { chain: manifest.chain, at, wallets: watchlist, labels };
  const { wallets } = (await desk.runTask("watch-wallets", list)) as { wallets: number };
  say("watch-wallets", `invoked: ${wallets} wallets, ${await rowsIn(desk, watched, "watch-wallets")} rows stored`);
  await desk.tick("maintain-storage");
  say("maintain-storage", "tick: partitions made");
  await desk.tick("sync-prices");
  say("sync-prices", `tick: ${await rowsIn(desk, prices, "sync-prices")} bars stored`);
}

async function follow(desk: BundledDesk, blocks: number, say: Say): Promise<void> {
  await desk.tick("watch-head");
  const look = { chain: desk.recording.manifest.chain, at: instant(desk.clock.now()), afterSeconds: 0 };
  await desk.put("looks", look);
  say("look-at-head", `message: ${await desk.take("looks")} look, after that of the tick`);
  const taken = await desk.take("blocks");
  if (taken < blocks) throw new EffectError(`watch-head: sent ${taken} of ${blocks} blocks`);
  say("watch-head", `tick: ${taken} blocks sent`);
  const stored = await rowsIn(desk, chainBlocks, "ingest-block");
  if (stored !== taken) throw new EffectError(`ingest-block: stored ${stored} of ${taken} blocks`);
  say(
    "ingest-block",
    `ordered messages: ${stored} blocks, ${await rowsIn(desk, eventRefs, "ingest-block")} events stored`,
  );
  const analysed = await desk.take("events");
  say(
    "analyze-event",
    `messages: ${analysed} events, ${await rowsIn(desk, eventAnalysis, "analyze-event")} analyses stored`,
  );
}

async function score(desk: BundledDesk, say: Say): Promise<void> {
  // Quarter by quarter past the first horizon: wallets are scored in the quarter in which an outcome is known.
  let wallets = 0;
  for (let quarter = 0; quarter < 8 && wallets === 0; quarter++) {
    passTo(desk, 15 * MINUTE);
    await desk.tick("sync-prices");
    await desk.tick("settle-outcomes");
    wallets = await desk.take("wallets");
  }
  if (wallets === 0) throw new EffectError("settle-outcomes: no wallet was sent on to be scored");
  say("settle-outcomes", `tick: ${wallets} wallets sent`);
  say("score-wallet", `messages: ${await rowsIn(desk, walletScores, "score-wallet")} scores stored`);
  await desk.tick("refresh-biases");
  const due = await desk.take("biases");
  if (due === 0) throw new EffectError("refresh-biases: no bias was due");
  say("refresh-biases", `tick: ${due} biases due`);
  say("recompute-bias", `ordered messages: ${await rowsIn(desk, bias, "recompute-bias")} biases stored`);
  await retract(desk, say);
}

async function retract(desk: BundledDesk, say: Say): Promise<void> {
  const [event] = await desk.db.select().from(eventRefs).limit(1);
  const at = instant(desk.clock.now());
  if (!event) throw new EffectError("retract-events: there is no event to take back");
  const { id: entityId, walletId, blockNumber, blockHash } = event;
  const body = { walletId, blockNumber: blockNumber ?? 0, blockHash: blockHash ?? "" };
  await desk.put("retractions", { fact: "event.retracted", entityType: "event", entityId, at, body });
  await desk.take("retractions");
  const asked = (await desk.take("wallets")) + (await desk.take("biases"));
  if (asked < 2) throw new EffectError("retract-events: neither the wallet nor the biases were asked for again");
  say("retract-events", `message: ${asked} numbers asked for again`);
}

/** The plans of the walk so far are decided on what was seen; one more is made on a bias that is surely strong enough. */
async function trade(desk: BundledDesk, say: Say): Promise<void> {
  await desk.take("plans");
  await desk.take("orders");
  await desk.tick("reconcile-orders");
  pass(desk, MINUTE);
  await desk.tick("sync-prices");
  const at = instant(desk.clock.now());
  const [event] = await desk.db.select().from(eventRefs).limit(1);
  const contribution = { event_id: event?.id, wallet_id: event?.walletId, contribution: 0.9, credibility: 9 };
  await desk.db.insert(bias).values({
    ...{
      timestamp: at,
      asset: "ETH",
      timeframe: desk.policy.timeframe,
      value: decimalOf("0.9"),
      confidence: decimalOf("0.9"),
    },
    components: { n: 1, contributions: [contribution] },
  });
  const instrument = "ETH-USDT-SWAP";
  await desk.put("plans", { lane: `demo:${instrument}`, mode: "demo", asset: "ETH", instrument, at });
  await desk.take("plans");
  const decided = await rowsIn(desk, orders, "plan-order");
  say("plan-order", `ordered message: ${decided} orders decided`);
  const submitted = await desk.take("orders");
  const statuses = (await desk.db.select().from(orders)).map(({ status }) => status);
  if (submitted === 0) throw new EffectError(`submit-order: no order was approved (${statuses.join(", ")})`);
  if (statuses.some((status) => status === "approved" || status === "unknown"))
    throw new EffectError(`submit-order: the venue did not answer for an order (${statuses.join(", ")})`);
  say("submit-order", `ordered message: ${submitted} orders at the venue (${statuses.join(", ")})`);
  const looks = await desk.take("protections");
  const kept = await rowsIn(desk, protections, "protect-position");
  say("protect-position", `messages: ${looks} looks at the stops, ${kept} written down`);
  await desk.tick("reconcile-orders");
  await rowsIn(desk, equitySnapshots, "reconcile-orders");
  say("reconcile-orders", `tick: ${await rowsIn(desk, positions, "reconcile-orders")} positions kept`);
}

async function operate(desk: BundledDesk, say: Say): Promise<void> {
  const rows = await desk.db.$count(auditLogs);
  const wanted = { mode: "demo", to: "HALTED", confirmed: false, mappings: null, actor: "walk", reason: "a walk" };
  const reply = await desk.runTask("operate", { act: "control", ...wanted, at: instant(desk.clock.now()) });
  const { done } = reply as { done: boolean };
  if (!done || (await desk.db.$count(auditLogs)) !== rows + 1) throw new EffectError("operate: the desk is not halted");
  say("operate", "invoked: demo halted, an audit row stored");
}

async function report(desk: BundledDesk, say: Say): Promise<void> {
  passTo(desk, 4 * HOUR);
  await desk.tick("build-report");
  say("build-report", `tick: ${await rowsIn(desk, reports, "build-report")} reports stored`);
  const facts = await desk.take("audits");
  const stored = await rowsIn(desk, auditLogs, "write-audit");
  say("write-audit", `messages: ${facts} facts from the bus, ${stored} audit rows`);
}

async function request(desk: BundledDesk, say: Say): Promise<void> {
  for (const route of ROUTES) {
    const { status, text } = await desk.get(route);
    if (status !== 200) throw new EffectError(`${route}: ${status} ${text.slice(0, 200)}`);
    say(route, `request: 200, ${text.length} bytes`);
  }
}
