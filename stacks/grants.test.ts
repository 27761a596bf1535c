import { beforeAll, describe, expect, test } from "vitest";
import { allResources, aTarget, flat, type Resource, type Synthesised, synthesise } from "#testing/synthesise";
import { functionName } from "#topology/functions";
import type { Job, Need } from "#topology/job";
import { deployedName, queueName } from "#topology/names";
import { API_FUNCTIONS, topology } from "#topology/topology";
import type { Target } from "./target.ts";

// What each function may do is written down here a second time, from the topology and from what AWS documents, without
// a look at stacks/grants.ts.

type Allowed = { actions: string[]; resource: string; condition?: unknown };

const REGION = "eu-central-1";
const arn = (service: string, rest: string): string =>
  `arn:<AWS::Partition>:${service}:${REGION}:<AWS::AccountId>:${rest}`;

const jobs = [
  ...Object.entries(topology.queues).map(([name, job]) => ({ ...job, takes: name, origin: false }) as const),
  ...Object.values(topology.schedules).map((job) => ({ ...job, takes: null, origin: false }) as const),
  ...Object.values(topology.tasks).map((job) => ({ ...job, takes: null, origin: false }) as const),
  ...API_FUNCTIONS.map((name) => ({ ...topology.api[name], takes: null, origin: true }) as const),
] as readonly (Pick<Job, "consumer" | "needs" | "sends" | "publishes"> & { takes: string | null; origin: boolean })[];

const secret = (stage: string, name: string): Allowed => ({
  actions: ["secretsmanager:GetSecretValue"],
  resource: arn("secretsmanager", `secret:spyhop/${stage}/${name}-??????`),
});

/** To add and to read, by version, below one prefix; nothing that removes, shortens a lock or writes elsewhere. */
const COPY: Allowed[] = [
  {
    actions: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
    resource: "RECORDS/heads/????-??-??T??:??:??.???Z.json",
  },
  {
    actions: ["s3:ListBucketVersions"],
    resource: "RECORDS",
    condition: { StringEquals: { "s3:prefix": "heads/" } },
  },
];

function expected(job: (typeof jobs)[number], { stage, database, auditCopy }: Target): Allowed[] {
  const ordered = (name: string): boolean => "groupBy" in topology.queues[name as keyof typeof topology.queues];
  const queue = (name: string): string => arn("sqs", queueName(stage, name, ordered(name)));
  const stored: Allowed =
    database === "external"
      ? secret(stage, "database")
      : { actions: ["rds-db:connect"], resource: arn("rds-db", "dbuser:PROXY/spyhop_desk") };
  const owner: Allowed =
    database === "external"
      ? secret(stage, "database")
      : { actions: ["secretsmanager:GetSecretValue"], resource: "OWNER-SECRET" };
  const needed: Record<Need, Allowed[]> = {
    database: [stored],
    books: [],
    schema: [owner],
    rpc: [secret(stage, "rpc")],
    market: [],
    exchange: [secret(stage, "exchange")],
    control: [
      secret(stage, "control"),
      { ...secret(stage, "control"), actions: ["secretsmanager:PutSecretValue"] }, // a new value; not a new secret, and none removed
    ],
    copy: auditCopy === null ? [] : COPY,
  };
  return [
    { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resource: "OWN-LOG" },
    ...(job.takes === null
      ? []
      : [
          {
            actions: [
              "sqs:ChangeMessageVisibility",
              "sqs:DeleteMessage",
              "sqs:GetQueueAttributes",
              "sqs:ReceiveMessage",
            ],
            resource: queue(job.takes),
          },
        ]),
    ...job.sends.map((to) => ({ actions: ["sqs:SendMessage"], resource: queue(to) })),
    ...(job.publishes.length === 0
      ? []
      : [
          {
            actions: ["events:PutEvents"],
            resource: arn("events", `event-bus/${stage}-spyhop-bus`),
            condition: {
              StringEquals: {
                "events:source": "spyhop",
                "events:detail-type": [...job.publishes],
              },
            },
          },
        ]),
    ...job.needs.flatMap((need) => needed[need]),
    ...(job.origin ? [secret(stage, "origin")] : []),
  ];
}

const NETWORK = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Every statement of every policy inside of a resource's properties. */
function statementsIn(value: unknown): Statement[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "Effect" in value && "Action" in value ? [value as Statement] : [];
  return [...own, ...Object.values(value).flatMap(statementsIn)];
}

const sorted = (of: Allowed[]): Allowed[] => of.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
const actionsOf = ({ Action }: Statement): string[] => [Action].flat().toSorted();

describe.each([
  aTarget({ stage: "dev", database: "external" }),
  aTarget({ stage: "demo", database: "aurora" }),
  aTarget({ stage: "live", database: "aurora", auditCopy: { retentionDays: 400 } }),
])("$stage on $database", (target) => {
  let made: Synthesised;
  let resources: ReadonlyMap<string, Resource>;
  beforeAll(() => {
    made = synthesise(target);
    resources = allResources(made);
  });

  const functionOf = (job: string): Resource => {
    const name = deployedName(target.stage, job);
    const found = [...resources.values()].filter((r) => r.Properties.FunctionName === name);
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const roleOf = (job: string): { id: string; statements: Statement[] } => {
    const { Role, LoggingConfig } = functionOf(job).Properties as never as Record<string, Record<string, never>>;
    const id = flat(Role).replace(/^<|\.Arn>$/g, "");
    const role = [...resources].find(([key]) => key.endsWith(`/${id}`))?.[1] as Resource;
    expect(Object.keys(role.Properties).toSorted()).toEqual(["AssumeRolePolicyDocument", "Policies", "Tags"]);
    const policies = role.Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[];
    const own = `<${flat(LoggingConfig?.LogGroup).replace(/^<|>$/g, "")}.Arn>`;
    return {
      id,
      statements: policies
        .flatMap((policy) => policy.PolicyDocument.Statement)
        .map((statement) => (flat(statement.Resource) === own ? { ...statement, Resource: "OWN-LOG" } : statement)),
    };
  };

  test.each(jobs.map((job) => [functionName(job.consumer), job] as const))(
    "%s may do exactly what its entry says",
    (name, job) => {
      const { statements } = roleOf(name);
      const network = statements.filter((s) => actionsOf(s).some((action) => action.startsWith("ec2:")));
      const rest = statements.filter((s) => !network.includes(s));
      const allowed = rest.map((statement): Allowed => {
        expect(statement.Effect).toBe("Allow");
        const resource = flat(statement.Resource)
          .replace(/dbuser:<.*>\/spyhop_desk/, "dbuser:PROXY/spyhop_desk")
          .replace(/^<.*MasterUserSecret.*>$/, "OWNER-SECRET")
          .replace(/^<Fn::ImportValue [^>]*records:[^>]*Heads[^>]*>/, "RECORDS");
        return {
          actions: actionsOf(statement),
          resource,
          ...(statement.Condition === undefined ? {} : { condition: statement.Condition }),
        };
      });
      expect(sorted(allowed)).toEqual(sorted(expected(job, target)));
      // In a network: what Lambda does with the role, denied to the function's own code.
      expect(network.map((s) => [s.Effect, actionsOf(s), flat(s.Resource)])).toEqual(
        target.database === "external"
          ? []
          : [
              ["Allow", NETWORK, "*"],
              ["Deny", NETWORK, "*"],
            ],
      );
    },
  );

  test("no two functions share a role, no policy is attached from outside, and no action is a wildcard", () => {
    const ids = jobs.map((job) => roleOf(functionName(job.consumer)).id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, { Type, Properties }] of resources) {
      if (Type !== "AWS::IAM::Policy") continue;
      for (const role of Properties.Roles as unknown[]) expect(ids).not.toContain(flat(role).replace(/^<|>$/g, ""));
    }
    const allowed = [...resources.values()]
      .flatMap(({ Properties }) => statementsIn(Properties))
      .filter((s) => s.Effect === "Allow");
    expect(allowed.length).toBeGreaterThan(100);
    expect(allowed.flatMap(actionsOf).filter((action) => action.includes("*"))).toEqual([]);
  });

  test("no template holds a secret: functions get ids, and CloudFront a reference that CloudFormation resolves", () => {
    for (const { Type, Properties } of resources.values()) {
      if (Type !== "AWS::Lambda::Function") continue;
      const { Variables = {} } = (Properties.Environment ?? {}) as { Variables?: Record<string, unknown> };
      for (const [name, value] of Object.entries(Variables)) {
        expect(name).not.toMatch(/PASSWORD|PASSPHRASE|API_KEY|DATABASE_URL|ETH_RPC_URL/);
        expect(flat(value)).not.toContain("{{resolve");
      }
    }
  });
});
