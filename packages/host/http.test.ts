import { expect, test } from "vitest";
import { listen, PortTakenError, readBody } from "./http.ts";

test("a taken port is a named error that says what to do", async () => {
  const first = await listen((_, response) => response.end("ok"));
  await expect(listen(() => undefined, first.port)).rejects.toThrow(PortTakenError);
  await expect(listen(() => undefined, first.port)).rejects.toThrow(/--port/);
  await first.close();
});

test("a body past the limit is refused", async () => {
  const server = await listen((request, response) => {
    readBody(request, 10).then(
      (body) => response.end(body),
      (error: Error) => response.writeHead(413).end(error.name),
    );
  });
  const post = (body: string) => fetch(server.url, { method: "POST", body });
  expect(await (await post("short")).text()).toBe("short");
  expect((await post("far too long")).status).toBe(413);
  await server.close();
});
