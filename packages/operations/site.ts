import { existsSync } from "node:fs";
import { join } from "node:path";
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from "@aws-sdk/client-sqs";
import type { Db } from "#db/client";
import { connectPostgres } from "#db/server/connect";
import { type Closer, closeAll } from "#host/closers";
import { lockFolder } from "#host/folder-lock";
import { startQueues } from "#local/aws/queues";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { readEnv, setEnv } from "#runtime/config";
import { DatabaseSecret, refuseUnverified } from "#runtime/postgres/database-secret";
import { readSecret } from "#runtime/secret";
import { deadLetterName, LAPTOP, type Place, queueName, type Stage, secretId } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";

/** Which of a queue's two: the queue itself, or that of what its consumer gave up. */
export type Side = "queue" | "dead";

/** A desk to look at or to mend: a deployed stage's, or a laptop's. */
export interface Site {
  /** As a person calls it: "stage dev". */
  readonly name: string;
  readonly sqs: SQSClient;
  /** Returns a queue's URL. @throws MissingQueueError */
  url(name: QueueName, side: Side): Promise<string>;
  /** Opens the database on first use. @throws the named error of what is missing or does not answer. */
  database(): Promise<Db>;
  close(): Promise<void>;
}

/** Where a site is, as the command line says. One of the two at most; neither = the endpoints in the environment. */
export interface SiteOptions {
  readonly stage?: Stage | undefined;
  /** The folder of a stopped laptop desk. */
  readonly directory?: string | undefined;
}

/** Nothing says where the desk is. */
export class NoSiteError extends Error {
  override name = "NoSiteError";
  constructor(missing: string) {
    super(`which desk? Give --stage or --directory, or set AWS_ENDPOINT_URL and DATABASE_URL (${missing} is not set)`);
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

/** Opens a site. @throws FolderInUseError when the folder's desk is running: stop it first; NoDeskError, NoSiteError. */
export async function openSite({ stage, directory }: SiteOptions): Promise<Site> {
  if (directory !== undefined) return folderSite(directory);
  if (stage !== undefined) return awsSite(`stage ${stage}`, stage);
  const endpoint = readEnv("AWS_ENDPOINT_URL") ?? readEnv("AWS_ENDPOINT_URL_SQS");
  if (endpoint === null) throw new NoSiteError("AWS_ENDPOINT_URL");
  if (readEnv("DATABASE_URL") === null) throw new NoSiteError("DATABASE_URL");
  return awsSite(`the laptop at ${endpoint}`, LAPTOP);
}

/** Opens a site whose database alone is asked: of the environment DATABASE_URL is enough. @throws as `openSite` does */
export async function openDatabaseSite(options: SiteOptions): Promise<Site> {
  if (options.directory !== undefined || options.stage !== undefined) return openSite(options);
  if (readEnv("DATABASE_URL") === null) throw new NoSiteError("DATABASE_URL");
  return awsSite("the database of DATABASE_URL", LAPTOP);
}

function awsSite(name: string, place: Place): Site {
  if (readEnv("AWS_ENDPOINT_URL") !== null && readEnv("AWS_ACCESS_KEY_ID") === null)
    setEnv({
      AWS_REGION: readEnv("AWS_REGION") ?? "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const urls = new Map<string, string>();
  let opened: ReturnType<typeof connectPostgres> | null = null;
  return {
    name,
    sqs,
    url: async (queue, side) => {
      const wanted = nameOf(place, queue, side);
      const url = urls.get(wanted) ?? (await findQueue(sqs, wanted));
      urls.set(wanted, url);
      return url;
    },
    database: async () => {
      opened ??= await connect(place);
      return opened.db;
    },
    close: async () => {
      sqs.destroy();
      await opened?.close();
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

/** DATABASE_URL where it is set: a stage's own address may not reach it from here. Else the stage's secret. */
async function connect(place: Place): Promise<ReturnType<typeof connectPostgres>> {
  const url = readEnv("DATABASE_URL");
  if (url !== null) return connectPostgres(url);
  if (place === LAPTOP) throw new NoSiteError("DATABASE_URL");
  const id = secretId(place, "database");
  const { fields } = await readSecret(id, DatabaseSecret);
  refuseUnverified(fields, `the secret ${id}`);
  return connectPostgres(fields.url, fields.ca === undefined ? {} : { ca: fields.ca });
}

async function folderSite(directory: string): Promise<Site> {
  if (!existsSync(join(directory, "db"))) throw new NoDeskError(directory);
  const closers: Closer[] = [await lockFolder(directory)];
  const close = (): Promise<void> => closeAll(closers);
  try {
    const database = await openEmbedded(join(directory, "db"));
    closers.push(database.close);
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
      name: `the desk in ${directory}`,
      sqs,
      url: async (name, side) => (side === "dead" ? queues.deadUrl : queues.url)(name),
      database: async () => database.db,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
