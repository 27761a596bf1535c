import { Interface, id } from "ethers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockPaths, readBlock, readGzip, sharedFolder } from "#testing/chain/blocks";
import type { RawLog } from "./block.ts";
import { poolVenue } from "./pools.ts";
import { WETH, ZERO_ADDRESS } from "./tokens.ts";
import { COW_NATIVE, COW_SETTLEMENT, TOPIC } from "./topics.ts";
import { marksOf } from "./touch.ts";
import { countTransfers, cowTradeOf, swapOf, transferOf } from "./transfers.ts";

const abi = new Interface([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event Deposit(address indexed dst, uint256 wad)",
  "event Withdrawal(address indexed src, uint256 wad)",
]);
const v2 = new Interface([
  "event Swap(address indexed sender, uint256 in0, uint256 in1, uint256 out0, uint256 out1, address indexed to)",
]);
const v3 = new Interface([
  "event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 price, uint128 liquidity, int24 tick)",
]);
const cow = new Interface([
  "event Trade(address indexed owner, address sellToken, address buyToken, uint256 sellAmount, uint256 buyAmount, uint256 feeAmount, bytes orderUid)",
]);

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((b) => `0x${Buffer.from(b).toString("hex")}`);
const uint = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const int = fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n });

function encoded(iface: Interface, name: string, values: readonly unknown[], emitter: string): RawLog {
  const { topics, data } = iface.encodeEventLog(name, values);
  const place = { blockNumber: "0x1", blockHash: "0x", transactionHash: "0x", logIndex: "0x2a" };
  return { ...place, address: emitter, topics, data };
}

test("topics are the keccak of their signatures", () => {
  const signatures: Record<keyof typeof TOPIC, string> = {
    transfer: "Transfer(address,address,uint256)",
    wethDeposit: "Deposit(address,uint256)",
    wethWithdrawal: "Withdrawal(address,uint256)",
    v2Swap: "Swap(address,uint256,uint256,uint256,uint256,address)",
    v2Mint: "Mint(address,uint256,uint256)",
    v2Burn: "Burn(address,uint256,uint256,address)",
    v3Swap: "Swap(address,address,int256,int256,uint160,uint128,int24)",
    v3Mint: "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    v3Burn: "Burn(address,int24,int24,uint128,uint256,uint256)",
    v3Collect: "Collect(address,address,int24,int24,uint128,uint128)",
    cowTrade: "Trade(address,address,address,uint256,uint256,uint256,bytes)",
    aaveDeposit: "Deposit(address,address,address,uint256,uint16)",
    aaveSupply: "Supply(address,address,address,uint256,uint16)",
    aaveWithdraw: "Withdraw(address,address,address,uint256)",
    aaveBorrow: "Borrow(address,address,address,uint256,uint8,uint256,uint16)",
    aaveV2Borrow: "Borrow(address,address,address,uint256,uint256,uint256,uint16)",
    aaveRepay: "Repay(address,address,address,uint256,bool)",
    aaveV2Repay: "Repay(address,address,address,uint256)",
  };
  for (const [name, signature] of Object.entries(signatures))
    expect(TOPIC[name as keyof typeof TOPIC]).toBe(id(signature));
  expect(COW_NATIVE).toBe(`0x${"e".repeat(40)}`);
});

test("words cut by hand equal ethers' decoding", () => {
  fc.assert(
    fc.property(address, address, address, uint, (token, from, to, amount) => {
      const parsed = transferOf(encoded(abi, "Transfer", [from, to, amount], token));
      expect(parsed).toEqual({ token, from, to, amount, logIndex: 42, nft: false, wrapping: false });
      const minted = transferOf(encoded(abi, "Deposit", [to, amount], WETH));
      expect(minted).toMatchObject({ from: ZERO_ADDRESS, to, amount, wrapping: true });
      const burned = transferOf(encoded(abi, "Withdrawal", [from, amount], WETH));
      expect(burned).toMatchObject({ from, to: ZERO_ADDRESS, amount, wrapping: true });
      if (token !== WETH) expect(transferOf(encoded(abi, "Deposit", [to, amount], token))).toBeNull();
    }),
  );
});

test("swaps and trades equal ethers' encoding", () => {
  const positive = (n: bigint) => (n > 0n ? n : 0n);
  fc.assert(
    fc.property(address, address, fc.tuple(uint, uint, uint, uint), int, int, (pool, party, amounts, a, b) => {
      const [in0, in1, out0, out1] = amounts;
      const pair = swapOf(encoded(v2, "Swap", [party, in0, in1, out0, out1, party], pool));
      expect(pair).toEqual({ kind: "v2", pool, logIndex: 42, taken: [in0, in1], given: [out0, out1] });
      const concentrated = swapOf(encoded(v3, "Swap", [party, party, a, b, 1n, 1n, -5n], pool));
      expect(concentrated).toMatchObject({ taken: [positive(a), positive(b)], given: [positive(-a), positive(-b)] });
      const trade = encoded(cow, "Trade", [party, pool, COW_NATIVE, in0, in1, 0n, "0x1234"], COW_SETTLEMENT);
      expect(cowTradeOf(trade)).toEqual({
        owner: party,
        sellToken: pool,
        buyToken: COW_NATIVE,
        sellAmount: in0,
        buyAmount: in1,
        logIndex: 42,
      });
      expect(cowTradeOf({ ...trade, address: pool })).toBeNull();
    }),
  );
});

test("logs of other shapes say nothing", () => {
  const base = { address: WETH, blockNumber: "0x1", blockHash: "0x", transactionHash: "0x", logIndex: "0x0" };
  expect(transferOf({ ...base, topics: [], data: "0x" })).toBeNull();
  expect(transferOf({ ...base, topics: [TOPIC.transfer], data: "0x" })).toBeNull();
  expect(
    transferOf({ ...base, topics: [TOPIC.transfer, `0x${"0".repeat(64)}`, `0x${"0".repeat(64)}`], data: "0x" }),
  ).toBeNull();
  expect(swapOf({ ...base, topics: [TOPIC.v3Swap, "0x", "0x"], data: "0x00" })).toBeNull();
});

const shared = sharedFolder();
describe.skipIf(!shared)("recorded mainnet blocks (../shared/data)", () => {
  test("Transfers equal an independent decoding, one by one", () => {
    for (const number of [17000000, 17300000, 22119617]) {
      const { receipts } = readBlock(`${shared}/blocks/singles/${number}.json.gz`);
      type Row = {
        transactionHash: string;
        logIndex: number;
        token: string;
        from: string;
        to: string;
        value: string;
        erc20: boolean;
      };
      const rows = readGzip(`${shared}/oracle/chainstorage_token_transfers_${number}.json.gz`) as Row[];
      expect(countTransfers(receipts)).toBe(rows.length);
      const own = new Map(
        receipts
          .flatMap((r) => marksOf(r).transfers)
          .filter((t) => !t.wrapping)
          .map((t) => [t.logIndex, t]),
      );
      for (const { logIndex, token, from, to, value, erc20 } of rows.filter((row) => row.erc20)) {
        expect(own.get(logIndex)).toEqual({
          token,
          from,
          to,
          amount: BigInt(value),
          logIndex,
          nft: !erc20,
          wrapping: false,
        });
      }
    }
  });

  test("most pools of the recorded swaps are proven to be a known factory's", () => {
    const seen = new Map<string, string | null>();
    for (const path of shared ? blockPaths(shared).slice(0, 32) : []) {
      for (const receipt of readBlock(path).receipts) {
        const { swaps, transfers } = marksOf(receipt);
        for (const { kind, pool } of swaps) {
          const around = transfers.filter((t) => !t.nft && (t.from === pool || t.to === pool)).map((t) => t.token);
          seen.set(pool, poolVenue(kind, pool, around));
        }
      }
    }
    const proven = [...seen.values()].filter((venue) => venue !== null).length;
    expect(seen.get("0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")).toBe("uniswap_v3");
    expect(seen.get("0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc")).toBe("uniswap_v2");
    expect(proven / seen.size).toBeGreaterThan(0.85);
  });
});
