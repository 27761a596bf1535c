import { setTimeout as pause } from "node:timers/promises";
import {
  type EventSourceMappingConfiguration,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { functionName } from "#topology/functions";
import { deployedName, type Stage } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { queue } from "#topology/topology";

/** What a hard halt keeps from being consumed: no plan is made, no order is submitted. */
export const HALTED_HARD = ["plans", "orders"] as const satisfies readonly QueueName[];
type HaltedQueue = (typeof HALTED_HARD)[number];

/** How Lambda takes the messages of a queue to its function. */
export interface Mapping {
  readonly queue: HaltedQueue;
  /** "Enabled", "Disabled", or on the way to one of them. */
  readonly state: string;
}

/** Lambda knows no mapping of that function in this account and region. */
export class MissingMappingError extends Error {
  override name = "MissingMappingError";
  constructor(name: string, region: string) {
    super(
      `no queue leads to the function ${name} in ${region}. Is the stage deployed, and are these its account and region?`,
    );
  }
}

/** A mapping did not become what was asked within the time. */
export class StuckMappingError extends Error {
  override name = "StuckMappingError";
  constructor(name: string, state: string) {
    super(`the mapping of ${name} is ${state} after ${PATIENCE_MS / 1000} s. Run the command again`);
  }
}

const PATIENCE_MS = 120_000;
const PAUSE_MS = 500;

/** Returns whether a mapping takes messages, or is about to. */
export const isConsumed = ({ state }: Mapping): boolean =>
  ["Enabled", "Enabling", "Creating", "Updating"].includes(state);

/** Returns the mappings of a stage that a hard halt ends. @throws MissingMappingError */
export async function readMappings(stage: Stage): Promise<Mapping[]> {
  const client = new LambdaClient({});
  try {
    const found: Mapping[] = [];
    for (const name of HALTED_HARD) found.push({ queue: name, state: stateOf(await find(client, stage, name)) });
    return found;
  } finally {
    client.destroy();
  }
}

/**
 * Enables or disables the mappings of a stage that a hard halt ends, and returns once they are so. It needs Lambda alone: no
 * database, no function. A batch that is in work is not cut off.
 * @throws MissingMappingError, StuckMappingError
 */
export async function setMappings(stage: Stage, enabled: boolean, tell: (mapping: Mapping) => void): Promise<void> {
  const client = new LambdaClient({});
  try {
    for (const name of HALTED_HARD) tell({ queue: name, state: await set(client, stage, name, enabled) });
  } finally {
    client.destroy();
  }
}

const stateOf = ({ State = "unknown" }: EventSourceMappingConfiguration): string => State;

async function find(client: LambdaClient, stage: Stage, name: HaltedQueue): Promise<EventSourceMappingConfiguration> {
  const FunctionName = deployedName(stage, functionName(queue(name).consumer));
  const missing = async () => new MissingMappingError(FunctionName, await client.config.region());
  try {
    const { EventSourceMappings = [] } = await client.send(new ListEventSourceMappingsCommand({ FunctionName }));
    const [only] = EventSourceMappings;
    if (only) return only;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ResourceNotFoundException") throw error;
  }
  throw await missing();
}

async function set(client: LambdaClient, stage: Stage, name: HaltedQueue, Enabled: boolean): Promise<string> {
  const wanted = Enabled ? "Enabled" : "Disabled";
  const until = Date.now() + PATIENCE_MS;
  let asked = false;
  for (;;) {
    const mapping = await find(client, stage, name);
    const state = stateOf(mapping);
    if (state === wanted) return state;
    if (Date.now() > until) throw new StuckMappingError(name, state);
    // One that is changing already takes no change; its state says when it will.
    if (!asked && !/ing$/.test(state)) {
      await client.send(new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, Enabled }));
      asked = true;
    } else await pause(PAUSE_MS);
  }
}
