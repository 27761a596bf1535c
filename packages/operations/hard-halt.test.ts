import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { verifyAudit } from "#db/audit";
import { readControl } from "#db/trading/control";
import { type Listening, listen, readBody } from "#host/http";
import { type TestSite, testSite } from "#testing/site";
import { instantOf } from "#units/time";
import { endHardHalt, haltHard, SwitchUnsetError } from "./hard-halt.ts";
import { changeSwitch, RefusedError } from "./kill-switch.ts";
import { isConsumed, MissingMappingError, readMappings } from "./mappings.ts";

// Mappings change in AWS over some seconds, and one that is changing refuses a change; the emulator's change at once. So
// Lambda's two calls are answered here, with AWS's states. Source: Lambda API, ListEventSourceMappings, UpdateEventSourceMapping.
let lambda: Listening;
let desk: TestSite;
/** State by function, and how often it is still asked for before it settles. */
let states: Map<string, { state: string; left: number }>;
let updates: string[];

const NAMES = ["dev-spyhop-plan-order", "dev-spyhop-submit-order"];

beforeEach(async () => {
  states = new Map(NAMES.map((name) => [name, { state: "Enabled", left: 0 }]));
  updates = [];
  lambda = await listen(async (request, response) => {
    const url = new URL(request.url ?? "", "http://127.0.0.1");
    const reply = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.method === "GET") {
      const name = url.searchParams.get("FunctionName") ?? "";
      const found = states.get(name);
      if (found && found.left > 0) found.left -= 1;
      else if (found) found.state = found.state.replace("Disabling", "Disabled").replace("Enabling", "Enabled");
      return reply(200, { EventSourceMappings: found ? [{ UUID: name, State: found.state }] : [] });
    }
    const name = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
    const { Enabled } = JSON.parse(await readBody(request)) as { Enabled: boolean };
    const found = states.get(name);
    if (!found || /ing$/.test(found.state)) return reply(409, { message: "in use" });
    Object.assign(found, { state: Enabled ? "Enabling" : "Disabling", left: 1 });
    updates.push(`${name} ${Enabled}`);
    return reply(202, { UUID: name, State: found.state });
  });
  vi.stubEnv("AWS_ENDPOINT_URL_LAMBDA", lambda.url);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  desk = await testSite();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await desk.close();
  await lambda.close();
});

const AT = instantOf("2026-01-05T12:00:00.000Z");
const who = { actor: "arn:aws:iam::000000000000:user/anna", reason: "the database is gone", at: AT };
const said: string[] = [];
const say = (line: string): void => void said.push(line);
beforeEach(() => void said.splice(0));

const halted = () => changeSwitch(desk.site, { to: "HALTED", confirmed: true, mappings: "disabled", ...who });

test("a hard halt ends the mappings first, and then halts", async () => {
  await haltHard("dev", halted, say);
  expect(updates).toEqual(["dev-spyhop-plan-order false", "dev-spyhop-submit-order false"]);
  expect((await readMappings("dev")).map(isConsumed)).toEqual([false, false]);
  expect(said).toEqual([
    "the mapping of plans is Disabled",
    "the mapping of orders is Disabled",
    "a test: demo is HALTED, epoch 2 (before: ACTIVE, epoch 1)\n" +
      "by arn:aws:iam::000000000000:user/anna: the database is gone\n" +
      "Only a stop that closes a position leaves now. No order that was approved before this leaves any more.",
  ]);
  expect(await verifyAudit(desk.database.db)).toMatchObject({ intact: true, rows: 1 });
});

test("without its database a hard halt holds all the same, and says what is left to do", async () => {
  const broken = async (): Promise<string> => {
    throw new Error("connect ETIMEDOUT");
  };
  const halting = haltHard("dev", broken, say);
  await expect(halting).rejects.toBeInstanceOf(SwitchUnsetError);
  await expect(halting).rejects.toThrow(
    /is halted hard: .* could not be set, .* ETIMEDOUT.*npm run halt -- --stage dev/,
  );
  expect((await readMappings("dev")).map(({ state }) => state)).toEqual(["Disabled", "Disabled"]);
});

test("a mapping that is just changing is waited for; one that is so already is left", async () => {
  states.set("dev-spyhop-plan-order", { state: "Enabling", left: 2 });
  states.set("dev-spyhop-submit-order", { state: "Disabled", left: 0 });
  await haltHard("dev", halted, say);
  expect(updates).toEqual(["dev-spyhop-plan-order false"]);
});

test("a stage that is not deployed is named, and nothing is said to be halted", async () => {
  states.clear();
  await expect(haltHard("dev", halted, say)).rejects.toBeInstanceOf(MissingMappingError);
  expect(said).toEqual([]);
  expect(await readControl(desk.database.db, "demo")).toMatchObject({ state: "ACTIVE" });
});

const renew = () => changeSwitch(desk.site, { to: null, confirmed: false, mappings: "enabled", ...who, at: LATER });
const LATER = instantOf("2026-01-05T13:00:00.000Z");

test("ended, plans that have waited are dropped, orders of before are void, and the kill switch stays as it is", async () => {
  await haltHard("dev", halted, say);
  const { sqs, queues } = desk;
  const put = (name: "plans" | "orders", n: number) =>
    sqs.send(
      new SendMessageCommand({
        ...{ QueueUrl: queues.url(name), MessageBody: "{}" },
        ...{ MessageGroupId: `demo:${n % 3}`, MessageDeduplicationId: `${name} ${n}` },
      }),
    );
  for (let n = 0; n < 23; n++) await put("plans", n);
  await put("orders", 1);
  said.splice(0);
  await endHardHalt("dev", desk.site, renew, say);
  expect(said[0]).toMatch(/^a test: demo is HALTED, epoch 3 \(before: HALTED, epoch 2\)\n/);
  expect(said.slice(1)).toEqual([
    "23 plans that had waited were dropped: the desk plans again each minute",
    "the mapping of plans is Enabled",
    "the mapping of orders is Enabled",
  ]);
  expect([queues.depth("plans"), queues.depth("orders")]).toEqual([0, 1]);
});

test("what is refused keeps the halt: nothing is dropped, nothing is taken", async () => {
  await haltHard("dev", halted, say);
  const live = { ...desk.site, mode: "live" as const };
  const refused = () => changeSwitch(live, { to: null, confirmed: false, mappings: "enabled", ...who, at: LATER });
  await expect(endHardHalt("dev", desk.site, refused, say)).rejects.toThrow(
    new RefusedError("a test: live is HALTED, and stays so: live trades with money: add --yes if you mean it"),
  );
  expect((await readMappings("dev")).map(isConsumed)).toEqual([false, false]);
});
