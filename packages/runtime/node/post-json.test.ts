import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { postJson } from "./post-json.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

async function serving(answer: (body: string, reply: ServerResponse, request: IncomingMessage) => void) {
  const server = createServer(async (request, reply) => answer(await text(request), reply, request));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/key?token=hush` };
}

const block = JSON.stringify({ text: "Ünïcode ".repeat(100_000) });

test("a body goes out and an answer comes back whole, packed or not, whatever the status", async () => {
  const { url } = await serving((body, reply, request) => {
    const packed = body === "packed" && request.headers["accept-encoding"] === "gzip";
    if (packed) reply.setHeader("content-encoding", "gzip");
    reply.writeHead(body === "busy" ? 429 : 200, { "retry-after": "7" });
    reply.end(packed ? gzipSync(block) : block);
  });
  for (const [body, status] of [
    ["plain", 200],
    ["packed", 200],
    ["busy", 429],
  ] as const)
    expect(await postJson(url, body, 5000)).toEqual({ status, retryAfter: "7", text: block });
});

test("a connection is kept; where the server closed it meanwhile, the call is made again", async () => {
  const sockets = new Set<unknown>();
  let drop = false;
  const { url } = await serving((body, reply, request) => {
    sockets.add(request.socket);
    if (drop && body === "again") {
      drop = false;
      return void request.socket.resetAndDestroy();
    }
    reply.end(body);
  });
  for (const body of ["a", "b"]) expect((await postJson(url, body, 5000)).text).toBe(body);
  expect(sockets.size).toBe(1);
  drop = true;
  expect((await postJson(url, "again", 5000)).text).toBe("again");
  expect(sockets.size).toBe(2);
});

test("what is late, half, packed wrongly or not there at all is an error that does not name the URL", async () => {
  const { url, server } = await serving((body, reply) => {
    if (body === "half") reply.writeHead(200, { "content-length": 100 }).write("x".repeat(50), () => reply.destroy());
    if (body === "stalled") reply.writeHead(200, { "content-length": 100 }).write("x");
    if (body === "wrong") reply.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
    if (body === "away") reply.writeHead(301, { location: "http://127.0.0.1:1/" }).end();
  });
  const failure = async (body: string, timeoutMs = 5000, to = url) => {
    const error = await postJson(to, body, timeoutMs).then(
      () => null,
      (caught: unknown) => caught as Error & { code?: unknown },
    );
    expect(String(error?.stack)).not.toMatch(/hush/);
    return error;
  };
  expect(await failure("silent", 50)).toMatchObject({ name: "TimeoutError" });
  expect(await failure("stalled", 50)).toMatchObject({ name: "TimeoutError" });
  expect(await failure("half")).toMatchObject({ code: "ECONNRESET" });
  expect(await failure("wrong")).toMatchObject({ code: "Z_DATA_ERROR" });
  expect((await postJson(url, "away", 5000)).status).toBe(301);
  server.closeAllConnections();
  server.close();
  expect(await failure("gone")).toMatchObject({ code: "ECONNREFUSED" });
});
