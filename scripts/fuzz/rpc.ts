import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { asFullBlock, type FullBlock } from "#chain/block";
import { eventsOf } from "#chain/decode";
import { IntegrityError } from "#chain/integrity";
import { labelBook } from "#chain/labels";
import { netBlock } from "#chain/net";
import type { ChainNode } from "#chain/node";
import { ShapeError } from "#chain/proof/shape";
import { watchSet } from "#chain/touch";
import { withStables } from "#chain/value";
import { listen, readBody } from "#host/http";
import { type Random, randomOf } from "#recording/sample/random";
import { httpRpc } from "#runtime/node/rpc";
import { RpcError } from "#runtime/node/rpc-error";
import { blockPaths, plausibleWatch, readBlock } from "#testing/chain/blocks";
import { generatedBlock } from "#testing/chain/generated-block";
import { PEOPLE, plannedBlocks } from "#testing/chain/planned-blocks";
import { sealed } from "#testing/chain/sealed-block";
import { NOBODY } from "#testing/chain/tiny-recording";
import { decimalOf } from "#units/decimal";
import { idOf } from "#units/ids";
import { instantOf } from "#units/time";
import { type Json, mutate, retold } from "./mutate.ts";

/** What a run came to. `refused` is counted by the error's name and what it says is wrong. */
export interface FuzzResult {
  readonly cases: number;
  readonly accepted: number;
  /** Of the accepted ones, with at least one event. */
  readonly withEvents: number;
  readonly refused: ReadonlyMap<string, number>;
  /** What must not be: a changed event, an unnamed error. By case. */
  readonly failures: readonly { readonly at: number; readonly problem: string }[];
}

export interface FuzzOptions {
  readonly seed: string;
  readonly from: number;
  readonly count: number;
  /** The folder of recorded mainnet blocks; null = generated blocks only. */
  readonly shared: string | null;
  readonly signal: AbortSignal;
  readonly progress: (done: number) => void;
  /** Opens a node; a test gives one that proves nothing. */
  readonly open?: (url: string, unsigned: boolean) => Pick<ChainNode, "blockWithReceipts">;
}

const GENERATED = 120;
/** A recorded block as it is must be small, or a case takes longer than all its neighbours. */
const SMALL = 40;
/** What is kept of a large one, for the half whose hashes are made again. */
const CUT = 12;

interface Base {
  readonly full: FullBlock;
  readonly wallets: readonly string[];
}

const labels = labelBook([]);
const prices = withStables(new Map([["ETH", { usd: decimalOf("1120.5"), source: "fuzz", openedAt: null }]]));

function decoded(full: FullBlock, wallets: readonly string[]) {
  const walletIds = new Map(wallets.map((address) => [address, idOf("wallet", "ethereum", address)]));
  return eventsOf(netBlock(full, watchSet(wallets)), {
    ...{
      chain: "ethereum",
      block: full.block,
      observedAt: instantOf("2026-01-01T00:00:00.000Z"),
      labels,
      prices,
      walletIds,
    },
    equity: new Map(),
  });
}

/** Returns the blocks that cases begin with: as they are, and those that are only good with new hashes. */
function basesOf({ seed, shared }: FuzzOptions): { whole: Base[]; cut: Base[] } {
  const number = randomOf(seed, "bases").below(2 ** 31);
  const plans = fc.sample(plannedBlocks, { numRuns: GENERATED, seed: number });
  const wallets = PEOPLE.slice(0, 3).map(({ address }) => address);
  const generated = plans.map((plan): Base => {
    const { block, receipts } = generatedBlock(plan, NOBODY);
    return { full: asFullBlock(block, receipts), wallets };
  });
  const recorded = (shared ? blockPaths(shared) : [])
    .map(readBlock)
    .filter(({ block }) => !block.withdrawalsRoot || block.withdrawals)
    .map((full): Base => ({ full, wallets: plausibleWatch([full], 20).wallets }));
  const small = recorded.filter(({ full }) => full.block.transactions.length <= SMALL);
  const cut = recorded.map(({ full }): Base => {
    const block = { ...full.block, transactions: full.block.transactions.slice(0, CUT) };
    const shorter = sealed(block, full.receipts.slice(0, CUT));
    return { full: shorter, wallets: plausibleWatch([shorter], 8).wallets };
  });
  return { whole: [...generated, ...small], cut: [...generated, ...cut] };
}

const proving = (url: string, unsigned: boolean) =>
  httpRpc([url], {
    chainId: 1,
    timeoutMs: 20_000,
    unsigned,
    pool: { rounds: 1, breakAfter: Number.POSITIVE_INFINITY },
  });

/**
 * Serves changed blocks from a node on this machine to the desk's own client, and decodes what it takes. In every second
 * case the block says something else and holds together (`retold`), so that decoding is reached, and is then changed further
 * or not; in the others hashes and roots stay as they were. What is taken must decode to the events of the block before its
 * last change.
 */
export async function fuzzRpc(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, from, count, signal, progress, open = proving } = options;
  const { whole, cut } = basesOf(options);
  let served: { block: Json; receipts: Json } = { block: null, receipts: null };
  const answer = (body: string): string => {
    const results: Readonly<Record<string, Json>> = {
      ...{ eth_chainId: "0x1", eth_getBlockByHash: served.block, eth_getBlockReceipts: served.receipts },
    };
    const calls = [JSON.parse(body)].flat() as { id: number; method: string }[];
    return JSON.stringify(calls.map(({ id, method }) => ({ jsonrpc: "2.0", id, result: results[method] ?? null })));
  };
  const node = await listen((request, response) => {
    void readBody(request).then((body) => response.end(answer(body)));
  });
  const nodes = { signed: open(node.url, false), unsigned: open(node.url, true) };
  const refused = new Map<string, number>();
  const failures: { at: number; problem: string }[] = [];
  let [accepted, withEvents, done] = [0, 0, 0];
  try {
    for (; done < count && !signal.aborted; done++) {
      const random = randomOf(seed, `case ${from + done}`);
      const again = (from + done) % 2 === 1;
      const { full, wallets } = random.pick(again ? cut : whole);
      const outcome = await oneCase(again ? retold(full, random) : full, wallets, again, random, nodes, (json) => {
        served = json;
      });
      if (outcome.kind === "failed") failures.push({ at: from + done, problem: outcome.problem });
      else if (outcome.kind === "refused") refused.set(outcome.by, (refused.get(outcome.by) ?? 0) + 1);
      else {
        accepted += 1;
        if (outcome.events > 0) withEvents += 1;
      }
      progress(done + 1);
    }
  } finally {
    await node.close();
  }
  return { cases: done, accepted, withEvents, refused, failures };
}

type Outcome =
  | { readonly kind: "accepted"; readonly events: number }
  | { readonly kind: "refused"; readonly by: string }
  | { readonly kind: "failed"; readonly problem: string };
type Nodes = Readonly<Record<"signed" | "unsigned", Pick<ChainNode, "blockWithReceipts">>>;

async function oneCase(
  before: FullBlock,
  wallets: readonly string[],
  again: boolean,
  random: Random,
  nodes: Nodes,
  serve: (json: { block: Json; receipts: Json }) => void,
): Promise<Outcome> {
  const copy = JSON.parse(JSON.stringify(before)) as { block: Json; receipts: Json };
  if (!again || random.chance(0.6)) for (let n = 1 + random.below(2); n > 0; n--) mutate(copy, random);
  serve(copy);
  const { number, hash, parentHash, timestamp } = before.block;
  try {
    const right = decoded(before, wallets);
    const asker = { watched: watchSet(wallets), seenAt: Number(timestamp) };
    const asked = nodes[again ? "unsigned" : "signed"];
    const taken = await asked.blockWithReceipts({ number: Number(number), hash, parentHash }, asker);
    if (taken === null) return { kind: "refused", by: "no block" };
    const events = decoded(taken, wallets);
    if (isDeepStrictEqual(events, right)) return { kind: "accepted", events: events.length };
    return { kind: "failed", problem: `${events.length} events instead of ${right.length}, or others` };
  } catch (error) {
    const by = nameOf(error);
    return by === null ? { kind: "failed", problem: `unnamed: ${String(error)}` } : { kind: "refused", by };
  }
}

/** Returns the name of an error that a node's answer may lead to, with what it says is wrong; null for any other. */
function nameOf(error: unknown): string | null {
  if (error instanceof IntegrityError) return `${error.name}: ${error.check}`;
  if (error instanceof ShapeError) return `${error.name}: ${error.path.replace(/\[\d+\]/g, "[]")}`;
  return error instanceof RpcError ? error.name : null;
}
