import { type Big, big, parseDecimal } from "#units/decimal";

export interface Reply {
  readonly status: number;
  readonly code: string;
  readonly msg: string;
  readonly data: readonly unknown[];
}

/** An error that the venue answers with, under OKX's own code. */
export class PaperRefusal extends Error {
  override name = "PaperRefusal";
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 200) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const accepted = (data: readonly unknown[]): Reply => ({ status: 200, code: "0", msg: "", data });

/** One request as the routes see it. */
export interface PaperRequest {
  readonly method: string;
  /** After "/api/v5/". */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** The body where it is a list; `body` is empty then. */
  readonly list: readonly Readonly<Record<string, unknown>>[];
  /** Deadline of a placement in ms, from the `expTime` header; null without. */
  readonly expiresMs: number | null;
  /** The venue's clock when the request arrived. */
  readonly now: number;
}

/** @throws PaperRefusal 50014 when the field is missing or empty. */
export function required(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (value === undefined || value === null || value === "")
    throw new PaperRefusal("50014", `Parameter ${name} can not be empty.`, 400);
  return String(value);
}

/** @throws PaperRefusal 50014 when it is missing, 51000 when it is no number above 0. */
export function positive(fields: Readonly<Record<string, unknown>>, name: string): Big {
  const written = required(fields, name);
  if (!/^\d+(\.\d+)?$/.test(written) || big(parseDecimal(written)).lte(0))
    throw new PaperRefusal("51000", `Parameter ${name} error`);
  return big(parseDecimal(written));
}

/** OKX pages: newest first, `after` = older than that id, `before` = newer, at most 100. `rows` ascend by id. */
export function page<T>(rows: readonly T[], id: (row: T) => string, query: Readonly<Record<string, string>>): T[] {
  const limit = Math.min(Number(query.limit ?? 100) || 100, 100);
  const after = query.after === undefined ? null : BigInt(query.after);
  const before = query.before === undefined ? null : BigInt(query.before);
  const found: T[] = [];
  for (let i = rows.length - 1; i >= 0 && found.length < limit; i -= 1) {
    const row = rows[i] as T;
    const key = BigInt(id(row));
    if (before !== null && key <= before) continue;
    if (after === null || key < after) found.push(row);
  }
  return found;
}
