import { setTimeout as pause } from "node:timers/promises";
import type { ControlBoard } from "#trading/control-object";
import { clientOrderId, isOurs } from "#trading/orders/client-order-id";
import type { Exchange, VenueOrder } from "#trading/venue";
import { big, text } from "#units/decimal";
import { type Instant, instant, millis } from "#units/time";
import { problemOf } from "./problem.ts";

/** What a halt at the venue is given: keys, and the control object where it can be reached. No database. */
export interface VenueHalt {
  /** As a person calls the desk: "stage live". */
  readonly name: string;
  readonly exchange: Exchange;
  readonly board: ControlBoard;
  /** Closes every position of the account too. */
  readonly flatten: boolean;
  readonly actor: string;
  readonly reason: string;
  /** Between two looks; the venue's lists may be behind its orders. */
  readonly pauseMs: number;
  readonly say: (line: string) => void;
}

/** What is left to do when the halt has done what it could. */
export class VenueHaltIncomplete extends Error {
  override name = "VenueHaltIncomplete";
  constructor(name: string, left: readonly string[]) {
    super(`${name} is not wholly halted: ${left.join("; ")}. Run the command again, or do it by hand at the venue`);
  }
}

const ROUNDS = 6;
/** An order of ours that is not among the open ones in so many looks, one after the other, is gone. */
const CLEAN_LOOKS = 2;
const DEADLINE_MS = 4000;

/**
 * Halts a desk by its keys alone: writes HALTED to the control object, cancels every order of ours at the venue until two
 * looks find none, and closes what is open where that is asked for. Stops at the venue (algo orders) and the orders of others
 * are left. Goes on past what fails. @throws VenueHaltIncomplete saying what is left.
 */
export async function haltAtVenue(halt: VenueHalt): Promise<void> {
  const left: string[] = [];
  const part = async (what: string, work: () => Promise<string | null>): Promise<void> => {
    const problem = await work().catch((error: unknown) => problemOf(error));
    if (problem !== null) left.push(`${what}: ${problem}`);
  };
  await part("the control object", () => writeHalted(halt));
  await part("our orders", () => cancelOurs(halt));
  if (halt.flatten) await part("positions", () => flattenAll(halt));
  await part("a last look", () => lastLook(halt));
  await part("the control object", () => stillHalted(halt));
  if (left.length > 0) throw new VenueHaltIncomplete(halt.name, [...new Set(left)]);
  halt.say(`${halt.name} is halted at the venue. The books take it over when their database answers: npm run status`);
}

/** Writes the object in an epoch of its own, so that nothing that was approved before agrees with it. */
async function writeHalted({ board, actor, reason, say }: VenueHalt): Promise<string | null> {
  const seen = await board.read();
  const epoch = "object" in seen ? seen.object.epoch + 1 : 0;
  const changedAt = instant(Date.now());
  const { mode } = board;
  const problem = await board.write({ mode, state: "HALTED", epoch, reason, actor, changedAt, booked: false });
  if (problem === null) say("the control object says HALTED: nothing opens any more, whatever the database says");
  return problem;
}

async function stillHalted({ board }: VenueHalt): Promise<string | null> {
  const seen = await board.read();
  if ("problem" in seen) return seen.problem;
  return seen.object.state === "HALTED" ? null : `it is ${seen.object.state} again, by ${seen.object.actor}`;
}

const ours = (orders: readonly VenueOrder[], { mode }: ControlBoard): VenueOrder[] =>
  orders.filter(({ clientOrderId: id }) => isOurs(mode, id));

/** Cancels until two looks in a row find nothing of ours. */
async function cancelOurs({ exchange, board, pauseMs, say }: VenueHalt): Promise<string | null> {
  const canceled = new Set<string>();
  let others = 0;
  let clean = 0;
  let open: VenueOrder[] = [];
  for (let round = 0; round < ROUNDS && clean < CLEAN_LOOKS; round += 1) {
    if (round > 0) await pause(pauseMs);
    const all = await exchange.openOrders();
    open = ours(all, board);
    others = all.length - open.length;
    clean = open.length === 0 ? clean + 1 : 0;
    for (const { instrument, clientOrderId: id } of open)
      if (id !== null && (await exchange.cancel(instrument, id))) canceled.add(id);
  }
  const foreign = others === 0 ? "" : `; ${others} of others left as they are`;
  say(`${canceled.size} open orders of ours canceled${foreign}; no stop at the venue (algo order) was touched`);
  if (clean >= CLEAN_LOOKS) return null;
  return `${open.length} still open: ${open.map(({ clientOrderId: id }) => id).join(", ")}`;
}

/** Closes each position of the account with reduce-only market orders of what the venue says is held, in up to three rounds. */
async function flattenAll({ exchange, board, pauseMs, say }: VenueHalt): Promise<string | null> {
  const said: string[] = [];
  for (let round = 0; round < ROUNDS / 2; round += 1) {
    if (round > 0) await pause(pauseMs);
    const held = await exchange.positions();
    if (held.length === 0) return null;
    const at: Instant = await exchange.now();
    for (const { instrument, contracts } of held) {
      const size = text(big(contracts).abs());
      const intent = { venue: exchange.venue, mode: board.mode, instrument, timeframe: "1h", biasAt: at } as const;
      const reply = await exchange.submit({
        ...{ clientOrderId: clientOrderId({ ...intent, leg: "flatten" }, round), instrument, type: "market", size },
        ...{ side: big(contracts).gt(0) ? "sell" : "buy", price: null, reduceOnly: true },
        expiresAt: instant(millis(at) + DEADLINE_MS),
      });
      const code = "code" in reply ? ` ${reply.code}` : "";
      said.push(`${instrument} ${reply.kind}${code}`);
      say(`${contracts} contracts of ${instrument}: reduce-only at market, ${reply.kind}${code}`);
    }
  }
  return (await exchange.positions()).length === 0 ? null : `not flat after three rounds (${said.join(", ")})`;
}

async function lastLook({ exchange, board, flatten, say }: VenueHalt): Promise<string | null> {
  const [orders, held] = await Promise.all([exchange.openOrders(), exchange.positions()]);
  const open = ours(orders, board);
  for (const { instrument, contracts, averagePrice, markPrice } of held)
    say(`held: ${contracts} contracts of ${instrument} from ${averagePrice}, mark ${markPrice}`);
  if (held.length === 0) say("held: nothing");
  if (open.length > 0) return `${open.length} orders of ours are open again`;
  return flatten && held.length > 0 ? `${held.length} positions are still held` : null;
}
