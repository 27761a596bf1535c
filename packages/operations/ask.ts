import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Db } from "#db/client";
import { schemaVersion } from "#db/server/version";
import { deadlineOf, lambdaContext, loadHandler } from "#local/aws/jobs";
import type { Door } from "#local/door";
import { readSettings } from "#runtime/config";
import { provide } from "#runtime/services";
import { deployedName, type Stage } from "#topology/names";
import { type Operation, REPLIES, type ReplyTo } from "#topology/operations";
import { task } from "#topology/topology";
import type { ControlBoard } from "#trading/control-object";
import { problemOf } from "./problem.ts";

/** Has a desk's books asked or changed. @throws the named error of who should have answered. */
export type Ask = <A extends Operation["act"]>(operation: Extract<Operation, { act: A }>) => Promise<ReplyTo<A>>;

/** The database is there and empty. */
export class NoSchemaError extends Error {
  override name = "NoSchemaError";
  constructor() {
    super("the database has no schema: npm run migrate");
  }
}

/** The database cannot be asked. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
  constructor(cause: unknown) {
    super(`the database does not answer: ${problemOf(cause)}. Is it up, and does DATABASE_URL lead to it?`, { cause });
  }
}

/** The desk took the question, and its job failed. */
export class OperateError extends Error {
  override name = "OperateError";
}

const JOB = "operate";
const asking =
  (answer: (operation: Operation) => Promise<unknown>): Ask =>
  async <A extends Operation["act"]>(operation: Extract<Operation, { act: A }>) =>
    REPLIES[operation.act as A].parse(await answer(operation)) as ReplyTo<A>; // the schema of this very act

/** Returns the control object of a desk that this command cannot reach; the desk itself writes it within a minute. */
const elsewhere = (): ControlBoard => ({
  mode: readSettings().mode,
  read: async () => ({ problem: ELSEWHERE, blank: false }),
  write: async () => ELSEWHERE,
});
const ELSEWHERE =
  "it is in the folder of the desk, and DATABASE_URL does not say which; the desk writes it within a minute";

/**
 * Asks a database of which nothing runs that would have to be asked first: by the same handler, in this process. `board` is
 * the desk's control object; without one it is out of reach.
 */
export function askHere(database: () => Promise<Db>, board: ControlBoard = elsewhere()): Ask {
  return asking(async (operation) => {
    const db = await database();
    // Before the job: one that cannot reach its database is the desk's error, and would be logged as such.
    const schema = await schemaVersion(db).catch((error) => {
      throw new NoAnswerError(error);
    });
    if (schema === null && operation.act !== "look") throw new NoSchemaError();
    provide("database", db);
    provide("control", board);
    const entry = task(JOB);
    const handler = await loadHandler(entry);
    return JSON.parse(JSON.stringify(await handler(operation, lambdaContext(entry, deadlineOf(entry)))));
  });
}

/** Asks a deployed stage: its function stands where the database can be reached. The caller may invoke it, and no more. */
export function askStage(stage: Stage): Ask {
  const FunctionName = deployedName(stage, JOB);
  return asking(async (operation) => {
    const client = new LambdaClient({});
    try {
      const reply = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(operation) }));
      const text = new TextDecoder().decode(reply.Payload);
      if (reply.FunctionError) throw new OperateError(`${FunctionName} failed: ${failureOf(text)}`);
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ResourceNotFoundException") throw error;
      const region = await client.config.region();
      throw new OperateError(
        `there is no function ${FunctionName} in ${region}. Is the stage deployed, and are these its account and region?`,
        { cause: error },
      );
    } finally {
      client.destroy();
    }
  });
}

/** What a function threw, as Lambda says it. */
function failureOf(text: string): string {
  const { errorType = "Error", errorMessage = text } = JSON.parse(text) as Record<string, string | undefined>;
  return `${errorType}: ${errorMessage}`;
}

/** Asks the desk of this machine that runs, which holds its own database. */
export const askRunning = ({ url, token }: Door): Ask =>
  asking(async (operation) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(operation) }).catch((cause) => {
      throw new OperateError("the desk that ran there does not answer; was it killed? Start it, or stop it whole", {
        cause,
      });
    });
    const text = await reply.text();
    if (!reply.ok) throw new OperateError(`the running desk answers ${reply.status}: ${text}`);
    return JSON.parse(text);
  });
