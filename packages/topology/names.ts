import type { TradingMode } from "#trading/mode";

/** Every stage. */
export const STAGES = ["dev", "demo", "live"] as const;
/** Where the desk is deployed: dev and demo trade on paper or on OKX's demo, live with money. */
export type Stage = (typeof STAGES)[number];

/** Returns whether a text names a stage. */
export const isStage = (text: string): text is Stage => (STAGES as readonly string[]).includes(text);

/** Returns what a stage trades in: live with money, the others for practice. */
export const modeOfStage = (stage: Stage): TradingMode => (stage === "live" ? "live" : "demo");

/** What a laptop's queues are called by in an emulator of AWS, in place of a stage. */
export const LAPTOP = "local";
export type Place = Stage | typeof LAPTOP;

const PROJECT = "spyhop";

/** Returns the name of anything of a stage: "dev-spyhop-blocks". Stacks, queues, functions and the bus are called so. */
export const named = (stage: Place, name: string): string => `${stage}-${PROJECT}-${name}`;

/** Returns a queue's name; SQS wants an ordered one to end in ".fifo". */
export const queueName = (stage: Place, queue: string, ordered: boolean): string =>
  named(stage, ordered ? `${queue}.fifo` : queue);

/** Returns the name of the queue that takes what a queue gave up. */
export const deadLetterName = (stage: Place, queue: string, ordered: boolean): string =>
  queueName(stage, `${queue}-dead`, ordered);

/** Returns what a function is deployed as: "api/read" → "dev-spyhop-api-read". */
export const deployedName = (stage: Stage, job: string): string => named(stage, job.replaceAll("/", "-"));

/** Returns the name of the event bus. */
export const busName = (stage: Place): string => named(stage, "bus");

/** What a stage keeps in Secrets Manager. `origin` and `control` are made by the deployment; the others by its owner, before it. */
export type SecretName = "database" | "rpc" | "exchange" | "origin" | "control";

/** Those of the owner. */
export type OwnersSecret = Exclude<SecretName, "origin" | "control">;

/** Returns the id of a secret: "spyhop/dev/rpc". */
export const secretId = (stage: Stage, name: SecretName): string => `${PROJECT}/${stage}/${name}`;

/** What the key of every head in the copy of the records begins with. */
export const HEADS = "heads/";
/** What such a key looks like, as a policy names it: a time, to the millisecond. */
export const HEAD_KEYS = `${HEADS}????-??-??T??:??:??.???Z.json`;

/** The `source` of every fact on the bus; rules match on it. */
export const SOURCE = "spyhop";

/** The header with the origin's secret: CloudFront adds it, the routes compare it. In lower case, as API Gateway gives it. */
export const ORIGIN_HEADER = "x-origin-secret";
