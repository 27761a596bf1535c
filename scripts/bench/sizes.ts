import type { FunctionName } from "#topology/functions";
import { type Budget, budgetOf } from "../../stacks/budgets.ts";
import { bundledJobs, bundleHandlers } from "../../stacks/bundle/bundle.ts";

/** A handler's bundle against its budget. */
export interface SizedBundle {
  readonly job: FunctionName;
  readonly directory: string;
  readonly bytes: number;
  readonly budget: Budget;
}

/** Bundles every handler into `dist/functions` and returns the sizes, in order of flow. */
export async function sizedBundles(): Promise<SizedBundle[]> {
  const needs = new Map(bundledJobs().map((entry) => [entry.job, entry]));
  return (await bundleHandlers()).map(({ job, directory, bytes }) => ({
    ...{ job, directory, bytes },
    budget: budgetOf({ job, needs: needs.get(job)?.needs ?? [] }),
  }));
}
