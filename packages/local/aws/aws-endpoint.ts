import type { IncomingMessage, ServerResponse } from "node:http";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { type Listening, listen, readBody } from "#host/http";
import { SOURCE } from "#topology/names";
import type { QueueName } from "#topology/queues";
import { topology } from "#topology/topology";
import { matches, type Pattern } from "./pattern.ts";

/** A rule of the bus: events that match go to the queue, detail only. */
export interface Rule {
  readonly pattern: Pattern;
  readonly queue: QueueName;
}

/** Returns the rules of the topology: one per fact and queue. */
export const rules = (): Rule[] =>
  Object.entries(topology.facts).flatMap(([fact, queues]) =>
    queues.map((name) => ({ pattern: { source: [SOURCE], "detail-type": [fact] }, queue: name })),
  );

const Put = z.object({
  Entries: z
    .array(
      z.object({ Source: z.string(), DetailType: z.string(), Detail: z.string(), EventBusName: z.string().optional() }),
    )
    .min(1)
    .max(10),
});
const Get = z.object({
  SecretId: z.string(),
  VersionStage: z.enum(["AWSCURRENT", "AWSPREVIOUS"]).default("AWSCURRENT"),
});

const PutSecret = z.object({ SecretId: z.string(), SecretString: z.string() });

/** A secret that was changed once. */
export interface ChangedSecret {
  readonly current: string;
  readonly previous: string;
  /** When `current` was put, in seconds since the epoch. */
  readonly changedAt: number;
}

interface Options {
  readonly sqs: SQSClient;
  readonly queueUrl: (name: QueueName) => string;
  /** Secrets by id, as JSON text. */
  readonly secrets: ReadonlyMap<string, string | ChangedSecret>;
  readonly port?: number;
}

/**
 * Serves the AWS calls that the desk makes beside SQS, in AWS JSON 1.1: EventBridge PutEvents and Secrets Manager
 * GetSecretValue and PutSecretValue; what is put is this endpoint's alone. Any other call is refused by name. A rule's target gets the event's detail, as `InputPath: $.detail`.
 */
export function startAwsEndpoint(options: Options): Promise<Listening> {
  const put = new Map<string, string>();
  const kept = (id: string) => put.get(id) ?? options.secrets.get(id);
  const calls: Record<string, (body: unknown) => Promise<unknown>> = {
    "AWSEvents.PutEvents": (body) => putEvents(Put.parse(body), options),
    "secretsmanager.GetSecretValue": async (body) => getSecret(Get.parse(body), kept),
    "secretsmanager.PutSecretValue": async (body) => {
      const { SecretId: id, SecretString } = PutSecret.parse(body);
      if (kept(id) === undefined) throw new Refusal("ResourceNotFoundException", `no secret ${id}`);
      put.set(id, SecretString);
      return { ARN: arnOf(id), Name: id, VersionStages: ["AWSCURRENT"] };
    },
  };
  return listen((request, response) => {
    answer(request, calls).then(
      (reply) => write(response, 200, reply),
      (error: Error) =>
        write(response, error instanceof Refusal ? 400 : 500, { __type: error.name, message: error.message }),
    );
  }, options.port);
}

class Refusal extends Error {
  constructor(type: string, message: string) {
    super(message);
    this.name = type;
  }
}

async function answer(
  request: IncomingMessage,
  calls: Record<string, (body: unknown) => Promise<unknown>>,
): Promise<unknown> {
  const target = String(request.headers["x-amz-target"] ?? "");
  const call = calls[target];
  if (!call)
    throw new Refusal(
      "UnknownOperationException",
      `this endpoint plays ${Object.keys(calls).join(" and ")}, not ${target || "that"}`,
    );
  const parsed: unknown = JSON.parse(await readBody(request));
  return call(parsed);
}

function write(response: ServerResponse, status: number, reply: unknown): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(reply));
}

async function putEvents({ Entries }: z.output<typeof Put>, { sqs, queueUrl }: Options): Promise<unknown> {
  const accepted = [];
  for (const [i, entry] of Entries.entries()) {
    const detail: unknown = JSON.parse(entry.Detail);
    const event = { source: entry.Source, "detail-type": entry.DetailType, detail };
    for (const rule of rules()) {
      if (!matches(rule.pattern, event)) continue;
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(rule.queue), MessageBody: entry.Detail }));
    }
    accepted.push({ EventId: `local-${i}` });
  }
  return { FailedEntryCount: 0, Entries: accepted };
}

const arnOf = (id: string): string => `arn:aws:secretsmanager:local:000000000000:secret:${id}`;

function getSecret(
  { SecretId: id, VersionStage }: z.output<typeof Get>,
  keptOf: (id: string) => string | ChangedSecret | undefined,
): unknown {
  const kept = keptOf(id);
  const changed = typeof kept === "string" ? { current: kept, previous: undefined } : kept;
  const SecretString = VersionStage === "AWSCURRENT" ? changed?.current : changed?.previous;
  if (SecretString === undefined)
    throw new Refusal("ResourceNotFoundException", `no secret ${id} of the stage ${VersionStage}`);
  return {
    Name: id,
    ARN: arnOf(id),
    SecretString,
    VersionStages: [VersionStage],
    ...(typeof kept === "object" && VersionStage === "AWSCURRENT" ? { CreatedDate: kept.changedAt } : {}),
  };
}
