import type { StoredControl } from "#trading/control";
import type { StoredOrder } from "#trading/orders/stored-order";
import { agreesAgain, type Comparison, instrumentOf, isUnseen, mayLift } from "#trading/positions/comparison";
import { type FillCause, type ForeignFill, isAlarming } from "#trading/positions/fill";
import { type Break, tripOf } from "#trading/positions/reconcile";
import type { Run, TradingStore } from "#trading/store";
import { ZERO } from "#units/decimal";

/** The account whose kill switch is looked after, as a reconciliation has found it. */
interface Account {
  readonly store: TradingStore;
  readonly run: Run;
  /** The instruments that the desk trades. */
  readonly ids: readonly string[];
  /** How each instrument stands. */
  readonly standing: ReadonlyMap<string, Comparison>;
}

/** What the triggers of the kill switch look at besides the stored health. */
export interface Seen {
  readonly breaks: readonly Break[];
  readonly foreign: readonly ForeignFill[];
  readonly impossibleFills: number;
  readonly credentialError: boolean;
  readonly left: readonly StoredOrder[];
}

const NO_HEALTH = { equity: ZERO, dayStart: ZERO, peak: ZERO, rejects: 0 };

/** Evaluates the triggers of the kill switch: tightens it when one has fired, else lifts what has lifted itself. */
export async function tripAccount(job: Account, { left, foreign, ...seen }: Seen): Promise<StoredControl | null> {
  const { store, run, standing } = job;
  const { account, at, by, policy } = run;
  const health = (await store.health(account, at)) ?? NO_HEALTH;
  const unknown = left.filter((order) => order.status === "unknown");
  const unknownSince = unknown.flatMap((order) => order.expiresAt ?? []);
  const rows = [...standing.values()];
  const unseen = rows.filter((row) => isUnseen(row, at)).map((row) => row.instrument);
  const alarms = await alarmsOf(job, foreign);
  const lifted = rows.filter((row) => !mayLift(row, at)).map((row) => row.instrument);
  const found = tripOf({ ...health, ...seen, at, unknownSince, unseen, lifted, alarms }, policy);
  return found === null ? liftAgain(job) : store.tighten(account.mode, { ...found, actor: by, at });
}

const SAID: Partial<Record<FillCause, string>> = { lost: "an order of the desk's that its books do not have" };

/** Returns what a person has to look at before anything is opened again: what the venue did, was adopted, or is held off the list. */
async function alarmsOf({ store, run, ids }: Account, fresh: readonly ForeignFill[]): Promise<string[]> {
  const { account } = run;
  const { changedAt } = await store.control(account.mode);
  // A run that ended before it tightened left them behind; one that a person has seen since is over.
  const behind = await store.foreignFills(account, changedAt);
  const fills = [...fresh, ...behind].filter(isAlarming);
  const off = (await store.openPositions(account)).filter(({ instrument }) => !ids.includes(instrument));
  return [
    ...fills.map(
      ({ instrument, cause, side, size }) => `${instrument}: ${SAID[cause] ?? cause}, ${side} ${size} contracts`,
    ),
    ...off.map(
      ({ instrument, contracts }) => `${instrument}: ${contracts} contracts are held and it is not traded any more`,
    ),
  ];
}

/** Lifts a kill switch whose every cause is gone for good, when they are causes that lift themselves. */
async function liftAgain({ store, run, standing }: Account): Promise<StoredControl | null> {
  const { account, at, by } = run;
  const now = await store.control(account.mode);
  if (now.state === "ACTIVE") return now.changedAt === at && now.actor === by ? now : null;
  if (now.state !== "REDUCING") return null;
  const causes = now.lifts.map((cause) => standing.get(instrumentOf(cause)));
  if (causes.length === 0 || !causes.every((row) => row && agreesAgain(row, at) && mayLift(row, at))) return null;
  const reason = `lifted itself: books and venue agree again (${now.lifts.join(", ")})`;
  return store.lift(account, now, { reason, actor: by, at });
}
