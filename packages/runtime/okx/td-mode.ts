import * as z from "zod";

/**
 * How OKX margins a swap, its `tdMode`. Source: OKX v5, "Place order": since 2026-05-27 `isolated` is given for spot margin
 * only, so `cross` is what a new account takes. The desk's own limits bound what one position can lose, not the margin mode.
 */
export const TdMode = z.enum(["cross", "isolated"]);
export type TdMode = z.infer<typeof TdMode>;
