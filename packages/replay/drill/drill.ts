import { join } from "node:path";
import type { SQSEvent } from "aws-lambda";
import type { Digest } from "#db/server/digest";
import { ordersAtVenue, ordersByClientId } from "#db/trading/orders";
import type { PaperState } from "#doubles/venue/account";
import type { Listening } from "#host/http";
import type { DrillParts } from "#local/laptop";
import type { Recording } from "#recording/recording";
import { forgetBus } from "#runtime/publish";
import { forgetSecrets } from "#runtime/secret";
import { forgetQueues } from "#runtime/send";
import { provide } from "#runtime/services";
import type { Decimal } from "#units/decimal";
import { instant } from "#units/time";
import type { ReplayProgress } from "../replay.ts";
import { type RunOptions, runRecording } from "../run-recording.ts";
import { disturbedDatabase } from "./database.ts";
import { busEdge, edge, forward } from "./edge.ts";
import { type Aim, type FaultCounts, type FaultPlan, faultPlan, RATES } from "./plan.ts";
import { poisonQueues } from "./poison.ts";
import { type Ledger, queueEdge } from "./queue-edge.ts";
import type { RestartableDatabase } from "./restartable.ts";
import { trustWallets } from "./trust.ts";

export interface DrillOptions {
  readonly recording: Recording;
  /** For the folders of the two replays; what is in them goes. */
  readonly directory: string;
  /** Where invocations are ended: everywhere but while an order is being submitted, or only there. */
  readonly aim: Aim;
  /** What every fault is drawn from. */
  readonly seed: string;
  /** How long the clock goes on after the last block, in milliseconds. */
  readonly settleMs?: number | undefined;
  /** Opens the database of the disturbed replay, which is to be kept in `folder` unless it is a server's. */
  readonly openDatabase: (folder: string) => Promise<RestartableDatabase>;
  readonly progress: (run: "undisturbed" | "disturbed", step: ReplayProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One replay, as far as two are compared. */
export interface Outcome {
  readonly digest: Digest;
  readonly venue: PaperState;
  readonly invocations: number;
  readonly seconds: number;
  readonly deadLetters: readonly string[];
  /** What the desk holds of each order of the venue, by client order id: its status and what of it is filled. */
  readonly known: ReadonlyMap<string, { readonly status: string; readonly filledSize: Decimal }>;
  /** Orders that the desk believes to be at the venue still. */
  readonly unsettled: number;
}

export interface DrillResult {
  readonly undisturbed: Outcome;
  readonly disturbed: Outcome;
  readonly counts: FaultCounts;
  readonly restarts: number;
  readonly messages: number;
  readonly deliveries: number;
  /** The messages that neither a consumer was done with nor a dead-letter queue holds. */
  readonly lost: readonly string[];
}

/** Few invocations submit an order, so more of them are ended when that is the aim. */
const INSIDE = 0.4;
/** A tick that died is run again at its time, as Lambda tries an asynchronous invocation; a unit is troubled twice at most. */
const ATTEMPTS = 3;

/** What a process holds open is gone with it. */
function renew(): void {
  for (const need of ["rpc", "market", "exchange"] as const) provide(need, null);
  for (const forget of [forgetQueues, forgetBus, forgetSecrets]) forget();
}

/**
 * Replays a recording twice, undisturbed and under faults, and returns both outcomes: messages are delivered again,
 * invocations end in the middle, SQS and the bus answer with errors, and the database is restarted twice.
 *
 * One window is left alone: from the claim of an order to the record of the venue's reply no invocation is ended. There
 * the desk gives an order up rather than send it twice (design of the submission), so the trades that follow differ.
 * @throws what broke a replay.
 */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const undisturbed = await replayed("undisturbed", options);
  const third = Math.floor(undisturbed.invocations / 3);
  const opened: { database: RestartableDatabase | null; ledger: Ledger | null; edges: Listening[] } = {
    database: null,
    ledger: null,
    edges: [],
  };
  const { aim, seed, openDatabase } = options;
  const spare = async (job: string): Promise<boolean> => {
    if (opened.database === null || !["submit-order", "reconcile-orders"].includes(job)) return false;
    const live = await ordersAtVenue(opened.database.current(), "demo");
    return live.some((order) => order.status === "submitting");
  };
  const restarts = [third, 2 * third];
  const rates = aim === "around" ? RATES : { ...RATES, killed: INSIDE };
  const plan = faultPlan({ aim, seed, rates, restarts, spare, renew });
  const parts: DrillParts = {
    openDatabase: async (folder) => {
      const database = await openDatabase(folder ?? join(options.directory, "database"));
      opened.database = database;
      return { db: disturbedDatabase(database, plan), vacuum: database.vacuum, close: database.close };
    },
    edge: async (place, url) => {
      const listening = await openEdge(place, url, plan);
      opened.edges.push(listening);
      if ("ledger" in listening) opened.ledger = listening.ledger as Ledger;
      return listening.url;
    },
    handler: (consumer, handler) => disturbedHandler(consumer, handler, plan),
  };
  try {
    const disturbed = await replayed("disturbed", options, parts);
    return {
      undisturbed,
      disturbed,
      counts: plan.counts,
      restarts: restarts.length,
      ...tally(opened.ledger, disturbed),
    };
  } finally {
    for (const listening of opened.edges) await listening.close();
  }
}

function openEdge(place: "queues" | "bus" | "node" | "venue", url: string, plan: FaultPlan): Promise<Listening> {
  if (place === "queues") return queueEdge(url, plan);
  if (place === "bus") return busEdge(url, plan);
  return edge(place, plan, (request) => forward(url, request));
}

type Handler = Parameters<DrillParts["handler"]>[1];

/** A queue's batch is tried once here and comes again by its queue; a schedule's event is tried again here. */
function disturbedHandler(consumer: string, handler: Handler, plan: FaultPlan): Handler {
  const job = consumer.replace(/^functions\/|\.handler$/g, "");
  return async (event, context) => {
    const { Records, time } = event as Partial<SQSEvent> & { readonly time?: string };
    if (Records) {
      const units = Records.map((record) => record.messageId);
      return plan.run(job, units, () => handler(event, context));
    }
    if (time === undefined) return handler(event, context); // a route: nothing comes again by itself
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await plan.run(job, [`${job} ${time}`], () => handler(event, context));
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
      }
    }
  };
}

async function replayed(
  run: "undisturbed" | "disturbed",
  { recording, directory, settleMs, progress, signal }: DrillOptions,
  drill?: RunOptions["drill"],
): Promise<Outcome> {
  const began = performance.now();
  const finished = await runRecording({
    recording,
    directory: join(directory, run),
    gitSha: "drill",
    progress: (step) => progress(run, step),
    ...(settleMs === undefined ? {} : { settleMs }),
    ...(signal ? { signal } : {}),
    drill,
    prepare: async (db) => {
      await trustWallets(db, recording.manifest.chain, instant((recording.headers[0]?.timestamp ?? 0) * 1000));
      if (drill) await poisonQueues();
    },
  });
  try {
    const invocations = finished.desk.measured.summary().reduce((sum, { runs }) => sum + runs, 0);
    const venue = booksOf(finished.venue.state());
    const ids = venue.orders.map((order) => order.clOrdId);
    return {
      digest: finished.digest,
      venue,
      known: await ordersByClientId(finished.db, ids),
      unsettled: (await ordersAtVenue(finished.db, "demo")).length,
      invocations,
      seconds: (performance.now() - began) / 1000,
      deadLetters: finished.desk.deadLetters().map(({ body }) => body),
    };
  } finally {
    await finished.close();
  }
}

/** Returns the venue's books in an order of their own: within an instant it keeps them as they came. */
function booksOf(venue: PaperState): PaperState {
  const by = <T>(list: readonly T[], key: (item: T) => string): T[] =>
    list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    ...venue,
    orders: by(venue.orders, (order) => order.ordId),
    fills: by(venue.fills, (fill) => fill.billId),
    positions: by(venue.positions, (position) => position.instId),
    fundings: by(venue.fundings, (funding) => funding.billId),
  };
}

function tally(ledger: Ledger | null, { deadLetters }: Outcome): Pick<DrillResult, "messages" | "deliveries" | "lost"> {
  const taken = ledger?.taken ?? new Map();
  const dead = [...deadLetters];
  const lost: string[] = [];
  for (const [id, { queue, body }] of taken as Ledger["taken"]) {
    if (ledger?.done.has(id)) continue;
    const at = dead.indexOf(body);
    if (at >= 0) dead.splice(at, 1);
    else lost.push(`${queue} ${body}`);
  }
  return { messages: taken.size, deliveries: ledger?.deliveries ?? 0, lost };
}
