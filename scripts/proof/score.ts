import { relative } from "node:path";
import type { Stryker } from "@stryker-mutator/core";

/** What became of one mutant. */
export type MutantResult = Awaited<ReturnType<Stryker["runMutationTest"]>>[number];

/** What is proven: an error in it takes a forged block, a wrong bias or another sum of money for true, or trades it away. */
export const PROVEN = [
  "packages/chain/integrity.ts",
  "packages/bias/*.ts",
  "packages/units/*.ts",
  "packages/trading/plans/*.ts",
  "packages/trading/protection/{protect,ladder}.ts",
  "packages/trading/orders/claim-look.ts",
  "packages/desk/{submit-order,settle-orders,plan-lane,price-fees,sweep-approved}.ts",
  "packages/desk/account/{ensure-leverage,arming}.ts",
  "packages/desk/stops/{cover-position,lay-ladder,adopt-fired}.ts",
] as const;

/** Returns the percent of a file's mutants that the tests must find: more where money is decided. */
export const leastOf = (file: string): number => (/^packages\/(trading|desk)\//.test(file) ? 85 : 80);

export interface Score {
  readonly file: string;
  readonly killed: number;
  readonly survived: number;
  readonly ignored: number;
  /** Of those that could be found; 100 where a file has none, being types alone. */
  readonly percent: number;
}

const FOUND: readonly MutantResult["status"][] = ["Killed", "Timeout"];
// One that no test reaches has survived too. One that does not run at all says nothing.
const SURVIVED: readonly MutantResult["status"][] = ["Survived", "NoCoverage"];

/** Returns the score of each of `files`, in their order. */
export function scoresOf(
  files: readonly string[],
  results: readonly Pick<MutantResult, "fileName" | "status">[],
): Score[] {
  return files.map((file) => {
    const own = results.filter(({ fileName }) => relative("", fileName) === file);
    const count = (among: readonly string[]): number => own.filter(({ status }) => among.includes(status)).length;
    const [killed, survived, ignored] = [count(FOUND), count(SURVIVED), count(["Ignored"])];
    const all = killed + survived;
    return { file, killed, survived, ignored, percent: all === 0 ? 100 : (100 * killed) / all };
  });
}

/** Returns what to say of each comment in a file that leaves mutants out and gives no reason. */
export function reasonless(file: string, source: string): string[] {
  return source.split("\n").flatMap((line, i) => {
    const [, said] = /\/[/*]\s*Stryker disable\b([^*]*)/.exec(line) ?? [];
    return said === undefined || /:\s*\S/.test(said) ? [] : [`${file}:${i + 1} leaves mutants out without a reason`];
  });
}
