import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A port that another program holds. It says which, and how to go on. */
export class PortTakenError extends Error {
  override name = "PortTakenError";
  readonly port: number;
  constructor(port: number, options: ErrorOptions) {
    super(`port ${port} is taken; stop the program that uses it or choose another with --port`, options);
    this.port = port;
  }
}

/** The request's body is larger than the endpoint takes. */
export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

export interface Listening {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves on loopback; port 0 takes a free one. @throws PortTakenError. */
export async function listen(listener: RequestListener, port = 0): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(cause.code === "EADDRINUSE" ? new PortTakenError(port, { cause }) : cause),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** Returns the whole body of a request as text. @throws BodyTooLargeError past `limit` bytes; the rest is then read and dropped. */
export function readBody(request: IncomingMessage, limit = 8 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else reject(new BodyTooLargeError(`a body of more than ${limit} bytes`));
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8"))).on("error", reject);
  });
}
