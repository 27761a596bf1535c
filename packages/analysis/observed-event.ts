import type { EventId, WalletId } from "#units/ids";
import type { Instant } from "#units/time";

/** An event as analysis sees it: a row of `events`. Only closed words and numbers; no name or text from the chain. */
export interface ObservedEvent {
  readonly id: EventId;
  readonly walletId: WalletId;
  /** Block time. */
  readonly timestamp: Instant;
  /** When the desk saw the block. */
  readonly observedAt: Instant;
  readonly type: string;
  /** Null = a token that is not on the allow-list. */
  readonly asset: string | null;
  /** +1 the wallet gained the asset, −1 lost it, 0 neither. */
  readonly direction: -1 | 0 | 1;
  readonly notionalUsd: number | null;
  /** Notional over the wallet's equity before; null = unknown. */
  readonly sizeFraction: number | null;
  readonly isFirstSinceWatch: boolean;
  /** How sure the decoding and its label are, in [0, 1]. */
  readonly quality: number;
  /** What else moved in the same transaction for the same wallet. */
  readonly otherAssets: readonly string[];
}

/** An earlier event of the same wallet. */
export type PastEvent = Pick<ObservedEvent, "id" | "timestamp" | "type" | "asset" | "direction" | "notionalUsd">;

/** What the other watched wallets did with the asset in the 24 hours before, in USD. */
export interface AssetFlow {
  readonly boughtUsd: number;
  readonly soldUsd: number;
}
