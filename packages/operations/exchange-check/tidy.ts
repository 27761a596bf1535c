import { setTimeout as pause } from "node:timers/promises";
import type { ProbeAnswer, ProbeRow } from "#runtime/okx/prober";
import { big, text } from "#units/decimal";
import { problemOf } from "../problem.ts";
import { type Bench, held, resting, waiting } from "./bench.ts";
import { said } from "./check.ts";

const ROUNDS = 4;
const PAUSE_MS = 1000;
const DEADLINE_MS = 4000;

/**
 * Takes away what a run has made: its orders, its stops, the switch that it set, and the position of an account that was
 * flat before. Asks whether the run was interrupted or not. Returns what is left, in words; nothing when all is gone.
 */
export async function tidy(bench: Bench): Promise<readonly string[]> {
  let left: readonly string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await pause(PAUSE_MS);
    left = await tidyOnce(bench).catch((error: unknown) => [`what is left could not be seen: ${problemOf(error)}`]);
    if (left.length === 0) return left;
  }
  return left;
}

const ofRun = (bench: Bench, id: unknown): boolean => String(id).startsWith(bench.prefix);
const isMine = (bench: Bench, { algoId, algoClOrdId }: ProbeRow): boolean =>
  ofRun(bench, algoClOrdId) || bench.algoIds.has(String(algoId));

async function tidyOnce(bench: Bench): Promise<string[]> {
  const { prober, instrument } = bench;
  const instId = instrument.id;
  const problems: string[] = [];
  const part = async (what: string, answer: Promise<ProbeAnswer>): Promise<void> => {
    const got = await answer;
    if (got.code !== "0") problems.push(`${what}: ${said(got)}`);
  };
  if (bench.timed) await part("cancel-all-after is still set", prober.ask("cancelAllAfter", { timeOut: "0" }));
  if (problems.length === 0) bench.timed = false;
  for (const { clOrdId } of (await resting(bench)).filter((row) => ofRun(bench, row.clOrdId)))
    await part(`order ${clOrdId} still rests`, prober.ask("cancel", { instId, clOrdId: String(clOrdId) }));
  if (bench.opened) await part("the position is still open", close(bench));
  for (const { algoId, algoClOrdId } of (await waiting(bench)).filter((row) => isMine(bench, row)))
    await part(`stop ${algoClOrdId} still waits`, prober.ask("cancelAlgos", [{ instId, algoId: String(algoId) }]));
  return [...problems, ...(await seen(bench))];
}

/** Closes what is held, reduce-only at market: the account was flat before the run. */
async function close(bench: Bench): Promise<ProbeAnswer> {
  const { prober, instrument, tdMode } = bench;
  const contracts = big(await held(bench));
  if (contracts.eq(0)) return { code: "0", reason: "", rows: [] };
  bench.ids += 1;
  return prober.ask("place", {
    ...{ instId: instrument.id, tdMode, side: contracts.gt(0) ? "sell" : "buy", ordType: "market", reduceOnly: true },
    ...{ sz: text(contracts.abs()), clOrdId: `${bench.prefix}z${bench.ids.toString(36)}` },
    expTime: String((await prober.now()) + DEADLINE_MS),
  });
}

/** Returns what the venue still shows of the run. */
async function seen(bench: Bench): Promise<string[]> {
  const { id } = bench.instrument;
  const [contracts, orders, algos] = [await held(bench), await resting(bench), await waiting(bench)];
  const mine = orders.filter((row) => ofRun(bench, row.clOrdId)).length;
  const stops = algos.filter((row) => isMine(bench, row)).length;
  return [
    ...(bench.opened && !big(contracts).eq(0) ? [`${contracts} contracts of ${id} are held`] : []),
    ...(mine === 0 ? [] : [`${mine} orders of ${id} rest (${bench.prefix}…)`]),
    ...(stops === 0 ? [] : [`${stops} stops of ${id} wait (${bench.prefix}…)`]),
  ];
}
