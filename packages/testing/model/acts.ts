import { changeBoth } from "#desk/control-object";
import type { PaperEngine } from "#doubles/venue/venue";
import { objectOf } from "#trading/control-object";
import type { PlannedBias } from "#trading/plans/plan";
import { type Big, big, decimalOf, text } from "#units/decimal";
import { idOf } from "#units/ids";
import { instant } from "#units/time";
import type { Board } from "./desk.ts";
import type { Watch } from "./laws.ts";
import { INSTRUMENTS } from "./market.ts";
import type { Queues } from "./queues.ts";
import type { Step } from "./schedule.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Stage } from "./stage.ts";

/** What steps act on. */
export interface Scene {
  readonly scheduler: Scheduler;
  readonly engine: PaperEngine;
  readonly stage: Stage;
  readonly watch: Watch;
  readonly queues: Queues;
  readonly board: Board;
}

const EVENT = idOf("event", "1");
const WALLET = idOf("wallet", "ethereum", "0x1");

/** A bias is written, and a plan is asked for. */
async function lean({ scheduler, stage, queues }: Scene, { instrument: index, amount }: Step): Promise<void> {
  const { id, asset } = INSTRUMENTS[index as 0 | 1];
  const at = instant(scheduler.now());
  const value = amount / 101; // never the whole of it
  const contributions = [{ event_id: EVENT, wallet_id: WALLET, contribution: value, credibility: 9 }];
  const bias: PlannedBias = { at, value, confidence: 0.9, contributions, components: { contributions } };
  await stage.lean(asset, bias);
  const plan = { lane: `demo:${id}`, mode: "demo", asset, instrument: id, at };
  queues.send([{ queue: "plans", body: JSON.stringify(plan), group: plan.lane, dedupe: null, delayMs: 0 }]);
}

type Cause = "trade" | "liquidation" | "partial_liquidation" | "adl";

/** Somebody else trades: a person at the venue's own page, or the venue by itself. */
function others({ engine, watch, scheduler }: Scene, { act, instrument: index, amount }: Step): void {
  const { id } = INSTRUMENTS[index as 0 | 1];
  const held = big(engine.account.positions.find(({ instId }) => instId === id)?.contracts ?? 0);
  const part = held.abs().times(Math.abs(amount)).div(100).round(1, 0);
  const some = part.eq(0) ? held.abs() : part;
  const away = held.gt(0) ? "sell" : "buy";
  const trade = (side: "buy" | "sell", size: Big, cause: Cause) => {
    watch.others(id);
    try {
      engine.trade({ instId: id, side, size, cause });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      scheduler.note(`nothing left: ${error.message}`); // a stop fired as the venue's time went on
    }
    watch.look();
  };
  if (held.eq(0)) {
    if (act === "by-hand") trade(amount > 0 ? "buy" : "sell", big(1), "trade");
  } else if (act === "by-hand") trade(away, amount > 0 ? held.abs() : some, "trade");
  else if (act === "adl") trade(away, some, "adl");
  else if (amount > 0) trade(away, held.abs(), "liquidation");
  else trade(away, some, "partial_liquidation");
}

/** An operator tightens: by the object alone, as `halt --venue` does, or on both. */
async function tighten({ scheduler, stage: { store }, board: { plain } }: Scene, to: "HALTED" | "REDUCING") {
  const change = { state: to, reason: "asked", actor: "anna", at: instant(scheduler.now()) };
  if (to === "REDUCING") {
    await changeBoth(store, plain, { ...change, mode: "demo", to }, () => store.tighten("demo", change));
    return;
  }
  const { reason, actor, at: changedAt } = change;
  await plain.write({
    ...objectOf("demo", await store.control("demo")),
    state: to,
    reason,
    actor,
    changedAt,
    booked: false,
  });
}

/** Carries out a step of a schedule. */
export async function actOut(scene: Scene, step: Step): Promise<void> {
  const { scheduler, engine, queues, watch } = scene;
  const { act, amount } = step;
  const { id } = INSTRUMENTS[step.instrument as 0 | 1];
  scheduler.note(`${act} ${id} ${amount}`);
  switch (act) {
    case "lean":
      return lean(scene, step);
    case "by-hand":
    case "liquidation":
    case "adl":
      return others(scene, step);
    case "transfer":
      engine.transfer(text(amount === 0 ? 1 : amount * 300));
      return;
    case "halt":
      return tighten(scene, "HALTED");
    case "reduce":
      return tighten(scene, "REDUCING");
    case "part":
      return engine.part(id, decimalOf((1 + amount / 10_000).toFixed(4)), decimalOf("1"));
    case "freeze":
      for (const frozen of scheduler.freeze(Math.abs(amount) * 300)) watch.hindered(frozen, true);
      return;
    case "again":
      queues.repeat();
  }
}
