import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { reportRecords, saveReport } from "#db/reading/reports";
import type { Listening } from "#host/http";
import { composeReport } from "#reporting/compose";
import { markdown } from "#reporting/markdown";
import type { Scope } from "#reporting/report";
import { provide } from "#runtime/services";
import { type TestDatabase, testDatabase } from "#testing/database";
import { END, START, writeDeskRows } from "#testing/desk-rows";
import { PRACTICE } from "#testing/practice";
import type { Contract } from "#topology/contracts/contract";
import { contracts } from "#topology/contracts/contracts";
import { ProblemReply } from "#topology/contracts/problem";
import { matchRoute } from "#topology/paths";
import { ROUTES, topology } from "#topology/topology";
import { startApi } from "./api-server.ts";
import { loadHandlers } from "./aws/jobs.ts";

// docs/api.md, as its reader would try it: each curl is run, on generated rows, and says what the document says it does.

const DOCUMENT = readFileSync("docs/api.md", "utf8");
const BASE = "http://127.0.0.1:8787";
const SCOPE: Scope = {
  ...{ type: "4h", start: START, end: END, mode: "demo", venue: "paper", chain: "ethereum", inputName: "fixture" },
  ...{ generated: true, explorerUrl: null, policy: PRACTICE },
};

let database: TestDatabase;
let api: Listening;
beforeAll(async () => {
  database = await testDatabase();
  vi.stubEnv("GENERATED", "true");
  vi.stubEnv("INPUT_NAME", "fixture");
  vi.stubEnv("POLICY", JSON.stringify(PRACTICE));
  provide("database", database.db);
  await writeDeskRows(database.db);
  const report = composeReport(await reportRecords(database.db, SCOPE));
  await saveReport(database.db, report, markdown(report));
  api = await startApi(await loadHandlers(), 0, () => Date.parse("2022-06-21T00:14:01.000Z"));
}, 60_000);
afterAll(async () => {
  await api.close();
  provide("database", null);
  vi.unstubAllEnvs();
  await database.close();
});

/** A curl of the document, and the reply that stands below it, if one does. */
interface Example {
  readonly command: string;
  readonly url: URL;
  readonly says: unknown;
}

const EXAMPLES = [...DOCUMENT.matchAll(/```sh\n(curl .*)\n```\n(?:\n```json\n([\s\S]*?)```)?/g)].map(
  ([, command = "", says]): Example => ({
    command,
    url: new URL(/http:\/\/[^' ]+/.exec(command)?.[0] ?? ""),
    says: says === undefined ? null : JSON.parse(says),
  }),
);

test("every route has a curl in docs/api.md", () => {
  const asked = EXAMPLES.flatMap(({ url }) => {
    const matched = matchRoute(topology.routes, "GET", url.pathname);
    return matched.kind === "route" ? [matched.name] : [];
  });
  expect(ROUTES.filter((name) => !asked.includes(name))).toEqual([]);
});

test.each(EXAMPLES)("$command", async ({ command, url, says }) => {
  const { stdout } = await promisify(execFile)("bash", ["-c", command.replace(BASE, api.url.replace(/\/$/, ""))]);
  if (says === null) return expect(stdout.length).toBeGreaterThan(0);
  const body: unknown = JSON.parse(stdout);
  const matched = matchRoute(topology.routes, "GET", url.pathname);
  if (matched.kind !== "route") throw new Error(`${url.pathname} is no route`);
  const { reply }: Contract = contracts[matched.name];
  const schema = "type" in (body as object) ? ProblemReply : reply;
  expect(schema.parse(body)).toEqual(body);
  return expect(body).toMatchObject(says as object);
});
