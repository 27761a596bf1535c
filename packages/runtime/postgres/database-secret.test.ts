import { afterEach, expect, test, vi } from "vitest";
import { startAwsEndpoint } from "#local/aws/aws-endpoint";
import { forgetSecrets } from "../secret.ts";
import { UnverifiedDatabaseError, unverifiedFields } from "./database-secret.ts";
import { openDatabase } from "./open-database.ts";
import { openSchema } from "./open-schema.ts";

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  forgetSecrets();
  vi.unstubAllEnvs();
});

const ca = "-----BEGIN CERTIFICATE-----\n";
const fieldsOf = (authority: string, query = "") => unverifiedFields({ url: `postgres://u:p@${authority}/d${query}` });

test.each(["127.0.0.1", "127.8.0.1:6432", "[::1]:5432", "localhost", "LOCALHOST:5432"])(
  "%s is loopback, and may go without TLS",
  (authority) => expect(fieldsOf(authority)).toEqual([]),
);

test.each([
  ["another machine", "db.example", ""],
  ["an address of a private network", "10.0.0.7:5432", ""],
  ["a name that begins as loopback does", "127.0.0.1.example", ""],
  ["a name that ends as loopback does", "db.localhost.example", ""],
  ["loopback as the user's name", "localhost@db.example", ""],
  ["several servers, one of them on loopback", "127.0.0.1,db.example", ""],
  ["no host", "", ""],
  ["TLS with anybody's certificate", "db.example", "?sslmode=require"],
  ["TLS whose certificate may be another server's", "db.example", "?sslmode=verify-ca"],
  ["TLS turned off first", "db.example", "?sslmode=disable&sslmode=verify-full"],
] as const)("%s wants verified TLS", (_, authority, query) => {
  expect(fieldsOf(authority, query)).toEqual(["url"]);
});

test("sslmode=verify-full or a ca is enough; a directUrl is judged by itself", () => {
  const verified = "postgres://u:p@db.example/d?sslmode=verify-full";
  const plain = "postgres://u:p@db.example:5433/d";
  expect(unverifiedFields({ url: verified })).toEqual([]);
  expect(unverifiedFields({ url: verified, directUrl: plain })).toEqual(["directUrl"]);
  expect(unverifiedFields({ url: plain, directUrl: plain })).toEqual(["url", "directUrl"]);
  expect(unverifiedFields({ url: plain, directUrl: plain, ca })).toEqual([]);
});

test("a function opens nothing with such a secret or variable, and says what to do and no part of the URL", async () => {
  const secrets = new Map([["spyhop/dev/database", JSON.stringify({ url: "postgres://u:hunter2@db.example/d" })]]);
  const endpoint = await startAwsEndpoint({ sqs: {} as never, queueUrl: () => "", secrets });
  closings.push(endpoint.close);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.url);
  vi.stubEnv("DATABASE_URL", undefined);
  vi.stubEnv("DATABASE_SECRET_ID", "spyhop/dev/database");
  for (const open of [openDatabase, openSchema]) {
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnverifiedDatabaseError);
    const { message } = error as Error;
    expect(message).toMatch(/^url of the secret spyhop\/dev\/database: .* sslmode=verify-full .* as ca in the secret/);
    expect(message).not.toMatch(/hunter2|db\.example/);
  }
  vi.stubEnv("DATABASE_URL", "postgres://u:hunter2@db.example/d");
  for (const open of [openDatabase, openSchema]) await expect(open()).rejects.toThrow(/^DATABASE_URL: the database/);
});
