import * as z from "zod";
import { TradingMode } from "#trading/mode";
import { EventId, OrderId, WalletId } from "#units/ids";
import { Instant } from "#units/time";

const chain = z.string().min(1);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);

/**
 * Every payload that crosses a queue. `at` is the time the work counts as done: the tick or the block's arrival that
 * began it. Handlers take their clock from it, so a replay of any period sees no later time.
 * Add a field as optional; never change one in place.
 */
export const messages = {
  /** A look at the chain's head, `afterSeconds` after its minute began, which is `at`. */
  look: z.object({ chain, at: Instant, afterSeconds: z.number().int().min(0).max(900) }),
  /** A block to ingest. */
  block: z.object({ chain, number: z.number().int().nonnegative(), hash, parentHash: hash, at: Instant }),
  /** An event to analyze. */
  event: z.object({ eventId: EventId, at: Instant }),
  /** A wallet to score again. */
  wallet: z.object({ walletId: WalletId, at: Instant }),
  /** An asset whose bias is due; `plan` asks for a plan of its instrument after it. */
  asset: z.object({ asset: z.string().min(1), at: Instant, plan: z.boolean() }),
  /** An instrument to plan for. `lane` = mode and instrument: one at a time. */
  plan: z.object({ lane: z.string(), mode: TradingMode, asset: z.string(), instrument: z.string(), at: Instant }),
  /** An approved order to submit. `lane` as in `plan`. */
  order: z.object({ lane: z.string(), orderId: OrderId, mode: TradingMode, instrument: z.string(), at: Instant }),
  /**
   * A look at the stop of an instrument at the venue, `afterSeconds` after the work of `at`: an order that was to be sent, or a
   * close at market, of which it is the so manieth in a row (`repeats`).
   */
  protection: z.object({
    mode: TradingMode,
    instrument: z.string().min(1),
    at: Instant,
    afterSeconds: z.number().int().min(0).max(900),
    repeats: z.number().int().min(1).max(12).optional(),
  }),
} as const;

const address = z.string().min(1);

/** What `npm run watch` invokes the task `watch-wallets` with: whom to watch from `at` on, and who is who. */
export const WatchList = z.object({
  chain,
  at: Instant,
  wallets: z.array(z.object({ address, label: z.string().nullable(), tags: z.array(z.string()) })),
  labels: z.array(
    z.object({ address, kind: z.string().min(1), name: z.string().min(1), source: z.string(), date: z.iso.date() }),
  ),
});
export type WatchList = z.infer<typeof WatchList>;

export type Messages = typeof messages;
export type MessageName = keyof Messages;
export type MessageOf<M extends MessageName> = z.output<Messages[M]>;
