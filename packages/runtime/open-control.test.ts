import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { controlFile, controlFileOf } from "#local/control-board";
import type { ControlObject } from "#trading/control-object";
import { instantOf } from "#units/time";
import { controlSecret, openControl } from "./open-control.ts";
import { forgetSecrets } from "./secret.ts";

const OBJECT: ControlObject = {
  ...{ mode: "demo", state: "HALTED", epoch: 3, booked: true },
  ...{ reason: "a test", actor: "anna", changedAt: instantOf("2026-01-05T12:00:00.000Z") },
};
const ID = "spyhop/dev/control";

const closings: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
  const local = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
  for (const [name, value] of Object.entries({ ...local, CONTROL_SECRET_ID: ID, SPYHOP_MODE: "demo" }))
    vi.stubEnv(name, value);
});
afterEach(async () => {
  forgetSecrets();
  vi.unstubAllEnvs();
  for (const close of closings.splice(0)) await close();
});

test("the object of a stage is its secret: read past what is held, blank before the first write, missed by name", async () => {
  const secrets = new Map([[ID, "{}"]]);
  const endpoint = await startAwsEndpoint({ sqs: {} as never, queueUrl: () => "", secrets });
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  const { service: board } = await openControl();
  expect(await board.read()).toEqual({ problem: `${ID} holds no control object`, blank: true });
  expect(await board.write(OBJECT)).toBeNull();
  expect(await board.read()).toEqual({ object: OBJECT });
  expect(await controlSecret(ID, "demo").write({ ...OBJECT, epoch: 4 })).toBeNull();
  expect(await board.read()).toEqual({ object: { ...OBJECT, epoch: 4 } });
  const missing = controlSecret("spyhop/none/control", "demo");
  expect(await missing.read()).toMatchObject({ problem: expect.stringContaining("ResourceNotFound"), blank: false });
  expect(await missing.write(OBJECT)).toContain("ResourceNotFoundException");
  await endpoint.close();
  forgetSecrets();
  const began = performance.now();
  expect(await board.read()).toMatchObject({ blank: false });
  expect(performance.now() - began).toBeLessThan(3000); // an order waits for it, with four seconds to its deadline
});

test("the object of a laptop's desk is a file of its owner's in the folder, whole or not there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spyhop-"));
  closings.push(() => rm(folder, { recursive: true }));
  const board = controlFile(folder, "demo");
  expect(await board.read()).toEqual({ problem: expect.stringContaining("ENOENT"), blank: true });
  expect(await board.write(OBJECT)).toBeNull();
  expect(await board.read()).toEqual({ object: OBJECT });
  expect((await stat(controlFileOf(folder))).mode & 0o077).toBe(0);
  expect(await readdir(folder)).toEqual(["control.json"]);
  await writeFile(controlFileOf(folder), '{"mode":"demo","state":"ACT');
  expect(await board.read()).toMatchObject({ blank: true });
  expect(await controlFile(join(folder, "none"), "demo").write(OBJECT)).toContain("ENOENT");
});
