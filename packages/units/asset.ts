import * as z from "zod";

/** What something is priced and traded as: ETH, BTC, 1INCH. Source: the allow-list in packages/chain/tokens.ts. */
export const AssetName = z.string().regex(/^[A-Z0-9]{1,16}$/, "an asset is written as ETH");
