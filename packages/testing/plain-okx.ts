import { okx } from "ccxt";
import type { PaperKey } from "#doubles/venue/auth";
import type { Clock } from "#host/clock";

/** Returns ccxt's okx without the desk's fence, which keeps to the endpoints of the desk, against a paper venue and its clock. */
export function plainOkx(url: string, { apiKey, secret, passphrase: password }: PaperKey, clock: Clock): okx {
  const client = new okx({ apiKey, secret, password, enableRateLimit: false });
  client.setSandboxMode(true);
  client.urls.api = { rest: url };
  client.nonce = clock.now;
  client.milliseconds = clock.now;
  client.number = String as never; // ccxt types it as a number; text keeps every digit
  client.options.createOrder = "privatePostTradeOrder"; // by default it places in batches
  client.options.fetchMarkets = { types: ["swap"] };
  client.has.fetchCurrencies = false;
  return client;
}
