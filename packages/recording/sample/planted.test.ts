import { expect, test } from "vitest";
import type { WalletLine } from "#reporting/report";
import { idOf } from "#units/ids";
import { openRecording } from "../recording.ts";
import { foundLines, foundOf, foundSection, truthOf } from "./planted.ts";

const line = (label: string, score: number | null): WalletLine => ({
  wallet: { id: idOf("wallet", label), address: `0x${label}`, label },
  archetype: null,
  credibility: score === null ? [] : [{ horizon: "1h", score, previous: null, edge: null, bets: null, settled: null }],
});
const truth = {
  whales: [
    { address: "0xa", horizon: "1h" as const },
    { address: "0xb", horizon: "4h" as const },
    { address: "0xc", horizon: null },
    { address: "0xd", horizon: null },
  ],
};

test("the informed of a horizon are held against those who know none", () => {
  const found = foundOf(truth, [line("a", 7), line("b", 9.9), line("c", 8), line("d", 2), line("unplanted", 10)]);
  expect(found).toHaveLength(1); // nobody has a score on 4h
  expect(found[0]).toMatchObject({ horizon: "1h", auc: 0.5, others: { count: 2, best: { name: "c" } } });
  expect(foundLines(found)).toEqual(["1h: informed a 7.0; best of 2 others c 8.0; AUC 0.50 (chance 0.50)"]);
  expect(foundSection(found)).toContain("- 1h: informed a 7.0;");
});

test("a tie counts half, and a wallet without a score not at all", () => {
  expect(foundOf(truth, [line("a", 5), line("c", 5), line("d", null)])[0]?.auc).toBe(0.5);
  expect(foundOf(truth, [line("a", null), line("c", 5)])).toEqual([]);
  expect(foundSection([])).toBe("");
});

test("the sample says what was planted in it", async () => {
  const sample = await openRecording("recordings/sample");
  expect(truthOf(sample)?.whales.filter(({ horizon }) => horizon !== null)).toHaveLength(8);
  expect(truthOf({ dir: sample.dir, manifest: { ...sample.manifest, kind: "recorded" } })).toBeNull();
});
