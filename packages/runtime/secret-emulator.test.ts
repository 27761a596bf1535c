import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { readEnv } from "./config.ts";
import { forgetSecrets, putSecret, readSecret, SecretError, secretNow } from "./secret.ts";

// An emulator of AWS in place of the endpoint of our own: MiniStack or LocalStack, where one is.
const endpoint = readEnv("TEST_AWS_ENDPOINT_URL");
const Fields = z.object({ url: z.string() });

afterEach(() => {
  forgetSecrets();
  vi.unstubAllEnvs();
});

test.skipIf(endpoint === null)(
  "a secret of an emulator is read, read again once it is changed, and missed by name",
  async () => {
    const access = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    for (const [name, value] of Object.entries({ ...access, AWS_ENDPOINT_URL: endpoint ?? "" }))
      vi.stubEnv(name, value);
    const client = new SecretsManagerClient({});
    const Name = `spyhop/test/${process.pid}-${Date.now()}`;
    await client.send(new CreateSecretCommand({ Name, SecretString: '{"url":"here"}' }));
    const first = await readSecret(Name, Fields);
    expect(first.fields).toEqual({ url: "here" });
    await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString: '{"url":"there"}' }));
    expect((await readSecret(Name, Fields)).fields).toEqual({ url: "here" }); // held, for five minutes
    forgetSecrets();
    const next = await readSecret(Name, Fields);
    expect(next.fields).toEqual({ url: "there" });
    expect(next.secret.version).not.toBe(first.secret.version);
    await putSecret(Name, { url: "put" }, 5000);
    expect(JSON.parse(await secretNow(Name, 5000))).toEqual({ url: "put" }); // past what is held
    expect((await readSecret(Name, Fields)).fields).toEqual({ url: "there" });
    await expect(putSecret(`${Name}-none`, { url: "put" }, 5000)).rejects.toThrow(/ResourceNotFoundException/);
    await expect(readSecret(`${Name}-none`, Fields)).rejects.toThrow(SecretError);
    await expect(readSecret(`${Name}-none`, Fields)).rejects.toThrow(/ResourceNotFoundException/);
    client.destroy();
  },
);
