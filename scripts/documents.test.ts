import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isRead, untrueNames } from "#testing/documents";

const ROOT = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "documents-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every path, link and command that a document or a comment names is there", () => {
  const folders = [".ci", "docs", "functions", "packages", "scripts", "stacks", "web"];
  const files = readdirSync(ROOT, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isFile()) return [entry.name];
    if (!folders.includes(entry.name)) return [];
    return readdirSync(join(ROOT, entry.name), { recursive: true }).map((path) => join(entry.name, String(path)));
  });
  const plants = "scripts/documents.test.ts";
  const read = files.filter((file) => (isRead(file) && file !== plants) || file === ".ci/run").toSorted();
  expect(read).toEqual(expect.arrayContaining(["README.md", "docs/decisions/0001-schema.md", "scripts/launch.mjs"]));
  expect(untrueNames(ROOT, read)).toEqual([]);
});

test("each untrue name is named", () => {
  const plants: Readonly<Record<string, string>> = {
    "package.json": '{ "scripts": { "start": "" } }',
    "docs/there.md": "# What is `here`, and where\n\n[itself](#what-is-here-and-where), [also](../README.md)",
    "README.md": [
      "`packages/gone/plain.ts`, but packages/there/plain.ts, packages/*/plain.ts, functions/watch.handler, stacks/STAGE.json",
      "See [it](docs/there.md#what-is-here-and-where), [not](docs/nowhere.md), [nor](docs/there.md#nothing), [web](https://example.org/docs/no.md).",
      "npm run start, npm run stop; https://registry.npmjs.org; /home/somebody/desk; `../shared/data`; packages/no*/x.ts",
    ].join("\n"),
    "packages/there/plain.ts": [
      '/** See scripts/lost.sh. */\nexport const path = "packages/no-comment.ts"; // as docs/lost.md says',
      "// npm run lost, in /work/here; https://example.org/packages/x.ts",
    ].join("\n"),
    "functions/watch.ts": "// functions/watch.ts and ../shared, which code may name\n",
    "stacks/dev.json": "{}",
    "scripts/run.sh": "# by scripts/other.sh\necho packages/not-a-comment.ts\n",
  };
  for (const [path, text] of Object.entries(plants)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  expect(untrueNames(folder, Object.keys(plants).filter(isRead))).toEqual([
    "README.md: names packages/gone/plain.ts",
    "README.md: names docs/nowhere.md",
    "README.md: names packages/no*/x.ts",
    "README.md: says npm run stop",
    "README.md: links to docs/nowhere.md",
    "README.md: links to docs/there.md#nothing",
    "README.md: says registry.npmjs",
    "README.md: says /home/somebody/desk",
    "README.md: says ../shared",
    "packages/there/plain.ts: names scripts/lost.sh",
    "packages/there/plain.ts: names docs/lost.md",
    "packages/there/plain.ts: says npm run lost",
    "packages/there/plain.ts: says /work/here",
    "scripts/run.sh: names scripts/other.sh",
  ]);
});
