import { policyOf } from "#trading/plans/policy";
import type { Exchange } from "#trading/venue";
import { ConfigError, readConfig, readSettings } from "../config.ts";
import { type Opened, plain } from "../opened.ts";
import { expireSecret, readSecret } from "../secret.ts";
import { okxExchange } from "./exchange.ts";
import { ExchangeSecret } from "./exchange-secret.ts";
import { renewing } from "./renewing-exchange.ts";

/**
 * Opens the venue of OKX_URL with the keys of the secret EXCHANGE_SECRET_ID. When the venue refuses a key, the secret is
 * read once more; if it has changed, the call is made again with the new key.
 * @throws ConfigError when the secret is of the other trading mode; SecretError when a field is missing.
 */
export async function openExchange(): Promise<Opened<Exchange>> {
  const first = await openWithSecret();
  const { EXCHANGE_SECRET_ID } = readConfig("exchange");
  const reopen = async (refused: Opened<Exchange>): Promise<Opened<Exchange> | null> => {
    expireSecret(EXCHANGE_SECRET_ID);
    const next = await openWithSecret();
    return next.secret?.version === refused.secret?.version ? null : next;
  };
  return plain(renewing(first, reopen), first.secret);
}

async function openWithSecret(): Promise<Opened<Exchange>> {
  const { OKX_URL, OKX_RATE_LIMIT, OKX_TD_MODE, EXCHANGE_SECRET_ID } = readConfig("exchange");
  const { mode, venue, policy } = readSettings();
  if (venue !== "okx" && venue !== "paper") throw new ConfigError(["VENUE"], `VENUE is ${venue}, not okx or paper`);
  const { fields: keys, secret } = await readSecret(EXCHANGE_SECRET_ID, ExchangeSecret);
  if (keys.mode !== mode)
    throw new ConfigError(["EXCHANGE_SECRET_ID"], `the exchange secret is for ${keys.mode}, this process is ${mode}`);
  const { accountId, ...credentials } = keys;
  const url = OKX_URL ?? "https://www.okx.com";
  const settings = { venue, mode, url, rateLimit: OKX_RATE_LIMIT, tdMode: OKX_TD_MODE } as const;
  const { maxClockSkewSeconds } = policyOf({ policy });
  return plain(okxExchange({ ...settings, credentials, accountId, maxClockSkewSeconds }), secret);
}
