/**
 * A process that runs the desk for a drill which kills it: database and queues are files, and what it does is told by its
 * parent. Before and after every wait it asks whether it lives on; no answer comes when it does not.
 */
import { join } from "node:path";
import { SECRET_ID } from "#doubles/venue/key";
import { controlFile } from "#local/control-board";
import { type Laptop, startLaptop } from "#local/laptop";
import { logFile } from "#local/log-file";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { useSink } from "#runtime/log";
import type { ScheduleName } from "#topology/schedules";
import type { Instant } from "#units/time";
import { disturbedDatabase } from "./database.ts";
import { busEdge, edge, forward } from "./edge.ts";
import { submittingIn } from "./outcome.ts";
import { type FaultPlan, jobOfConsumer, type Place, SUBMITTER } from "./plan.ts";
import { queueEdge } from "./queue-edge.ts";

/** What the parent starts the desk with: its first message. */
export interface DeskProcessOptions {
  /** Holds `db`, `queues` and the log; what an earlier process left there is gone on with. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** The key of the parent's venue, as the desk's secret: JSON. */
  readonly venueSecret: string;
}

/** What the parent asks for. */
export type Call =
  | { readonly kind: "schedule"; readonly name: ScheduleName; readonly at: Instant }
  | { readonly kind: "drain" }
  | { readonly kind: "close" };

/** One wait of an invocation. */
export interface Wait {
  readonly job: string;
  readonly place: Place;
  readonly inTransaction: boolean;
  /** The venue has just carried out the POST of an order. */
  readonly posted: boolean;
  /** The client order id of the order that this job has claimed, without a reply yet. */
  readonly submitting: string | null;
}

export type FromParent =
  | { readonly kind: "start"; readonly options: DeskProcessOptions }
  | { readonly kind: "call"; readonly id: number; readonly call: Call }
  | { readonly kind: "go"; readonly id: number };

export type FromDesk =
  | { readonly kind: "ready" }
  | { readonly kind: "began" }
  | { readonly kind: "wait"; readonly id: number; readonly wait: Wait }
  /** `deadLetters` once the desk is closed. */
  | { readonly kind: "done"; readonly id: number; readonly deadLetters: readonly string[] }
  | { readonly kind: "failed"; readonly id: number; readonly problem: string };

const tell = (message: FromDesk): void => void process.send?.(message);

/** Asks the parent at each wait; disturbs nothing by itself. */
function askingPlan(submitting: () => Promise<string | null>) {
  const open = new Map<number, () => void>();
  let asked = 0;
  let job: string | null = null;
  let claimed: string | null = null;
  const pass: FaultPlan["pass"] = async (place, inTransaction = false, posted = false) => {
    if (job === null) return;
    if (!inTransaction) claimed = job === SUBMITTER ? await submitting() : null;
    const id = ++asked;
    const wait: Wait = { job, place, inTransaction, posted, submitting: claimed };
    await new Promise<void>((resolve) => {
      open.set(id, resolve);
      tell({ kind: "wait", id, wait });
    });
  };
  return {
    pass,
    go: (id: number): void => {
      open.get(id)?.();
      open.delete(id);
    },
    run: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      tell({ kind: "began" });
      job = name;
      try {
        const result = await work();
        await pass("end");
        return result;
      } finally {
        job = null;
      }
    },
    ...{ breaksNow: async () => false, refuse: () => null, redelivers: () => false, mayLose: () => false },
  };
}

type AskingPlan = ReturnType<typeof askingPlan>;

interface Desk {
  readonly laptop: Laptop;
  readonly plan: AskingPlan;
}

async function startDesk({ directory, env, venueSecret }: DeskProcessOptions): Promise<Desk> {
  useSink(logFile(join(directory, "log.ndjson"), "append").write);
  const embedded = await openEmbedded(join(directory, "db"));
  const plan = askingPlan(() => submittingIn(embedded.db));
  const inFrontOf = async (place: Place, url: string): Promise<string> =>
    (await edge(place, plan, (request) => forward(url, request))).url;
  const database = { current: () => embedded.db, restart: async () => undefined, isServer: false };
  const laptop = await startLaptop({
    databaseDirectory: null,
    queueDirectory: join(directory, "queues"),
    // As a desk of this machine has it: one that is killed finds the kill switch where it left it.
    controlBoard: controlFile(directory, "demo"),
    env: {
      ...env,
      ETH_RPC_URL: await inFrontOf("node", env.ETH_RPC_URL ?? ""),
      OKX_URL: await inFrontOf("venue", env.OKX_URL ?? ""),
    },
    secrets: new Map([[SECRET_ID, venueSecret]]),
    crashSeconds: 1,
    drill: {
      openDatabase: async () => ({ ...embedded, db: disturbedDatabase(database, plan) }),
      edge: async (place, url) => (place === "queues" ? await queueEdge(url, plan) : await busEdge(url, plan)).url,
      handler: (consumer, handler) => (event, context) =>
        plan.run(jobOfConsumer(consumer), () => handler(event, context)),
    },
  });
  return { laptop, plan };
}

async function carryOut({ laptop }: Desk, call: Call): Promise<readonly string[]> {
  if (call.kind === "schedule") await laptop.runSchedule(call.name, call.at);
  if (call.kind === "drain") await laptop.drain();
  if (call.kind !== "close") return [];
  const letters = laptop.deadLetters().map(({ body }) => body);
  await laptop.close();
  return letters;
}

let desk: Desk | null = null;

async function answer(message: FromParent): Promise<void> {
  if (message.kind === "start") {
    desk = await startDesk(message.options);
    return tell({ kind: "ready" });
  }
  if (desk === null) throw new Error("the desk has not been started");
  if (message.kind === "go") return desk.plan.go(message.id);
  const { id, call } = message;
  try {
    tell({ kind: "done", id, deadLetters: await carryOut(desk, call) });
    if (call.kind === "close") process.exit(); // the edges listen still
  } catch (error) {
    tell({ kind: "failed", id, problem: error instanceof Error ? String(error.stack) : String(error) });
  }
}

process.on("message", (message: FromParent) => {
  // What breaks the start ends the process with its reason: nobody waits for an answer yet.
  answer(message).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
