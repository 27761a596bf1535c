import * as z from "zod";
import { ConfigError, readConfig, readSettings } from "./config.ts";
import { httpRpc, type Rpc } from "./rpc.ts";
import { readSecret } from "./secret.ts";

/** Opens the nodes of ETH_RPC_URL (several, comma-separated, best first), or of the secret RPC_SECRET_ID (field `urls`). */
export async function openRpc(): Promise<Rpc> {
  const { ETH_RPC_URL, RPC_SECRET_ID } = readConfig("rpc");
  const { chainId } = readSettings();
  if (ETH_RPC_URL)
    return httpRpc(
      ETH_RPC_URL.split(",").map((url) => url.trim()),
      { chainId },
    );
  if (!RPC_SECRET_ID) throw new ConfigError(["ETH_RPC_URL"], "ETH_RPC_URL or RPC_SECRET_ID must be set");
  const { urls } = await readSecret(RPC_SECRET_ID, z.object({ urls: z.array(z.url()).min(1) }));
  return httpRpc(urls, { chainId });
}
