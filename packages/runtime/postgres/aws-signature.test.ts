import { Signer } from "@aws-sdk/rds-signer";
import { afterEach, expect, test, vi } from "vitest";
import { rdsToken, signedHeaders } from "./aws-signature.ts";

afterEach(() => vi.useRealTimers());

test("signs the example of AWS's documentation", () => {
  // Source: AWS general reference, Signature Version 4, "ListUsers" example.
  const headers = signedHeaders(
    {
      method: "GET",
      url: new URL("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: "",
    },
    {
      region: "us-east-1",
      service: "iam",
      keys: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
      at: new Date("2015-08-30T12:36:00Z"),
    },
  );
  expect(headers.authorization).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
      "SignedHeaders=content-type;host;x-amz-date, " +
      "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  );
});

test.each([undefined, "a/session+token=="])(
  "an RDS token is the one that AWS's own signer makes (token %s)",
  async (sessionToken) => {
    vi.useFakeTimers({ now: new Date("2026-01-02T03:04:05.678Z"), toFake: ["Date"] });
    const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s/e+cret" };
    const credentials = sessionToken === undefined ? keys : { ...keys, sessionToken };
    const to = { host: "proxy.cluster-x.eu-central-1.rds.amazonaws.com", port: 5432, username: "desk_app" };
    const signer = new Signer({
      hostname: to.host,
      port: to.port,
      username: to.username,
      region: "eu-central-1",
      credentials,
    });
    const ours = new URL(`https://${rdsToken(to, { region: "eu-central-1", keys: credentials, at: new Date() })}`);
    const theirs = new URL(`https://${await signer.getAuthToken()}`);
    expect(Object.fromEntries(ours.searchParams)).toEqual(Object.fromEntries(theirs.searchParams));
    expect(ours.host).toBe(theirs.host);
  },
);
