import { createServer } from "node:net";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { drizzleOf } from "../drizzle.ts";
import { connectPostgres } from "./connect.ts";

/** Returns the first eight bytes that a client sends, which say whether it asks for TLS. */
async function greetingOf(query: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      resolve(bytes.subarray(0, 8).toString("hex"));
      socket.once("data", () => socket.destroy());
      socket.write("N"); // no TLS here
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { db, close } = connectPostgres(`postgres://user:pass@127.0.0.1:${port}/x${query}`);
  await expect(drizzleOf(db).execute(sql`SELECT 1`)).rejects.toThrow();
  await close();
  server.close();
  return promise;
}

test("TLS is asked for where the URL wants the server verified, and a server without it is refused", async () => {
  const TLS_REQUEST = "0000000804d2162f"; // length 8, code 80877103: SSLRequest of the PostgreSQL protocol
  expect(await greetingOf("?sslmode=verify-full")).toBe(TLS_REQUEST);
  expect(await greetingOf("")).not.toBe(TLS_REQUEST);
});
