import type { ProbeAnswer } from "#runtime/okx/prober";
import type { Bench } from "./bench.ts";

/** `differs` = the venue does something else than the desk expects; `not asked` = it could not be learnt. */
export type Verdict = "pass" | "differs" | "not asked";

/** What came of one check. */
export interface Finding {
  readonly name: string;
  readonly verdict: Verdict;
  /** Whether the desk goes by it. What it does not go by is only told. */
  readonly reliedOn: boolean;
  readonly asks: string;
  /** The venue's words; the code first where there is one. */
  readonly answer: string;
  readonly code: string | null;
  /** What that means for the desk, and what to do where there is something to do. */
  readonly means: string;
}

/** What a check has seen: whether it is as expected, or null when it could not be learnt. */
export interface Seen {
  readonly asExpected: boolean | null;
  readonly code: string | null;
  readonly answer: string;
}

/** One question to the venue that posts orders, in demo alone. */
export interface OrderCheck {
  readonly name: string;
  readonly reliedOn: boolean;
  readonly asks: string;
  readonly passes: string;
  readonly differs: string;
  readonly look: (bench: Bench) => Promise<Seen>;
}

/** Returns what an answer says, as a person reads it. */
export const said = ({ code, reason }: ProbeAnswer): string =>
  code === null ? `no answer: ${reason}` : `${code}${reason === "" ? "" : ` ${reason}`}`;

/** Returns what is seen of an answer that should have one of these codes. */
export const wants = (answer: ProbeAnswer, ...codes: readonly string[]): Seen => ({
  asExpected: answer.code === null ? null : codes.includes(answer.code),
  code: answer.code,
  answer: said(answer),
});

/** Returns what could not be learnt, and why. */
export const unlearnt = (why: string, code: string | null = null): Seen => ({ asExpected: null, code, answer: why });

const VERDICTS = new Map<boolean | null, Verdict>([
  [true, "pass"],
  [false, "differs"],
  [null, "not asked"],
]);

/** Returns what came of a check. */
export function findingOf(check: Omit<OrderCheck, "look">, { asExpected, code, answer }: Seen): Finding {
  const { name, reliedOn, asks, passes, differs } = check;
  const verdict = VERDICTS.get(asExpected) ?? "not asked";
  const means = asExpected === null ? "nothing is known of it: run the check again" : asExpected ? passes : differs;
  return { name, verdict, reliedOn, asks, answer, code, means };
}
