import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { asFullBlock } from "#chain/block";
import { classify } from "#chain/classify";
import { checkBlock } from "#chain/integrity";
import { labelBook, labelKind } from "#chain/labels";
import { type NativeBalance, netMoves } from "#chain/net";
import { touchesOf, watchSet } from "#chain/touch";
import { withStables } from "#chain/value";
import { assetOf } from "#units/candle";
import { decimalOf } from "#units/decimal";
import { openRecording, type Recording } from "../recording.ts";
import { TRUTH_FILE } from "./planted.ts";

const DIR = join(import.meta.dirname, "../../../recordings/sample");
const Truth = z.object({ whales: z.array(z.object({ address: z.string(), bets: z.number() })) });

const onSample = test.skipIf(!existsSync(DIR));

/** Returns how many legs of swaps with a direction the desk's own decoder finds for each wallet. */
function swapLegs(recording: Recording): Map<string, number> {
  const watched = watchSet(recording.watchlist.map(({ address }) => address));
  const labels = labelBook(recording.labels.map((label) => ({ ...label, kind: labelKind(label.kind) })));
  const first = (id: string) => ({
    usd: recording.candles(id)[0]?.close ?? decimalOf("1"),
    source: id,
    openedAt: null,
  });
  const prices = withStables(new Map(recording.manifest.instruments.map((id) => [assetOf(id), first(id)])));
  const ether = new Map(
    recording.balances
      .filter((row) => row.token === "native")
      .map((row) => [`${row.block} ${row.address}`, BigInt(row.balance)]),
  );
  const found = new Map<string, number>();
  for (const { number, hash, parentHash } of recording.headers) {
    const { blockJson, receiptsJson } = recording.blockAt(number);
    const full = asFullBlock(JSON.parse(blockJson.toString("utf8")), JSON.parse(receiptsJson.toString("utf8")));
    checkBlock(full.block, full.receipts, { number, hash, parentHash }, { verify: "full", unsigned: true });
    const touches = touchesOf(full, watched);
    const balances = new Map<string, NativeBalance>();
    for (const { wallet } of touches) {
      const [before, after] = [ether.get(`${number - 1} ${wallet}`), ether.get(`${number} ${wallet}`)];
      if (before === undefined || after === undefined)
        throw new Error(`no balance of ${wallet} around block ${number}`);
      balances.set(wallet, { before, after });
    }
    for (const move of netMoves(touches, full, balances)) {
      const roles = classify(move, labels, prices, "2026-03-03")?.roles ?? [];
      const legs = roles.filter(({ type, direction }) => type === "swap" && direction !== 0).length;
      found.set(move.wallet, (found.get(move.wallet) ?? 0) + legs);
    }
  }
  return found;
}

onSample("the shipped sample says that it is generated, and is small", async () => {
  const { manifest, watchlist, headers } = await openRecording(DIR);
  expect(manifest.kind).toBe("generated");
  expect(manifest.chainId).toBe(31_337);
  expect(manifest.explorer).toBeNull();
  expect(watchlist).toHaveLength(23);
  expect(headers.length).toBeGreaterThan(1700);
  const sizes = readdirSync(DIR, { recursive: true, encoding: "utf8" }).map((file) => statSync(join(DIR, file)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3_000_000);
});

onSample("the desk's decoder finds every bet that was planted in the shipped sample, and no other", async () => {
  const { whales } = Truth.parse(JSON.parse(readFileSync(join(DIR, TRUTH_FILE), "utf8")));
  const found = swapLegs(await openRecording(DIR));
  for (const { address, bets } of whales) expect([address, found.get(address)]).toEqual([address, bets]);
});
