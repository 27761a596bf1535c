import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { type Changed, type Mutant, MutantError } from "./mutants.ts";

const ROOT = new URL("../../", import.meta.url).href;
const MARK = /\?copy=\d+$/;

/** The model and all that it runs, loaded once. */
export type Copy = Pick<typeof import("#testing/model/check"), "check" | "survey"> &
  Pick<typeof import("#testing/model/run"), "runSchedule"> &
  Pick<typeof import("#testing/model/memory"), "inMemory">;

function changed(source: string, { file, find, replace }: Changed): string {
  if (source.split(find).length !== 2) throw new MutantError(file, find);
  return source.replace(find, () => replace);
}

const texts = new Map<string, string>();
const changes = new Map<string, ReadonlyMap<string, readonly Changed[]>>();

function textOf(url: string, own: readonly Changed[]): string {
  const text = texts.get(url) ?? readFileSync(fileURLToPath(url), "utf8");
  texts.set(url, text);
  return own.reduce(changed, text);
}

const isOurs = (url: string): boolean =>
  url.startsWith(ROOT) && !url.includes("/node_modules/") && /\.ts(\?|$)/.test(url);

function takeLoading(): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const mark = MARK.exec(context.parentURL ?? "")?.[0];
      return mark === undefined || !isOurs(found.url) ? found : { ...found, url: `${found.url}${mark}` };
    },
    load: (url, context, next) => {
      const mark = MARK.exec(url)?.[0];
      if (mark === undefined) return next(url, context);
      const file = url.slice(0, -mark.length);
      const source = textOf(file, changes.get(mark)?.get(file) ?? []);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}

/**
 * Loads the model and the desk, as a mutant changes them: what is on the disk stays as it is. A changed copy stands beside
 * those that are loaded already, and shares their packages.
 * @throws MutantError where what is to be changed is not there once.
 */
export async function copyOf(mutant: Mutant | null): Promise<Copy> {
  let mark = "";
  if (mutant !== null) {
    if (changes.size === 0) takeLoading();
    mark = `?copy=${changes.size}`;
    changes.set(
      mark,
      Map.groupBy([mutant, ...(mutant.also ?? [])], ({ file }) => `${ROOT}${file}`),
    );
  }
  const [{ check, survey }, { runSchedule }, { inMemory }] = await Promise.all(
    ["check", "run", "memory"].map((name) => import(`${ROOT}packages/testing/model/${name}.ts${mark}`)),
  );
  return { check, survey, runSchedule, inMemory };
}
