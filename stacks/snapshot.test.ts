import { describe, expect, test } from "vitest";
import { aTarget, synthesise } from "#testing/synthesise";

// Every resource of every stack, as CloudFormation would get it, so that a review sees what a change deploys.
// npx vitest run stacks/snapshot.test.ts -u writes them again.

/** Leaves out what is the same on every resource, and CDK's hash of a function's version. */
function legible(value: unknown, key = ""): unknown {
  if (key === "Tags") return undefined;
  if (typeof value === "string")
    return value.replace(/(CurrentVersion)[0-9A-Fa-f]{40}/g, "$1").replace(/\b[0-9a-f]{64}\b/g, "HASH");
  if (Array.isArray(value)) return value.map((one) => legible(one));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [legible(name), legible(inner, name)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

describe.each([
  aTarget({ stage: "dev", database: "external" }),
  aTarget({
    stage: "live",
    database: "aurora",
    alarmEmail: "desk@example.com",
    viewers: ["203.0.113.7/32", "2001:db8::/48"],
  }),
])("$stage on $database", (target) => {
  const { templates } = synthesise(target);
  test.each([...templates])("%s", async (stack, template) => {
    const { Resources, Outputs } = legible(template) as { Resources: unknown; Outputs?: unknown };
    const text = `${JSON.stringify({ Resources, Outputs }, null, 1)}\n`;
    await expect(text).toMatchFileSnapshot(`snapshots/${target.stage}-${target.database}/${stack}.json`);
  });
});
