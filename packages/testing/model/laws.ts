import type { PaperState } from "#doubles/venue/account";
import type { PaperAlgo } from "#doubles/venue/algo";
import type { PaperEngine } from "#doubles/venue/venue";
import { type StoredControl, tightness } from "#trading/control";
import type { ControlObject } from "#trading/control-object";
import { isOfPosition } from "#trading/orders/stored-order";
import { POLICY } from "#trading/plans/policy";
import { isStopId } from "#trading/protection/stop-id";
import type { KeptLedger, TradingStore } from "#trading/store";
import { type Big, big, type Decimal, decimalOf } from "#units/decimal";
import { millis } from "#units/time";
import { INSTRUMENTS } from "./market.ts";
import type { Invocation } from "./scheduler.ts";
import type { Stage } from "./stage.ts";
import type { Exchanged } from "./venue.ts";

/** How long an exposure that the desk was told of had no stop and no close under way. */
export interface Bare {
  readonly instrument: string;
  readonly cause: "order" | "by others";
  /** Since the first answer that showed it to a process. */
  readonly ms: number;
  /** Since the first that showed it to a reconciliation which nothing hindered, and since a process last died or stood still. */
  readonly unhinderedMs: number;
}

/** A process, as far as laws need to know it. */
type Process = Pick<Invocation, "job" | "n">;

/** Watches one schedule, and says what broke a law. */
export interface Watch {
  readonly violations: string[];
  readonly bare: Bare[];
  seen(exchanged: Exchanged): void;
  told(exchanged: Exchanged): void;
  control(books: StoredControl, object: ControlObject | null): void;
  lifted(to: StoredControl): void;
  kept(kept: KeptLedger): void;
  /** A process died, stood still (a blow), or did not get the answer that was due to it. */
  hindered(process: Process | null, isBlow: boolean): void;
  /** Something was traded without the desk. */
  others(instrument: string): void;
  /** Looks at the venue as it is. */
  look(): void;
  /** Judges what is left once all is quiet. */
  end(): Promise<void>;
}

/** A claim's deadline, and what a clock may be off at the venue's end of it. */
const LAST_MS = 4000 + 500;
const TTL_MS = 120_000 + LAST_MS;
/** OKX: the mark is beyond the trigger of a stop. */
const PASSED = /^(51278|51280)$/;
/** What is sent in the invocation that hears of it is there by then; nothing was hindered for so long before. */
const [AT_ONCE_MS, UNTOUCHED_MS] = [10_000, 120_000];
/** An opening order counts the worse of mark and book to within 20 bps; the price goes on until it fills, a buy at most 20 bps on. */
const SLACK = 1.013;

const isLive = ({ state }: PaperAlgo): boolean => state === "live";
const covers = (algo: PaperAlgo, instrument: string, held: Big): boolean =>
  isLive(algo) &&
  algo.instId === instrument &&
  algo.sz === "" &&
  algo.reduceOnly &&
  algo.side === (held.gt(0) ? "sell" : "buy") &&
  algo.sl !== null &&
  algo.sl.triggerPxType === "mark" &&
  algo.sl.ordPx === "-1";

const heldOf = (account: Readonly<PaperState>, instrument: string): Big =>
  big(account.positions.find(({ instId }) => instId === instrument)?.contracts ?? 0);

/** What is watched. */
export interface Watched {
  readonly store: TradingStore;
  /** Returns what is wrong with the records of orders. */
  readonly faults: Stage["faults"];
  readonly engine: PaperEngine;
  readonly now: () => number;
  readonly current: () => Process | null;
  /** USDT at the beginning. */
  readonly initial: Decimal;
  /** Whether every answer of the venue is as new as it can be: nothing then differs for longer than a moment. */
  readonly isFresh: boolean;
}

/** Less than this lost, and no daily loss is reached, with what positions can lose at their stops. */
const SMALL_LOSS = -200;

/** Returns the watch of one schedule. */
export function watchOf({ store, faults, engine, now, current, initial, isFresh }: Watched): Watch {
  const { account } = engine;
  const violations: string[] = [];
  const bare: Bare[] = [];
  const broke = (law: string, what: string): void => {
    violations.push(`${law}: ${what}`);
  };
  // What nothing covers, and when which process was told of it.
  const since = new Map<string, { told: (Process & { at: number })[]; cause: Bare["cause"] }>();
  const hindered = new Set<number>();
  let [hinderedAt, blowAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  /** Stops that the venue refused as passed, by instrument, and when the desk was told. */
  const passed = new Map<string, number>();
  const lasted = (
    instrument: string,
    { told, cause }: { told: (Process & { at: number })[]; cause: Bare["cause"] },
  ): Bare => {
    const unhindered = told.find(({ job, n }) => job === "reconcile-orders" && !hindered.has(n));
    const of = (first: { at: number } | undefined, from = 0) => (first ? now() - Math.max(first.at, from) : 0);
    // One that died after its claim is taken for under way until its deadline: what it was to close waits for the look after that.
    return { instrument, cause, ms: of(told[0]), unhinderedMs: of(unhindered, blowAt) };
  };
  const touched = new Set<string>();
  const placed = new Map<string, number>();
  const triggers = new Map<string, { side: string; trigger: string }>();
  let tightSince: number | null = null;
  let halted = false;
  let [gap, byPerson, epoch] = [decimalOf("1"), false, 0];
  /** Judges why the switch was tightened. */
  const tightened = ({ reason, lifts, actor }: StoredControl): void => {
    byPerson ||= actor === "anna";
    if (/late or excess/.test(reason)) broke("no fill is impossible", reason);
    if (isFresh && lifts.some((cause) => cause.startsWith("break:"))) broke("one snapshot is no break", reason);
    const results = account.bills.filter(({ type }) => type !== "1");
    const lost = results.reduce((all, { balChg }) => all.plus(balChg), big(0));
    if (/^(daily loss|drawdown)/.test(reason) && lost.gt(SMALL_LOSS)) broke("a transfer is no loss", reason);
  };
  const look = (): void => {
    for (const { id, minSize } of INSTRUMENTS) {
      const held = heldOf(account, id);
      const isBare = held.abs().gte(minSize) && !account.algos.some((algo) => covers(algo, id, held));
      const known = since.get(id);
      if (isBare && known === undefined) since.set(id, { told: [], cause: touched.has(id) ? "by others" : "order" });
      if (isBare && now() - (passed.get(id) ?? now()) > AT_ONCE_MS) {
        broke("what a stop is too late for is closed at once", id);
        passed.delete(id);
      }
      if (!isBare) passed.delete(id);
      if (isBare || known === undefined) continue;
      since.delete(id);
      bare.push(lasted(id, known));
    }
    for (const algo of account.algos) {
      const { algoId, side, sl } = algo;
      if (!isLive(algo) || sl === null) continue;
      const before = triggers.get(algoId);
      const trigger = sl.triggerPx;
      if (before && (side === "sell" ? big(trigger).lt(before.trigger) : big(trigger).gt(before.trigger)))
        broke("a stop moves toward profit alone", `${algo.instId} from ${before.trigger} to ${trigger}`);
      triggers.set(algoId, { side, trigger });
    }
  };
  const opened = (instrument: string, clOrdId: string): void => {
    if (tightSince !== null && now() - tightSince > LAST_MS)
      broke("nothing opens while the switch is tight", `${clOrdId} ${Math.round(now() - tightSince)} ms after`);
    if (touched.size > 0) return;
    let gross = big(0);
    for (const { id, contractSize } of INSTRUMENTS) {
      const position = account.positions.find(({ instId }) => instId === id);
      const worth = big(position?.contracts ?? 0)
        .abs()
        .times(contractSize)
        .times(position?.avgPx ?? 0);
      gross = gross.plus(worth);
      if (id === instrument && worth.gt(big(POLICY.maxAssetUsd).times(SLACK)))
        broke("no cap is exceeded", `${id} ${worth.toFixed(2)} USD`);
    }
    const order = account.orders.findLast((one) => one.clOrdId === clOrdId);
    const size = INSTRUMENTS.find(({ id }) => id === instrument)?.contractSize ?? "0";
    if (order && big(order.filledValue).times(size).gt(big(POLICY.maxOrderUsd).times(SLACK)))
      broke("no cap is exceeded", `order ${clOrdId} ${big(order.filledValue).times(size).toFixed(2)} USD`);
    if (gross.gt(big(POLICY.maxGrossUsd).times(SLACK))) broke("no cap is exceeded", `gross ${gross.toFixed(2)} USD`);
  };
  const ordered = ({ body, code }: Exchanged): void => {
    if (code !== "0") return;
    const clOrdId = String(body.clOrdId ?? "");
    const times = (placed.get(clOrdId) ?? 0) + 1;
    placed.set(clOrdId, times);
    if (times > 1) broke("no order is sent twice", `${clOrdId} was taken ${times} times`);
    if (String(body.reduceOnly) !== "true") opened(String(body.instId), clOrdId);
  };
  const stopped = ({ path, body, code }: Exchanged): void => {
    if (code !== "0" || path !== "trade/order-algo") return;
    const { closeFraction, reduceOnly, slTriggerPxType, slOrdPx, algoClOrdId, tpTriggerPxType } = body;
    if (tpTriggerPxType !== undefined && slTriggerPxType === undefined) {
      if (String(reduceOnly) !== "true" || tpTriggerPxType !== "mark")
        broke("a take-profit goes by the mark and only reduces", JSON.stringify(body));
      return;
    }
    const isRight =
      String(closeFraction) === "1" && String(reduceOnly) === "true" && slTriggerPxType === "mark" && slOrdPx === "-1";
    if (!isRight || !isStopId("demo", String(algoClOrdId)))
      broke("a stop covers the whole position by its mark and only reduces", JSON.stringify(body));
  };
  /** An answer that shows the desk something held: from then on it must be covered. */
  const shows = ({ path, rows, query, body }: Exchanged): string[] => {
    const of = (row: unknown) => row as Readonly<Record<string, string>>;
    if (path === "account/positions") return rows.map((row) => of(row).instId ?? "");
    if (path === "trade/fills") return rows.map((row) => of(row).instId ?? "");
    if (path === "trade/order" && rows.some((row) => Number(of(row).accFillSz ?? 0) > 0))
      return [query.get("instId") ?? String(body.instId ?? "")];
    return [];
  };
  return {
    violations,
    bare,
    look,
    seen: (exchanged) => {
      const before = new Set(since.keys());
      if (exchanged.method === "POST" && exchanged.path === "trade/order") ordered(exchanged);
      if (exchanged.method === "POST") stopped(exchanged);
      look();
      const bared = [...since.keys()].filter((id) => !before.has(id));
      if (exchanged.path === "trade/cancel-algos" && bared.length > 0)
        broke("no stop is ended before another is there", bared.join(", "));
    },
    told: (exchanged) => {
      look();
      const { method, path, code, body } = exchanged;
      const id = String(body.instId);
      const isPassed = method === "POST" && path === "trade/order-algo" && PASSED.test(code);
      if (isPassed && now() - hinderedAt > UNTOUCHED_MS && !passed.has(id)) passed.set(id, now());
      const process = current();
      if (method === "GET" && process !== null)
        for (const shown of shows(exchanged)) since.get(shown)?.told.push({ ...process, at: now() });
    },
    control: (books, object) => {
      const tight = books.state !== "ACTIVE" || (object !== null && tightness(object.state) > 0);
      halted = books.state === "HALTED" || object?.state === "HALTED";
      byPerson ||= object?.actor === "anna";
      if (books.epoch > epoch && books.state !== "ACTIVE") tightened(books);
      epoch = books.epoch;
      if (!tight) tightSince = null;
      else tightSince ??= now();
    },
    lifted: (to) => {
      if (to.state === "ACTIVE" && (halted || byPerson))
        broke("what a person tightened does not lift itself", to.reason);
    },
    kept: ({ entry, unknown }) => {
      gap = entry.gap;
      if (unknown.length > 0) broke("every bill is known", unknown.map(({ billId }) => billId).join(", "));
    },
    hindered: (process, isBlow) => {
      if (process !== null) hindered.add(process.n);
      if (isBlow) blowAt = now();
      hinderedAt = now();
      passed.clear();
    },
    others: (instrument) => {
      touched.add(instrument);
    },
    end: () => ended(),
  };
  async function ended(): Promise<void> {
    look();
    for (const [instrument, known] of since) bare.push(lasted(instrument, known));
    const ids = [...new Set(account.orders.map(({ clOrdId }) => clOrdId).filter((id) => id !== ""))];
    const ours = await store.ordersByClientId(ids);
    for (const order of account.orders) {
      const name = order.clOrdId || order.algoClOrdId;
      if (name === "") continue;
      const mine =
        ours.get(order.clOrdId) ?? (await store.ordersByClientId([order.algoClOrdId])).get(order.algoClOrdId);
      if (mine === undefined) {
        broke("no order is an orphan", `${name} is at the venue alone`);
        continue;
      }
      const age = order.cTime - millis(mine.decidedAt);
      if (!isOfPosition(mine) && age > TTL_MS) broke("no old decision is sent", `${name}, ${age} ms after it`);
      if (!big(mine.filledSize).eq(order.accFillSz))
        broke("books are the venue's", `${name}: ${mine.filledSize} of ${order.accFillSz} booked, ${mine.status}`);
      if (!big(mine.fees).neg().eq(order.fee))
        broke("books are the venue's", `${name}: fees ${mine.fees}, ${order.fee}`);
    }
    for (const { order, seq, reason } of await faults())
      broke("every order's record is whole", `${order} ${seq}: ${reason}`);
    const { state, lifts } = await store.control("demo");
    if (state === "REDUCING" && lifts.length > 0) broke("a break that is over lifts itself", lifts.join(", "));
    const open = [...(await store.unclaimed("demo")), ...(await store.ordersAtVenue("demo"))];
    for (const { clientOrderId, status } of open) broke("every order ends", `${clientOrderId} is ${status}`);
    const booked = await store.openPositions({ mode: "demo", venue: "paper" });
    for (const { id } of INSTRUMENTS) {
      const mine = big(await store.held({ mode: "demo", venue: "paper" }, id));
      const theirs = heldOf(account, id);
      if (!mine.eq(theirs)) broke("books are the venue's", `${id}: ${mine.toFixed()} held, ${theirs.toFixed()} there`);
      const row = booked.find(({ instrument }) => instrument === id);
      if (!big(row?.contracts ?? 0).eq(theirs))
        broke("books are the venue's", `${id}: position ${row?.contracts ?? "none"}`);
      const waiting = account.algos.filter((algo) => isLive(algo) && algo.instId === id);
      if (theirs.eq(0) && waiting.length > 0) broke("no stop outlives its position", `${id}: ${waiting.length}`);
      const stops = waiting.filter(({ sl }) => sl !== null);
      if (stops.length > 1) broke("one stop a position", `${id}: ${stops.length}`);
      const legs = waiting.reduce((all, { sl, sz }) => (sl === null && sz !== "" ? all.plus(sz) : all), big(0));
      if (legs.gt(theirs.abs()))
        broke("take-profits take no more than is held", `${id}: ${legs.toFixed()} of ${theirs.toFixed()}`);
    }
    if (!big(gap).eq(0)) broke("equity is explained by its bills", `a gap of ${gap}`);
    const cash = big(account.cash.USDT ?? 0);
    const bills = account.bills.reduce((sum, { balChg }) => sum.plus(balChg), big(initial));
    if (!cash.eq(bills))
      broke("equity is explained by its bills", `the venue's own: ${cash.toFixed()}, ${bills.toFixed()}`);
  }
}
