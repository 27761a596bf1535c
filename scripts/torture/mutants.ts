/** One change of one file of the desk. */
export interface Changed {
  readonly file: string;
  /** It is there once. */
  readonly find: string;
  readonly replace: string;
}

/** A change that the model must find. */
export interface Mutant extends Changed {
  readonly name: string;
  /** What else has to be changed for it to matter: another guard of the same. */
  readonly also?: readonly Changed[];
}

/** What a mutant changes is not in its file any more, or is there twice: the list has to follow the code. */
export class MutantError extends Error {
  override name = "MutantError";
  constructor(file: string, find: string) {
    super(`${file} does not have once: ${find}`);
  }
}

/** The mutants of the design, each applied to the file that runs. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "blind retry",
    file: "packages/desk/submit-order.ts",
    find: `return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };`,
    replace: `{
        const reply = await exchange.submit(submissionOf(order, effect.expiresAt));
        if (reply.kind !== "unknown") return { kind: "reply", reply };
        return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };
      }`,
  },
  {
    name: "query, then retry",
    file: "packages/desk/submit-order.ts",
    find: `return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };`,
    replace: `{
        const reply = await exchange.submit(submissionOf(order, effect.expiresAt));
        if (reply.kind !== "unknown") return { kind: "reply", reply };
        if ((await exchange.order(order.instrument, order.clientOrderId)) !== null) return { kind: "reply", reply };
        return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };
      }`,
  },
  {
    name: "no deadline",
    file: "packages/runtime/okx/exchange.ts",
    find: "expTime: String(millis(order.expiresAt)),",
    replace: "expTime: String(millis(order.expiresAt) + 3_600_000),",
  },
  {
    name: "deadline at send",
    file: "packages/desk/submit-order.ts",
    find: `return { kind: "reply", reply: await exchange.submit(submissionOf(order, effect.expiresAt)) };`,
    replace: `{
        const late = instant(millis(await exchange.now()) + DEADLINE_MS);
        return { kind: "reply", reply: await exchange.submit(submissionOf(order, late)) };
      }`,
  },
  {
    name: "compare-and-set without version",
    file: "packages/testing/memory/orders.ts",
    find: "if (stored?.status !== order.status || stored.version !== order.version) return null;",
    replace: "if (stored === undefined) return null;",
    // In SQL the key of `order_events` refuses a second event of one number, and so does its twin here: without the
    // compare-and-set a late writer fails, and its message comes again. Both have to go before an update is lost. That
    // each of the two holds alone on PostgreSQL is db/trading/store-races.test.ts's.
    also: [
      {
        file: "packages/testing/memory/orders.ts",
        find: "if (chain.some(({ seq }) => seq === row.seq)) throw",
        replace: "if (chain.some(({ seq }) => seq === row.seq && row.seq < 0)) throw",
      },
    ],
  },
  {
    name: "a delivery posts whose claim was lost",
    file: "packages/trading/orders/submission.ts",
    find: `if (!won) return "left";`,
    replace: "void won;",
  },
  {
    name: "stop not placed after a partial fill",
    file: "packages/desk/stops/cover-position.ts",
    find: `  const covered = coveredOf(looked, run.policy.adoptedStop);
`,
    replace: `  if (looked.orders.some(({ order, found }) => order.instrument === instrument.id && found !== null && big(found.filledSize).lt(order.size))) return null;
  const covered = coveredOf(looked, run.policy.adoptedStop);
`,
  },
  {
    name: "exposure from the database, not the venue",
    file: "packages/trading/protection/exposure.ts",
    find: "  if (venue === null) return byFills;",
    replace: "  return byFills;",
  },
  {
    name: "accFillSz ignored by the exposure",
    file: "packages/trading/protection/exposure.ts",
    find: `  if (found === null) return ZERO;
`,
    replace: `  return ZERO;
`,
  },
  {
    name: "accFillSz ignored by the order's end",
    file: "packages/trading/positions/reconcile.ts",
    find: "AT_VENUE.includes(order.status) && big(booked).gte(found.filledSize);",
    replace: "AT_VENUE.includes(order.status);",
  },
  {
    name: "stop canceled before its successor is live",
    file: "packages/trading/protection/protect.ts",
    find: `    const amend: Command = { act: "amend", algoId: kept.algoId, trigger };
`,
    replace: `    const amend: Command = { act: "place", side, trigger };
    wrong.push(kept);
`,
  },
  {
    name: "trigger by the last price",
    file: "packages/runtime/okx/stops.ts",
    find: `[\`\${leg}TriggerPxType\`]: "mark"`,
    replace: `[\`\${leg}TriggerPxType\`]: "last"`,
  },
  {
    name: "not reduce-only",
    file: "packages/runtime/okx/stops.ts",
    find: `ordType: "conditional", reduceOnly: true }`,
    replace: `ordType: "conditional", reduceOnly: false }`,
  },
  {
    name: "a ratchet that moves away",
    file: "packages/trading/protection/protect.ts",
    find: "const moves = trigger !== null && isNearer(side, trigger, kept.trigger);",
    replace: "const moves = trigger !== null && !big(trigger).eq(kept.trigger);",
  },
  {
    name: "orphan left after a close",
    file: "packages/trading/protection/protect.ts",
    find: "return isSure ? cancel([...whole, ...spares]) : [];",
    replace: "return [];",
  },
  {
    name: "a refusal in the row read as success",
    file: "packages/runtime/okx/client.ts",
    find: `if (own.success && own.data.sCode !== "0")`,
    replace: `if (own.success && own.data.sCode !== "0" && !name.endsWith("-algo"))`,
  },
  {
    name: "51280 ignored: a passed stop closes nothing",
    file: "packages/desk/stops/cover-position.ts",
    find: `if (reply.kind !== "passed" && !isTooLate) throw`,
    replace: `if (reply.kind === "passed") continue;
    if (!isTooLate) throw`,
  },
  {
    name: "child fills are somebody else's",
    file: "packages/desk/reconcile-account.ts",
    find: "await adoptFired(store, exchange, run, listed, openIn(facts, instrument), told.fills);",
    replace: "void adoptFired;",
  },
  {
    name: "fills by time only",
    file: "packages/desk/reconcile-account.ts",
    find: "looked.flatMap(({ order, found }) => (lacksFills(order, found, fills ?? []) ? [found] : []));",
    replace: "looked.flatMap(({ order, found }) => (lacksFills(order, found, fills ?? []) && false ? [found] : []));",
  },
  {
    name: "one failure ends the run",
    file: "packages/desk/attempt.ts",
    find: `      return null;
`,
    replace: `      throw error;
`,
  },
  {
    name: "a clipped order never ends",
    file: "packages/trading/positions/reconcile.ts",
    find: `  if (isOver && found.state === "filled" && big(booked).gt(0)) return "filled";
`,
    replace: "",
  },
  {
    name: "approved orders are never swept",
    file: "packages/desk/sweep-approved.ts",
    find: "const act = sweepOf(order, at, policy);",
    replace: `const act: string = sweepOf(order, at, policy) === "wait" ? "wait" : "wait";`,
  },
  {
    name: "old decisions are sent",
    file: "packages/trading/orders/claim-look.ts",
    find: "millis(now) - millis(decidedAt) > ttl * 1000;",
    replace: "millis(now) - millis(decidedAt) > ttl * 1000_000;",
  },
  {
    name: "a break on one snapshot",
    file: "packages/trading/positions/comparison.ts",
    find: "): boolean => seen >= breakSnapshots;",
    replace: "): boolean => seen >= Math.min(1, breakSnapshots);",
  },
  {
    name: "REDUCING never lifts",
    file: "packages/desk/trip-account.ts",
    find: `if (now.state !== "REDUCING") return null;`,
    replace: `if (now.state !== "ACTIVE") return null;`,
  },
  {
    name: "REDUCING lifts whatever made it",
    file: "packages/desk/trip-account.ts",
    find: "if (causes.length === 0 || !causes.every(",
    replace: "if (!causes.every(",
    // The store refuses by itself to lift what lists no cause; that SQL does so too is the law of the two stores'.
    also: [
      {
        file: "packages/testing/memory/control.ts",
        find: `now.state !== "REDUCING" || lifts.length === 0 || now.lifts`,
        replace: `now.state !== "REDUCING" || now.lifts`,
      },
    ],
  },
  {
    name: "funding dropped",
    file: "packages/trading/ledger/bill.ts",
    find: `  ["funding", [173, 174]],
`,
    replace: "",
  },
  {
    name: "a transfer is a loss",
    file: "packages/trading/ledger/ledger.ts",
    find: "  if (moved.eq(0) || before.lte(0) || big(equity).lte(0)) return units;",
    replace: "  return units;",
  },
  {
    name: "a balance that no bill explains sets a peak",
    file: "packages/trading/ledger/ledger.ts",
    find: "Big => big(equity).minus(gap ?? 0);",
    replace: "Big => (void gap, big(equity));",
  },
  {
    name: "the halt reads only the database",
    file: "packages/desk/control-object.ts",
    find: "return withArming(mode, fencedControl(mode, booked, seen), armed);",
    replace: "void seen;\n    return withArming(mode, booked, armed);",
  },
  {
    name: "a halt ends stops",
    file: "packages/desk/stops/cover-position.ts",
    find: `const wanted: readonly Command[] = isSpent ? [{ act: "close" }] : laid;`,
    replace: `const isHalted = (await store.control(run.account.mode)).state === "HALTED";
  const wanted: readonly Command[] = isHalted
    ? mine.map(({ algoId }) => ({ act: "cancel", algoId }))
    : isSpent
      ? [{ act: "close" }]
      : laid;`,
  },
  {
    name: "an order has filled what it asked for",
    file: "packages/trading/orders/settle.ts",
    find: "const most = big(booked).gt(order.size) ? order.size : booked;",
    replace: "const most = filled === null ? booked : order.size;",
  },
  {
    name: "a first fill that shows late leaves two open positions",
    file: "packages/trading/positions/position-row.ts",
    find: "id: positionId(account, instrument.id, ordinal),",
    replace: `id: idOf("position", account.mode, account.venue, instrument.id, episode.openedAt),`,
    // The rows that are no episode any more go before the others are written: desk/trading.test.ts (F1) holds SQL to it.
    also: [
      {
        file: "packages/testing/memory/booking.ts",
        find: "for (const id of unaccounted.keys()) books.positions.delete(id);",
        replace: "void unaccounted;",
      },
    ],
  },
];
