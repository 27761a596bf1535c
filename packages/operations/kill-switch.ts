import type { Arguments, Command, Option } from "#host/cli";
import type { ControlState } from "#trading/plans/limits";
import { type Instant, instant } from "#units/time";
import { actorOf, PERSON_NOTES, PERSON_OPTIONS, reasonOf } from "./person.ts";
import { type Books, openBooks, type SiteOptions } from "./site.ts";
import { BOOKS_NOTES, SITE_OPTIONS, siteOf } from "./site-options.ts";

/** What a person asks of the kill switch. */
export interface Wanted {
  /** Null: the state that it has, in a new epoch. */
  readonly to: ControlState | null;
  readonly confirmed: boolean;
  readonly mappings: "disabled" | "enabled" | null;
  readonly actor: string;
  readonly reason: string;
  readonly at: Instant;
}

/** What was asked for would loosen the kill switch, and something speaks against it. */
export class RefusedError extends Error {
  override name = "RefusedError";
  constructor(why: string) {
    super(`${why}. Nothing was changed`);
  }
}

const MEANING: Readonly<Record<ControlState, string>> = {
  ACTIVE: "The desk trades.",
  REDUCING: "Only what makes a position smaller leaves now.",
  HALTED: "Only a stop that closes a position leaves now.",
};

/**
 * Changes the kill switch of a desk, in its audit log too, and returns what a person reads of it. A state that it has
 * already is no error, and changes nothing.
 * @throws RefusedError
 */
export async function changeSwitch({ name, mode, ask }: Books, wanted: Wanted): Promise<string> {
  const reply = await ask({ act: "control", mode, ...wanted });
  const { control } = reply;
  const is = `${name}: ${mode} is ${control.state}`;
  if (!reply.done) {
    if (wanted.to !== control.state) throw new RefusedError(`${is}, and stays so: ${reply.why}`);
    const since = `since ${control.changedAt} by ${control.actor}: ${control.reason}`;
    return [`${is} already, epoch ${control.epoch}, ${since}`, "Nothing was changed.", ...behind(reply.object)].join(
      "\n",
    );
  }
  const { state, epoch } = reply.before;
  return [
    `${is}, epoch ${control.epoch} (before: ${state}, epoch ${epoch})`,
    `by ${wanted.actor}: ${wanted.reason}`,
    `${MEANING[control.state]} No order that was approved before this leaves any more.`,
    ...behind(reply.object),
  ].join("\n");
}

/** Says that the control object is behind: then nothing opens, and the reconciler of the desk writes it within a minute. */
const behind = (problem: string | null): string[] =>
  problem === null ? [] : [`The control object does not say so yet (${problem}); until it does, nothing opens.`];

/** Returns a command that changes the kill switch: what every such command takes, and what its help says. */
export const switchCommand = (
  name: string,
  summary: string,
  more: Readonly<Record<string, Option>>,
  notes: readonly string[],
): Command => ({
  usage: `npm run ${name} --`,
  summary,
  options: { ...SITE_OPTIONS, ...PERSON_OPTIONS, ...more },
  notes: [...BOOKS_NOTES, ...PERSON_NOTES, ...notes],
});

/** What a command line asks of the kill switch, apart from the state. */
export interface SwitchOrder {
  readonly options: SiteOptions;
  readonly reason: string;
  /** Asks who it is; of a stage that takes a call to AWS. */
  readonly actor: () => Promise<string>;
}

/** Returns which desk, why and who. @throws UsageError */
export const switchOrderOf = (given: Arguments): SwitchOrder => {
  const options = siteOf(given);
  return { options, reason: reasonOf(given), actor: () => actorOf(given, options.stage) };
};

/** Changes the kill switch of the desk that a command line names, and returns what a person reads of it. @throws RefusedError */
export async function carryOutSwitch(
  { options, reason, actor }: SwitchOrder,
  wanted: Pick<Wanted, "to" | "confirmed" | "mappings">,
): Promise<string> {
  const books = await openBooks(options);
  try {
    return await changeSwitch(books, { ...wanted, actor: await actor(), reason, at: instant(Date.now()) });
  } finally {
    await books.close();
  }
}
