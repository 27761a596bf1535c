import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

// No engine is needed to see that the file says what docs/compose.md says. `docker compose config` checks its schema.
const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), "utf8");

test("what it opens, it opens on this machine alone", async () => {
  const text = await read("compose.yaml");
  const ports = [...text.matchAll(/^\s+- (\S+:\d+)$/gm)].map(([, port]) => port ?? "");
  expect(ports).toHaveLength(2);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/);
});

test("each image is pinned, and a variable chooses another", async () => {
  const images = [...(await read("compose.yaml")).matchAll(/^\s+image: \$\{(\w+):-(\S+):(\S+)\}$/gm)];
  expect(images.map(([, variable, image]) => [variable, image])).toEqual([
    ["DATABASE_IMAGE", "timescale/timescaledb-ha"],
    ["AWS_EMULATOR_IMAGE", "ministackorg/ministack"],
  ]);
  for (const [, , , tag = ""] of images) expect(tag).toMatch(/\d+\.\d+/);
});

test("the addresses that the file and the page tell are those that it opens", async () => {
  for (const path of ["compose.yaml", "docs/compose.md"]) {
    const text = await read(path);
    expect(text).toContain("DATABASE_URL=postgres://postgres:spyhop@127.0.0.1:5432/spyhop");
    expect(text).toContain("AWS_ENDPOINT_URL=http://127.0.0.1:4566");
  }
});
