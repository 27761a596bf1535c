export type IntegrityCheck =
  | "hash"
  | "number"
  | "parentHash"
  | "fork"
  | "headerHash"
  | "receiptCount"
  | "transactionBlock"
  | "transactionType"
  | "transactionHash"
  | "transactionsRoot"
  | "receiptBlock"
  | "receiptTransaction"
  | "receiptType"
  | "receiptsRoot"
  | "withdrawalsRoot"
  | "from"
  | "sender"
  | "gasUsed"
  | "gasPrice"
  | "blobGas"
  | "contractAddress"
  | "logBlock"
  | "logTransaction"
  | "logIndex"
  | "bloom"
  | "confirmation";

/** Throws the check's error unless `ok`; the problem is only worded then. */
export type Check = (ok: boolean, name: IntegrityCheck, place: string, problem: () => string) => void;

/** What to say to an operator when a node shows what this release cannot read. */
export const UNKNOWN_FORK = "this release knows no fork with it: install one that does, then redrive (docs/runbook.md)";
