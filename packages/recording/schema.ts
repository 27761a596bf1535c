import * as z from "zod";

export const FORMAT = "spyhop-recording/1";
export const MANIFEST_FILE = "manifest.json";
export const WATCHLIST_FILE = "watchlist.csv";
export const LABELS_FILE = "labels.csv";
export const INSTRUMENTS_FILE = "instruments.json";
export const BALANCES_FILE = "balances.ndjson.gz";
/** Returns the path of an instrument's candles inside a recording. */
export const candleFile = (instrument: string): string => `candles/${instrument}.csv.gz`;

const text = z.string().min(1);
const hash32 = z.string().regex(/^0x[0-9a-f]{64}$/);
const lowerAddress = z.string().regex(/^0x[0-9a-f]{40}$/);
const quantity = z.string().regex(/^0x[0-9a-f]+$/);
const blockNumber = z.number().int().nonnegative();

/** What `manifest.json` holds. `files` maps each other file's path to the sha256 of its bytes. */
export const Manifest = z.strictObject({
  format: z.literal(FORMAT),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  kind: z.enum(["generated", "recorded"]),
  note: z.string(),
  chain: text,
  chainId: z.number().int().positive(),
  explorer: z.url().nullable(),
  fromBlock: blockNumber,
  toBlock: blockNumber,
  barSeconds: z.number().int().positive(),
  instruments: z.array(z.string().regex(/^[A-Z0-9]+-USDT-SWAP$/)),
  finality: z
    .strictObject({ safeLag: blockNumber, finalizedLag: blockNumber })
    .refine(({ safeLag, finalizedLag }) => finalizedLag >= safeLag, "finalizedLag must not be below safeLag"),
  sources: z.array(z.string()),
  files: z.record(
    z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)?$/),
    z.string().regex(/^[0-9a-f]{64}$/),
  ),
});
export type Manifest = z.infer<typeof Manifest>;

/** A row of `watchlist.csv`: address in lower case; the label is at most 100 characters, as the database keeps it. */
export const WatchedWallet = z.object({
  address: lowerAddress,
  label: z.string().min(1).max(100),
  tags: z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]*$/)),
});
export type WatchedWallet = z.infer<typeof WatchedWallet>;

/** A row of `labels.csv`: who an address belongs to, who said so, and on which day. */
export const Label = z.object({
  address: lowerAddress,
  kind: z.string().regex(/^[a-z][a-z0-9_]*$/),
  name: text,
  source: text,
  date: z.iso.date(),
});
export type Label = z.infer<typeof Label>;

const decimalText = z.string().regex(/^\d+(\.\d+)?$/);

/**
 * A row of `instruments.json` as OKX lists it; other fields are kept as they came.
 * Source: OKX v5, GET /api/v5/public/instruments
 */
export const InstrumentRow = z.looseObject({
  instId: text,
  instType: z.literal("SWAP"),
  ctType: z.literal("linear"),
  settleCcy: z.literal("USDT"),
  ctVal: decimalText,
  ctMult: decimalText,
  ctValCcy: text,
  lotSz: decimalText,
  minSz: decimalText,
  tickSz: decimalText,
  lever: decimalText,
});
export type InstrumentRow = z.infer<typeof InstrumentRow>;

/** A line of `balances.ndjson.gz`: what `address` held of `token` at the END of `block`, in the token's smallest unit. */
export const RecordedBalance = z.strictObject({
  block: blockNumber,
  address: lowerAddress,
  token: z.union([z.literal("native"), lowerAddress]),
  balance: quantity,
});
export type RecordedBalance = z.infer<typeof RecordedBalance>;

/** What a line's block and receipts must have for the line to be served; the rest is kept as the node returned it. */
export const BlockShape = z.looseObject({
  number: quantity,
  hash: hash32,
  parentHash: hash32,
  timestamp: quantity,
  transactions: z.array(z.looseObject({ hash: hash32 })),
});
export const ReceiptsShape = z.array(z.looseObject({ blockHash: hash32, transactionHash: hash32 }));

/** Returns a zod error as one line: "path: what is wrong; …", at most three of them. */
export const issuesOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`)
    .join("; ");
