import { type DeskHealth, deskHealth, latestBiases, orderPage, positionList } from "#db/reading/overview";
import type { ProgressStream } from "#host/progress";
import { cut } from "#host/text-columns";
import { minute, plural, signed, signedMoney, span } from "#reporting/format";
import { orderText, orderWhy } from "#reporting/order-text";
import { plain } from "#reporting/plain";
import type { BiasLine, OrderLine, PositionLine } from "#reporting/report";
import { readSettings } from "#runtime/config";
import { policyOf } from "#trading/plans/policy";
import { big, decimalOf } from "#units/decimal";
import { type Instant, millis } from "#units/time";
import type { Laptop } from "../laptop.ts";

/** Where a live desk stands. */
export interface LiveStatus {
  readonly at: Instant;
  readonly health: DeskHealth;
  /** Events analyzed since the start of this process. */
  readonly events: number;
  /** The newest 4 h bias of each asset. */
  readonly biases: readonly BiasLine[];
  /** Newest first. */
  readonly orders: readonly OrderLine[];
  readonly open: readonly PositionLine[];
  readonly deadLetters: number;
  /** The newest error of a job, while it is fresh. */
  readonly problem: string | null;
}

const NEWEST_ORDERS = 20;

/** Returns where the desk stands at `at`. */
export async function liveStatus(desk: Laptop, at: Instant, problem: string | null): Promise<LiveStatus> {
  const { db } = desk.database;
  const settings = readSettings();
  const { chain, mode, venue } = settings;
  const biases = await latestBiases(db, null);
  return {
    at,
    health: await deskHealth(db, chain, mode),
    events: desk.received("events"),
    biases: biases.filter((line) => line.timeframe === "4h"),
    orders: await orderPage(db, { mode, venue }, { status: null, before: null }, NEWEST_ORDERS),
    open: await positionList(db, { mode, venue }, policyOf(settings), "open", NEWEST_ORDERS),
    deadLetters: desk.deadLetters().length,
    problem,
  };
}

/** Returns the status as one line: the most telling parts first, so that a narrow terminal loses the least. */
export function statusLine(status: LiveStatus): string {
  const { block, cursor, trading } = status.health;
  const waiting = block && cursor ? Math.max(0, cursor.sent - block.number) : 0;
  const bare = status.open.filter(({ uncovered }) => uncovered !== null && big(uncovered).gt(0));
  const unrealized = status.open.reduce((sum, position) => sum.plus(position.unrealizedUsd ?? 0), big(0));
  return [
    status.at.slice(11, 19),
    block === null ? "waiting for the first block" : `block ${block.number}`,
    ...(block === null ? [] : [`${span(block.at, status.at)} behind`]),
    ...(waiting > 1 ? [`${waiting} blocks waiting`] : []),
    ...(bare.length === 0 ? [] : [`NO STOP for ${bare.map(({ asset }) => plain(asset)).join(", ")}`]),
    ...(status.problem === null ? [] : ["TROUBLE"]),
    ...(status.deadLetters > 0 ? [plural(status.deadLetters, "dead letter")] : []),
    plural(status.events, "event"),
    ...(status.biases.length > 0
      ? [`4 h bias ${status.biases.map((line) => `${plain(line.asset)} ${signed(line.value)}`).join(" ")}`]
      : []),
    status.open.length === 0
      ? "flat"
      : `${plural(status.open.length, "position")} ${signedMoney(decimalOf(unrealized.toFixed(2)))}`,
    ...(trading && trading.state !== "ACTIVE" ? [`trading ${trading.state}: ${plain(trading.reason, 80)}`] : []),
  ].join("  ");
}

/** What is written while the desk runs. */
export interface LiveDisplay {
  /** Shows a status: news as lines of their own, then the status line. */
  show(status: LiveStatus): void;
  /** Ends the status line, so that other text can follow. */
  done(): void;
}

/** Off a terminal a status is a line; so few that a log stays readable. */
const LINE_MS = 60_000;
/** A trouble that stays is reported again after this long. */
const AGAIN_MS = 300_000;

/**
 * Returns a display of a live desk: new orders, reports and troubles as lines that stay, and a status line that is redrawn
 * on a terminal, and written once a minute and with the first block elsewhere. `started`: what is older is no news.
 */
export function liveDisplay(stream: ProgressStream, started: LiveStatus): LiveDisplay {
  const isTerminal = stream.isTTY === true;
  const told = new Set(started.orders.map(toldAs));
  let report = started.health.report?.id ?? null;
  let trouble = { text: "", ms: Number.NEGATIVE_INFINITY };
  let lineAt = Number.NEGATIVE_INFINITY;
  let open = false;
  let isFollowing = false;
  const keep = (text: string): void => void stream.write(`${isTerminal ? "\r\u001b[K" : ""}${text}\n`);
  const news = (status: LiveStatus): void => {
    for (const order of status.orders.filter((one) => !told.has(toldAs(one))).reverse()) {
      told.add(toldAs(order));
      keep(`order: ${orderText(order)} · ${orderWhy(order)}`);
    }
    const built = status.health.report;
    if (built && built.id !== report) keep(`${minute(built.end)} a report is ready: GET /api/reports/latest`);
    report = built?.id ?? null;
    const { problem } = status;
    const ms = millis(status.at);
    if (problem === null || (problem === trouble.text && ms - trouble.ms < AGAIN_MS)) return;
    trouble = { text: problem, ms };
    keep(`${status.at.slice(11, 19)} trouble: ${plain(problem, 200)}`);
  };
  return {
    show: (status) => {
      news(status);
      const text = statusLine(status);
      if (isTerminal) stream.write(`\r\u001b[K${cut(text, (stream.columns || 80) - 1)}`);
      else if (millis(status.at) - lineAt >= LINE_MS || isFollowing !== (status.health.block !== null)) {
        lineAt = millis(status.at);
        stream.write(`${text}\n`);
      }
      open = isTerminal;
      isFollowing = status.health.block !== null;
    },
    done: () => {
      if (open) stream.write("\n");
      open = false;
    },
  };
}

/** An order is news again when its state changes. */
const toldAs = (order: OrderLine): string => `${order.id} ${order.status}`;
