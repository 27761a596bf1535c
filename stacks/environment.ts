import type { Need } from "#topology/job";
import { busName, modeOfStage, secretId } from "#topology/names";
import type { Granted } from "./grants.ts";
import type { AuroraSite } from "./site.ts";
import type { Target } from "./target.ts";

/** Which need a setting serves; what is not here goes to every function. */
const SERVES: Readonly<Record<string, readonly Need[]>> = {
  OKX_URL: ["exchange"],
  OKX_PUBLIC_URL: ["market"],
  OKX_RATE_LIMIT: ["market", "exchange"],
  OKX_TD_MODE: ["exchange"],
};

// RDS signs a cluster's certificate with an authority that Node lacks and Lambda ships.
// Source: Lambda developer guide, "Connecting to RDS with TLS".
const RDS_AUTHORITIES = "/var/runtime/ca-cert.pem";

/**
 * Returns the environment of a job's function: the names of packages/runtime/config.ts, and of those only what the job
 * has use for. It holds names, addresses and ids, never a secret.
 */
export function environmentOf(
  job: Granted,
  { stage, settings, gitSha }: Target,
  aurora: AuroraSite | null,
  queueUrl: (name: string) => string,
): Record<string, string> {
  const { needs } = job;
  const useful = Object.entries(settings).filter(([name]) =>
    (SERVES[name] ?? needs).some((need) => needs.includes(need)),
  );
  return {
    STAGE: stage,
    SPYHOP_MODE: modeOfStage(stage),
    GIT_SHA: gitSha,
    ...Object.fromEntries(useful),
    ...Object.fromEntries(queuesOf(job).map((name) => [`QUEUE_URL_${name.toUpperCase()}`, queueUrl(name)])),
    ...(job.publishes.length > 0 ? { EVENT_BUS: busName(stage) } : {}),
    ...databaseEnvironment(needs, stage, aurora),
    ...(needs.includes("rpc") ? { RPC_SECRET_ID: secretId(stage, "rpc") } : {}),
    ...(needs.includes("exchange") ? { EXCHANGE_SECRET_ID: secretId(stage, "exchange") } : {}),
    ...(needs.includes("control") ? { CONTROL_SECRET_ID: secretId(stage, "control") } : {}),
    ...(job.behindOrigin ? { ORIGIN_SECRET_ID: secretId(stage, "origin") } : {}),
  };
}

/** Those that it sends to, and its own: what failed is to come again soon. */
const queuesOf = ({ sends, takes }: Granted): string[] => [...new Set([...sends, ...(takes === null ? [] : [takes])])];

function databaseEnvironment(
  needs: readonly Need[],
  stage: Target["stage"],
  aurora: AuroraSite | null,
): Record<string, string> {
  if (!needs.includes("database") && !needs.includes("schema")) return {};
  if (aurora === null) return { DATABASE_SECRET_ID: secretId(stage, "database") };
  const shared = { DATABASE_NAME: aurora.name, DATABASE_USER: aurora.user };
  return {
    ...shared,
    ...(needs.includes("database") ? { DATABASE_HOST: aurora.host, DATABASE_PORT: "5432" } : {}),
    ...(needs.includes("schema")
      ? {
          SCHEMA_SECRET_ID: aurora.ownerSecretArn,
          SCHEMA_HOST: aurora.ownerHost,
          NODE_EXTRA_CA_CERTS: RDS_AUTHORITIES,
        }
      : {}),
  };
}
