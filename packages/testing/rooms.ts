import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** No room may hold more of the code than this; a third of it once stood in one. */
export const MOST_SHARE = 0.18;
/** No folder may hold more files than this beside its folders. */
export const MOST_FILES = 40;

interface Source {
  readonly folder: string;
  readonly room: string;
  readonly isTest: boolean;
  readonly lines: number;
}

function sourcesIn(root: string, folder: string): Source[] {
  const parts = folder.split("/");
  const room = (parts[0] === "packages" ? parts[1] : parts[0]) ?? folder;
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): Source[] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : sourcesIn(root, path);
    if (!/\.tsx?$/.test(entry.name)) return [];
    const lines = readFileSync(join(root, path), "utf8").split("\n").length - 1;
    return [{ folder, room, isTest: /\.test\.tsx?$/.test(entry.name), lines }];
  });
}

/**
 * Returns what is too big in the house's TypeScript, a sentence each: rooms with more than 18 % of the lines, and folders
 * with more than 40 files. A room is a package, or a folder of the top level; tests count as files, not as lines.
 */
export function tooBig(root: string, folders: readonly string[]): string[] {
  const sources = folders.flatMap((folder) => sourcesIn(root, folder));
  const code = sources.filter(({ isTest }) => !isTest);
  const all = sum(code);
  const rooms = [...Map.groupBy(code, ({ room }) => room)].flatMap(([room, list]) => {
    const share = sum(list) / all;
    return share > MOST_SHARE ? [`${room} holds ${(share * 100).toFixed(1)} % of the lines`] : [];
  });
  const full = [...Map.groupBy(sources, ({ folder }) => folder)].flatMap(([folder, list]) =>
    list.length > MOST_FILES ? [`${folder} holds ${list.length} files`] : [],
  );
  return [...rooms, ...full];
}

const sum = (list: readonly Source[]): number => list.reduce((total, { lines }) => total + lines, 0);
