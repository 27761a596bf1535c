import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { inspect } from "node:util";
import { sql } from "drizzle-orm";
import { afterEach, expect, test, vi } from "vitest";
import { drizzleOf } from "#db/drizzle";
import { hasOpenssl, refusingProxy } from "#testing/refusing-proxy";
import { openDatabase } from "./open-database.ts";

const closings: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closings.splice(0).reverse()) close();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/**
 * Returns the signature that a token must have, worked out from what it says of itself.
 * Source: AWS IAM user guide, "Create a signed AWS API request"; RDS user guide, "IAM database authentication".
 */
function signatureOf(token: string, secretAccessKey: string): string {
  const { host, searchParams } = new URL(`https://${token}`);
  const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const query = [...searchParams]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  const scope = searchParams.get("X-Amz-Credential")?.split("/").slice(1) ?? [];
  const request = hex(["GET", "/", query, `host:${host}\n`, "host", hex("")].join("\n"));
  const signed = ["AWS4-HMAC-SHA256", searchParams.get("X-Amz-Date"), scope.join("/"), request].join("\n");
  return hmac(scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`), signed).toString("hex");
}

test("a known token has the signature that is worked out here", () => {
  // Source: botocore, tests/unit/test_signers.py, test_generate_db_auth_token; the keys are akid and skid.
  const signature = "d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61";
  const token =
    "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
    "&X-Amz-Date=20161107T173933Z&X-Amz-SignedHeaders=host&X-Amz-Expires=900" +
    `&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Signature=${signature}`;
  expect(signatureOf(token, "skid")).toBe(signature);
});

test.skipIf(!hasOpenssl).each([undefined, "a/session+token=="])(
  "each connection to RDS Proxy has a token of its own, of the role's keys (session token %s), which no error shows",
  async (sessionToken) => {
    const { port, passwords, authority, close: stop } = await refusingProxy();
    closings.push(stop);
    const trusted = getCACertificates("default");
    setDefaultCACertificates([...trusted, readFileSync(authority, "utf8")]);
    closings.push(() => setDefaultCACertificates(trusted));
    for (const name of ["DATABASE_URL", "DATABASE_SECRET_ID", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    vi.stubEnv("DATABASE_HOST", "localhost");
    vi.stubEnv("DATABASE_PORT", String(port));
    vi.stubEnv("DATABASE_NAME", "spyhop");
    vi.stubEnv("DATABASE_USER", "spyhop_desk");
    vi.stubEnv("AWS_REGION", "eu-central-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s/e+cret");
    vi.stubEnv("AWS_SESSION_TOKEN", sessionToken);
    vi.useFakeTimers({ now: new Date("2026-01-02T03:04:05.678Z"), toFake: ["Date"] });
    const written: unknown[] = [];
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, "write").mockImplementation((text) => written.push(text) > 0);
    const { service, secret, close } = await openDatabase();
    const errors: unknown[] = [];
    for (let connection = 1; connection <= 2; connection++) {
      errors.push(
        await drizzleOf(service)
          .execute(sql`SELECT 1`)
          .catch((error: unknown) => error),
      );
      vi.setSystemTime("2026-01-02T03:30:00.000Z"); // the first token is too old by now
    }
    await close();
    vi.restoreAllMocks();
    expect(secret).toBeNull();
    expect(passwords).toHaveLength(2);
    for (const [i, token] of passwords.entries()) {
      const { host, searchParams } = new URL(`https://${token}`);
      expect(host).toBe(`localhost:${port}`);
      const date = ["20260102T030405Z", "20260102T033000Z"][i];
      expect(Object.fromEntries(searchParams)).toEqual({
        Action: "connect",
        DBUser: "spyhop_desk",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIDEXAMPLE/20260102/eu-central-1/rds-db/aws4_request",
        "X-Amz-Date": date,
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": signatureOf(token, "s/e+cret"),
        ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
      });
    }
    const shown = inspect([errors, written], { depth: 10, showHidden: true });
    expect(shown).toContain("28000");
    for (const hidden of [
      "s/e+cret",
      ...passwords.map((token) => new URL(`https://${token}`).searchParams.get("X-Amz-Signature")),
    ])
      expect(shown).not.toContain(hidden);
  },
);
