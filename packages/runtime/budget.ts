import type { Context } from "aws-lambda";
import { abandonServices } from "./services.ts";

/** A job was still at work when its function's time was all but over. Its message is delivered again. */
export class TimeBudgetError extends Error {
  override name = "TimeBudgetError";
  readonly job: string;
  readonly budgetMs: number;
  constructor(job: string, budgetMs: number) {
    super(`${job} was not done within the ${Math.round(budgetMs)} ms that its function had left for it`);
    this.job = job;
    this.budgetMs = budgetMs;
  }
}

/** What an invocation keeps back to answer in time: a function that Lambda ends answers nothing, and fails its whole batch. */
const RESERVE_MS = 1000;

/**
 * Returns what `work` returns. When the function's time is nearly over first, every service of the process is closed, so
 * that the work cannot go on behind the next invocation's back.
 * @throws TimeBudgetError then, and at once where no time is left to begin.
 */
export async function withinBudget<T>(
  job: string,
  { getRemainingTimeInMillis }: Pick<Context, "getRemainingTimeInMillis">,
  work: () => Promise<T>,
): Promise<T> {
  const budgetMs = getRemainingTimeInMillis() - RESERVE_MS;
  if (budgetMs <= 0) throw new TimeBudgetError(job, 0);
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeBudgetError(job, budgetMs)), budgetMs);
  try {
    return await Promise.race([work(), over]);
  } catch (error) {
    if (error instanceof TimeBudgetError) await abandonServices();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
