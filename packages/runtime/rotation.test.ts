import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { paperVenue } from "#doubles/venue/venue";
import { virtualClock } from "#host/clock";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { type Handler, lambdaContext } from "#local/aws/jobs";
import { anyRows } from "#testing/any-rows";
import { queue } from "#topology/topology";
import { instantOf } from "#units/time";
import { readEnv } from "./config.ts";
import { consume } from "./consume.ts";
import { type LogLine, useSink } from "./log.ts";
import { forgetSecrets } from "./secret.ts";
import { abandonServices, services } from "./services.ts";

// Secrets change while the desk runs: on a loopback Secrets Manager, a real PostgreSQL and the paper venue.
const secrets = new Map<string, string>();
const lines: LogLine[] = [];
const closings: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  const unused = { sqs: {} as never, queueUrl: () => "" }; // no fact is published here
  const endpoint = await startAwsEndpoint({ ...unused, secrets });
  closings.push(endpoint.close);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  vi.stubEnv("DATABASE_URL", undefined);
  lines.length = 0;
  useSink((line) => lines.push(line));
});
afterEach(async () => {
  await abandonServices();
  forgetSecrets();
  useSink(null);
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const close of closings.splice(0).reverse()) await close();
});

const server = readEnv("TEST_DATABASE_URL");
const onServer = test.skipIf(server === null);
const unique = (): string => `spyhop_test_${randomBytes(6).toString("hex")}`;

function administrator(): ReturnType<typeof postgres> {
  const admin = postgres(server ?? "", { max: 1, onnotice: () => {} });
  closings.push(() => admin.end());
  return admin;
}

/** Creates a role that lives as long as the test, and returns the URL that it logs in with. */
async function role(admin: ReturnType<typeof postgres>, password: string, group = ""): Promise<[string, string]> {
  const name = unique();
  await admin.unsafe(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${group && `IN ROLE ${group}`}`);
  closings.push(() => admin.unsafe(`DROP ROLE ${name}`));
  return [name, urlOf(name, password)];
}
function urlOf(name: string, password: string): string {
  const url = new URL(server ?? "");
  url.username = name;
  url.password = password;
  return url.href;
}
const end = (admin: ReturnType<typeof postgres>, name: string) =>
  admin`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = ${name}`;

const users: string[] = [];
const whoAmI = consume("events", async (_, { database }) => {
  const [row] = await anyRows(database, sql`SELECT current_user::text AS name`);
  users.push(String(row?.name));
});
/** Delivers one message and returns whether it failed. */
async function fails(): Promise<boolean> {
  const body = JSON.stringify({ eventId: "00000000-0000-4000-8000-000000000001", at: "2026-03-02T00:00:00.000Z" });
  const context = lambdaContext(queue("events"), Date.now() + 30_000);
  const reply = await (whoAmI as unknown as Handler)({ Records: [{ messageId: "m", body }] }, context);
  return (reply as { batchItemFailures: unknown[] }).batchItemFailures.length > 0;
}
beforeEach(() => {
  users.length = 0;
  vi.stubEnv("DATABASE_SECRET_ID", "desk/database");
});
const putDatabase = (url: string): void => void secrets.set("desk/database", JSON.stringify({ url }));

onServer(
  "a user that may no longer log in: the secret is read again, and the message goes on as the new user",
  async () => {
    const admin = administrator();
    const [first, firstUrl] = await role(admin, "one");
    const [second, secondUrl] = await role(admin, "two");
    putDatabase(firstUrl);
    expect(await fails()).toBe(false);
    await admin.unsafe(`ALTER ROLE ${first} NOLOGIN`);
    await end(admin, first);
    putDatabase(secondUrl);
    expect(await fails()).toBe(false);
    expect(users).toEqual([first, second]);
    expect(JSON.stringify(lines)).not.toContain("two");
  },
);

onServer("a changed password: refused once, read again, taken", async ({ skip }) => {
  const admin = administrator();
  await admin`DO $$ BEGIN CREATE ROLE password_asked; EXCEPTION WHEN duplicate_object THEN NULL; END $$`;
  const [name, url] = await role(admin, "before", "password_asked");
  const wrong = postgres(urlOf(name, "wrong"), { max: 1 });
  const asks = await wrong`SELECT 1`.then(
    () => false,
    () => true,
  );
  await wrong.end();
  if (!asks) skip("this server trusts its users; scripts/postgres.sh makes one that asks");
  putDatabase(url);
  expect(await fails()).toBe(false);
  await admin.unsafe(`ALTER ROLE ${name} PASSWORD 'after'`);
  await end(admin, name);
  expect(await fails()).toBe(true); // the secret still holds the old one
  putDatabase(urlOf(name, "after"));
  expect(await fails()).toBe(false);
  expect(lines.filter(({ level }) => level === "warn")).toEqual([
    expect.objectContaining({ message: "events: message is tried once more: refused connection" }),
    expect.objectContaining({ message: "events: message is tried once more: refused connection" }),
  ]);
  for (const password of ["before", "after"]) expect(JSON.stringify(lines)).not.toContain(password);
});

onServer("a changed secret is used after five minutes, though the old one is still taken", async () => {
  const admin = administrator();
  const [first, firstUrl] = await role(admin, "one");
  const [second, secondUrl] = await role(admin, "two");
  vi.useFakeTimers({ toFake: ["performance"] });
  putDatabase(firstUrl);
  expect(await fails()).toBe(false);
  putDatabase(secondUrl);
  vi.advanceTimersByTime(4 * 60_000);
  expect(await fails()).toBe(false);
  vi.advanceTimersByTime(60_000);
  expect(await fails()).toBe(false);
  expect(users).toEqual([first, first, second]);
});

onServer("a backend that is ended under a message, or between two, costs no message", async () => {
  const admin = administrator();
  const [name, url] = await role(admin, "one");
  putDatabase(url);
  let runs = 0;
  const handler = consume("events", async (_, { database }) => {
    runs += 1;
    await drizzleOf(database).transaction(async (tx) => {
      await tx.execute(sql`SELECT 1`);
      if (runs === 1) await end(admin, name);
      await tx.execute(sql`SELECT 2`);
    });
  });
  const body = JSON.stringify({ eventId: "00000000-0000-4000-8000-000000000001", at: "2026-03-02T00:00:00.000Z" });
  const deliver = () =>
    (handler as unknown as Handler)(
      { Records: [{ messageId: "m", body }] },
      lambdaContext(queue("events"), Date.now() + 30_000),
    );
  expect(await deliver()).toEqual({ batchItemFailures: [] });
  expect(runs).toBe(2);
  await end(admin, name);
  expect(await deliver()).toEqual({ batchItemFailures: [] });
});

test("the venue refuses a key: the secret is read again and the call is made once more", async () => {
  const key = { apiKey: "key-1", secret: "secret-1", passphrase: "pass-1" };
  const source = { barSeconds: 60, instruments: () => [], bars: () => [] };
  const venue = await paperVenue({ clock: virtualClock(Date.now()), source, key });
  closings.push(venue.close);
  const put = (): void => void secrets.set("desk/exchange", JSON.stringify({ mode: "demo", ...key }));
  vi.stubEnv("EXCHANGE_SECRET_ID", "desk/exchange");
  vi.stubEnv("OKX_URL", venue.url);
  vi.stubEnv("OKX_RATE_LIMIT", "false");
  vi.stubEnv("VENUE", "paper");
  put();
  const { exchange } = await services(["exchange"]);
  expect((await exchange.balance()).equity).toBe("100000");
  Object.assign(key, { apiKey: "key-2", secret: "secret-2", passphrase: "pass-2" });
  await expect(exchange.positions()).rejects.toMatchObject({ name: "VenueError", code: "50111" });
  put();
  // At once, as the reconciler asks: the key is changed once, and all four are answered.
  const asked = [
    exchange.positions(),
    exchange.balance(),
    exchange.fills(instantOf("2026-01-01T00:00:00.000Z")),
    exchange.openOrders(),
  ];
  expect(await Promise.all(asked)).toEqual([[], expect.objectContaining({ equity: "100000" }), [], []]);
  Object.assign(key, { secret: "secret-3" });
  put();
  expect((await exchange.balance()).equity).toBe("100000");
});

test("a secret that is absent, no JSON or short of a field is refused by name, without its text", async () => {
  secrets.delete("desk/database");
  await expect(services(["database"])).rejects.toThrow(
    "secret desk/database: Secrets Manager said ResourceNotFoundException",
  );
  for (const text of [
    "postgres://user:hunter2@host/db",
    '{"uri":"postgres://user:hunter2@host/db"}',
    '{"url":"hunter2"}',
  ]) {
    secrets.set("desk/database", text);
    forgetSecrets();
    const error = await services(["database"]).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.name).toBe("SecretError");
    expect(`${error?.message} ${error?.stack}`).not.toContain("hunter2");
  }
});
