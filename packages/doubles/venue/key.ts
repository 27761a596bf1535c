import { randomBytes } from "node:crypto";
import type { PaperKey } from "./auth.ts";

/** Where the laptop's Secrets Manager keeps the paper venue's key. */
export const SECRET_ID = "spyhop/demo/exchange";

const random = (): string => randomBytes(16).toString("hex");

/** The paper venue's key of this process. It opens nothing but the paper venue. */
export const paperKey: PaperKey = { apiKey: random(), secret: random(), passphrase: random() };

/** Returns the key as the secret that the exchange is opened with. */
export const paperSecret = (): string => JSON.stringify({ mode: "demo", accountId: null, ...paperKey });
