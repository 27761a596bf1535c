import { join } from "node:path";
import type { SQSEvent } from "aws-lambda";
import type { Listening } from "#host/http";
import type { DrillParts } from "#local/laptop";
import type { Recording } from "#recording/recording";
import { forgetBus } from "#runtime/publish";
import { forgetSecrets } from "#runtime/secret";
import { forgetQueues } from "#runtime/send";
import { provide } from "#runtime/services";
import { instant } from "#units/time";
import type { ReplayProgress } from "../replay.ts";
import { runRecording } from "../run-recording.ts";
import { disturbedDatabase } from "./database.ts";
import { busEdge, edge, forward } from "./edge.ts";
import { type KilledOutcome, replayKilled } from "./killed.ts";
import { type Outcome, outcomeOf, submittingIn } from "./outcome.ts";
import {
  type Aim,
  type FaultCounts,
  type FaultPlan,
  faultPlan,
  jobOfConsumer,
  type PlanOptions,
  RATES,
  type Rates,
  SUBMITTER,
} from "./plan.ts";
import { poisonQueues } from "./poison.ts";
import { type Ledger, queueEdge } from "./queue-edge.ts";
import { type RestartableDatabase, restartableFolder } from "./restartable.ts";
import { trustWallets } from "./trust.ts";
import { submissionWindows } from "./windows.ts";

export interface DrillOptions {
  readonly recording: Recording;
  /** For the folders of the replays; what is in them goes. */
  readonly directory: string;
  /** Where invocations are ended: everywhere but while an order is being submitted, or only there. */
  readonly aim: Aim;
  /** What every fault is drawn from. */
  readonly seed: string;
  /** How long the clock goes on after the last block, in milliseconds. */
  readonly settleMs?: number | undefined;
  /** Opens the database of the disturbed replay, which is to be kept in `folder` unless it is a server's. */
  readonly openDatabase: (folder: string) => Promise<RestartableDatabase>;
  readonly progress: (run: Run | "killed", step: ReplayProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface DrillResult {
  readonly undisturbed: Outcome;
  readonly disturbed: Outcome;
  /** The replay in a process that is killed; null where the aim is inside of submissions. */
  readonly killed: KilledOutcome | null;
  readonly counts: FaultCounts;
  readonly restarts: number;
  readonly messages: number;
  readonly deliveries: number;
  /** The messages that neither a consumer was done with nor a dead-letter queue holds. */
  readonly lost: readonly string[];
}

const NONE: Rates = { redelivered: 0, killed: 0, refused: 0, refusedByBus: 0 };
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
 * Replays a recording undisturbed, under faults, and in a process that is killed, and returns the outcomes. Under faults
 * messages are delivered again, invocations end in the middle, SQS and the bus refuse, and the database is restarted twice.
 *
 * What no replay can make good is an order whose submission ends between its claim and the record of the venue's reply: it
 * is given up rather than sent twice (design of the submission), so the trades that follow differ. So every replay, the
 * undisturbed one too, ends the same two submissions there, one in each window, and beside them that window is spared.
 * With the aim "inside" submissions end there as they are drawn, in the disturbed replay alone, and no process is killed.
 * @throws what broke a replay.
 */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const { aim, seed, recording, directory, settleMs, signal, progress } = options;
  const windows = () => (aim === "around" ? submissionWindows() : null);
  const calm = { aim, seed, rates: NONE, restarts: [], windows: windows() };
  const { outcome: undisturbed } = await replayed("undisturbed", options, calm);
  const third = Math.floor(undisturbed.invocations / 3);
  const restarts = [third, 2 * third];
  const rates = aim === "around" ? RATES : { ...RATES, killed: INSIDE };
  const faults = { aim, seed, rates, restarts, windows: windows() };
  const { outcome: disturbed, counts, ledger } = await replayed("disturbed", options, faults);
  const killed =
    aim === "inside"
      ? null
      : await replayKilled({
          ...{ recording, settleMs, signal, invocations: undisturbed.invocations },
          directory: join(directory, "killed"),
          progress: (step) => progress("killed", step),
        });
  return { undisturbed, disturbed, killed, counts, restarts: restarts.length, ...tally(ledger, disturbed) };
}

type Run = "undisturbed" | "disturbed";

/** What stands between a desk of this process and its parts. */
interface Between {
  readonly parts: DrillParts;
  readonly counts: FaultCounts;
  readonly ledger: () => Ledger | null;
  readonly close: () => Promise<void>;
}

function between(run: Run, options: DrillOptions, faults: Omit<PlanOptions, "submitting" | "renew">): Between {
  const opened: { database: RestartableDatabase | null; ledger: Ledger | null; edges: Listening[] } = {
    database: null,
    ledger: null,
    edges: [],
  };
  const submitting = async (job: string): Promise<string | null> =>
    opened.database === null || ![SUBMITTER, "reconcile-orders"].includes(job)
      ? null
      : submittingIn(opened.database.current());
  const plan = faultPlan({ ...faults, submitting, renew });
  const open = run === "disturbed" ? options.openDatabase : restartableFolder;
  const parts: DrillParts = {
    openDatabase: async (folder) => {
      const database = await open(folder ?? join(options.directory, "database"));
      opened.database = database;
      return { db: disturbedDatabase(database, plan), vacuum: database.vacuum, close: database.close };
    },
    edge: async (place, url) => {
      if (run === "undisturbed" && place !== "venue") return url; // whose replies alone it has to see
      const listening = await openEdge(place, url, plan);
      opened.edges.push(listening);
      if ("ledger" in listening) opened.ledger = listening.ledger as Ledger;
      return listening.url;
    },
    handler: (consumer, handler) => disturbedHandler(consumer, handler, plan),
  };
  const close = async (): Promise<void> => {
    for (const listening of opened.edges) await listening.close();
  };
  return { parts, counts: plan.counts, ledger: () => opened.ledger, close };
}

function openEdge(place: "queues" | "bus" | "node" | "venue", url: string, plan: FaultPlan): Promise<Listening> {
  if (place === "queues") return queueEdge(url, plan);
  if (place === "bus") return busEdge(url, plan);
  return edge(place, plan, (request) => forward(url, request));
}

type Handler = Parameters<DrillParts["handler"]>[1];

/** A queue's batch is tried once here and comes again by its queue; a schedule's event is tried again here. */
function disturbedHandler(consumer: string, handler: Handler, plan: FaultPlan): Handler {
  const job = jobOfConsumer(consumer);
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
  run: Run,
  options: DrillOptions,
  faults: Omit<PlanOptions, "submitting" | "renew">,
): Promise<{ readonly outcome: Outcome; readonly counts: FaultCounts; readonly ledger: Ledger | null }> {
  const { recording, directory, settleMs, progress, signal } = options;
  const began = performance.now();
  const { parts, counts, ledger, close } = between(run, options, faults);
  try {
    const finished = await runRecording({
      recording,
      directory: join(directory, run),
      gitSha: "drill",
      progress: (step) => progress(run, step),
      ...(settleMs === undefined ? {} : { settleMs }),
      ...(signal ? { signal } : {}),
      drill: parts,
      prepare: async (db) => {
        await trustWallets(db, recording.manifest.chain, instant((recording.headers[0]?.timestamp ?? 0) * 1000));
        if (run === "disturbed") await poisonQueues();
      },
    });
    try {
      const outcome = await outcomeOf(finished.db, finished.venue.state(), {
        invocations: finished.desk.measured.summary().reduce((sum, { runs }) => sum + runs, 0),
        seconds: (performance.now() - began) / 1000,
        deadLetters: finished.desk.deadLetters().map(({ body }) => body),
        windows: faults.windows?.ended ?? null,
      });
      return { outcome, counts, ledger: ledger() };
    } finally {
      await finished.close();
    }
  } finally {
    await close();
  }
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
