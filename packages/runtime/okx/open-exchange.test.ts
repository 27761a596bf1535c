/** Keys of one environment in a process of the other: refused when the venue is opened, so that no request is ever made. */
import { generateKeyPairSync, sign } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { POLICY, policyHash } from "#trading/plans/policy";
import { instant } from "#units/time";
import { armingLook } from "../arming.ts";
import { ConfigError, readSettings } from "../config.ts";
import { forgetSecrets } from "../secret.ts";
import { openExchange } from "./open-exchange.ts";

const secrets = new Map<string, string>();
const closings: (() => Promise<unknown>)[] = [];
const KEY = { apiKey: "key-0123456789", secret: "very-secret", passphrase: "very-secret-phrase" };

beforeEach(async () => {
  const unused = { sqs: {} as never, queueUrl: () => "" }; // no fact is published here
  const endpoint = await startAwsEndpoint({ ...unused, secrets });
  closings.push(endpoint.close);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  vi.stubEnv("EXCHANGE_SECRET_ID", "desk/exchange");
  vi.stubEnv("VENUE", "okx");
});
afterEach(async () => {
  forgetSecrets();
  vi.unstubAllEnvs();
  for (const close of closings.splice(0)) await close();
});

test.each(["demo", "live"] as const)("keys of the other environment in a process of %s", async (mode) => {
  const other = mode === "demo" ? "live" : "demo";
  vi.stubEnv("SPYHOP_MODE", mode);
  secrets.set("desk/exchange", JSON.stringify({ mode: other, ...KEY }));
  const opening = openExchange();
  await expect(opening).rejects.toBeInstanceOf(ConfigError);
  await expect(opening).rejects.toThrow(`the exchange secret is for ${other}, this process is ${mode}`);
  await expect(opening).rejects.not.toThrow(/very-secret|key-0/);
});

test("an arming is held against the account that the key's secret names", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  vi.stubEnv("SPYHOP_MODE", "live");
  vi.stubEnv("ARMING_KEY", publicKey.export({ format: "der", type: "spki" }).toString("base64"));
  const now = Date.now();
  const arming = {
    ...{
      format: "spyhop-arming/1",
      mode: "live",
      venue: "okx",
      account: "77",
      policyHash: policyHash(POLICY),
      epoch: 1,
    },
    ...{ maxNotionalUsd: "1", maxDailyLossUsd: "1", notBefore: instant(now), notAfter: instant(now + 60_000) },
  };
  const text = JSON.stringify(arming);
  const signed = { text, signature: sign(null, Buffer.from(text), privateKey).toString("base64") };
  const look = armingLook(async () => signed, readSettings());
  const named = async (accountId: string | null) => {
    secrets.set("desk/exchange", JSON.stringify({ mode: "live", accountId, ...KEY }));
    forgetSecrets();
    return look(1);
  };
  expect(await named("77")).toEqual({ arming });
  expect(await named("78")).toMatchObject({ problem: expect.stringMatching(/it is for account 77, not 78/) });
  expect(await named(null)).toMatchObject({ problem: expect.stringMatching(/names no accountId/) });
  secrets.clear();
  forgetSecrets();
  await expect(look(1)).rejects.toThrow(/desk\/exchange/);
  vi.stubEnv("ARMING_KEY", "bm8ga2V5");
  secrets.set("desk/exchange", JSON.stringify({ mode: "live", accountId: "77", ...KEY }));
  await expect(armingLook(async () => signed, readSettings())(1)).rejects.toThrow(
    /ARMING_KEY is no public Ed25519 key/,
  );
});

test("the venue's clock is held against what the policy of the settings says", async () => {
  vi.stubEnv("SPYHOP_MODE", "demo");
  secrets.set("desk/exchange", JSON.stringify({ mode: "demo", ...KEY }));
  const clockAt = async (policy: string) => {
    vi.stubEnv("POLICY", policy);
    const { service: exchange } = await openExchange();
    const rows: Record<string, object> = {
      "/api/v5/account/config": { uid: "77", posMode: "net_mode", acctLv: "2" },
      "/api/v5/public/time": { ts: String(Date.now() - 10_000) },
    };
    vi.stubGlobal("fetch", async (url: string) =>
      Response.json({ code: "0", msg: "", data: [rows[new URL(url).pathname]].filter(Boolean) }),
    );
    const found = await exchange.assertions("ETH-USDT-SWAP");
    vi.unstubAllGlobals();
    return found.find(({ name }) => name === "clock")?.verdict;
  };
  expect(await clockAt("{}")).toBe("halt");
  expect(await clockAt('{"maxClockSkewSeconds":20}')).toBe("ok");
});

test("limits that contradict each other open no venue: the process is refused by their names", async () => {
  vi.stubEnv("SPYHOP_MODE", "demo");
  secrets.set("desk/exchange", JSON.stringify({ mode: "demo", ...KEY }));
  vi.stubEnv("POLICY", '{"decisionTtlSeconds":60,"maxOrderUsd":60000}');
  const opening = openExchange();
  await expect(opening).rejects.toBeInstanceOf(ConfigError);
  await expect(opening).rejects.toThrow(
    /POLICY: .*maxOrderUsd 60000 is not at most maxAssetUsd 50000; decisionTtlSeconds 60 is not 60 s above/,
  );
});
