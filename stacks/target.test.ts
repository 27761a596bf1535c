import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { aTarget, synthesise } from "#testing/synthesise";
import { theTopology } from "./jobs.ts";
import { readTarget } from "./read-target.ts";
import { parseTarget, TargetError } from "./target.ts";

const parse = (fields: object, stage = "dev") => parseTarget(JSON.stringify(fields), stage, "t.json");
const good = { stage: "dev", database: "external", region: "eu-central-1" };

test.each(["dev", "demo"])("the target of %s that ships is good", (stage) => {
  expect(readTarget(stage).stage).toBe(stage);
});

test("the target of live that ships lacks only where its alarms go", () => {
  expect(() => readTarget("live")).toThrow(/^stacks\/targets\/live\.json: alarmEmail: live trades with money: [^;]+$/);
});

test.each([
  ["an unknown stage", () => readTarget("prod"), /the stage is prod; there are dev, demo, live/],
  ["no stage", () => readTarget(undefined), /the stage is missing/],
  ["a missing file", () => readTarget("dev", "nowhere.json"), /nowhere.json is missing/],
  ["no JSON", () => parseTarget("{", "dev", "t.json"), /t.json is not JSON/],
  ["another stage's file", () => parse(good, "demo"), /of the stage dev, and demo was asked for/],
  ["an unknown database", () => parse({ ...good, database: "mysql" }), /database/],
  ["no region", () => parse({ stage: "dev", database: "external" }), /region/],
  ["a region that is none", () => parse({ ...good, region: "Frankfurt" }), /is no region, such as/],
  ["an unknown field", () => parse({ ...good, databse: 1 }), /databse/],
  ["an unknown setting", () => parse({ ...good, settings: { ETH_RPC_URL: "http://x" } }), /settings/],
  ["an address that is none", () => parse({ ...good, viewers: ["me"] }), /viewers/],
  ["a mail address that is none", () => parse({ ...good, alarmEmail: "me" }), /alarmEmail/],
  [
    "an emulated demo",
    () => parse({ ...good, stage: "demo", emulator: true }, "demo"),
    /an emulator takes the stage dev only/,
  ],
  [
    "a budget that nobody is told of",
    () => parse({ ...good, budgetUsd: 60 }),
    /budgetUsd: say who is told: alarmEmail/,
  ],
  ["a free budget", () => parse({ ...good, budgetUsd: 0, alarmEmail: "a@example.com" }), /budgetUsd/],
  ["days that CloudWatch does not keep", () => parse({ ...good, logDays: 31 }), /logDays/],
  ["an unknown firewall", () => parse({ ...good, firewall: "none" }), /firewall/],
  [
    "an emulated network",
    () => parse({ ...good, staticEgress: true, emulator: true }),
    /staticEgress: an emulator has/,
  ],
  ["an emulated Aurora", () => parse({ ...good, database: "aurora", emulator: true }), /an emulator has no Aurora/],
  ["a lock without days", () => parse({ ...good, auditCopy: { retentionDays: 0 } }), /auditCopy\.retentionDays/],
  [
    "a locked copy on an emulator",
    () => parse({ ...good, emulator: true, auditCopy: { retentionDays: 1 } }),
    /auditCopy: an emulator locks nothing/,
  ],
  [
    "live without its clock",
    () => parse({ ...good, stage: "live", alarmEmail: "desk@example.com", schedules: false }, "live"),
    /live follows the clock/,
  ],
  [
    "live whose alarms nobody reads",
    () => parse({ ...good, stage: "live" }, "live"),
    /t\.json: alarmEmail: live trades/,
  ],
  [
    "generated input in demo",
    () => parse({ ...good, stage: "demo", settings: { GENERATED: "true" } }, "demo"),
    /only the stage dev/,
  ],
] as const)("%s is refused by name", (_, read, message) => {
  expect(read).toThrow(TargetError);
  expect(read).toThrow(message);
});

describe("a topology that is not whole is refused before a stack is made", () => {
  const topology = theTopology();
  const { blocks, events } = topology.queues as Record<string, (typeof topology.queues)[string]>;
  const head = topology.schedules["watch-head"]!;
  test.each([
    [
      "an orphan queue",
      {
        ...topology,
        queues: { ...topology.queues, lost: { ...events!, consumer: "functions/lost.handler" as const } },
      },
      /the queue lost is an orphan/,
    ],
    [
      "a send to nowhere",
      { ...topology, schedules: { ...topology.schedules, "watch-head": { ...head, sends: ["block"] } } },
      /watch-head sends to block, and there is no such queue/,
    ],
    [
      "an unknown fact",
      { ...topology, queues: { ...topology.queues, blocks: { ...blocks!, publishes: ["block.seen"] } } },
      /blocks publishes block.seen, which is no fact/,
    ],
    [
      "a fact to nowhere",
      { ...topology, facts: { ...topology.facts, "report.built": ["mail"] } },
      /report.built goes to mail/,
    ],
    [
      "a fact of nobody",
      { ...topology, facts: { ...topology.facts, "user.left": ["audits"] } },
      /nobody publishes the fact user.left/,
    ],
    [
      "a handler wired twice",
      { ...topology, queues: { ...topology.queues, blocks: { ...blocks!, consumer: events!.consumer } } },
      /is wired twice/,
    ],
    [
      "a batch too large",
      { ...topology, queues: { ...topology.queues, blocks: { ...blocks!, batchSize: 11 } } },
      /batches of 11/,
    ],
    [
      "a concurrency of one",
      { ...topology, queues: { ...topology.queues, blocks: { ...blocks!, maxConcurrency: 1 } } },
      /SQS wants 2/,
    ],
    [
      "a job without end",
      { ...topology, schedules: { ...topology.schedules, "watch-head": { ...head, timeoutSeconds: 1000 } } },
      /longer than Lambda's 900 seconds/,
    ],
  ] as const)("%s", (_, wrong, message) => {
    expect(() => synthesise(aTarget({ stage: "dev", database: "external" }), wrong)).toThrow(message);
  });
});

test("the targets' settings are variables that the functions read", () => {
  const config = readFileSync("packages/runtime/config.ts", "utf8");
  const source = readFileSync("stacks/target.ts", "utf8");
  const names = [...(source.match(/z\.enum\(\[([^\]]+)\]\)/)?.[1] ?? "").matchAll(/"([A-Z_]+)"/g)].map((m) => m[1]!);
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) expect(config, name).toContain(name);
});
