import { afterAll, beforeAll, expect, test } from "vitest";
import { type WireDatabase, wireDatabase } from "#testing/wire-database";
import { connectPostgres, type PostgresConnection } from "./connect.ts";
import { inventoryOf } from "./inventory.ts";

let database: WireDatabase;
let connection: PostgresConnection;
beforeAll(async () => {
  database = await wireDatabase();
  connection = connectPostgres(database.url);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

test("what a backup could lose is in the inventory, and shows when it is lost", async () => {
  const whole = await inventoryOf(connection.migrations);
  for (const pattern of [
    /^relation r audit_logs /,
    /^relation m daily_performance /,
    /^trigger O CREATE TRIGGER .* ON public\.audit_logs /,
    /^function app_refresh_performance t /,
    /^constraint orders /,
    /^index CREATE UNIQUE INDEX /,
    /^extension plpgsql /,
  ])
    expect(whole.some((line) => pattern.test(line))).toBe(true);
  const lost = /CREATE TRIGGER (\w+) /.exec(
    whole.find((line) => /TRIGGER .* ON public\.audit_logs /.test(line)) ?? "",
  )?.[1];
  await connection.migrations.transaction((session) => session.exec(`DROP TRIGGER ${lost} ON audit_logs`));
  const after = await inventoryOf(connection.migrations);
  expect(whole.filter((line) => !after.includes(line))).toEqual([expect.stringContaining(`TRIGGER ${lost} `)]);
});
