import type { OkxExchangeConfig } from "#runtime/okx/exchange";
import type { Prober } from "#runtime/okx/prober";
import type { Assertion } from "#trading/account-check";
import type { Instrument } from "#trading/instrument";
import type { Policy } from "#trading/plans/policy";
import type { Exchange, Market } from "#trading/venue";
import { big, type Decimal, parseDecimal } from "#units/decimal";
import { type Finding, findingOf, said, unlearnt } from "./check.ts";

const ASKS: Readonly<Record<Assertion["name"], string>> = {
  key: "does the venue take the key in this environment",
  uid: "is the key of the account that the secret names",
  acctLv: "does the account trade swaps",
  posMode: "is the account in one-way (net) mode",
  perm: "may the key read and trade, and not withdraw",
  ip: "is the key bound to addresses (live)",
  tdMode: "are swaps taken in the margin mode of the desk",
  clock: "is this machine's clock as near to the venue's as the policy says",
  status: "is trading at the venue under no maintenance",
};

const VERDICTS = { ok: "pass", halt: "differs", freeze: "differs", unknown: "not asked" } as const;
const MEANS = {
  ok: "as the desk assumes",
  halt: "the desk HALTS",
  freeze: "the desk opens nothing until it is over (REDUCING)",
  unknown: "the desk concludes nothing from it",
} as const;

/** Returns the start-up assertions as findings. What the venue did not say is only told: the desk does not go by it. */
export async function assertionFindings(exchange: Pick<Exchange, "assertions">, id: string): Promise<Finding[]> {
  return (await exchange.assertions(id)).map(({ name, verdict, says, next, refused }) => ({
    ...{ name, verdict: VERDICTS[verdict], reliedOn: verdict !== "unknown", asks: ASKS[name], answer: says },
    ...{ code: refused?.code ?? null, means: next === null ? MEANS[verdict] : `${MEANS[verdict]}: ${next}` },
  }));
}

/** Returns whether the host of the settings answers as OKX's API. */
export async function hostFinding(exchange: Pick<Exchange, "now">, { url }: OkxExchangeConfig): Promise<Finding> {
  const { host } = new URL(url);
  const at = await exchange.now();
  return {
    ...{ name: "host", verdict: "pass", reliedOn: true, code: "0" },
    ...{ asks: `GET public/time at ${host}`, answer: `it is ${at}` },
    means: `OKX_URL of the desk may be ${new URL(url).origin}`,
  };
}

/** Returns whether the leverage that is set at the venue is the policy's. What is not is only told: the desk sees to it. */
export async function leverageFinding(
  prober: Prober,
  { id }: Instrument,
  { tdMode }: Pick<OkxExchangeConfig, "tdMode">,
  policy: Policy,
): Promise<Finding> {
  const wanted: Decimal = policy.venueLeverage;
  const check = {
    ...{
      name: "leverage",
      reliedOn: false,
      asks: `is the leverage of ${id} in ${tdMode} ${wanted}, as the policy says`,
    },
    passes: "margin is taken as the policy says",
    differs: `the desk sets it to ${wanted} before it opens where nothing is held or waits in it, and HALTS otherwise`,
  };
  const answer = await prober.ask("leverage", { instId: id, mgnMode: tdMode });
  const { lever } = answer.rows[0] ?? {};
  if (typeof lever !== "string" || lever === "") return findingOf(check, unlearnt(said(answer), answer.code));
  const asExpected = big(parseDecimal(lever)).eq(wanted);
  return findingOf(check, { asExpected, code: answer.code, answer: `it is ${lever}` });
}

/** The venue lists no such swap. */
export class NoInstrumentError extends Error {
  override name = "NoInstrumentError";
  constructor(id: string) {
    super(`the venue lists no live USDT swap ${id}: give one as OKX names it, ETH-USDT-SWAP, with --instrument`);
  }
}

/** Returns the instrument as the venue lists it. @throws NoInstrumentError */
export async function listedAt(market: Pick<Market, "instruments">, id: string): Promise<Instrument> {
  const [listed] = await market.instruments([id]);
  if (listed === undefined) throw new NoInstrumentError(id);
  return listed;
}
