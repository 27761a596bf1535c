import * as z from "zod";
import { STAGES } from "#topology/names";

// Settings of packages/runtime/config.ts that a target may give. Secrets are not among them: they go by id.
const Setting = z.enum([
  "INSTRUMENTS",
  "BAR_SECONDS",
  "HEAD_POLL_SECONDS",
  "EXPLORER_URL",
  "VENUE",
  "WARMUP_HOURS",
  "GENERATED",
  "INPUT_NAME",
  "VERIFY",
  "POLICY",
  "ARMING_KEY",
  "RETRY_SECONDS",
  "CHAIN_ID",
  "OKX_URL",
  "OKX_PUBLIC_URL",
  "OKX_RATE_LIMIT",
  "OKX_TD_MODE",
  "QUEUE_DELAYS",
]);
/** Settings that lead the desk away from the real market, the real chain or the real clock. */
const DOUBLES = ["OKX_URL", "OKX_PUBLIC_URL", "GENERATED", "BAR_SECONDS", "CHAIN_ID", "QUEUE_DELAYS"] as const;

/** Source: CloudWatch Logs, PutRetentionPolicy. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Where and how the desk is deployed. One file a stage in `stacks/targets/`; docs/runbook.md says what each field does. */
export const Target = z
  .strictObject({
    stage: z.enum(STAGES),
    /** aurora: Aurora PostgreSQL behind RDS Proxy, in a network of the stage. external: any Postgres, its URL in a secret. */
    database: z.enum(["aurora", "external"]),
    /** Of everything but CloudFront's firewall. Choose one that your venue serves. */
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "is no region, such as eu-central-1"),
    /** Who may see the API, as CIDR blocks. Nobody else gets past the firewall: the routes have no login. */
    viewers: z.array(z.union([z.cidrv4(), z.cidrv6()])).default([]),
    /** false turns off the rules that follow the wall clock, for a replay that calls the schedules itself. */
    schedules: z.boolean().default(true),
    /** Where alarms are mailed to. Null, which live refuses: they only show on the dashboard. */
    alarmEmail: z.email().nullable().default(null),
    /** What stands in front of the API: AWS WAF, or a function at CloudFront that knows the viewers alone. */
    firewall: z.enum(["waf", "function"]).default("waf"),
    /** Requests to the exchange come from one address, for its key's list. Aurora's network has one anyway. */
    staticEgress: z.boolean().default(false),
    /** Dollars a month of the whole account, of which the alarms' address is told. Null: nobody watches. */
    budgetUsd: z.number().positive().nullable().default(null),
    /** Days that the API's and the firewall's logs of requests are kept. */
    logDays: z.literal(RETENTIONS).default(30),
    /**
     * Keeps a head of the records a day in a bucket whose objects nobody, the account's owner included, can change or
     * remove for so many days. Null: none is kept. The bucket stays when the stage is removed.
     */
    auditCopy: z
      .strictObject({ retentionDays: z.int().min(1).max(3650) })
      .nullable()
      .default(null),
    settings: z
      .partialRecord(Setting, z.string())
      // No explorer shows the blocks of a private chain; every other setting says something.
      .refine((settings) => Object.entries(settings).every(([name, text]) => text !== "" || name === "EXPLORER_URL"), {
        error: "a setting is empty",
      })
      .default({}),
    gitSha: z.string().default("unknown"),
    /** The version of the origin's secret that CloudFront is to show, where that was changed; a deploy finds it out. */
    originVersion: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .nullable()
      .default(null),
    /** An emulator of AWS on this machine: no TLS, no network, and no sets of addresses. */
    emulator: z.boolean().default(false),
  })
  .refine(({ stage, emulator }) => stage === "dev" || !emulator, {
    error: "an emulator takes the stage dev only",
    path: ["emulator"],
  })
  .refine(({ emulator, database }) => !emulator || database === "external", {
    error: "an emulator has no Aurora: external",
    path: ["database"],
  })
  .refine(({ stage, settings }) => stage === "dev" || DOUBLES.every((name) => settings[name] === undefined), {
    error: `only the stage dev may set ${DOUBLES.join(", ")}`,
    path: ["settings"],
  })
  .refine(({ stage, alarmEmail }) => stage !== "live" || alarmEmail !== null, {
    error: "live trades with money: say where its alarms are mailed to",
    path: ["alarmEmail"],
  })
  .refine(({ budgetUsd, alarmEmail }) => budgetUsd === null || alarmEmail !== null, {
    error: "say who is told: alarmEmail",
    path: ["budgetUsd"],
  })
  .refine(({ emulator, staticEgress }) => !emulator || !staticEgress, {
    error: "an emulator has no network",
    path: ["staticEgress"],
  })
  .refine(({ emulator, auditCopy }) => !emulator || auditCopy === null, {
    error: "an emulator locks nothing: null",
    path: ["auditCopy"],
  })
  .refine(({ stage, schedules }) => stage !== "live" || schedules, {
    error: "live follows the clock",
    path: ["schedules"],
  });
export type Target = z.infer<typeof Target>;

/** A target is missing or malformed. The message names the fields. */
export class TargetError extends Error {
  override name = "TargetError";
}

/**
 * Returns the target in `text`, a target file's JSON; `stage` is the one that was asked for.
 * @throws TargetError naming each field that is wrong, or when the file is of another stage.
 */
export function parseTarget(text: string, stage: string, from: string): Target {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new TargetError(`${from} is not JSON`);
  }
  const result = Target.safeParse(fields);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
    throw new TargetError(`${from}: ${problems.join("; ")}`);
  }
  if (result.data.stage !== stage)
    throw new TargetError(`${from} is of the stage ${result.data.stage}, and ${stage} was asked for`);
  return result.data;
}
