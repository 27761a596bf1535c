import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";

/** No anvil for this machine is installed, or it does not start. */
class AnvilError extends Error {
  override name = "AnvilError";
}

/** A node that refused a call. */
class NodeReplyError extends Error {
  override name = "NodeReplyError";
}

/** A running node. `call` returns the result of one JSON-RPC call; `batch` those of several, in order. */
export interface EvmNode {
  readonly call: (method: string, ...params: readonly unknown[]) => Promise<unknown>;
  readonly batch: (calls: readonly (readonly [method: string, ...params: unknown[]])[]) => Promise<unknown[]>;
  readonly stop: () => Promise<void>;
}

/** Returns the path of anvil's program, or null when this platform's package is not installed. */
export function anvilProgram(): string | null {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const own = createRequire(require.resolve("@foundry-rs/anvil/package.json"));
    const path = own.resolve(`@foundry-rs/anvil-${platform}/bin/anvil`);
    return existsSync(path) ? path : null;
  } catch {
    return null; // not installed: the caller says so
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

function resultOf(reply: Reply | undefined, method: string): unknown {
  if (reply && !reply.error) return reply.result;
  throw new NodeReplyError(`${method}: ${reply?.error?.message ?? "no reply"}`);
}

function connect(url: string): Pick<EvmNode, "call" | "batch"> {
  const request = ([method, ...params]: readonly unknown[], id: number) => ({ jsonrpc: "2.0", id, method, params });
  return {
    call: async (method, ...params) => resultOf((await post(url, request([method, ...params], 1))) as Reply, method),
    batch: async (calls) => {
      if (calls.length === 0) return [];
      const replies = (await post(url, calls.map(request))) as Reply[];
      const byId = new Map(replies.map((reply) => [reply.id, reply]));
      return calls.map(([method], id) => resultOf(byId.get(id), method));
    },
  };
}

/** A busy machine may take its time; an anvil that ended is seen at once. */
const READY_SECONDS = 60;

async function untilReady(node: Pick<EvmNode, "call">, dead: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < READY_SECONDS * 20; attempt += 1) {
    try {
      await node.call("eth_chainId");
      return;
    } catch (error) {
      if (dead()) throw new AnvilError("anvil ended before it answered", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new AnvilError(`anvil did not answer within ${READY_SECONDS} seconds`);
}

/**
 * Starts anvil on a free loopback port: no mining on its own, transactions in the order of arrival, every sender allowed.
 * @throws AnvilError when it is not installed or does not start.
 */
export async function startAnvil(options: { chainId: number; genesisSeconds: number }): Promise<EvmNode> {
  const program = anvilProgram();
  if (!program) throw new AnvilError("the optional package @foundry-rs/anvil for this platform is not installed");
  const port = await freePort();
  const flags = ["--host 127.0.0.1 --no-mining --order fifo --auto-impersonate --accounts 1 --quiet --prune-history"];
  flags.push(`--hardfork cancun --port ${port} --chain-id ${options.chainId} --timestamp ${options.genesisSeconds}`);
  const child = spawn(program, flags.join(" ").split(" "), { stdio: "ignore" });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      hasEnded = true;
      resolve();
    };
    child.once("exit", end).once("error", end);
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await ended;
  };
  const node = connect(`http://127.0.0.1:${port}`);
  try {
    await untilReady(node, () => hasEnded);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { ...node, stop };
}
