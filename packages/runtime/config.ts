import * as z from "zod";
import type { Verify } from "#chain/integrity";
import type { Need } from "#topology/job";
import type { QueueName } from "#topology/queues";
import { TradingMode } from "#trading/mode";
import { PolicyDifferences, PolicyError, policyFrom } from "#trading/plans/policy";
import { TdMode } from "./okx/td-mode.ts";

/** What every function may read. It comes from the environment and holds no secret. */
export interface Settings {
  readonly mode: TradingMode;
  readonly chain: "ethereum";
  readonly chainId: number;
  /** OKX swaps that are priced, biased and traded. */
  readonly instruments: readonly string[];
  readonly barSeconds: number;
  /** Seconds between looks at the head within its minute; 0 = one look a minute. */
  readonly headPollSeconds: number;
  /** Base of a block explorer, or null where its pages would not exist. */
  readonly explorerUrl: string | null;
  readonly gitSha: string;
  readonly venue: string;
  /** Hours of candles to load before the first block. */
  readonly warmupHours: number;
  /** The input is generated, not a real market: said wherever it is shown. */
  readonly generated: boolean;
  readonly inputName: string;
  /** Whether blocks far behind the head are proven in full too. */
  readonly verify: Verify;
  /** The limits that differ from the policy's defaults. */
  readonly policy: PolicyDifferences;
  /** The public key whose armings let live open positions; null = none does. */
  readonly armingKey: string | null;
}

/** Returns what the desk runs on, as routes say it beside what they answer. */
export const inputOf = ({
  inputName,
  generated,
}: Settings): { readonly name: string; readonly generated: boolean } => ({
  name: inputName,
  generated,
});

/** The environment lacks a variable or holds a malformed one. The message names it, never its value. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly variables: readonly string[];
  constructor(variables: readonly string[], problems: string) {
    super(`configuration: ${problems}`);
    this.variables = variables;
  }
}

type Env = Readonly<Record<string, string | undefined>>;

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean),
);
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const optional = (name: string) => z.string().min(1, `${name} is empty`).optional();

const differences = z.string().transform((given, context) => {
  try {
    const read = PolicyDifferences.parse(JSON.parse(given));
    policyFrom(read);
    return read;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof PolicyError || error instanceof z.ZodError)) throw error;
    context.addIssue({
      code: "custom",
      message: error instanceof PolicyError ? error.message : "is no JSON of limits",
    });
    return z.NEVER;
  }
});

const settingsSchema = z.object({
  SPYHOP_MODE: TradingMode.default("demo"),
  CHAIN_ID: z.coerce.number().int().positive().default(1),
  INSTRUMENTS: list.default(["ETH-USDT-SWAP", "BTC-USDT-SWAP"]),
  BAR_SECONDS: z.coerce.number().int().positive().default(60),
  HEAD_POLL_SECONDS: z.coerce.number().min(0).default(4),
  EXPLORER_URL: z.union([z.literal(""), z.url()]).default("https://etherscan.io"),
  GIT_SHA: z.string().default("unknown"),
  VENUE: z.string().default("paper"),
  WARMUP_HOURS: z.coerce.number().positive().default(192),
  GENERATED: flag.default(false),
  INPUT_NAME: z.string().default("live"),
  VERIFY: z.enum(["full", "linked"]).default("linked"),
  POLICY: differences.default({}),
  ARMING_KEY: optional("ARMING_KEY"),
});

/** The schema of what every function may read, and of each need's section: for who documents them. */
export const schemas = () => ({ settings: settingsSchema, ...sections, retries: Retries, bus: Bus });

/** One section per need, parsed only by functions that have it. */
const sections = {
  database: z.object({
    DATABASE_URL: optional("DATABASE_URL"),
    DATABASE_SECRET_ID: optional("DATABASE_SECRET_ID"),
    DATABASE_HOST: optional("DATABASE_HOST"),
    DATABASE_PORT: z.coerce.number().int().min(1).max(65_535).default(5432),
    DATABASE_NAME: optional("DATABASE_NAME"),
    DATABASE_USER: optional("DATABASE_USER"),
  }),
  books: z.object({}),
  schema: z.object({
    DATABASE_URL: optional("DATABASE_URL"),
    DATABASE_SECRET_ID: optional("DATABASE_SECRET_ID"),
    DATABASE_NAME: optional("DATABASE_NAME"),
    DATABASE_USER: optional("DATABASE_USER"),
    SCHEMA_SECRET_ID: optional("SCHEMA_SECRET_ID"),
    SCHEMA_HOST: optional("SCHEMA_HOST"),
  }),
  rpc: z.object({ ETH_RPC_URL: optional("ETH_RPC_URL"), RPC_SECRET_ID: optional("RPC_SECRET_ID") }),
  market: z.object({ OKX_PUBLIC_URL: z.url().optional(), OKX_RATE_LIMIT: flag.default(true) }),
  exchange: z.object({
    OKX_URL: z.url().optional(),
    OKX_RATE_LIMIT: flag.default(true),
    OKX_TD_MODE: TdMode.default("cross"),
    EXCHANGE_SECRET_ID: z.string().min(1),
  }),
  copy: z.object({ RECORD_BUCKET: optional("RECORD_BUCKET") }),
  control: z.object({ CONTROL_SECRET_ID: z.string().min(1) }),
} satisfies Record<Need, z.ZodObject>;
type Sections = { [N in Need]: z.output<(typeof sections)[N]> };

function parse<T extends z.ZodType>(schema: T, env: Env): z.output<T> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const variables = [...new Set(result.error.issues.map((issue) => issue.path.join(".")))];
  throw new ConfigError(variables, result.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; "));
}

/**
 * Returns the settings of this process.
 * @throws ConfigError naming each malformed variable.
 */
export function readSettings(env: Env = process.env): Settings {
  const c = parse(settingsSchema, env);
  return {
    mode: c.SPYHOP_MODE,
    chain: "ethereum",
    chainId: c.CHAIN_ID,
    instruments: c.INSTRUMENTS,
    barSeconds: c.BAR_SECONDS,
    headPollSeconds: c.HEAD_POLL_SECONDS,
    explorerUrl: c.EXPLORER_URL === "" ? null : c.EXPLORER_URL,
    gitSha: c.GIT_SHA,
    venue: c.VENUE,
    warmupHours: c.WARMUP_HOURS,
    generated: c.GENERATED,
    inputName: c.INPUT_NAME,
    verify: c.VERIFY,
    policy: c.POLICY,
    armingKey: c.ARMING_KEY ?? null,
  };
}

/** Returns the configuration of one need. @throws ConfigError naming each missing or malformed variable. */
export const readConfig = <N extends Need>(need: N, env: Env = process.env): Sections[N] =>
  parse(sections[need], env) as Sections[N];

// Schemas are made once: making one takes longer than sending a message does.
const Url = z.url();
const Bus = z.object({ EVENT_BUS: z.string().min(1) });

/** Returns where a queue is. @throws ConfigError when the function was not given this queue. */
export function queueUrl(name: QueueName, env: Env = process.env): string {
  const variable = `QUEUE_URL_${name.toUpperCase()}`;
  const { success, data, error } = Url.safeParse(env[variable]);
  if (success) return data;
  throw new ConfigError([variable], `${variable}: ${error.issues.map((issue) => issue.message).join("; ")}`);
}

// Source: Amazon SQS, "Visibility timeout": twelve hours at most.
const Seconds = z.coerce.number<string>().int().min(1).max(43_200);
const Retries = z.object({ RETRY_SECONDS: list.pipe(z.array(Seconds).min(1)).default([2, 10, 50, 250]) });

/**
 * Returns after how many seconds a failed message comes again, by how often it failed. By default 2, 10, 50 and 250: a
 * node or venue that is away for five minutes costs no message. RETRY_SECONDS says otherwise: several, comma-separated.
 */
export const readRetrySeconds = (env: Env = process.env): readonly number[] => parse(Retries, env).RETRY_SECONDS;

/** Whether queues keep back what is sent with a delay. Not in a replay, whose clock stands while its queues are emptied. */
export const keepsDelays = (env: Env = process.env): boolean => env.QUEUE_DELAYS !== "none";

/** Returns the name of the event bus. */
export const eventBus = (env: Env = process.env): string => parse(Bus, env).EVENT_BUS;

/** Returns the id of the secret that CloudFront shows, or null where nothing stands in front. */
export const originSecretId = (env: Env = process.env): string | null => env.ORIGIN_SECRET_ID || null;

/** What the log and the metrics say of the process: the deployment's stage, and whether Lambda runs it. */
export const readPlace = (env: Env = process.env): { stage: string; inLambda: boolean } => ({
  stage: env.STAGE || "local",
  inLambda: Boolean(env.AWS_LAMBDA_FUNCTION_NAME),
});

/** Returns the root of the X-Ray trace that Lambda is in ("1-5759e988-bd862e3fe1be46a994272793"), or null outside of one. */
export const xrayRoot = (env: Env = process.env): string | null => rootOf(env._X_AMZN_TRACE_ID);

/** Returns the root of a tracing header, or null where it has none. Source: X-Ray developer guide, "Tracing header". */
export const rootOf = (header: string | undefined): string | null =>
  /(?:^|;)\s*Root=([0-9a-zA-Z-]{1,60})(?:;|$)/.exec(header ?? "")?.[1] ?? null;

/** Returns one variable as text, or null. For scripts, whose options fall back to the environment. */
export const readEnv = (name: string, env: Env = process.env): string | null => env[name] || null;

/** Returns the environment of this process with `more` set in it, for a program that a script starts. */
export const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({ ...process.env, ...more });

/** Sets variables for the handlers that this process will run. The local runtime alone calls it. */
export function setEnv(values: Readonly<Record<string, string>>): void {
  Object.assign(process.env, values);
}
