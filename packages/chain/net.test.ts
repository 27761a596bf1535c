import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockPaths, readBlock, readGzip, sharedFolder } from "#testing/chain/blocks";
import {
  blockOf,
  deposit,
  POOL,
  ROUTER,
  type Sent,
  transfer,
  USDC,
  WALLET,
  withdrawal,
} from "#testing/one-transaction";
import { netBlock, netMoves } from "./net.ts";
import { NATIVE, WETH, ZERO_ADDRESS } from "./tokens.ts";
import { marksOf, touchesOf, watchSet } from "./touch.ts";

const legs = (sent: Sent) =>
  netBlock(blockOf(sent), watchSet([WALLET])).flatMap((move) =>
    move.legs.map((leg) => [leg.token?.asset ?? leg.address, leg.amount, leg.source, leg.logIndex]),
  );

describe("ether and WETH", () => {
  test("value in and WETH out of a router are one asset", () => {
    const logs = [deposit(ROUTER, 10n, 0), transfer(WETH, ROUTER, POOL, 10n, 1), transfer(USDC, POOL, WALLET, 7n, 2)];
    expect(legs({ value: 10n, logs })).toEqual([
      ["ETH", -10n, "value", -1],
      ["USDC", 7n, "log", 2],
    ]);
  });
  test("what a router wrapped less than the value came back, unless it looks like a fee", () => {
    const logs = (wrapped: bigint) => [deposit(ROUTER, wrapped, 0), transfer(USDC, POOL, WALLET, 7n, 2)];
    expect(legs({ value: 1000n, logs: logs(900n) })[0]).toEqual(["ETH", -900n, "unwrap-inferred", -1]);
    expect(legs({ value: 1000n, logs: logs(990n) })[0]).toEqual(["ETH", -1000n, "value", -1]);
    expect(legs({ value: 1000n, logs: logs(500n) })[0]).toEqual(["ETH", -1000n, "value", -1]);
  });
  test("the last WETH that a router unwraps after a sale is the sender's payout", () => {
    const logs = [
      withdrawal(POOL, 2n, 0),
      transfer(USDC, WALLET, POOL, 7n, 1),
      transfer(WETH, POOL, ROUTER, 5n, 2),
      withdrawal(ROUTER, 5n, 3),
    ];
    expect(legs({ logs })).toEqual([
      ["ETH", 5n, "unwrap-inferred", -1],
      ["USDC", -7n, "log", 1],
    ]);
  });
  test("wrapping and unwrapping net to nothing and say so", () => {
    const wrapped = netBlock(blockOf({ to: WETH, value: 9n, logs: [deposit(WALLET, 9n, 4)] }), watchSet([WALLET]));
    expect(wrapped).toMatchObject([{ legs: [], wrap: { amount: 9n, logIndex: 4 } }]);
    const back = netBlock(blockOf({ to: WETH, logs: [withdrawal(WALLET, 9n, 4)] }), watchSet([WALLET]));
    expect(back).toMatchObject([{ legs: [], wrap: { amount: 9n, logIndex: 4 } }]);
  });
  test("a wallet that is a contract pays the ether of its own Deposit", () => {
    const logs = [deposit(WALLET, 9n, 0), transfer(WETH, WALLET, POOL, 9n, 1), transfer(USDC, POOL, WALLET, 7n, 2)];
    expect(legs({ from: ROUTER, to: WALLET, logs })).toEqual([
      ["ETH", -9n, "log", 0],
      ["USDC", 7n, "log", 2],
    ]);
  });
  test("known balances replace the inference: the residual is internal ether, fees apart", () => {
    const full = blockOf({ logs: [transfer(USDC, WALLET, POOL, 7n, 0), withdrawal(ROUTER, 5n, 1)] });
    const touches = touchesOf(full, watchSet([WALLET]));
    const fee = 21_000n * 2n * 10n ** 9n; // two gwei
    const before = 10n ** 18n;
    const native = (after: bigint) => new Map([[WALLET, { before, after }]]);
    const moves = (after: bigint) =>
      netMoves(touches, full, native(after))[0]?.legs.map((leg) => [leg.amount, leg.source]);
    expect(moves(before - fee + 4n)).toEqual([
      [4n, "balance"],
      [-7n, "log"],
    ]);
    expect(moves(before - fee)).toEqual([[-7n, "log"]]);
  });
});

test("a failed transaction, a zero Transfer and a move to itself leave nothing", () => {
  expect(legs({ value: 10n, status: "0x0" })).toEqual([]);
  expect(legs({ logs: [transfer(USDC, WALLET, POOL, 0n, 0), transfer(USDC, WALLET, WALLET, 5n, 1)] })).toEqual([]);
  expect(legs({ to: WALLET, value: 10n })).toEqual([]);
});

const amount = fc.bigInt({ min: 1n, max: 10n ** 30n });

test("law: roles swapped, directions flip", () => {
  fc.assert(
    fc.property(amount, amount, (a, b) => {
      const given = [transfer(USDC, WALLET, POOL, a, 0), transfer(WETH, POOL, WALLET, b, 1)];
      const taken = [transfer(USDC, POOL, WALLET, a, 0), transfer(WETH, WALLET, POOL, b, 1)];
      const signs = legs({ logs: given }).map(([asset, value]) => [asset, -(value as bigint)]);
      expect(legs({ logs: taken }).map(([asset, value]) => [asset, value])).toEqual(signs);
    }),
  );
});

test("law: the order of logs of different tokens does not matter", () => {
  const party = fc.constantFrom(WALLET, POOL, ROUTER);
  const token = fc.constantFrom(USDC, WETH, `0x${"e5".repeat(20)}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(token, party, party, amount), { maxLength: 12 }), fc.nat(), (moves, seed) => {
      const net = (list: typeof moves) =>
        netBlock(blockOf({ logs: list.map(([t, from, to, a], i) => transfer(t, from, to, a, i)) }), watchSet([WALLET]))
          .flatMap((move) => move.legs.map((leg) => `${leg.address} ${leg.amount}`))
          .sort();
      // A stable sort by token keeps each token's own order and moves the tokens past each other.
      const key = (t: string) => (Number.parseInt(t.slice(2, 10), 16) ^ seed) >>> 0;
      expect(net([...moves].sort((a, b) => key(a[0]) - key(b[0])))).toEqual(net(moves));
    }),
  );
});

const shared = sharedFolder();
describe.skipIf(!shared)("recorded mainnet blocks (../shared/data)", () => {
  const blocks = shared ? blockPaths(shared).map(readBlock) : [];

  test("law: per token, what all parties net to is what was minted less what was burned", () => {
    for (const full of blocks) {
      const transfers = full.receipts.flatMap((receipt) => marksOf(receipt).transfers);
      const parties = new Set(transfers.flatMap((t) => [t.from, t.to]).filter((party) => party !== ZERO_ADDRESS));
      const sums = new Map<string, bigint>();
      const add = (token: string, value: bigint) => sums.set(token, (sums.get(token) ?? 0n) + value);
      for (const { flows } of touchesOf(full, watchSet(parties))) {
        for (const flow of flows) if (flow.token !== NATIVE && !flow.nft) add(flow.token, flow.amount);
      }
      for (const { token, from, to, amount: value, nft } of transfers) {
        if (nft || from === to) continue;
        if (from === ZERO_ADDRESS) add(token, -value);
        if (to === ZERO_ADDRESS) add(token, value);
      }
      expect([...sums].filter(([, sum]) => sum !== 0n)).toEqual([]);
    }
  });

  test("inferred payouts agree with call traces made by others", () => {
    type Call = { transactionHash: string; from: string; to: string; value: string; reverted: boolean; depth: number };
    const found = [11098450, 16899757, 17000000, 17300000, 22119617].flatMap((number) => {
      const full = readBlock(`${shared}/blocks/singles/${number}.json.gz`);
      const calls = readGzip(`${shared}/oracle/chainstorage_internal_${number}.json.gz`) as Call[];
      const senders = watchSet(full.block.transactions.map((transaction) => transaction.from));
      return netBlock(full, senders).flatMap(({ transaction, wallet, legs: netted }) => {
        const ether = netted.find((leg) => leg.source === "unwrap-inferred");
        if (!ether || transaction.from !== wallet) return [];
        const own = calls.filter((call) => call.transactionHash === transaction.hash && !call.reverted);
        const traced = own.reduce((sum, call) => {
          const signed = call.to === wallet ? 1n : call.from === wallet && call.depth > 0 ? -1n : 0n;
          return sum + signed * BigInt(call.value);
        }, 0n);
        return [ether.amount + BigInt(transaction.value) === traced];
      });
    });
    expect([found.length, found.filter((exact) => !exact).length]).toEqual([29, 1]);
  });
});
