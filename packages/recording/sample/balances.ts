import { Interface, toQuantity } from "ethers";
import type { RecordedBalance } from "../schema.ts";
import type { EvmNode } from "./anvil.ts";
import { ETHER, type Side, tokenOf } from "./calls.ts";
import { TOKENS } from "./contracts.ts";

const erc20 = new Interface(["function balanceOf(address) view returns (uint256)"]);
const HELD = ["native", ...TOKENS.map(({ address }) => address)];

/** Follows what wallets hold, by asking the node at the end of each block in which one of them may have changed. */
export interface BalanceBook {
  /** Asks for all that `wallets` hold now, the end of `block`. */
  read(block: number, wallets: readonly string[]): Promise<void>;
  held(wallet: string, side: Side): bigint;
  /** For each block read: what its wallets held at its end and at the end of the block before, of every token. */
  rows(): readonly RecordedBalance[];
}

export function balanceBook(node: EvmNode): BalanceBook {
  const latest = new Map<string, string>();
  const rows = new Map<string, RecordedBalance>();
  const keep = (row: RecordedBalance) => rows.set(`${row.block} ${row.address} ${row.token}`, row);
  const read = async (block: number, wallets: readonly string[]): Promise<void> => {
    const places = wallets.flatMap((address) => HELD.map((token) => ({ address, token })));
    const answers = await node.batch(
      places.map(({ address, token }) =>
        token === "native"
          ? ["eth_getBalance", address, "latest"]
          : ["eth_call", { to: token, data: erc20.encodeFunctionData("balanceOf", [address]) }, "latest"],
      ),
    );
    places.forEach(({ address, token }, index) => {
      const balance = toQuantity(BigInt(String(answers[index])));
      const before = latest.get(`${address} ${token}`);
      // Nothing of the wallet moved between the blocks that were read, so the last answer held until now.
      if (before !== undefined) keep({ block: block - 1, address, token, balance: before });
      keep({ block, address, token, balance });
      latest.set(`${address} ${token}`, balance);
    });
  };
  const held = (wallet: string, side: Side): bigint =>
    BigInt(latest.get(`${wallet} ${side === ETHER ? "native" : tokenOf(side).address}`) ?? 0);
  return { read, held, rows: () => [...rows.values()] };
}
