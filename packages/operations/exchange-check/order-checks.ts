import { big, text } from "#units/decimal";
import {
  ask,
  type Bench,
  cancel,
  cancelAlgo,
  FAR_ABOVE,
  FAR_BELOW,
  held,
  newId,
  orderAt,
  place,
  placeStop,
  priceAt,
  resting,
  waiting,
} from "./bench.ts";
import { type OrderCheck, type Seen, said, unlearnt, wants } from "./check.ts";

const ACCEPTED = "0";
/** The venue shows what it did within this time. */
const SETTLE_MS = 1000;
const LOOKS = 5;

/** Asks up to five times, a second apart, until the answer is one to go by. */
async function until<T>(bench: Bench, look: () => Promise<T>, isSettled: (seen: T) => boolean): Promise<T> {
  let seen = await look();
  for (let n = 1; n < LOOKS && !isSettled(seen); n += 1) {
    await bench.pause(SETTLE_MS);
    seen = await look();
  }
  return seen;
}

const NOT_HELD = "nothing is held: the order that was to open a position was not filled";
const isHeld = async (bench: Bench): Promise<boolean> => bench.opened && !big(await held(bench)).eq(0);

async function restsIn(bench: Bench, tdMode: string): Promise<Seen> {
  const id = newId(bench);
  const answer = await place(bench, id, { tdMode });
  if (answer.code === ACCEPTED) await cancel(bench, id);
  return wants(answer, ACCEPTED);
}

async function expired(bench: Bench): Promise<Seen> {
  const id = newId(bench);
  const answer = await place(bench, id, {}, -5000);
  if (answer.code === ACCEPTED) await cancel(bench, id);
  return wants(answer, "50036", "50037");
}

async function usedTwice(bench: Bench): Promise<Seen> {
  const id = newId(bench);
  const first = await place(bench, id);
  if (first.code !== ACCEPTED) return unlearnt(`the first order was not taken: ${said(first)}`, first.code);
  const second = await place(bench, id);
  await cancel(bench, id);
  return wants(second, "51016");
}

async function stopWhileFlat(bench: Bench): Promise<Seen> {
  const answer = await placeStop(bench, newId(bench));
  const algoId = String(answer.rows[0]?.algoId ?? "");
  if (answer.code === ACCEPTED && algoId !== "") await cancelAlgo(bench, algoId);
  return { ...wants(answer, ACCEPTED), asExpected: answer.code === null ? null : answer.code !== ACCEPTED };
}

/** Buys the least size, with a stop attached, and looks at what the stop became. It is the position of the checks after it. */
async function attached(bench: Bench): Promise<Seen> {
  const [id, attachAlgoClOrdId] = [newId(bench), newId(bench)];
  const stop = { attachAlgoClOrdId, slTriggerPx: priceAt(bench, FAR_BELOW), slTriggerPxType: "mark", slOrdPx: "-1" };
  const answer = await place(bench, id, { ordType: "market", attachAlgoOrds: [stop] });
  if (answer.code !== ACCEPTED) {
    const plain = await place(bench, newId(bench), { ordType: "market" });
    return unlearnt(`${said(answer)}; without it: ${said(plain)}`, answer.code);
  }
  const rows = await until(
    bench,
    () => waiting(bench),
    (found) => found.length > 0,
  );
  const [row] = rows;
  if (row === undefined) return unlearnt("no such stop is listed after the order was filled", answer.code);
  bench.algoIds.add(String(row.algoId));
  await cancelAlgo(bench, String(row.algoId));
  const asExpected = row.algoClOrdId === attachAlgoClOrdId && row.reduceOnly === "false";
  const named = row.algoClOrdId === attachAlgoClOrdId ? "its own id" : `id "${row.algoClOrdId}"`;
  return { asExpected, code: answer.code, answer: `listed with reduceOnly ${row.reduceOnly}, ${named}` };
}

async function wholeStop(bench: Bench): Promise<Seen> {
  if (!(await isHeld(bench))) return unlearnt(NOT_HELD);
  const id = newId(bench);
  const answer = await placeStop(bench, id);
  const algoId = String(answer.rows[0]?.algoId ?? "");
  if (answer.code !== ACCEPTED || algoId === "") return wants(answer, ACCEPTED);
  bench.stop = { id, algoId };
  const rows = await until(
    bench,
    () => waiting(bench),
    (found) => found.some((row) => row.algoId === algoId),
  );
  const row = rows.find((one) => one.algoId === algoId);
  if (row === undefined)
    return { asExpected: false, code: answer.code, answer: "taken, and not among those that wait" };
  const { closeFraction, reduceOnly, slTriggerPxType, slOrdPx, algoClOrdId } = row;
  const asExpected =
    closeFraction === "1" &&
    reduceOnly === "true" &&
    slTriggerPxType === "mark" &&
    slOrdPx === "-1" &&
    algoClOrdId === id;
  const answered = `closeFraction ${closeFraction}, reduceOnly ${reduceOnly}, by ${slTriggerPxType}, at ${slOrdPx}`;
  return { asExpected, code: answer.code, answer: answered };
}

const NO_STOP = "no stop of the whole position stands";

async function secondStop(bench: Bench): Promise<Seen> {
  if (bench.stop === null) return unlearnt(NO_STOP);
  return wants(await placeStop(bench, newId(bench)), "51088");
}

async function sameStopId(bench: Bench): Promise<Seen> {
  if (bench.stop === null) return unlearnt(NO_STOP);
  return wants(await placeStop(bench, bench.stop.id), "51065", "51088");
}

async function stopIdAgain(bench: Bench): Promise<Seen> {
  const { stop } = bench;
  if (stop === null) return unlearnt(NO_STOP);
  const ended = await cancelAlgo(bench, stop.algoId);
  if (ended.code !== ACCEPTED) return unlearnt(`the stop could not be ended: ${said(ended)}`, ended.code);
  bench.stop = null;
  const again = await placeStop(bench, stop.id);
  const id = again.code === ACCEPTED ? stop.id : newId(bench);
  const standing = again.code === ACCEPTED ? again : await placeStop(bench, id);
  const algoId = String(standing.rows[0]?.algoId ?? "");
  if (standing.code === ACCEPTED && algoId !== "") bench.stop = { id, algoId };
  return wants(again, "51065");
}

/** OKX takes 10 s or more. */
const SWITCH_S = 10;

async function switchAndStops(bench: Bench): Promise<Seen> {
  const { stop } = bench;
  if (stop === null) return unlearnt(NO_STOP);
  const id = newId(bench);
  const placed = await place(bench, id);
  if (placed.code !== ACCEPTED) return unlearnt(`no order rests: ${said(placed)}`, placed.code);
  bench.timed = true;
  const set = await ask(bench, "cancelAllAfter", { timeOut: String(SWITCH_S) });
  if (set.code !== ACCEPTED) {
    await cancel(bench, id);
    return unlearnt(`the switch was not set: ${said(set)}`, set.code);
  }
  await bench.pause((SWITCH_S + 1) * 1000);
  const order = await until(
    bench,
    () => orderAt(bench, id),
    (row) => row === null || row.state === "canceled",
  );
  const isGone = order === null || order.state === "canceled";
  const stands = (await waiting(bench)).some((row) => row.algoId === stop.algoId);
  if (!isGone) await cancel(bench, id);
  if (!stands) bench.stop = null;
  const words = `the order is ${isGone ? "canceled" : "still there"}, the stop ${stands ? "stands" : "is gone"}`;
  return { asExpected: isGone && stands, code: set.code, answer: words };
}

async function clipped(bench: Bench): Promise<Seen> {
  if (!(await isHeld(bench))) return unlearnt(NOT_HELD);
  const { minSize, lotSize } = bench.instrument;
  const sz = text(big(minSize).plus(lotSize));
  const id = newId(bench);
  const answer = await place(bench, id, { side: "sell", sz, px: priceAt(bench, FAR_ABOVE), reduceOnly: true });
  if (answer.code !== ACCEPTED) return { asExpected: false, code: answer.code, answer: said(answer) };
  const row = await orderAt(bench, id);
  await cancel(bench, id);
  if (row === null) return unlearnt("taken, and not shown", answer.code);
  const asExpected = row.sz === (await held(bench)) && row.amendSource === "3";
  return { asExpected, code: answer.code, answer: `asked ${sz}, placed ${row.sz}, amendSource "${row.amendSource}"` };
}

async function stopAfterClose(bench: Bench): Promise<Seen> {
  const { stop } = bench;
  if (stop === null) return unlearnt(NO_STOP);
  const sz = await held(bench);
  if (!big(sz).gt(0)) return unlearnt(NOT_HELD);
  const closed = await place(bench, newId(bench), { side: "sell", ordType: "market", sz, reduceOnly: true });
  if (closed.code !== ACCEPTED) return unlearnt(`the position was not closed: ${said(closed)}`, closed.code);
  const left = await until(
    bench,
    () => held(bench),
    (size) => big(size).eq(0),
  );
  if (!big(left).eq(0)) return unlearnt(`${left} contracts are still held`, closed.code);
  const stands = (await waiting(bench)).some((row) => row.algoId === stop.algoId);
  const words = `flat, and the stop ${stands ? "still waits" : "is gone"}`;
  return { asExpected: stands, code: closed.code, answer: words };
}

/** Returns what is asked by orders, in the order in which it is asked: the later ones need what the earlier ones made. */
export function orderChecks({ tdMode }: Pick<Bench, "tdMode">): readonly OrderCheck[] {
  const other = tdMode === "cross" ? "isolated" : "cross";
  return [
    {
      ...{ name: `order in ${tdMode}`, reliedOn: true, look: (bench) => restsIn(bench, tdMode) },
      asks: `is a post-only order far below the market taken with tdMode ${tdMode}`,
      passes: `OKX_TD_MODE=${tdMode} is right for this account`,
      differs: "the desk would HALT at its first order: set OKX_TD_MODE to the mode that is taken",
    },
    {
      ...{ name: `order in ${other}`, reliedOn: false },
      look: async (bench) => {
        const seen = await restsIn(bench, other);
        return { ...seen, asExpected: seen.code === null ? null : seen.code !== ACCEPTED };
      },
      asks: `is one refused with tdMode ${other}`,
      passes: `the account takes ${tdMode} alone`,
      differs: `the account takes ${other} too; the desk goes on with ${tdMode}`,
    },
    {
      ...{ name: "expTime", reliedOn: true, look: expired },
      asks: "is an order refused whose deadline (expTime) has passed",
      passes: "an order that hangs on its way cannot come to life later",
      differs: "do not arm: an order that is late could be filled after the desk has given it up",
    },
    {
      ...{ name: "clOrdId", reliedOn: true, look: usedTwice },
      asks: "is a second order of a client order id that is open refused (51016)",
      passes: "an order that is sent twice is there once",
      differs: "do not arm: an order that is sent twice could be filled twice",
    },
    {
      ...{ name: "stop while flat", reliedOn: false, look: stopWhileFlat },
      asks: "is a closeFraction stop refused while nothing is held",
      passes: "a stop follows the first fill, as the desk lays it",
      differs: "it could be laid before the first fill; the desk lays it after, and sweeps one without a position",
    },
    {
      ...{ name: "attached stop", reliedOn: false, look: attached },
      asks: "does a stop attached to a market order come to stand under its own id, not reduce-only",
      passes: "the desk's own stop, which is reduce-only, has to stand; the attached one is swept",
      differs: "tell the maintainers: what an attached stop may do decides which one is kept",
    },
    {
      ...{ name: "whole stop", reliedOn: true, look: wholeStop },
      asks: "is a closeFraction stop, reduce-only, at market, by the mark, taken and listed as such",
      passes: "whatever is held is covered at the venue, whatever its size becomes",
      differs: "do not arm: positions would have no stop at the venue",
    },
    {
      ...{ name: "second stop", reliedOn: true, look: secondStop },
      asks: "is a second stop of the whole position refused (51088)",
      passes: "a stop that is sent twice stands once",
      differs: "the desk ends a second one a minute later, by its own look",
    },
    {
      ...{ name: "algoClOrdId in use", reliedOn: true, look: sameStopId },
      asks: "is the id of a stop that waits refused for another (51065, or 51088)",
      passes: "a stop whose reply was lost is found, not doubled",
      differs: "the desk ends a second one a minute later, by its own look",
    },
    {
      ...{ name: "algoClOrdId after its end", reliedOn: false, look: stopIdAgain },
      asks: "is the id of a stop that was ended refused for a new one (51065)",
      passes: "each attempt needs an id of its own, as the desk gives it",
      differs: "an id may be used again; the desk gives each attempt one of its own all the same",
    },
    {
      ...{ name: "cancel-all-after", reliedOn: false, look: switchAndStops },
      asks: "does cancel-all-after take an order that rests after 10 s, and leave the stop",
      passes: "it could guard resting take-profits; the desk has it off",
      differs: "leave it off: it would take the stops too, or nothing",
    },
    {
      ...{ name: "clip", reliedOn: false, look: clipped },
      asks: "is a reduce-only order above what is held placed smaller (amendSource 3)",
      passes: "the desk books an order by what was placed of it",
      differs: "such an order is refused or kept; the desk sends the size that the venue shows, so it rarely matters",
    },
    {
      ...{ name: "stop after a close", reliedOn: false, look: stopAfterClose },
      asks: "does a stop outlive the position that it closes",
      passes: "the desk sweeps it within a minute; until then it can open nothing, for it is reduce-only",
      differs: "nothing is left to sweep",
    },
  ];
}

/** Returns why orders cannot be tried on this account; null when they can. What is there already is never touched. */
export async function occupied(bench: Bench): Promise<string | null> {
  const [contracts, orders, algos] = [await held(bench), await resting(bench), await waiting(bench)];
  const { id } = bench.instrument;
  const found = [
    ...(big(contracts).eq(0) ? [] : [`${contracts} contracts are held`]),
    ...(orders.length === 0 ? [] : [`${orders.length} orders rest`]),
    ...(algos.length === 0 ? [] : [`${algos.length} stops or take-profits wait`]),
  ];
  return found.length === 0 ? null : `${found.join(", ")} in ${id}: name another --instrument, or empty this one first`;
}
