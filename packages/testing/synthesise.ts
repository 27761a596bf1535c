import { rmSync } from "node:fs";
import { App, Stack } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";
import { buildStacks } from "../../stacks/index.ts";
import type { Topology } from "../../stacks/jobs.ts";
import { parseTarget, type Target } from "../../stacks/target.ts";

/** One resource of a template, as CloudFormation reads it. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** The templates of a target, by the stack's name without its stage: "pipeline". */
export interface Synthesised {
  readonly target: Target;
  readonly templates: ReadonlyMap<string, Template>;
  readonly stacks: ReadonlyMap<string, Stack>;
}

/** Returns a target as a file would give it, in a region that is not CloudFront's. */
export function aTarget(fields: Partial<Target> & Pick<Target, "stage" | "database">): Target {
  const mailed = fields.stage === "live" ? { alarmEmail: "desk@example.com" } : {};
  const text = JSON.stringify({ region: "eu-central-1", ...mailed, ...fields });
  return parseTarget(text, fields.stage, "a test's target");
}

/**
 * Makes a target's templates without the bundles and without an account: every function has the same line of code.
 * `prepare` sees the app before it is made. @throws what the stacks throw, and what CDK finds wrong with a template.
 */
export function synthesise(target: Target, topology?: Topology, prepare: (app: App) => void = () => {}): Synthesised {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] }, analyticsReporting: false });
  buildStacks(app, target, {
    ...(topology === undefined ? {} : { topology }),
    codeOf: () => Code.fromInline("export const handler = async () => null;"),
  });
  prepare(app);
  const assembly = app.synth();
  const short = (name: string): string => name.replace(`${target.stage}-spyhop-`, "");
  const templates = new Map(
    assembly.stacksRecursively.map((stack) => [short(stack.stackName), stack.template as Template]),
  );
  const stacks = new Map(
    app.node.children.filter((child) => Stack.isStack(child)).map((stack) => [short(stack.stackName), stack]),
  );
  rmSync(assembly.directory, { recursive: true, force: true });
  return { target, templates, stacks };
}

/** Returns every resource of every stack by "stack/logical id". */
export const allResources = ({ templates }: Synthesised): ReadonlyMap<string, Resource> =>
  new Map(
    [...templates].flatMap(([stack, { Resources }]) =>
      Object.entries(Resources).map(([id, resource]): [string, Resource] => [
        `${stack}/${id}`,
        { ...resource, Properties: resource.Properties ?? {} },
      ]),
    ),
  );

/** Returns a value of a template as one line: references as "<Id>", attributes as "<Id.Attribute>". */
export function flat(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return value.map(flat).join(",");
  const [[key, inner] = ["", ""]] = Object.entries(value);
  if (key === "Ref") return `<${String(inner)}>`;
  if (key === "Fn::GetAtt") return `<${(inner as string[]).join(".")}>`;
  if (key === "Fn::Join") {
    const [separator, parts] = inner as [string, unknown[]];
    return parts.map(flat).join(separator);
  }
  return `<${key} ${flat(inner)}>`;
}
