import { afterEach, expect, test, vi } from "vitest";
import { ConfigError } from "../config.ts";
import { openDatabase } from "./open-database.ts";
import { openSchema } from "./open-schema.ts";

afterEach(() => vi.unstubAllEnvs());
const only = (env: Record<string, string>): void => {
  for (const name of ["DATABASE_URL", "DATABASE_SECRET_ID", "DATABASE_HOST", "SCHEMA_SECRET_ID"])
    vi.stubEnv(name, env[name]);
};

test("without any address the variables to set are named", async () => {
  only({});
  await expect(openDatabase()).rejects.toBeInstanceOf(ConfigError);
  await expect(openDatabase()).rejects.toThrow("DATABASE_URL, DATABASE_SECRET_ID and DATABASE_HOST");
  await expect(openSchema()).rejects.toThrow("DATABASE_URL, DATABASE_SECRET_ID and SCHEMA_SECRET_ID");
});

test("a host without a name and a user is refused by name", async () => {
  only({ DATABASE_HOST: "proxy.example" });
  await expect(openDatabase()).rejects.toThrow("DATABASE_NAME");
});
