import * as z from "zod";
import type { ChainNode } from "#chain/node";
import { ConfigError, readConfig, readSettings } from "../config.ts";
import { errorFields, hideInLog, log } from "../log.ts";
import { type Opened, plain } from "../opened.ts";
import { readSecret } from "../secret.ts";
import { httpRpc, type RpcOptions } from "./rpc.ts";
import type { ChainIdError } from "./rpc-error.ts";
import { urlSecrets } from "./url-secrets.ts";

const RpcSecret = z.object({ urls: z.array(z.url()).min(1) });

/** Opens the nodes of ETH_RPC_URL (several, comma-separated, best first), or of the secret RPC_SECRET_ID (field `urls`). */
export async function openRpc(): Promise<Opened<ChainNode>> {
  const { ETH_RPC_URL, RPC_SECRET_ID } = readConfig("rpc");
  const { chainId, verify, generated } = readSettings();
  const options = { chainId, verify, unsigned: generated };
  if (ETH_RPC_URL) {
    const urls = ETH_RPC_URL.split(",").map((url) => url.trim());
    return plain(open(urls, options));
  }
  if (!RPC_SECRET_ID) throw new ConfigError(["ETH_RPC_URL"], "ETH_RPC_URL or RPC_SECRET_ID must be set");
  const { fields, secret } = await readSecret(RPC_SECRET_ID, RpcSecret);
  return plain(open(fields.urls, options), secret);
}

/** Opens nodes whose keys the log does not show, and which it names when they serve another chain. */
function open(urls: readonly string[], options: RpcOptions): ChainNode {
  hideInLog(urlSecrets(urls));
  const tell = (wrong: ChainIdError): void =>
    log({ level: "warn", message: "a node serves another chain; it is left alone for minutes", ...errorFields(wrong) });
  return httpRpc(urls, { ...options, pool: { tell } });
}
