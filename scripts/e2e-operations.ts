import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { verifyAudit } from "#db/audit";
import { type Drizzle, drizzleOf } from "#db/drizzle";
import { auditLogs, bias, comparisons, eventRefs, orders, wallets } from "#db/schema";
import { connectPostgres } from "#db/server/connect";
import { upsertCandles } from "#db/signals/prices";
import { upsertInstruments } from "#db/trading/instruments";
import { insertOrder, moveOrder } from "#db/trading/move-order";
import { paperVenue } from "#doubles/venue/venue";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { wallClock } from "#host/clock";
import { instrumentRow } from "#recording/candle-source";
import { ETH_SWAP } from "#testing/instruments";
import { deadLetterName, queueName } from "#topology/names";
import type { OrderEvent } from "#trading/orders/order";
import { POLICY } from "#trading/plans/policy";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { type Instant, instant } from "#units/time";

const command: Command = {
  usage: "node scripts/e2e-operations.ts",
  summary:
    "What scripts/operations.sh needs beside the commands: a venue, orders to operate on, messages, a last look.",
  operand: { value: "STEP", says: "venue, seed, plan, order, bury, audit" },
  options: {
    database: { value: "URL", says: "of the deployed desk" },
    target: { value: "FILE", says: "venue: the target file that is to lead to it" },
  },
};

const MINUTE = 60_000;
const BARS = { instrument: ETH_SWAP.id, barSeconds: 60 };
const LANE = `demo:${ETH_SWAP.id}`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Generated bars of a minute around 2,000, from twenty hours before `now` to two after it. */
const barsAround = (now: number) =>
  Array.from({ length: 22 * 60 }, (_, i) => {
    const [open, close] = i % 2 === 0 ? ["2000", "2003"] : ["2003", "2000"];
    const bar = { open, high: "2003", low: "2000", close, volume: "100000" };
    const prices = Object.fromEntries(Object.entries(bar).map(([name, text]) => [name, decimalOf(text)]));
    const openedAt = instant(Math.floor(now / MINUTE - 20 * 60 + i) * MINUTE);
    return { openedAt, ...(prices as Record<keyof typeof bar, ReturnType<typeof decimalOf>>) };
  });

/** Serves a venue until the signal, and leads the target's functions to it. */
async function venue(given: Arguments, signal: AbortSignal): Promise<void> {
  const bars = barsAround(wallClock.now());
  const source = { barSeconds: 60, instruments: () => [instrumentRow(ETH_SWAP)], bars: () => bars };
  const key = { apiKey: "emulated", secret: "emulated", passphrase: "emulated" }; // as cloud-up put it
  const served = await paperVenue({ clock: wallClock, source, key });
  const { path, text } = await given.file("target");
  const target = JSON.parse(text) as { settings: Record<string, string> };
  target.settings = { ...target.settings, OKX_URL: served.url, OKX_RATE_LIMIT: "false", INSTRUMENTS: ETH_SWAP.id };
  await writeFile(path, JSON.stringify(target));
  say(`a venue is at ${served.url}`);
  await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
  await served.close();
}

/** Writes a market and a strong bias, an order that is approved, and one whose fate at the venue nobody knows. */
async function seed(db: Drizzle): Promise<void> {
  const now = wallClock.now();
  const at = instant(now);
  await upsertInstruments(db, [ETH_SWAP], "test", at);
  await upsertCandles(
    db,
    BARS,
    "test",
    barsAround(now).filter(({ openedAt }) => openedAt < instant(now - MINUTE)),
  );
  const [walletId, id] = [idOf("wallet", "ethereum", "0x1"), idOf("event", "1")];
  const since = { firstSeenAt: at, watchedSince: at };
  await db.insert(wallets).values({ id: walletId, address: `0x${"1".repeat(40)}`, chain: "ethereum", ...since });
  const ref = { id, timestamp: at, walletId, chain: "ethereum", txHash: `0x${"2".repeat(64)}` };
  await db.insert(eventRefs).values(ref);
  await lean(db, at);
  await order(db, "approved", at);
  await order(db, "doubtful", at, "claimed", "lost", "quarantined");
}

async function lean(db: Drizzle, timestamp: Instant): Promise<void> {
  const term = { event_id: idOf("event", "1"), wallet_id: idOf("wallet", "ethereum", "0x1") };
  const components = { n: 1, contributions: [{ ...term, contribution: 0.9, credibility: 9 }] };
  const strong = { value: decimalOf("0.9"), confidence: decimalOf("0.9") };
  await db.insert(bias).values({ timestamp, asset: "ETH", timeframe: POLICY.timeframe, ...strong, components });
}

/** What an order is called here, and by which client order id. */
const CALLED = { approved: `d${"a".repeat(26)}00`, doubtful: `d${"b".repeat(26)}00` } as const;

async function order(db: Drizzle, called: keyof typeof CALLED, at: Instant, ...events: OrderEvent[]): Promise<void> {
  let stored = await insertOrder(db, {
    ...{ mode: "demo", venue: "paper", asset: "BTC", instrument: "BTC-USDT-SWAP", timeframe: "4h", epoch: 1 },
    ...{ biasAt: at, at, by: "e2e", verdict: "approved", codes: [], policySnapshot: { hash: "x" } },
    order: {
      ...{ clientOrderId: CALLED[called], side: "buy", type: "ioc", size: decimalOf("2"), price: decimalOf("20000") },
      ...{ reduceOnly: false, stopLoss: decimalOf("19000"), riskUsd: decimalOf("10"), signal: null },
    },
  });
  for (const event of events) {
    const change = event === "claimed" ? { expTime: instant(wallClock.now() - 20 * MINUTE) } : {};
    stored = (await moveOrder(db, stored, event, { at, by: "e2e", change })) ?? stored;
  }
}

const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
const urlOf = async (QueueName: string): Promise<string> =>
  (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? "";
const put = async (QueueName: string, body: object): Promise<void> => {
  const ordered = QueueName.endsWith(".fifo")
    ? { MessageGroupId: LANE, MessageDeduplicationId: `${wallClock.now()}` }
    : {};
  await sqs.send(
    new SendMessageCommand({ QueueUrl: await urlOf(QueueName), MessageBody: JSON.stringify(body), ...ordered }),
  );
};

/** Messages of a queue that are not done, once that is none or a while has passed. */
async function left(QueueName: string): Promise<number> {
  const QueueUrl = await urlOf(QueueName);
  for (let round = 0; ; round++) {
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    const { ApproximateNumberOfMessages: ready, ApproximateNumberOfMessagesNotVisible: taken } = Attributes;
    const all = Number(ready) + Number(taken);
    if (all === 0 || round === 15) return all;
    await pause(1000);
  }
}

/** Asks for a plan on a bias of now, and says what became of it. */
async function plan(db: Drizzle): Promise<void> {
  const at = instant(wallClock.now());
  await lean(db, at);
  // Nobody reconciles here, and nothing is opened in an instrument that was not compared for three minutes.
  const compared = { since: at, comparedAt: at, comparedBefore: at };
  await db
    .insert(comparisons)
    .values({ tradingMode: "demo", exchange: "paper", instrument: ETH_SWAP.id, ...compared })
    .onConflictDoUpdate({
      target: [comparisons.tradingMode, comparisons.exchange, comparisons.instrument],
      set: compared,
    });
  const asked = { lane: LANE, mode: "demo", asset: "ETH", instrument: ETH_SWAP.id, at };
  await put(queueName("dev", "plans", true), asked);
  const waiting = await left(queueName("dev", "plans", true));
  await left(queueName("dev", "orders", true));
  say(`plans that wait: ${waiting}`);
  await tell(db);
}

/** Delivers the message of the order that was approved before anybody halted. */
async function deliver(db: Drizzle): Promise<void> {
  const orderId = idOf("order", CALLED.approved);
  const at = instant(wallClock.now());
  await put(queueName("dev", "orders", true), { lane: LANE, mode: "demo", instrument: "BTC-USDT-SWAP", orderId, at });
  await left(queueName("dev", "orders", true));
  await tell(db);
}

async function tell(db: Drizzle): Promise<void> {
  const all = await db.select().from(orders);
  const byTime = all.toSorted((a, b) => (`${a.decidedAt} ${a.id}` < `${b.decidedAt} ${b.id}` ? -1 : 1));
  for (const { status, side, instrument, errorMessage } of byTime)
    say(`${status} ${side} ${instrument}${errorMessage === null ? "" : ` (${errorMessage})`}`);
}

async function audit(db: Drizzle): Promise<void> {
  const rows = await db.select().from(auditLogs);
  for (const { action, newValue } of rows.toSorted((a, b) => a.seq - b.seq)) {
    const { actor = "", reason = "" } = newValue as { actor?: string; reason?: string };
    if (actor !== "") say(`${action} by ${actor}: ${reason}`);
  }
  const verdict = await verifyAudit(db);
  say(verdict.intact ? "the audit log is intact" : `the audit log is broken: ${verdict.reason}`);
}

const STEPS: Readonly<Record<string, (db: Drizzle) => Promise<void>>> = {
  seed,
  plan,
  order: deliver,
  bury: () =>
    put(deadLetterName("dev", "events", false), { eventId: idOf("event", "9"), at: instant(wallClock.now()) }),
  audit,
};

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const step = given.operand() ?? "";
  if (step === "venue") return venue(given, signal);
  const work = STEPS[step];
  if (work === undefined) throw new UsageError(`there is no step "${step}"`);
  const { db, close } = connectPostgres(given.need("database"));
  await work(drizzleOf(db));
  sqs.destroy();
  await close();
}

await runCommand(command, main);
