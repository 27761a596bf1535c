import type * as z from "zod";
import { canonicalAddress } from "#chain/checksum";
import { type CsvRow, formatCsv, parseCsv } from "#host/csv";
import type { Candle } from "#units/candle";
import { decimalOf, ZERO } from "#units/decimal";
import { instant, millis } from "#units/time";
import { RecordingError, WatchlistAddressError } from "./error.ts";
import { InstrumentRow, issuesOf, Label, RecordedBalance, WatchedWallet } from "./schema.ts";

const WATCHLIST_HEADER = ["address", "label", "tags"] as const;
const LABELS_HEADER = ["address", "kind", "name", "source", "date"] as const;
const CANDLES_HEADER = ["open_time_ms", "open", "high", "low", "close", "volume"] as const;

/** Returns the rows below the header. @throws RecordingError when the header or a row's width differs. */
function rowsBelow(file: string, text: string, header: readonly string[]): CsvRow[] {
  const [first, ...rows] = parseCsv(text);
  const expected = header.join(",");
  if (first?.fields.join(",") !== expected) {
    throw new RecordingError(file, `its first line is not "${expected}"`, "Put that header at the top of the file");
  }
  for (const row of rows) {
    if (row.fields.length === header.length) continue;
    const problem = `line ${row.line} has ${row.fields.length} fields instead of ${header.length}`;
    throw new RecordingError(file, problem, `Write each line as ${expected}, and quote fields that hold a comma`);
  }
  return rows;
}

function checked<S extends z.ZodType>(schema: S, value: unknown, file: string, line: number): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RecordingError(file, `line ${line}: ${issuesOf(result.error)}`, "Correct that line");
}

function addressOn(file: string, line: number, address: string): string {
  const canonical = canonicalAddress(address);
  if (canonical) return canonical;
  const wellFormed = /^0x[0-9a-fA-F]{40}$/.test(address);
  const problem = wellFormed ? "has a wrong EIP-55 checksum" : "is not an address (0x and 40 hexadecimal digits)";
  throw new WatchlistAddressError(file, line, address, problem);
}

/**
 * Returns the wallets of a watch list (`address,label,tags`; tags separated by ";"), sorted by address.
 * An empty label becomes the short address. Lines that begin with "#" are comments.
 * @throws WatchlistAddressError for an address that is none, or whose mixed case is no valid EIP-55 checksum
 * @throws RecordingError for another header, a bad tag, or an address that is listed twice
 */
export function parseWatchlist(file: string, text: string): WatchedWallet[] {
  const seen = new Map<string, number>();
  const wallets = rowsBelow(file, text, WATCHLIST_HEADER).map(({ line, fields }) => {
    const [given = "", label = "", tags = ""] = fields.map((field) => field.trim());
    const address = addressOn(file, line, given);
    const earlier = seen.get(address);
    if (earlier) throw new RecordingError(file, `line ${line} lists ${address} again (line ${earlier})`, "Keep one");
    seen.set(address, line);
    const wallet = {
      address,
      label: label || `${address.slice(0, 6)}…${address.slice(-4)}`,
      tags: tags ? tags.split(";") : [],
    };
    return checked(WatchedWallet, wallet, file, line);
  });
  return wallets.sort((a, b) => (a.address < b.address ? -1 : 1));
}

export const formatWatchlist = (wallets: readonly WatchedWallet[]): string =>
  formatCsv(
    WATCHLIST_HEADER,
    wallets
      .map(({ address, label, tags }) => [address, label, tags.join(";")] as const)
      .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
  );

const labelKey = (label: Label): string => [label.address, label.kind, label.source, label.name].join("\n");

/** Returns labels in the order in which a recording keeps them: by address, kind, source and name. */
export const sortedLabels = (labels: readonly Label[]): Label[] =>
  [...labels].sort((a, b) => (labelKey(a) < labelKey(b) ? -1 : 1));

/** Returns the labels of `address,kind,name,source,date`. @throws RecordingError for a bad row or another order. */
export function parseLabels(file: string, text: string): Label[] {
  let before = "";
  return rowsBelow(file, text, LABELS_HEADER).map(({ line, fields }) => {
    const [given = "", kind, name, source, date] = fields;
    const label = checked(Label, { address: addressOn(file, line, given), kind, name, source, date }, file, line);
    const key = labelKey(label);
    if (key <= before) throw new RecordingError(file, `line ${line} is out of order or twice`, "Sort by address, kind");
    before = key;
    return label;
  });
}

export const formatLabels = (labels: readonly Label[]): string =>
  formatCsv(
    LABELS_HEADER,
    sortedLabels(labels).map(({ address, kind, name, source, date }) => [address, kind, name, source, date]),
  );

/** A run of missing bars: the first missing one, and how many. */
export interface CandleGap {
  readonly openedAt: string;
  readonly bars: number;
}

const DECIMAL = /^\d+(\.\d+)?$/;

/** Returns what is wrong with a bar, or null. Floats suffice: rounding keeps order, so no valid bar is refused. */
function barProblem(fields: readonly string[], barMs: number, before: number): string | null {
  const [time = "", ...numbers] = fields;
  const openedMs = Number(time);
  if (!/^\d+$/.test(time) || openedMs % barMs !== 0) return `opened at ${time}, which is no multiple of ${barMs} ms`;
  if (openedMs <= before) return "is not later than the bar before it";
  if (!numbers.every((number) => DECIMAL.test(number))) return "holds a price or volume that is no plain decimal";
  const [open = 0, high = 0, low = 0, close = 0] = numbers.map(Number);
  if (low <= 0) return "has a low that is not above 0";
  if (high < Math.max(open, close) || low > Math.min(open, close)) return "has an open or close outside low and high";
  return null;
}

/** Returns an instrument's bars, ascending. @throws RecordingError for a bar that is unsorted, unaligned or impossible. */
export function parseCandles(file: string, text: string, barSeconds: number): Candle[] {
  let before = -1;
  return rowsBelow(file, text, CANDLES_HEADER).map(({ line, fields }) => {
    const problem = barProblem(fields, barSeconds * 1000, before);
    if (problem)
      throw new RecordingError(file, `line ${line} ${problem}`, "Correct or remove that bar; gaps are allowed");
    const [open = ZERO, high = ZERO, low = ZERO, close = ZERO, volume = ZERO] = fields.slice(1).map(decimalOf);
    before = Number(fields[0]);
    return { openedAt: instant(before), open, high, low, close, volume };
  });
}

export const formatCandles = (candles: readonly Candle[]): string =>
  formatCsv(
    CANDLES_HEADER,
    candles.map((bar) => [String(millis(bar.openedAt)), bar.open, bar.high, bar.low, bar.close, bar.volume]),
  );

/** Returns the gaps between the first and the last of `candles`. */
export function gapsOf(candles: readonly Candle[], barSeconds: number): CandleGap[] {
  const gaps: CandleGap[] = [];
  let expected = candles[0] ? millis(candles[0].openedAt) : 0;
  for (const { openedAt } of candles) {
    const bars = (millis(openedAt) - expected) / (barSeconds * 1000);
    if (bars > 0) gaps.push({ openedAt: instant(expected), bars });
    expected = millis(openedAt) + barSeconds * 1000;
  }
  return gaps;
}

/** Returns the rows of `instruments.json`. @throws RecordingError unless it lists each of `ids` once, as OKX does. */
export function parseInstruments(file: string, text: string, ids: readonly string[]): InstrumentRow[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (cause) {
    throw new RecordingError(file, "is not JSON", "Make the recording again", cause);
  }
  const result = InstrumentRow.array().safeParse(rows);
  if (!result.success) throw new RecordingError(file, issuesOf(result.error), "Take the rows as OKX lists them");
  const listed = result.data.map((row) => row.instId).sort();
  if (listed.join() !== [...ids].sort().join()) {
    const problem = `lists ${listed.join(", ") || "nothing"}, the manifest names ${ids.join(", ") || "none"}`;
    throw new RecordingError(file, problem, "Make both name the same instruments");
  }
  return result.data;
}

/** Returns the balances of `balances.ndjson`. @throws RecordingError for a line of another shape. */
export function parseBalances(file: string, text: string): RecordedBalance[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (cause) {
        throw new RecordingError(file, `line ${index + 1} is not JSON`, "Make the recording again", cause);
      }
      return checked(RecordedBalance, value, file, index + 1);
    });
}

const balanceKey = (row: RecordedBalance): string =>
  `${String(row.block).padStart(12, "0")}\n${row.address}\n${row.token}`;

/** Returns `balances.ndjson`: sorted by block, address and token, each once (of equal keys the first counts). */
export function formatBalances(balances: readonly RecordedBalance[]): string {
  const unique = new Map<string, RecordedBalance>();
  for (const row of balances) if (!unique.has(balanceKey(row))) unique.set(balanceKey(row), row);
  return [...unique.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { block, address, token, balance }]) => `${JSON.stringify({ block, address, token, balance })}\n`)
    .join("");
}
