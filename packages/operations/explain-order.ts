import { explainText } from "#reporting/explain-text";
import type { Explanation } from "#reporting/explanation";
import { plain } from "#reporting/plain";
import type { Books } from "./site.ts";

/** The name means no order, or several; which it could mean stands in the message. */
export class NoSuchOrderError extends Error {
  override name = "NoSuchOrderError";
  constructor(desk: string, order: string, why: string, candidates: readonly string[]) {
    super([`${desk}: ${plain(order, 100)}: ${why}`, ...candidates].join("\n"));
  }
}

/** Returns what a desk's books keep of an order. @throws NoSuchOrderError */
export async function explainedOrder({ name, ask }: Books, order: string): Promise<Explanation> {
  const reply = await ask({ act: "explain", order });
  if (reply.found) return reply.explanation;
  const candidates = reply.candidates.map(
    ({ id, clientOrderId, text }) => `  ${id} ${plain(clientOrderId, 40)} ${text}`,
  );
  throw new NoSuchOrderError(name, order, reply.why, candidates);
}

/** Returns an explanation as it is printed: for a person, or whole as JSON. */
export const explanationText = (explanation: Explanation, isJson: boolean): string =>
  isJson ? `${JSON.stringify(explanation, null, 2)}\n` : `${explainText(explanation).trimEnd()}\n`;
