import type { StoredControl } from "#trading/control";
import { isOurs } from "#trading/orders/client-order-id";
import { agreesAgain, type Comparison, instrumentOf, isUnseen, mayLift } from "#trading/positions/comparison";
import { type FillCause, type ForeignFill, isAlarming } from "#trading/positions/fill";
import { type Break, tripOf } from "#trading/positions/reconcile";
import { isLegId } from "#trading/protection/leg-id";
import { isStopId } from "#trading/protection/stop-id";
import type { AccountFacts, Run, TradingStore } from "#trading/store";
import type { VenueOrder } from "#trading/venue";
import { ZERO } from "#units/decimal";

/** The account whose kill switch is looked after, as a reconciliation has found it. */
interface Account {
  readonly store: TradingStore;
  readonly run: Run;
  /** The instruments that the desk trades. */
  readonly ids: readonly string[];
  /** How each instrument stands. */
  readonly standing: ReadonlyMap<string, Comparison>;
  /** Its books after the run. */
  readonly facts: AccountFacts;
}

/** What the triggers of the kill switch look at besides the stored health. */
export interface Seen {
  readonly breaks: readonly Break[];
  readonly foreign: readonly ForeignFill[];
  /** Open orders that the books do not have. */
  readonly waiting: readonly VenueOrder[];
  readonly impossibleFills: number;
  readonly credentialError: boolean;
  /** Whether the bills explain the balance, or had time to: until then a withdrawal looks like a loss. */
  readonly isExplained: boolean;
}

const NO_HEALTH = { equity: ZERO, dayStart: ZERO, peak: ZERO, rejects: 0 };

/** Evaluates the triggers of the kill switch: tightens it when one has fired, else lifts what has lifted itself. */
export async function tripAccount(
  job: Account,
  { foreign, waiting, isExplained, ...seen }: Seen,
): Promise<StoredControl | null> {
  const { store, run, standing, facts } = job;
  const { account, at, by, policy } = run;
  const known = facts.health ?? NO_HEALTH;
  // A run whose bills are not known fails, one that they do not explain leaves a gap: both ring. Plans go on to be held against
  // its equity as it is.
  const health = isExplained ? known : { ...known, peak: known.equity, dayStart: known.equity };
  const unknown = facts.atVenue.filter((order) => order.status === "unknown");
  const unknownSince = unknown.flatMap((order) => order.expiresAt ?? []);
  const rows = [...standing.values()];
  const unseen = rows.filter((row) => isUnseen(row, at, policy)).map((row) => row.instrument);
  // A run that ended before it tightened left them behind; one that a person has seen since is over.
  const fills = [...foreign, ...facts.foreign];
  const alarms = alarmsOf(job, fills.filter(isAlarming));
  const external = policy.external === "halt" ? externalOf(job, fills, waiting) : [];
  const lifted = rows.filter((row) => !mayLift(row, at, policy)).map((row) => row.instrument);
  const found = tripOf({ ...health, ...seen, at, unknownSince, unseen, lifted, alarms, external }, policy);
  return found === null ? liftAgain(job) : store.tighten(account.mode, { ...found, actor: by, at });
}

const SAID: Partial<Record<FillCause, string>> = { lost: "an order of the desk's that its books do not have" };

/** Returns what a person has to look at before anything is opened again: what the venue did, was adopted, or is held off the list. */
function alarmsOf({ facts, ids }: Account, fills: readonly ForeignFill[]): string[] {
  const off = facts.open.filter(({ instrument }) => !ids.includes(instrument));
  return [
    ...fills.map(
      ({ instrument, cause, side, size }) => `${instrument}: ${SAID[cause] ?? cause}, ${side} ${size} contracts`,
    ),
    ...off.map(
      ({ instrument, contracts }) => `${instrument}: ${contracts} contracts are held and it is not traded any more`,
    ),
  ];
}

/** By its form: an order that a stop has placed is not in the books yet. */
const isDesks = (mode: Run["account"]["mode"], id: string | null): boolean =>
  isOurs(mode, id) || isStopId(mode, id) || isLegId(mode, id);

const EXTERNAL: readonly FillCause[] = ["hand", "adopted"];

/** Returns what others have traded, held before, or have waiting on the instruments of the desk. */
function externalOf(
  { run: { account }, ids }: Account,
  fills: readonly ForeignFill[],
  waiting: readonly VenueOrder[],
): string[] {
  const traded = fills.filter(({ instrument, cause }) => ids.includes(instrument) && EXTERNAL.includes(cause));
  const open = waiting.filter(
    ({ instrument, clientOrderId: id }) => ids.includes(instrument) && !isDesks(account.mode, id),
  );
  return [
    ...traded.map(({ instrument, cause, side, size }) => `${instrument}: ${cause}, ${side} ${size} contracts`),
    ...open.map(({ instrument, side, size, venueOrderId }) => `${instrument}: order ${venueOrderId}, ${side} ${size}`),
  ];
}

/** Lifts a kill switch whose every cause is gone for good, when they are causes that lift themselves. */
async function liftAgain({ store, run, standing }: Account): Promise<StoredControl | null> {
  const { account, at, by, policy } = run;
  const now = await store.control(account.mode);
  if (now.state === "ACTIVE") return now.changedAt === at && now.actor === by ? now : null;
  if (now.state !== "REDUCING") return null;
  const causes = now.lifts.map((cause) => standing.get(instrumentOf(cause)));
  if (causes.length === 0 || !causes.every((row) => row && agreesAgain(row, at, policy) && mayLift(row, at, policy)))
    return null;
  const reason = `lifted itself: books and venue agree again (${now.lifts.join(", ")})`;
  return store.lift(account, now, { reason, actor: by, at });
}
