import * as z from "zod";
import { parseCsv } from "#host/csv";
import { RecordingError } from "../error.ts";
import { issuesOf, type Label } from "../schema.ts";

const DUNE_HEADER = "address,kind,name,entity_group,category,contributor,label_date";
export const DUNE_SOURCE = "duneanalytics/spellbook@465dfce9 (MIT)";
export const ETHERSCAN_SOURCE = "brianleect/etherscan-labels@923aba72 (MIT)";
// The list is dated by month: the month's last day is the first on which all of it was surely known.
const ETHERSCAN_DATE = "2023-10-31";

/** Kinds that say whom an address belongs to. What says how it behaved (mev_bot, ofac_sanctioned) came from later events. */
const OWNER_KINDS: Readonly<Record<string, string>> = {
  cex: "cex",
  bridge: "bridge",
  fund: "fund",
  dao_multisig: "dao",
};

const EXCHANGES = new Set(
  (
    "binance bitfinex bithumb bitmart bitmex bitstamp bittrex coinbase coinhako coinone coinsquare crypto-com deribit " +
    "ftx gate-io gemini hitbtc hotbit huobi korbit kraken kucoin liquid okx poloniex upbit"
  ).split(" "),
);
// "Binance 14", "Gate.io 2", "FTX Exchange", "Upbit: Cold Wallet"; not an exchange's token, deployer or contract.
const EXCHANGE_WALLET = /^[A-Za-z. ]+?( \d+)?(: (Cold|Hot) Wallet( \d+)?|: Deposit Funder( \d+)?)?$/;
const NO_WALLET = /token|contract|deployer|controller/i;

/** Returns the owner labels of the Dune list in `text`, with the day each was given. */
export function duneLabels(file: string, text: string): Label[] {
  const [header, ...rows] = parseCsv(text);
  if (header?.fields.join(",") !== DUNE_HEADER) {
    throw new RecordingError(file, `its first line is not "${DUNE_HEADER}"`, "Take the file as the pack holds it");
  }
  return rows.flatMap(({ fields }) => {
    const [address = "", word = "", name = "", , , , date = ""] = fields;
    const kind = OWNER_KINDS[word];
    return kind ? [{ address: address.toLowerCase(), kind, name: name.trim(), source: DUNE_SOURCE, date }] : [];
  });
}

const EtherscanLabels = z.record(
  z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  z.object({ name: z.string(), labels: z.array(z.string()) }),
);

/** An address list of Etherscan's: the exchanges' wallets, and every address that has any public name. */
export interface NamedAddresses {
  readonly exchanges: readonly Label[];
  readonly named: ReadonlySet<string>;
}

/** Returns what Etherscan's list of accounts in `text` (JSON) names. */
export function etherscanLabels(file: string, text: string): NamedAddresses {
  const result = EtherscanLabels.safeParse(JSON.parse(text));
  if (!result.success) {
    throw new RecordingError(file, issuesOf(result.error), "Take the file as the pack holds it");
  }
  const entries = Object.entries(result.data).map(([address, entry]) => ({ ...entry, address: address.toLowerCase() }));
  const exchanges = entries
    .filter(({ labels }) => labels.some((label) => EXCHANGES.has(label)))
    .filter(({ name }) => EXCHANGE_WALLET.test(name) && !NO_WALLET.test(name))
    .map(({ address, name }) => ({ address, kind: "cex", name, source: ETHERSCAN_SOURCE, date: ETHERSCAN_DATE }));
  return { exchanges, named: new Set(entries.map(({ address }) => address)) };
}
