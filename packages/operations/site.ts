import { existsSync } from "node:fs";
import { join } from "node:path";
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from "@aws-sdk/client-sqs";
import { connectPostgres } from "#db/server/connect";
import { markOf } from "#db/server/occupancy";
import { type Closer, closeAll } from "#host/closers";
import { FolderInUseError, lockFolder } from "#host/folder-lock";
import { startQueues } from "#local/aws/queues";
import { controlFile } from "#local/control-board";
import { doorOf } from "#local/door";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { readEnv, readSettings, setEnv } from "#runtime/config";
import { controlSecret } from "#runtime/open-control";
import { deadLetterName, LAPTOP, modeOfStage, type Place, queueName, type Stage, secretId } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";
import type { ControlBoard } from "#trading/control-object";
import type { TradingMode } from "#trading/mode";
import { type Ask, askHere, askRunning, askStage } from "./ask.ts";

/** Which of a queue's two: the queue itself, or that of what its consumer gave up. */
export type Side = "queue" | "dead";

/** The books of a desk, wherever they are: what a person asks and orders of it. */
export interface Books {
  /** As a person calls it: "stage dev". */
  readonly name: string;
  /** What the desk trades in. */
  readonly mode: TradingMode;
  readonly ask: Ask;
  close(): Promise<void>;
}

/** A desk to look at or to mend, its queues too: a deployed stage's, or a laptop's. */
export interface Site extends Books {
  readonly sqs: SQSClient;
  /** Returns a queue's URL. @throws MissingQueueError */
  url(name: QueueName, side: Side): Promise<string>;
}

/** Where a site is, as the command line says. One of the two at most; neither = the endpoints in the environment. */
export interface SiteOptions {
  readonly stage?: Stage | undefined;
  /** The folder of a laptop desk. Its books can be asked while it runs; its queues only when it is stopped. */
  readonly directory?: string | undefined;
}

/** Nothing says where the desk is. */
export class NoSiteError extends Error {
  override name = "NoSiteError";
  constructor(missing: string) {
    super(
      `which desk? Give --stage, or --directory (the sample's is .spyhop/sample), or set AWS_ENDPOINT_URL and DATABASE_URL (${missing} is not set)`,
    );
  }
}

/** A stage was named, and DATABASE_URL leads to what is no deployed desk's: a halt there would halt nothing. */
export class OtherDeskError extends Error {
  override name = "OtherDeskError";
  constructor(stage: Stage, holds: string) {
    super(
      `DATABASE_URL leads to the database of a ${holds}, which is not stage ${stage}'s. Nothing was asked or changed. ` +
        "Unset it, and the stage is asked through its own function.",
    );
  }
}

/** A folder holds no desk: nothing is made there. */
export class NoDeskError extends Error {
  override name = "NoDeskError";
  constructor(directory: string) {
    super(
      `${directory} holds no database of a desk. Give the folder of one, as .spyhop/live or .spyhop/sample; ` +
        "a desk with DATABASE_URL is found by that instead.",
    );
  }
}

/** SQS has no queue of that name in this account and region. */
export class MissingQueueError extends Error {
  override name = "MissingQueueError";
  constructor(queue: string, region: string) {
    super(`there is no queue ${queue} in ${region}. Is the stage deployed, and are these its account and region?`);
  }
}

/**
 * Opens the queues and the books of a desk. @throws FolderInUseError when the folder's desk is running: stop it first;
 * NoDeskError, NoSiteError.
 */
export async function openSite(options: SiteOptions): Promise<Site> {
  const { stage, directory } = options;
  if (directory !== undefined) return folderSite(directory);
  if (stage !== undefined) return awsSite(await openBooks(options), stage);
  const endpoint = readEnv("AWS_ENDPOINT_URL") ?? readEnv("AWS_ENDPOINT_URL_SQS");
  if (endpoint === null) throw new NoSiteError("AWS_ENDPOINT_URL");
  return awsSite({ ...(await openBooks(options)), name: `the laptop at ${endpoint}` }, LAPTOP);
}

/**
 * Opens the books of a desk, without its queues. Those of a folder are asked of the desk that runs there, or opened where none
 * does; those at DATABASE_URL are opened, whether or not the desk runs; those of a stage are asked of its function.
 * @throws NoDeskError, NoSiteError; OtherDeskError for a stage and a laptop's database at DATABASE_URL; FolderInUseError for a
 * folder in which something else works.
 */
export async function openBooks({ stage, directory }: SiteOptions): Promise<Books> {
  if (directory !== undefined) return folderBooks(directory);
  const url = readEnv("DATABASE_URL");
  if (stage === undefined && url === null) throw new NoSiteError("DATABASE_URL");
  if (stage !== undefined) useEmulatorsCredentials();
  const mode = stage === undefined ? readSettings().mode : modeOfStage(stage);
  const at = "the desk at DATABASE_URL";
  if (stage !== undefined && url === null)
    return { name: `stage ${stage}`, mode, ask: askStage(stage), close: async () => undefined };
  const { db, close } = connectPostgres(url ?? "");
  const mark = stage === undefined ? null : await markOf(db).catch(() => null); // one that does not answer says so when asked
  if (stage === undefined || mark === null)
    return {
      name: stage === undefined ? at : `stage ${stage}, by DATABASE_URL`,
      mode,
      ask: askHere(async () => db, boardOf({ stage }, mode) ?? undefined),
      close,
    };
  await close();
  throw new OtherDeskError(stage, mark);
}

/** Returns the control object of a desk, which needs no database; null when nothing says where the desk is. */
export function boardOf({ stage, directory }: SiteOptions, mode: TradingMode): ControlBoard | null {
  if (directory !== undefined) return controlFile(directory, mode);
  if (stage === undefined) return null;
  useEmulatorsCredentials();
  return controlSecret(secretId(stage, "control"), mode);
}

/** An emulator of AWS takes any credentials, and the SDK wants some. */
function useEmulatorsCredentials(): void {
  if (readEnv("AWS_ENDPOINT_URL") === null || readEnv("AWS_ACCESS_KEY_ID") !== null) return;
  setEnv({
    AWS_REGION: readEnv("AWS_REGION") ?? "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
}

function awsSite(books: Books, place: Place): Site {
  useEmulatorsCredentials();
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const urls = new Map<string, string>();
  return {
    ...books,
    sqs,
    url: async (queue, side) => {
      const wanted = nameOf(place, queue, side);
      const url = urls.get(wanted) ?? (await findQueue(sqs, wanted));
      urls.set(wanted, url);
      return url;
    },
    close: async () => {
      sqs.destroy();
      await books.close();
    },
  };
}

function nameOf(place: Place, name: QueueName, side: Side): string {
  const ordered = queue(name).groupBy !== undefined;
  return (side === "dead" ? deadLetterName : queueName)(place, name, ordered);
}

async function findQueue(sqs: SQSClient, name: string): Promise<string> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return QueueUrl ?? "";
  } catch (error) {
    if (error instanceof QueueDoesNotExist) throw new MissingQueueError(name, await sqs.config.region());
    throw error;
  }
}

/** Opens the database of a folder in which nothing runs. */
async function openFolder(directory: string, closers: Closer[]): Promise<Ask> {
  if (!existsSync(join(directory, "db"))) throw new NoDeskError(directory);
  closers.push(await lockFolder(directory));
  const database = await openEmbedded(join(directory, "db"));
  closers.push(database.close);
  return askHere(async () => database.db, controlFile(directory, readSettings().mode));
}

const ofFolder = (directory: string) => ({ name: `the desk in ${directory}`, mode: readSettings().mode });

async function folderBooks(directory: string): Promise<Books> {
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers);
  try {
    return { ...ofFolder(directory), ask: await openFolder(directory, closers), close };
  } catch (error) {
    await close();
    // A desk at DATABASE_URL keeps no database in its folder, and has a door too.
    const isOpen = error instanceof FolderInUseError || error instanceof NoDeskError;
    const door = isOpen ? await doorOf(directory) : null;
    if (door === null) throw error;
    return { ...ofFolder(directory), ask: askRunning(door), close };
  }
}

async function folderSite(directory: string): Promise<Site> {
  const closers: Closer[] = [];
  const close = (): Promise<void> => closeAll(closers);
  try {
    const ask = await openFolder(directory, closers);
    const queues = await startQueues(join(directory, "queues"));
    closers.push(queues.close);
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const sqs = new SQSClient({
      region: "us-east-1",
      credentials,
      endpoint: queues.endpoint,
      useQueueUrlAsEndpoint: false,
    });
    closers.push(async () => sqs.destroy());
    return {
      ...ofFolder(directory),
      ask,
      sqs,
      url: async (name, side) => (side === "dead" ? queues.deadUrl : queues.url)(name),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
