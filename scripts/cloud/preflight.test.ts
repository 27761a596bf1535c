import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listening, listen, readBody } from "#host/http";
import { aTarget } from "#testing/synthesise";
import { QUEUES } from "#topology/topology";
import { concurrencyOf, theTopology } from "../../stacks/jobs.ts";
import {
  checkConcurrency,
  checkedHost,
  checkedTarget,
  checkSecrets,
  originVersion,
  PreflightError,
  UnconfirmedError,
  withPolicy,
} from "./preflight.ts";

// Secrets Manager's protocol on loopback, with what the test has put in. Source: AWS JSON 1.1, GetSecretValue.
const secrets = new Map<string, string>();
/** Which versions a secret has. Source: Secrets Manager, DescribeSecret. */
const versions = new Map<string, Record<string, string[]>>();
/** Functions at once that no other has reserved. Source: Lambda, GetAccountSettings. */
let concurrency = 1000;
let aws: Listening;

beforeAll(async () => {
  aws = await listen((request, response) => {
    if (request.url === "/2016-08-19/account-settings") {
      const AccountLimit = { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: concurrency };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ AccountLimit }));
      return;
    }
    void readBody(request).then((body) => {
      const { SecretId } = JSON.parse(body) as { SecretId: string };
      if (request.headers["x-amz-target"] === "secretsmanager.DescribeSecret") {
        const VersionIdsToStages = versions.get(SecretId);
        const [status, reply] = VersionIdsToStages
          ? [200, { Name: SecretId, VersionIdsToStages }]
          : [400, { __type: "ResourceNotFoundException" }];
        response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(reply));
        return;
      }
      const SecretString = secrets.get(SecretId);
      const [status, reply] =
        SecretString === undefined
          ? [400, { __type: "ResourceNotFoundException" }]
          : [200, { Name: SecretId, SecretString }];
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(reply));
    });
  });
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = aws.url;
  process.env.AWS_ENDPOINT_URL_LAMBDA = aws.url;
  process.env.AWS_ACCESS_KEY_ID = "test";
  process.env.AWS_SECRET_ACCESS_KEY = "test";
});
afterAll(() => aws.close());

const put = (name: string, value: unknown): void =>
  void secrets.set(`spyhop/dev/${name}`, typeof value === "string" ? value : JSON.stringify(value));
const good = (): void => {
  put("rpc", { urls: ["https://node.example/key"] });
  put("exchange", { mode: "demo", apiKey: "k", secret: "hunter2", passphrase: "p" });
  put("database", { url: "postgres://u:hunter2@db.example/spyhop?sslmode=verify-full" });
};
const target = aTarget({ stage: "dev", database: "external" });
const refusal = async (): Promise<string> => {
  const error = await checkSecrets(target).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PreflightError);
  const { message } = error as Error;
  expect(message).toMatch(/^nothing was created: /);
  expect(message).not.toContain("hunter2");
  return message;
};

test("whole secrets pass; Aurora wants none of a database", async () => {
  good();
  await expect(checkSecrets(target)).resolves.toBeUndefined();
  secrets.delete("spyhop/dev/database");
  await expect(checkSecrets(aTarget({ stage: "dev", database: "aurora" }))).resolves.toBeUndefined();
});

test("every secret that is missing is named at once", async () => {
  secrets.clear();
  const message = await refusal();
  for (const name of ["database", "rpc", "exchange"])
    expect(message).toContain(`the secret spyhop/dev/${name} is missing`);
});

test.each([
  ["no JSON", "rpc", "https://hunter2", /spyhop\/dev\/rpc is not JSON/],
  ["no nodes", "rpc", { urls: [] }, /spyhop\/dev\/rpc lacks, or has malformed, urls/],
  [
    "a missing field",
    "exchange",
    { mode: "demo", apiKey: "k", secret: "hunter2" },
    /exchange lacks, or has malformed, passphrase/,
  ],
  [
    "a key of live in dev",
    "exchange",
    { mode: "live", apiKey: "k", secret: "hunter2", passphrase: "p" },
    /malformed, mode/,
  ],
  ["another database", "database", { url: "mysql://hunter2" }, /database lacks, or has malformed, url/],
  [
    "a database over a network without TLS",
    "database",
    { url: "postgres://u:hunter2@db.example/spyhop" },
    /database has url without verified TLS: add sslmode=verify-full to the URL, or give .* as ca/,
  ],
  [
    "a pooler with TLS before a server without",
    "database",
    {
      url: "postgres://u:hunter2@db.example/spyhop?sslmode=verify-full",
      directUrl: "postgres://u:hunter2@db.example:5433/spyhop?sslmode=require",
    },
    /database has directUrl without verified TLS/,
  ],
] as const)("%s is refused, its values unsaid", async (_, name, value, message) => {
  good();
  put(name, value);
  expect(await refusal()).toMatch(message);
});

test("the origin's version is named once the secret was changed, and not before", async () => {
  expect(await originVersion(target)).toBeNull();
  versions.set("spyhop/dev/origin", { first: ["AWSCURRENT"] });
  expect(await originVersion(target)).toBeNull();
  versions.set("spyhop/dev/origin", { first: ["AWSPREVIOUS"], second: ["AWSCURRENT"], third: ["AWSPENDING"] });
  expect(await originVersion(target)).toBe("second");
});

test("an account that runs fewer functions at once than the desk wants is refused, by where to ask for more", async () => {
  const wants = concurrencyOf(theTopology());
  expect(wants).toBeGreaterThan(QUEUES.length * 2);
  concurrency = wants;
  await expect(checkConcurrency(target)).resolves.toBeUndefined();
  concurrency = wants - 1;
  await expect(checkConcurrency(target)).rejects.toThrow(PreflightError);
  await expect(checkConcurrency(target)).rejects.toThrow(
    `runs ${wants - 1} functions at once in eu-central-1, and the desk wants ${wants}: ask for more`,
  );
  await expect(checkConcurrency({ ...target, emulator: true })).resolves.toBeUndefined();
});

test("live is refused unless it is confirmed by its name", () => {
  const file = join(mkdtempSync(join(tmpdir(), "spyhop-")), "live.json");
  writeFileSync(file, JSON.stringify(aTarget({ stage: "live", database: "external" })));
  const asked = { command: "deploy", stage: "live", file };
  expect(() => checkedTarget({ ...asked, confirm: undefined })).toThrow(UnconfirmedError);
  expect(() => checkedTarget({ ...asked, confirm: "yes" })).toThrow(/--confirm live/);
  expect(checkedTarget({ ...asked, confirm: "live" }).stage).toBe("live");
  rmSync(dirname(file), { recursive: true });
});

test("a host that is none is refused", () => {
  expect(["cdk", "sst"].map(checkedHost)).toEqual(["cdk", "sst"]);
  expect(() => checkedHost("pulumi")).toThrow(/--with takes cdk or sst/);
});

test("a deploy takes what differs in the policy file to the functions; a target's own limits win, and are checked", () => {
  const directory = mkdtempSync(join(tmpdir(), "spyhop-policy-"));
  const file = join(directory, "policy.toml");
  try {
    writeFileSync(file, "maxOrderUsd = 10000\n");
    const plain = aTarget({ stage: "dev", database: "external" });
    expect(withPolicy(plain, file).settings).toEqual({ ...plain.settings, POLICY: '{"maxOrderUsd":10000}' });
    const own = aTarget({ stage: "dev", database: "external", settings: { POLICY: '{"enter":0.3}' } });
    expect(withPolicy(own, file)).toEqual(own);
    const wrong = aTarget({ stage: "dev", database: "external", settings: { POLICY: '{"enter":0.05}' } });
    expect(() => withPolicy(wrong, file)).toThrow("POLICY: the policy: exit 0.1 is not below enter 0.05");
    const broken = aTarget({ stage: "dev", database: "external", settings: { POLICY: "enter = 0.3" } });
    expect(() => withPolicy(broken, file)).toThrow("POLICY: is no JSON of limits");
    writeFileSync(file, "maxOderUsd = 1\n");
    expect(() => withPolicy(plain, file)).toThrow("did you mean maxOrderUsd?");
    writeFileSync(file, "# nothing differs\n");
    expect(withPolicy(plain, file)).toEqual(plain);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
