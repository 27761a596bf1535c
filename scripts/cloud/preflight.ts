import { GetAccountSettingsCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod";
import { UsageError } from "#host/cli";
import { POLICY_FILE, readPolicy } from "#host/policy-file";
import { readSettings } from "#runtime/config";
import { DatabaseSecret, unverifiedFields, VERIFY_IT } from "#runtime/postgres/database-secret";
import { type OwnersSecret, secretId } from "#topology/names";
import { checkTopology, concurrencyOf, theTopology } from "../../stacks/jobs.ts";
import { readTarget } from "../../stacks/read-target.ts";
import type { Target } from "../../stacks/target.ts";
import type { Host } from "./host.ts";

/** Something that a deploy needs is missing or malformed. Nothing was created. */
export class PreflightError extends Error {
  override name = "PreflightError";
  constructor(problems: readonly string[]) {
    super(`nothing was created: ${problems.join("; ")}`);
  }
}

/** Live was named without being confirmed. */
export class UnconfirmedError extends Error {
  override name = "UnconfirmedError";
  constructor(command: string) {
    super(`live trades with money. If you mean it: npm run ${command} -- --stage live --confirm live`);
  }
}

export interface Asked {
  readonly command: string;
  readonly stage: string | undefined;
  /** Another target file than the stage's own. */
  readonly file: string | undefined;
  readonly confirm: string | undefined;
}

/**
 * Returns the target that was asked for, once it and the topology hold together.
 * @throws TargetError, TopologyError; UnconfirmedError for live that was not confirmed by its name.
 */
export function checkedTarget({ command, stage, file, confirm }: Asked): Target {
  const target = readTarget(stage, file ?? null);
  if (target.stage === "live" && confirm !== "live") throw new UnconfirmedError(command);
  checkTopology(theTopology());
  return target;
}

/** Returns the host that was asked for. @throws UsageError for one that is none. */
export function checkedHost(host: string): Host {
  if (host !== "cdk" && host !== "sst") throw new UsageError(`--with takes cdk or sst, not ${host}`);
  return host;
}

const text = z.string().min(1);

/** The fields of the owner's secrets, as the packages of runtime that open them read them. */
const fieldsOf = ({ stage }: Target): Record<OwnersSecret, z.ZodType> => ({
  database: DatabaseSecret,
  rpc: z.object({ urls: z.array(z.url()).min(1) }),
  exchange: z.object({
    mode: z.literal(stage === "live" ? "live" : "demo"),
    apiKey: text,
    secret: text,
    passphrase: text,
  }),
});

/** Returns the secrets that the owner of a stage keeps. */
const ownedBy = ({ database }: Target): (keyof ReturnType<typeof fieldsOf>)[] =>
  database === "external" ? ["database", "rpc", "exchange"] : ["rpc", "exchange"];

/**
 * Checks that the stage's own secrets are there and whole, before anything is created.
 * @throws PreflightError naming each secret and field that is wrong, never a value.
 */
export async function checkSecrets(target: Target): Promise<void> {
  const client = new SecretsManagerClient({ region: target.region });
  const problems: string[] = [];
  for (const name of ownedBy(target)) {
    const id = secretId(target.stage, name);
    const problem = await problemOf(client, id, fieldsOf(target)[name]);
    if (problem !== null) problems.push(`the secret ${id} ${problem}`);
  }
  client.destroy();
  if (problems.length > 0)
    throw new PreflightError([...problems, `README, "Deploy", says what each holds (region ${target.region})`]);
}

/**
 * Checks that the account may run as many functions at once as the desk wants: a new one may have ten, and then the desk
 * falls behind. An emulator has no such limit.
 * @throws PreflightError
 */
export async function checkConcurrency({ region, emulator }: Target): Promise<void> {
  if (emulator) return;
  const client = new LambdaClient({ region });
  const { AccountLimit } = await client.send(new GetAccountSettingsCommand({})).finally(() => client.destroy());
  const [has, wants] = [AccountLimit?.UnreservedConcurrentExecutions ?? 0, concurrencyOf(theTopology())];
  if (has >= wants) return;
  throw new PreflightError([
    `the account runs ${has} functions at once in ${region}, and the desk wants ${wants}: ask for more, free of charge, under ` +
      "Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)",
  ]);
}

async function problemOf(client: SecretsManagerClient, id: string, fields: z.ZodType): Promise<string | null> {
  let value: string;
  try {
    value = (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString ?? "";
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return "is missing";
    throw error;
  }
  const parsed = json(value);
  if (parsed === undefined) return "is not JSON"; // the parser's own message would quote it
  const result = fields.safeParse(parsed);
  if (result.success) return fields === DatabaseSecret ? unverified(parsed) : null;
  const wrong = [...new Set(result.error.issues.map((issue) => issue.path.join(".") || "every field"))];
  return `lacks, or has malformed, ${wrong.join(", ")}`;
}

/** The functions would refuse it too, one by one and only once they are there. */
function unverified(parsed: unknown): string | null {
  const open = unverifiedFields(DatabaseSecret.parse(parsed));
  return open.length === 0 ? null : `has ${open.join(" and ")} without verified TLS: ${VERIFY_IT}`;
}

/**
 * Returns the version of the stage's origin secret that CloudFront is to show: null before the first deploy, and while the
 * secret is as the deployment made it, so that a template changes only where the secret did.
 */
export async function originVersion({ stage, region }: Target): Promise<string | null> {
  const client = new SecretsManagerClient({ region });
  try {
    const { VersionIdsToStages = {} } = await client.send(
      new DescribeSecretCommand({ SecretId: secretId(stage, "origin") }),
    );
    const at = (wanted: string): string | null =>
      Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(wanted))?.[0] ?? null;
    return at("AWSPREVIOUS") === null ? null : at("AWSCURRENT");
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return null;
    throw error;
  } finally {
    client.destroy();
  }
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/**
 * Returns a target with the limits of the policy file among its settings, where it names none of its own: so a deploy takes
 * them to every function, and `diff` shows what they change.
 * @throws PolicyFileError; ConfigError where the target's own are wrong
 */
export function withPolicy(target: Target, file = POLICY_FILE): Target {
  const { POLICY } = target.settings;
  const differences = POLICY === undefined ? readPolicy(file) : readSettings({ POLICY }).policy;
  if (POLICY !== undefined || Object.keys(differences).length === 0) return target;
  return { ...target, settings: { ...target.settings, POLICY: JSON.stringify(differences) } };
}
