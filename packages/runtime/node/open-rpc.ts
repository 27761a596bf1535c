import * as z from "zod";
import type { ChainNode } from "#chain/node";
import { ConfigError, readConfig, readSettings } from "../config.ts";
import { type Opened, plain } from "../opened.ts";
import { readSecret } from "../secret.ts";
import { httpRpc } from "./rpc.ts";

const RpcSecret = z.object({ urls: z.array(z.url()).min(1) });

/** Opens the nodes of ETH_RPC_URL (several, comma-separated, best first), or of the secret RPC_SECRET_ID (field `urls`). */
export async function openRpc(): Promise<Opened<ChainNode>> {
  const { ETH_RPC_URL, RPC_SECRET_ID } = readConfig("rpc");
  const { chainId } = readSettings();
  if (ETH_RPC_URL) {
    const urls = ETH_RPC_URL.split(",").map((url) => url.trim());
    return plain(httpRpc(urls, { chainId }));
  }
  if (!RPC_SECRET_ID) throw new ConfigError(["ETH_RPC_URL"], "ETH_RPC_URL or RPC_SECRET_ID must be set");
  const { fields, secret } = await readSecret(RPC_SECRET_ID, RpcSecret);
  return plain(httpRpc(fields.urls, { chainId }), secret);
}
