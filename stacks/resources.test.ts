import { beforeAll, describe, expect, test } from "vitest";
import { allResources, aTarget, flat, type Resource, type Synthesised, synthesise } from "#testing/synthesise";
import { deadLetterName, queueName } from "#topology/names";
import { API_FUNCTIONS, QUEUES, queue, ROUTES, SCHEDULES, schedule, topology } from "#topology/topology";

const TARGETS = [
  aTarget({ stage: "dev", database: "external" }),
  aTarget({ stage: "dev", database: "aurora" }),
  aTarget({ stage: "demo", database: "external" }),
  aTarget({ stage: "demo", database: "aurora" }),
  aTarget({ stage: "live", database: "external" }),
  aTarget({ stage: "live", database: "aurora" }),
];
const FUNCTIONS = QUEUES.length + SCHEDULES.length + API_FUNCTIONS.length + Object.keys(topology.tasks).length;

describe.each(TARGETS)("$stage on $database", (target) => {
  const { stage } = target;
  const live = stage === "live";
  let made: Synthesised;
  let all: ReadonlyMap<string, Resource>;
  beforeAll(() => {
    made = synthesise(target);
    all = allResources(made);
  });
  const ofType = (type: string): Resource[] => [...all.values()].filter((resource) => resource.Type === type);
  const named = (type: string, property: string, name: string): Resource => {
    const found = ofType(type).filter(({ Properties }) => Properties[property] === name);
    expect(found, `${type} ${name}`).toHaveLength(1);
    return found[0]!;
  };
  const ours = (): Resource[] =>
    ofType("AWS::Lambda::Function").filter(({ Properties }) => Properties.FunctionName !== undefined);

  test("the stacks are these, each named after its stage, in the order in which they deploy", () => {
    const aurora = target.database === "aurora" ? ["network", "database"] : [];
    const rest = ["secrets", ...aurora, "release", "pipeline", "firewall", "api", "alarms"];
    expect([...made.stacks.keys()].toSorted()).toEqual(rest.toSorted());
    for (const stack of made.stacks.values()) {
      expect(stack.stackName).toMatch(new RegExp(`^${stage}-spyhop-`));
      expect(stack.terminationProtection ?? false).toBe(live);
    }
    for (const later of ["pipeline", "api"])
      expect(made.stacks.get(later)!.dependencies).toContain(made.stacks.get("release"));
  });

  test("what has a name bears its stage", () => {
    const names = [...all.values()].flatMap(({ Properties: p }) =>
      [
        p.FunctionName,
        p.QueueName,
        p.TopicName,
        p.AlarmName,
        p.DashboardName,
        p.DBProxyName,
        p.DBClusterIdentifier,
      ].filter((name) => typeof name === "string"),
    );
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !String(name).startsWith(`${stage}-spyhop-`))).toEqual([]);
  });

  test("each queue has dead letters for 14 days, order where the topology wants it, and time for its function", () => {
    expect(ofType("AWS::SQS::Queue")).toHaveLength(QUEUES.length * 2);
    for (const name of QUEUES) {
      const { groupBy, maxReceives, timeoutSeconds } = queue(name);
      const ordered = groupBy !== undefined;
      const { Properties: main } = named("AWS::SQS::Queue", "QueueName", queueName(stage, name, ordered));
      const { Properties: dead } = named("AWS::SQS::Queue", "QueueName", deadLetterName(stage, name, ordered));
      expect(dead.MessageRetentionPeriod).toBe(14 * 86_400);
      expect([main.FifoQueue ?? false, dead.FifoQueue ?? false]).toEqual([ordered, ordered]);
      expect(Number(main.VisibilityTimeout)).toBeGreaterThanOrEqual(6 * timeoutSeconds);
      expect(main.RedrivePolicy).toMatchObject({ maxReceiveCount: maxReceives });
      expect(Number(maxReceives)).toBeGreaterThanOrEqual(5);
      expect([main.SqsManagedSseEnabled, dead.SqsManagedSseEnabled]).toEqual([true, true]);
    }
  });

  test("each queue feeds one function, in batches and at a concurrency of the topology's, with partial failures", () => {
    const mappings = ofType("AWS::Lambda::EventSourceMapping").map(({ Properties }) => Properties);
    expect(mappings).toHaveLength(QUEUES.length);
    const made = mappings.map((m) => [
      m.BatchSize,
      (m.ScalingConfig as { MaximumConcurrency: number }).MaximumConcurrency,
    ]);
    const wanted = QUEUES.map((name) => [queue(name).batchSize, queue(name).maxConcurrency]);
    expect(made.toSorted()).toEqual(wanted.toSorted());
    for (const mapping of mappings) expect(mapping.FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
    for (const { Properties } of ours()) expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
  });

  test("functions are Node 24 on arm64, with memory and time of the topology's and a log that ends", () => {
    expect(ours()).toHaveLength(FUNCTIONS);
    for (const { Properties: p } of ours()) {
      expect([p.Runtime, p.Architectures, p.Handler]).toEqual(["nodejs24.x", ["arm64"], "index.handler"]);
      const { LogGroupName, RetentionInDays } = named(
        "AWS::Logs::LogGroup",
        "LogGroupName",
        `/aws/lambda/${p.FunctionName}`,
      ).Properties;
      expect([LogGroupName, RetentionInDays]).toEqual([`/aws/lambda/${p.FunctionName}`, live ? 180 : 14]);
    }
    const { Properties: head } = named("AWS::Lambda::Function", "FunctionName", `${stage}-spyhop-watch-head`);
    const { timeoutSeconds, memoryMb } = schedule("watch-head");
    expect([head.Timeout, head.MemorySize]).toEqual([timeoutSeconds, memoryMb]);
    expect(ofType("Custom::LogRetention")).toEqual([]);
  });

  test("a fact goes to its queues, its detail alone, and what the bus cannot deliver to their dead letters", () => {
    for (const [fact, to] of Object.entries(topology.facts)) {
      const rule = ofType("AWS::Events::Rule").find(({ Properties }) =>
        JSON.stringify(Properties.EventPattern ?? "").includes(`"${fact}"`),
      );
      expect(rule?.Properties.EventPattern).toEqual({ source: ["spyhop"], "detail-type": [fact] });
      const targets = rule?.Properties.Targets as { InputPath: string; DeadLetterConfig: unknown }[];
      expect(targets).toHaveLength(to.length);
      for (const one of targets)
        expect([one.InputPath, one.DeadLetterConfig !== undefined]).toEqual(["$.detail", true]);
    }
  });

  test("schedules are the topology's, and follow the clock unless the target says otherwise", () => {
    const rules = ofType("AWS::Events::Rule").filter(({ Properties }) => Properties.ScheduleExpression !== undefined);
    expect(rules.map(({ Properties }) => Properties.ScheduleExpression).toSorted()).toEqual(
      SCHEDULES.map((name) => schedule(name).every).toSorted(),
    );
    for (const { Properties } of rules) expect(Properties.State).toBe("ENABLED");
  });

  test("the API has every route, throttled and logged, and a firewall that lets in nobody by default", () => {
    const routes = ofType("AWS::ApiGatewayV2::Route").map(({ Properties }) => Properties.RouteKey);
    expect(routes.toSorted()).toEqual(["$default", ...ROUTES].toSorted());
    expect(ofType("AWS::ApiGatewayV2::Integration")).toHaveLength(API_FUNCTIONS.length);
    const [apiStage] = ofType("AWS::ApiGatewayV2::Stage");
    expect(apiStage?.Properties.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
    expect(apiStage?.Properties.AccessLogSettings).toBeDefined();
    const [acl] = ofType("AWS::WAFv2::WebACL");
    expect(acl?.Properties).toMatchObject({ Scope: "CLOUDFRONT", DefaultAction: { Block: {} } });
    expect(made.stacks.get("firewall")!.region).toBe("us-east-1");
    for (const { Properties } of ofType("AWS::WAFv2::IPSet")) expect(Properties.Addresses).toEqual([]);
    const [distribution] = ofType("AWS::CloudFront::Distribution");
    const text = JSON.stringify(distribution?.Properties);
    expect(text).toContain("x-origin-secret");
    expect(text).toContain(":SecretString:value::}}");
    expect(text).toContain('"WebACLId"');
  });

  test("every alarm says its impact and the first action, and has somewhere to go", () => {
    const alarms = ofType("AWS::CloudWatch::Alarm");
    expect(alarms.length).toBeGreaterThanOrEqual(QUEUES.length * 3);
    for (const { Properties } of alarms) {
      expect(String(Properties.AlarmDescription)).toMatch(/^Impact: .+\. First action: .+\.$/s);
      expect(Properties.AlarmActions).toHaveLength(1);
      // Source: CloudWatch, PutMetricAlarm, EvaluationPeriods: a day, and a week where a period is an hour or more.
      const { Period, EvaluationPeriods } = Properties as { Period: number; EvaluationPeriods: number };
      expect(Period * EvaluationPeriods).toBeLessThanOrEqual(Period < 3600 ? 86_400 : 604_800);
    }
    for (const name of QUEUES) named("AWS::CloudWatch::Alarm", "AlarmName", `${stage}-spyhop-dead-letters-${name}`);
  });

  test("migrations run while the release deploys, before the functions that need them", () => {
    const triggers = ofType("Custom::Trigger");
    expect(triggers).toHaveLength(Object.values(topology.tasks).filter((task) => task.onDeploy).length);
    expect(flat(triggers[0]?.Properties.HandlerArn)).toContain("taskmigrateschema");
    expect(triggers[0]?.Properties.InvocationType).toBe("RequestResponse");
  });

  test("live keeps what holds state; the other stages go without a trace", () => {
    const kept = ["AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret", "AWS::RDS::DBCluster"];
    for (const { Type, DeletionPolicy } of all.values()) {
      if (kept.includes(Type)) expect(DeletionPolicy ?? "Delete", Type).toBe(live ? "Retain" : "Delete");
    }
  });
});

describe("Aurora", () => {
  const made = synthesise(aTarget({ stage: "live", database: "aurora" }));
  const all = allResources(made);
  const ofType = (type: string): Resource[] => [...all.values()].filter((resource) => resource.Type === type);
  const subnetsOf = (job: string): string => {
    const found = ofType("AWS::Lambda::Function").find(
      ({ Properties }) => Properties.FunctionName === `live-spyhop-${job}`,
    );
    return JSON.stringify((found?.Properties.VpcConfig as { SubnetIds: unknown } | undefined)?.SubnetIds ?? "none");
  };

  test("is reached through a proxy, over TLS and with IAM tokens, and no password of a function exists", () => {
    const [proxy] = ofType("AWS::RDS::DBProxy");
    expect(proxy?.Properties).toMatchObject({
      RequireTLS: true,
      DefaultAuthScheme: "IAM_AUTH",
      EngineFamily: "POSTGRESQL",
    });
    const [cluster] = ofType("AWS::RDS::DBCluster");
    expect(cluster?.Properties).toMatchObject({
      EnableIAMDatabaseAuthentication: true,
      ManageMasterUserPassword: true,
      StorageEncrypted: true,
      DeletionProtection: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 8 },
    });
    expect(cluster?.Properties.MasterUserPassword).toBeUndefined();
    const [parameters] = ofType("AWS::RDS::DBClusterParameterGroup");
    expect(parameters?.Properties.Parameters).toMatchObject({ "rds.force_ssl": "1" });
  });

  test("functions without internet stand where there is no way out; the others behind NAT", () => {
    for (const job of ["analyze-event", "score-wallet", "recompute-bias", "build-report", "api-read", "migrate-schema"])
      expect(subnetsOf(job), job).toMatch(/isolated/);
    for (const job of ["watch-head", "ingest-block", "sync-prices", "plan-order", "submit-order", "reconcile-orders"])
      expect(subnetsOf(job), job).toMatch(/internet/);
    const network = made.templates.get("network")!.Resources;
    const ways = Object.entries(network).filter(
      ([, { Type, Properties }]) => Type === "AWS::EC2::Route" && Properties.DestinationCidrBlock === "0.0.0.0/0",
    );
    expect(ways.map(([id]) => id).filter((id) => /isolated|database/.test(id))).toEqual([]);
    expect(
      ofType("AWS::EC2::VPCEndpoint")
        .map(({ Properties }) => flat(Properties.ServiceName))
        .toSorted(),
    ).toEqual([
      "com.amazonaws.eu-central-1.events",
      "com.amazonaws.eu-central-1.secretsmanager",
      "com.amazonaws.eu-central-1.sqs",
    ]);
  });

  test("an external database needs no network", () => {
    const external = allResources(synthesise(aTarget({ stage: "live", database: "external" })));
    const inNetwork = [...external.values()].filter(
      ({ Type, Properties }) => Type.startsWith("AWS::EC2") || Properties.VpcConfig,
    );
    expect(inNetwork).toEqual([]);
  });
});

test("once the origin's secret was changed, the template names its version, so that a deploy shows the new one", () => {
  const target = aTarget({ stage: "dev", database: "external", originVersion: "0a1b2c3d-4e5f-6789" });
  const [distribution] = [...allResources(synthesise(target)).values()].filter(
    ({ Type }) => Type === "AWS::CloudFront::Distribution",
  );
  expect(JSON.stringify(distribution?.Properties)).toContain(":SecretString:value::0a1b2c3d-4e5f-6789}}");
});

test("a replay's target turns the rules of the clock off, and an emulator's leaves out what it cannot take", () => {
  const made = synthesise(aTarget({ stage: "dev", database: "external", schedules: false, emulator: true }));
  const rules = [...allResources(made).values()].filter(
    ({ Type, Properties }) => Type === "AWS::Events::Rule" && Properties.ScheduleExpression !== undefined,
  );
  expect(rules.map(({ Properties }) => Properties.State)).toEqual(SCHEDULES.map(() => "DISABLED"));
  expect(made.stacks.has("firewall")).toBe(true);
  expect([...allResources(made).values()].filter(({ Type }) => Type === "AWS::WAFv2::IPSet")).toEqual([]);
});
