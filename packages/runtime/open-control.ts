import { type ControlBoard, controlIn } from "#trading/control-object";
import type { TradingMode } from "#trading/mode";
import { readConfig, readSettings } from "./config.ts";
import { type Opened, plain } from "./opened.ts";
import { putSecret, SecretError, secretNow } from "./secret.ts";

// An order waits for a look, and its deadline is four seconds after its claim.
const LOOK_MS = 1500;
const WRITE_MS = 5000;

/** Returns the control object that is a secret. What it holds before the first write is none: nothing opens by it. */
export const controlSecret = (secretId: string, mode: TradingMode): ControlBoard => ({
  mode,
  read: async () => {
    const text = await said(secretNow(secretId, LOOK_MS));
    return text instanceof SecretError ? { problem: text.message, blank: false } : controlIn(secretId, text);
  },
  write: async (object) => (await said(putSecret(secretId, object, WRITE_MS)))?.message ?? null,
});

/** Returns what a call gave, or what is wrong with the secret: to whoever asks, that is an answer. */
async function said<T>(call: Promise<T>): Promise<T | SecretError> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof SecretError) return error;
    throw error;
  }
}

/** Opens the control object of this stage: the secret CONTROL_SECRET_ID. */
export const openControl = async (): Promise<Opened<ControlBoard>> =>
  plain(controlSecret(readConfig("control").CONTROL_SECRET_ID, readSettings().mode));
