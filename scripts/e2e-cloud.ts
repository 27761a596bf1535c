import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { connectPostgres } from "#db/server/connect";
import type { Digest } from "#db/server/digest";
import { createScratchDatabase } from "#db/server/scratch";
import { paperSecret } from "#doubles/venue/key";
import { type Arguments, type Command, runCommand, UsageError } from "#host/cli";
import { openProgress } from "#host/progress";
import type { DeadLetter } from "#local/aws/queues";
import { scheduledEvent } from "#local/laptop";
import { chosenRecording } from "#recording/chosen-recording";
import type { Recording } from "#recording/recording";
import { deployedTarget } from "#replay/deployed";
import { trustWallets } from "#replay/drill/trust";
import { openWorld, type World } from "#replay/run-deployed";
import { runRecording } from "#replay/run-recording";
import { readEnv } from "#runtime/config";
import { deadLetterName } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";
import { type Instant, instant } from "#units/time";
import { type Deployment, deployTo } from "./cloud/deployment.ts";
import { batchesCutShort, type Disturbed, type DisturbOptions, disturbed } from "./cloud/disturb.ts";
import { clientOf, type Emulator, startEmulator } from "./cloud/emulator.ts";
import { frontProblems } from "./cloud/front.ts";
import { withoutGrant } from "./cloud/grant.ts";
import type { Host } from "./cloud/host.ts";
import { resourcesOf } from "./cloud/leftovers.ts";
import { run } from "./cloud/run.ts";

const command: Command = {
  usage: "npm run e2e:cloud --",
  summary:
    "Deploys the desk to an AWS emulator on this machine, replays a recording through the deployed functions, compares with the laptop, and removes everything.",
  options: {
    database: {
      value: "URL",
      says: "postgres://… of a server on which a database may be made; otherwise TEST_DATABASE_URL",
    },
    recording: { value: "DIR", says: "a recording, or the folder of recorded mainnet blocks" },
    sample: { says: "replay the whole sample, not a short generated recording" },
    slots: { value: "N", says: "12 s slots of the short recording", default: "40" },
    settle: { value: "MINUTES", says: "how long the clock goes on after the last block", default: "5" },
    with: { value: "HOST", says: "who deploys: sst or cdk", default: "sst" },
    drill: {
      says: "disturb the replay: functions killed, one not allowed to run, the database restarted; needs --restart",
    },
    restart: { value: "COMMAND", says: "restarts the database's server and returns when it is back" },
    seed: { value: "TEXT", says: "what the drill is drawn from", default: "1" },
    directory: { value: "DIR", says: "where the emulator is kept", default: ".spyhop/cloud" },
    verbose: { says: "show what the deploying host says" },
  },
  notes: ["It needs Python 3.10 or newer. docs/runbook.md says what this proves and what only AWS can."],
};

/** The deployed desk did not do what the laptop does. */
class CloudDiffersError extends Error {
  override name = "CloudDiffersError";
}

const GIT_SHA = "e2e";

interface Plan {
  readonly recording: Recording;
  readonly settleMs: number;
  /** Wallets begin with a good record, so that a short recording has orders in it. */
  readonly isShort: boolean;
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly drill: Pick<DisturbOptions, "restart" | "seed"> | null;
}

const prepareOf =
  ({ recording, isShort }: Plan) =>
  async (db: Parameters<typeof trustWallets>[0]): Promise<void> => {
    if (!isShort) return;
    await trustWallets(db, recording.manifest.chain, instant((recording.headers[0]?.timestamp ?? 0) * 1000));
  };

/** Replays on this laptop, for what must come out. */
async function onLaptop(plan: Plan): Promise<{ digest: Digest; orders: string }> {
  const { recording, settleMs, signal } = plan;
  const finished = await runRecording({
    ...{ recording, settleMs, signal, gitSha: GIT_SHA, directory: join(plan.scratch, "laptop") },
    prepare: prepareOf(plan),
    progress: progressOf("laptop"),
  });
  try {
    return { digest: finished.digest, orders: ordersOf(finished.venue) };
  } finally {
    await finished.close();
  }
}

function progressOf(phase: string) {
  const bar = openProgress(process.stderr, () => performance.now());
  return (step: { at: Instant; blocks: number; totalBlocks: number; share: number }): void => {
    bar.update({ ...step, phase, events: null, lagSeconds: null });
    if (step.share >= 1) bar.done();
  };
}

/** The venue's orders as it filled them, in an order of their own. */
const ordersOf = ({ state }: World["venue"]): string =>
  state()
    .orders.map(({ ordId, clOrdId, side, accFillSz, filledValue }) => [ordId, clOrdId, side, accFillSz, filledValue])
    .map((fields) => fields.join(" "))
    .toSorted()
    .join("\n");

function settingsOf(world: World): Record<string, string> {
  const own = ["SPYHOP_MODE", "GIT_SHA", "ETH_RPC_URL", "EXCHANGE_SECRET_ID"];
  return Object.fromEntries(Object.entries(world.settings).filter(([name]) => !own.includes(name)));
}

/** Replays through the deployed stack. */
async function throughCloud(plan: Plan, stage: Stage): Promise<Cloud> {
  const { world, emulator, deployment, url } = stage;
  const sqs = new SQSClient({ ...clientOf(emulator), useQueueUrlAsEndpoint: false });
  const connection = connectPostgres(url);
  try {
    const target = deployedTarget({
      sqs,
      queueUrl: deployment.queueUrl,
      deadLetterUrl: (name) => deadLetterUrl(deployment, name),
      invoke: deployment.invoke,
    });
    const { settleMs, signal, drill } = plan;
    const options = { settleMs, signal, prepare: prepareOf(plan), progress: progressOf("cloud") };
    const troubled = drill === null ? null : await disturbed(target, { emulator, deployment, sqs, ...drill });
    const { digest, deadLetters } = await world.run(connection.db, troubled?.target ?? target, options);
    const counts = troubled && { ...troubled.counts, cut: await batchesCutShort(emulator) };
    return { digest, deadLetters, orders: ordersOf(world.venue), counts };
  } finally {
    await connection.close();
    sqs.destroy();
  }
}

interface Stage {
  readonly world: World;
  readonly emulator: Emulator;
  readonly deployment: Deployment;
  readonly url: string;
}

interface Cloud {
  readonly digest: Digest;
  readonly orders: string;
  readonly deadLetters: readonly DeadLetter[];
  readonly counts: (Disturbed["counts"] & { readonly cut: number }) | null;
}

function deadLetterUrl({ queueUrl }: Deployment, name: QueueName): string {
  const dead = deadLetterName("dev", name, queue(name).groupBy !== undefined);
  return new URL(dead, new URL(".", queueUrl(name))).href;
}

/** A missing grant must show: without the right to send, refresh-biases fails, and with it it does not. */
async function grantProblems({ emulator, deployment, world }: Stage): Promise<string[]> {
  // Before the recording begins, at a time when every bias is due: nothing is stored, and nothing is sent.
  const at = instant(Math.floor(world.startMs / 300_000) * 300_000 - 86_400_000);
  const event = scheduledEvent("refresh-biases", at);
  const failure = await withoutGrant(emulator, deployment, { job: "refresh-biases", action: "sqs:SendMessage" }, () =>
    deployment.invoke("refresh-biases", event).then(
      () => null,
      (error: Error) => error.message,
    ),
  );
  if (failure === null) return ["refresh-biases sent to a queue without the grant to"];
  return /AccessDenied|not authorized/i.test(failure)
    ? []
    : [`without its grant refresh-biases failed otherwise: ${failure}`];
}

function compare(laptop: { digest: Digest; orders: string }, cloud: Cloud): string[] {
  const differing = Object.entries(laptop.digest.tables).filter(
    ([name, { sha256 }]) => cloud.digest.tables[name]?.sha256 !== sha256,
  );
  return [
    ...differing.map(
      ([name, { rows }]) => `table ${name}: ${rows} rows, ${cloud.digest.tables[name]?.rows} in the cloud`,
    ),
    ...cloud.deadLetters.map(({ queue: name, body }) => `dead letter on ${name}: ${body}`),
    ...(laptop.orders === cloud.orders ? [] : ["the venue's orders differ"]),
  ];
}

interface Asked {
  readonly server: string;
  readonly host: Host;
  readonly dir: string | null;
  readonly drill: Plan["drill"];
}

function askedOf(given: Arguments): Asked {
  const server = given.text("database") ?? readEnv("TEST_DATABASE_URL");
  if (server === null) throw new UsageError("name a database server: --database or TEST_DATABASE_URL");
  const host = given.need("with");
  if (host !== "cdk" && host !== "sst") throw new UsageError("--with takes sst or cdk");
  const restart = given.text("restart");
  if (given.flag("drill") && restart === undefined) throw new UsageError("--drill needs --restart");
  const dir = given.text("recording") ?? (given.flag("sample") ? "recordings/sample" : null);
  const drill = given.flag("drill") && restart !== undefined ? { restart, seed: given.need("seed") } : null;
  return { server, host, dir, drill };
}

async function main(given: Arguments, signal: AbortSignal): Promise<void> {
  const { server, host, dir, drill } = askedOf(given);
  const scratch = await mkdtemp(join(tmpdir(), "spyhop-e2e-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(scratch, { recursive: true, force: true })];
  const say = (text: string): void => void process.stderr.write(text);
  try {
    const recording = await chosenRecording(dir, given.count("slots") ?? 0, scratch);
    const settleMs = (given.count("settle") ?? 0) * 60_000;
    const plan: Plan = { recording, settleMs, isShort: dir === null, scratch, signal, drill };
    const laptop = await onLaptop(plan);
    await run(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/bundle.ts"]);
    const world = await openWorld(recording, GIT_SHA);
    closers.push(world.close);
    const database = await createScratchDatabase(server);
    closers.push(database.drop);
    const emulator = await startEmulator(join(given.need("directory"), "ministack"));
    closers.push(emulator.down);
    const marks = [performance.now()];
    const deployment = await deployTo({
      ...{ emulator, host, gitSha: GIT_SHA, schedules: false },
      directory: join(scratch, "deployment"),
      secrets: {
        database: { url: database.url },
        rpc: { urls: [world.nodeUrl] },
        exchange: JSON.parse(paperSecret()) as unknown,
      },
      settings: settingsOf(world),
      ...(given.flag("verbose") ? { say } : {}),
    });
    marks.push(performance.now());
    const stage: Stage = { world, emulator, deployment, url: database.url };
    const problems = [...(await grantProblems(stage)), ...(await frontProblems(emulator))];
    const cloud = await throughCloud(plan, stage);
    marks.push(performance.now());
    problems.push(...compare(laptop, cloud));
    const stood = (await resourcesOf(emulator)).length;
    await deployment.remove();
    marks.push(performance.now());
    problems.push(...(await resourcesOf(emulator)).map((name) => `left after the removal: ${name}`));
    process.stdout.write(`${host}: ${told(laptop, cloud, marks)}, ${stood} resources removed\n`);
    if (problems.length > 0) throw new CloudDiffersError(problems.join("\n"));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function told(laptop: { digest: Digest; orders: string }, cloud: Cloud, marks: readonly number[]): string {
  const [deploy, replay, remove] = marks.slice(1).map((at, i) => ((at - (marks[i] ?? at)) / 1000).toFixed(0));
  const { counts } = cloud;
  const drilled = counts
    ? `disturbed by ${counts.killed} kills (${counts.cut} batches cut short), ${counts.retried} schedules run again, ${counts.closed} function closed, ${counts.restarts} restarts\n`
    : "";
  const orders = cloud.orders === "" ? 0 : cloud.orders.split("\n").length;
  return `deployed in ${deploy} s, replayed in ${replay} s, removed in ${remove} s
laptop ${laptop.digest.digest}
cloud  ${cloud.digest.digest}
${drilled}${orders} orders at the venue, ${cloud.deadLetters.length} dead letters`;
}

await runCommand(command, main);
