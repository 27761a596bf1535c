import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import * as z from "zod";
import { listen, readBody } from "#host/http";
import { errorFields, log } from "#runtime/log";
import { task } from "#topology/topology";
import { deadlineOf, type Handler, lambdaContext } from "./aws/jobs.ts";

const Door = z.object({ url: z.url(), token: z.string().min(1) });
/** Where a running desk takes orders, and the word that it wants to hear. */
export type Door = z.infer<typeof Door>;

const fileIn = (directory: string): string => join(directory, "door.json");

/**
 * Lets the commands of this user reach the desk that runs in a folder, whose database no other process can open: an address
 * on loopback that takes what the task `operate` takes, from who can read the folder's `door.json`, which only its owner can.
 * Apart from the API, which anyone on this machine may ask. Returns how to close it.
 */
export async function openDoor(
  directory: string,
  handlers: ReadonlyMap<string, Handler>,
): Promise<() => Promise<void>> {
  const token = randomBytes(32).toString("hex");
  const entry = task("operate");
  const handler = handlers.get(entry.consumer) as Handler; // loaded with the topology
  const { url, close } = await listen(async (request, response) => {
    const { status, body } = await answer(request, token, (operation) =>
      handler(operation, lambdaContext(entry, deadlineOf(entry))),
    );
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const file = fileIn(directory);
  await rm(file, { force: true }); // of a desk that was killed: another one's rights would stay
  await writeFile(file, JSON.stringify({ url, token }), { mode: 0o600 });
  return async () => {
    await rm(file, { force: true });
    await close();
  };
}

async function answer(
  request: IncomingMessage,
  token: string,
  operate: (operation: unknown) => Promise<unknown>,
): Promise<{ readonly status: number; readonly body: unknown }> {
  if (!hasToken(request, token)) return { status: 403, body: { error: "not the word of this desk" } };
  try {
    return { status: 200, body: await operate(JSON.parse(await readBody(request))) };
  } catch (error) {
    log({ level: "warn", message: "the door: refused", ...errorFields(error) });
    return { status: 500, body: { error: error instanceof Error ? `${error.name}: ${error.message}` : "unknown" } };
  }
}

function hasToken({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Returns the door of the desk in a folder, or null when it has none: it is of before, or is just beginning. */
export async function doorOf(directory: string): Promise<Door | null> {
  try {
    return Door.parse(JSON.parse(await readFile(fileIn(directory), "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
