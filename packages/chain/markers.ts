import type { EventType } from "./event.ts";
import type { LabelBook } from "./labels.ts";
import { isMoney, isStaked, signOf } from "./leg.ts";
import type { Leg, Move } from "./net.ts";
import { ZERO_ADDRESS } from "./tokens.ts";

/** A leg that becomes an event, as what and which way: +1 the wallet gained the asset, -1 it lost it, 0 no direction. */
export interface Role {
  readonly leg: Leg;
  readonly type: EventType;
  readonly direction: -1 | 0 | 1;
}

interface Marked {
  readonly roles: readonly Role[];
  readonly venue: string | null;
}

/**
 * Returns the legs of a wallet that a labelled lending pool named in its log, or null. A leg out is a supply or a
 * repayment, a leg in a withdrawal or a loan, as the log says; both at once on one side is not decided here.
 */
export function lendingVerdict({ marks, wallet }: Move, known: readonly Leg[], labels: LabelBook): Marked | null {
  const own = marks.lending.filter((mark) => labels.as(mark.contract, "lending") && mark.parties.includes(wallet));
  const [first] = own;
  if (!first) return null;
  const actions = new Set(own.map((mark) => mark.action));
  const side = (leg: Leg): readonly EventType[] =>
    (leg.amount < 0n ? (["lend", "repay"] as const) : (["unlend", "borrow"] as const)).filter((a) => actions.has(a));
  const roles = known.flatMap((leg): Role[] => {
    const [type, other] = side(leg);
    return type && !other ? [{ leg, type, direction: signOf(leg) }] : [];
  });
  if (roles.length !== known.length) return null;
  return { roles, venue: labels.as(first.contract, "lending")?.name ?? null };
}

/** Returns ether that became a staked claim, or came back from one, by minting, burning or a staking contract; or null. */
export function stakingVerdict(known: readonly Leg[], labels: LabelBook): Marked | null {
  const [eth, ...moreEther] = known.filter((leg) => leg.token?.asset === "ETH");
  const claims = known.filter((leg) => isStaked(leg));
  if (moreEther.length > 0 || claims.length + (eth ? 1 : 0) !== known.length) return null;
  if (!eth) return rewrapped(claims);
  const [claim] = claims;
  if (!claim) {
    const [party, other] = eth.counterparties;
    const label = party !== undefined && other === undefined ? labels.as(party, "staking") : null;
    return label && staked(eth, label.name);
  }
  const opposite = claims.length === 1 && signOf(eth) !== signOf(claim);
  return opposite && fromZero(claim) ? staked(eth, claim.token?.symbol ?? null) : null;
}

const fromZero = (leg: Leg): boolean => leg.counterparties.includes(ZERO_ADDRESS);

const staked = (eth: Leg, venue: string | null): Marked => ({
  roles: [{ leg: eth, type: signOf(eth) < 0 ? "stake" : "unstake", direction: signOf(eth) }],
  venue,
});

/** One staked claim for another, minted or burned: stETH and wstETH. */
function rewrapped(claims: readonly Leg[]): Marked | null {
  const [one, two, three] = claims;
  if (!one || !two || three || signOf(one) === signOf(two) || !claims.some(fromZero)) return null;
  const into = signOf(one) > 0 ? one : two;
  return { roles: [{ leg: into, type: "wrap", direction: 0 }], venue: null };
}

/**
 * Returns legs that went into a pool against its own token or position, or came out of it; or null. Asked only of what
 * did not also swap: a pool that says Mint or Burn may be somebody else's business in the same transaction.
 */
export function liquidityVerdict({ marks, transaction, wallet }: Move, legs: readonly Leg[]): Marked | null {
  if (transaction.from !== wallet) return null;
  const known = legs.filter((leg) => leg.token);
  const shares = legs.filter((leg) => !leg.token);
  const out = known.every((leg) => leg.amount < 0n);
  const into = known.every((leg) => leg.amount > 0n);
  const pools = new Set([...marks.minted, ...marks.burned]);
  const touchesPool = legs.some(
    (leg) => pools.has(leg.address) || leg.counterparties.some((party) => pools.has(party)),
  );
  const added =
    out && marks.minted.length > 0 && (touchesPool || shares.some((leg) => leg.amount > 0n && fromZero(leg)));
  const removed = into && marks.burned.length > 0 && marks.minted.length === 0 && marks.swaps.length === 0;
  if (!added && !removed) return null;
  const risky = known.filter((leg) => !isMoney(leg));
  const type = added ? "liquidity_add" : "liquidity_remove";
  const roles = (risky.length > 0 ? risky : known.slice(0, 1)).map(
    (leg): Role => ({ leg, type, direction: signOf(leg) }),
  );
  return { roles, venue: null };
}
