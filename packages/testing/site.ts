import { SQSClient } from "@aws-sdk/client-sqs";
import { type Queues, startQueues } from "#local/aws/queues";
import { controlInMemory } from "#local/control-board";
import { askHere } from "#operations/ask";
import type { Site } from "#operations/site";
import { type TestDatabase, testDatabase } from "./database.ts";

/** A desk that is operated on from outside: real queues, a real database, nothing that runs. */
export interface TestSite {
  readonly queues: Queues;
  readonly sqs: SQSClient;
  readonly database: TestDatabase;
  readonly site: Site;
  close(): Promise<void>;
}

/** Returns a site with empty queues and an empty, migrated database. */
export async function testSite(): Promise<TestSite> {
  const queues = await startQueues(null);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const { endpoint } = queues;
  const sqs = new SQSClient({ region: "us-east-1", credentials, endpoint, useQueueUrlAsEndpoint: false });
  const database = await testDatabase();
  const site: Site = {
    name: "a test",
    mode: "demo",
    sqs,
    url: async (name, side) => (side === "dead" ? queues.deadUrl : queues.url)(name),
    ask: askHere(async () => database.db, controlInMemory("demo")),
    close: async () => {},
  };
  const close = async () => {
    sqs.destroy();
    await queues.close();
    await database.close();
  };
  return { queues, sqs, database, site, close };
}
