import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { afterEach, expect, test, vi } from "vitest";
import { connectPostgres } from "#db/server/connect";
import { markDatabase } from "#db/server/occupancy";
import { lockFolder } from "#host/folder-lock";
import { loadHandlers } from "#local/aws/jobs";
import { openDoor } from "#local/door";
import { openEmbedded } from "#local/postgres/embedded-postgres";
import { provide } from "#runtime/services";
import { type WireDatabase, wireDatabase } from "#testing/wire-database";
import { deadLetterName } from "#topology/names";
import { instantOf } from "#units/time";
import { changeSwitch, RefusedError } from "./kill-switch.ts";
import { redrive } from "./redrive.ts";
import { MissingQueueError, NoDeskError, NoSiteError, OtherDeskError, openBooks, openSite } from "./site.ts";

afterEach(() => vi.unstubAllEnvs());

test("a desk that nothing names is asked for, by what is missing", async () => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "DATABASE_URL"]) vi.stubEnv(name, "");
  await expect(openSite({})).rejects.toThrow(/AWS_ENDPOINT_URL is not set/);
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  await expect(openSite({})).rejects.toBeInstanceOf(NoSiteError);
});

test("a stage's queues are found by name; one that is not deployed is named", async () => {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${server.port}`);
  const site = await openSite({ stage: "dev" });
  await expect(site.url("blocks", "queue")).rejects.toBeInstanceOf(MissingQueueError);
  await expect(site.url("blocks", "queue")).rejects.toThrow(/no queue dev-spyhop-blocks\.fifo in us-east-1/);
  await site.sqs.send(
    new CreateQueueCommand({ QueueName: deadLetterName("dev", "blocks", true), Attributes: { FifoQueue: "true" } }),
  );
  expect(await site.url("blocks", "dead")).toMatch(/\/dev-spyhop-blocks-dead\.fifo$/);
  await site.close();
  await server.stop();
});

test("a stopped desk's folder keeps its dead letters; a running one's is refused", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "spyhop-")), "live");
  await expect(openSite({ directory: folder })).rejects.toBeInstanceOf(NoDeskError); // and none is made
  await mkdir(folder);
  await (await openEmbedded(join(folder, "db"))).close();
  const first = await openSite({ directory: folder });
  const QueueUrl = await first.url("audits", "dead");
  await first.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{ no json" }));
  await first.close();
  const site = await openSite({ directory: folder });
  const carry = { actor: "anna", reason: "a test" };
  const options = { queue: "audits", limit: 10, carry, now: () => instantOf("2022-06-21T04:00:00.000Z") } as const;
  expect(await redrive(site, { ...options, tell: () => {} })).toEqual({ send: 0, drop: 0, keep: 1 });
  await site.close();
  const release = await lockFolder(folder);
  await expect(openSite({ directory: folder })).rejects.toThrow(/is in use/);
  await release();
  await rm(join(folder, ".."), { recursive: true });
});

const AT = instantOf("2026-01-05T12:00:00.000Z");
const who = { confirmed: false, mappings: null, actor: "anna", reason: "a drill", at: AT } as const;

test("a folder's books: of the desk that runs there through its door, else opened; never both at once", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "spyhop-")), "live");
  await mkdir(folder);
  await expect(openBooks({ directory: folder })).rejects.toBeInstanceOf(NoDeskError);
  const embedded = await openEmbedded(join(folder, "db"));
  const release = await lockFolder(folder);
  await expect(openBooks({ directory: folder })).rejects.toThrow(/is in use/); // it runs, and has no door yet
  provide("database", embedded.db);
  const close = await openDoor(folder, await loadHandlers());
  const running = await openBooks({ directory: folder });
  expect(await changeSwitch(running, { to: "HALTED", ...who })).toMatch(/^the desk in .*: demo is HALTED, epoch 2 /);
  await running.close();
  await close();
  provide("database", null);
  await embedded.close();
  await release();
  const stopped = await openBooks({ directory: folder });
  expect(await stopped.ask({ act: "look" })).toMatchObject({ modes: [{ control: { actor: "anna", epoch: 2 } }, {}] });
  expect(await changeSwitch(stopped, { to: "ACTIVE", ...who, reason: "over" })).toMatch(/demo is ACTIVE, epoch 3/);
  await stopped.close();
  await rm(join(folder, ".."), { recursive: true });
});

test("a desk that was killed left its door behind: its books are opened all the same", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "spyhop-")), "live");
  await mkdir(folder);
  await (await openEmbedded(join(folder, "db"))).close();
  await writeFile(join(folder, "door.json"), JSON.stringify({ url: "http://127.0.0.1:1", token: "x" }));
  const books = await openBooks({ directory: folder });
  expect(await changeSwitch(books, { to: "REDUCING", ...who })).toMatch(/demo is REDUCING, epoch 2/);
  await books.close();
  // One at DATABASE_URL has no database in its folder: there the door is all there is.
  await rm(join(folder, "db"), { recursive: true });
  const gone = await openBooks({ directory: folder });
  await expect(gone.ask({ act: "look" })).rejects.toThrow(/does not answer; was it killed/);
  await rm(join(folder, ".."), { recursive: true });
});

test("books at DATABASE_URL, with or without a stage; live is asked for a confirmation", async () => {
  const database: WireDatabase = await wireDatabase();
  vi.stubEnv("DATABASE_URL", database.url);
  const here = await openBooks({});
  expect(here).toMatchObject({ name: "the desk at DATABASE_URL", mode: "demo" });
  expect(await changeSwitch(here, { to: "HALTED", ...who })).toMatch(/demo is HALTED, epoch 2/);
  await here.close();
  const live = await openBooks({ stage: "live" });
  expect(live).toMatchObject({ name: "stage live, by DATABASE_URL", mode: "live" });
  await expect(changeSwitch(live, { to: "ACTIVE", ...who })).rejects.toBeInstanceOf(RefusedError);
  expect(await changeSwitch(live, { to: "ACTIVE", ...who, confirmed: true })).toMatch(/live is ACTIVE, epoch 2/);
  await live.close();
  await database.close();
});

test("a stage is not taken for the laptop's database that DATABASE_URL leads to: a halt would halt nothing", async () => {
  const database: WireDatabase = await wireDatabase();
  vi.stubEnv("DATABASE_URL", database.url);
  const { db, close } = connectPostgres(database.url);
  await markDatabase(db, { kind: "replay", name: "sample" });
  await close();
  const books = openBooks({ stage: "live" });
  await expect(books).rejects.toBeInstanceOf(OtherDeskError);
  await expect(books).rejects.toThrow(/the database of a replay of sample, which is not stage live's/);
  await (await openBooks({})).close(); // named for what it is, it may be asked
  await database.close();
});
