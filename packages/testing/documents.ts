import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

// A folder of the house, not part of a longer path, and what follows as far as it can be a path or a pattern of paths.
const NAMED = /(?<![\w./:@-])(?:packages|functions|scripts|stacks|docs|migrations|recordings)\/[\w./*{},-]*[\w*}/]/g;
const LINK = /\]\(([^)\s]+)\)/g;
const COMMAND = /\bnpm run ([\w:-]+)/g;
/** What is true of one machine alone. */
const PRIVATE = /\bregistry\.npm\w*|\bartifactory\b|(?<![\w.-])\/(?:work|root|home)\/[\w./-]+/g;
/** What a stranger has not: recordings that the developers share. */
const UNSHARED = /\.\.\/shared\b/g;
// A pattern of paths ("**/*.ts") begins no comment.
const COMMENT = { ts: /(?<!\*)\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, sh: /^\s*#.*/gm };

/** Returns the slugs of a document's headings, as GitHub makes them. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );

/** A handler may be named as Lambda names it (functions/watch-head.handler), and a word in capitals stands for any. */
function isThere(root: string, path: string): boolean {
  const file = path.replace(/\.handler$/, ".ts");
  if (existsSync(join(root, file))) return true;
  const pattern = file.replace(/\b[A-Z]{3,}\b/g, "*");
  return /[*{]/.test(pattern) && globSync(pattern, { cwd: root }).length > 0;
}

function deadLinks(root: string, file: string, text: string): string[] {
  return [...text.matchAll(LINK)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? join(root, file) : join(root, dirname(file), path);
    if (!existsSync(target)) return [`links to ${link}`];
    return anchor && !anchorsOf(readFileSync(target, "utf8")).has(anchor) ? [`links to ${link}`] : [];
  });
}

/**
 * Returns what the documents and the comments of a project name that is not there: paths, links with their anchors and
 * npm's commands; and what a document says that holds for one machine alone. `files` are relative to `root`: Markdown is
 * read whole, of code the comments. One line each, "file: what", in the files' order.
 */
export function untrueNames(root: string, files: readonly string[]): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  return files.flatMap((file) => {
    const whole = readFileSync(join(root, file), "utf8");
    const isDocument = file.endsWith(".md");
    const kind = /\.(ts|mjs|cjs|grit)$/.test(file) ? "ts" : "sh";
    const text = isDocument ? whole : (whole.match(COMMENT[kind]) ?? []).join("\n");
    const problems = [
      ...(text.match(NAMED) ?? []).filter((path) => !isThere(root, path)).map((path) => `names ${path}`),
      ...[...text.matchAll(COMMAND)].filter(([, name = ""]) => !(name in scripts)).map(([run]) => `says ${run}`),
      ...(isDocument ? deadLinks(root, file, text) : []),
      ...(text.match(PRIVATE) ?? []).map((found) => `says ${found}`),
      ...(isDocument ? (text.match(UNSHARED) ?? []) : []).map((found) => `says ${found}`),
    ];
    return [...new Set(problems)].map((problem) => `${file}: ${problem}`);
  });
}

/** Whether `untrueNames` reads a file: a document or code. Not a migration, which is never edited: its paths are of its day. */
export const isRead = (file: string): boolean => /\.(md|ts|mjs|cjs|grit|sh|ya?ml)$/.test(file);
