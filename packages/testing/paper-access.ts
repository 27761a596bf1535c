import type { PaperKey } from "#doubles/venue/auth";
import type { OkxExchangeConfig } from "#runtime/okx/exchange";

/** Returns how the adapter is told of a paper venue at `url`: a demo account of its own, without limits in real time. */
export const paperAccess = (url: string, key: PaperKey) =>
  ({
    ...{ venue: "paper", mode: "demo", url, rateLimit: false, timeoutMs: 5000 },
    ...{ accountId: null, maxClockSkewSeconds: 2, tdMode: "cross" },
    credentials: { mode: "demo", ...key },
  }) as const satisfies OkxExchangeConfig;
