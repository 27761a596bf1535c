import type { Option } from "#host/cli";
import { type Arguments, UsageError } from "#host/cli";
import type { OkxExchangeConfig } from "#runtime/okx/exchange";
import { ExchangeSecret } from "#runtime/okx/exchange-secret";
import { TdMode } from "#runtime/okx/td-mode";
import { secretNow } from "#runtime/secret";
import { modeOfStage, type Stage, secretId } from "#topology/names";
import { POLICY, type Policy } from "#trading/plans/policy";

/** How a command is given the keys of the venue: those of a stage, or a file's. */
export const VENUE_OPTIONS = {
  keys: {
    value: "FILE",
    says: "the venue's keys as JSON, as the secret spyhop/STAGE/exchange holds them; by default that",
  },
  okx: { value: "URL", says: "the venue's address, as the stage's OKX_URL", default: "https://www.okx.com" },
  "td-mode": { value: "MODE", says: "how swaps are margined: cross or isolated", default: "cross" },
} as const satisfies Record<string, Option>;

/** What the help of a command with those options says below them. */
export const VENUE_NOTES: readonly string[] = [
  'A file of keys: {"mode":"demo","apiKey":"...","secret":"...","passphrase":"...","accountId":null}',
];

/** The keys cannot be used. The message says which field, never a value. */
export class VenueKeysError extends Error {
  override name = "VenueKeysError";
}

const SECRET_MS = 8000;

/**
 * Returns how the venue is reached with the keys that a command line names: of a file, or of a stage's secret. Loopback is a
 * paper venue. Without a policy its defaults hold. @throws UsageError without either; VenueKeysError for keys that are not whole
 * or of another mode.
 */
export async function venueOf(
  given: Arguments,
  stage: Stage | undefined,
  { maxClockSkewSeconds }: Pick<Policy, "maxClockSkewSeconds"> = POLICY,
): Promise<OkxExchangeConfig> {
  const tdMode = TdMode.safeParse(given.text("td-mode"));
  if (!tdMode.success) throw new UsageError(`--td-mode takes cross or isolated, not "${given.text("td-mode")}"`);
  const { place, text } = await keysText(given, stage);
  const keys = keysIn(place, text);
  if (stage !== undefined && keys.mode !== modeOfStage(stage))
    throw new VenueKeysError(
      `${place}: these are keys of ${keys.mode}, and stage ${stage} trades in ${modeOfStage(stage)}`,
    );
  const { accountId, ...credentials } = keys;
  const url = addressOf(given.need("okx"));
  const isPaper = ["127.0.0.1", "localhost"].includes(url.hostname);
  const where = { venue: isPaper ? "paper" : "okx", url: url.origin, rateLimit: !isPaper } as const;
  return { ...where, mode: keys.mode, credentials, accountId, maxClockSkewSeconds, tdMode: tdMode.data };
}

async function keysText(given: Arguments, stage: Stage | undefined): Promise<{ place: string; text: string }> {
  if (given.text("keys") !== undefined) {
    const { path, text } = await given.file("keys");
    return { place: path, text };
  }
  if (stage === undefined) throw new UsageError("whose keys? Give --stage, or --keys FILE");
  const place = secretId(stage, "exchange");
  return { place, text: await secretNow(place, SECRET_MS) };
}

function keysIn(place: string, text: string) {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new VenueKeysError(`${place} is not JSON`); // the parser's message would quote it
  }
  const keys = ExchangeSecret.safeParse(fields);
  if (keys.success) return keys.data;
  const wrong = [...new Set(keys.error.issues.map((issue) => issue.path.join(".")))];
  throw new VenueKeysError(`${place}: these fields are missing or malformed: ${wrong.join(", ")}`);
}

function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`--okx takes an address, as https://eea.okx.com, not "${text}"`);
  return url;
}
