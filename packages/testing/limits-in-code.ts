import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A number with a name of its own, at the top of a file. */
const NUMBER = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? = \(?[-\d][\d_.]*\b/;

/** Units of time, and digits. */
const UNIT = /^(?:SECOND|MINUTE|HOUR|DAY)_MS$|PLACES$/;

/**
 * Returns the numbers that the code of trading names outside of the policy, units apart, as "file NAME", sorted: each is a limit that
 * nobody can set. The policy's own schema has none.
 */
export const limitsInCode = (root: string): string[] =>
  globSync("packages/{trading,desk}/**/*.ts", { cwd: root, exclude: (name) => name.endsWith(".test.ts") })
    .filter((path) => !path.endsWith(".test.ts"))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), "utf8").split("\n");
      return lines.flatMap((line) => {
        const name = NUMBER.exec(line)?.[1];
        return name === undefined || UNIT.test(name) ? [] : [`${path} ${name}`];
      });
    })
    .toSorted();
