/** What kind of party an address is. */
export type LabelKind = "exchange" | "bridge" | "pool" | "router" | "fund" | "mev" | "lending" | "staking" | "other";

/** A public name of an address, with where it came from and when it was given. */
export interface Label {
  /** Lower case. */
  readonly address: string;
  readonly kind: LabelKind;
  readonly name: string;
  readonly source: string;
  /** The day of the label, "2022-08-28", or null where the source has none. */
  readonly date: string | null;
}

/** Looks labels up. The first label of an address and kind wins; an address may have several kinds. */
export interface LabelBook {
  /** Returns the labels of a lower-case address, in the order given; empty when it has none. */
  of(address: string): readonly Label[];
  /** Returns its label of a kind, or null. */
  as(address: string, kind: LabelKind): Label | null;
}

const KINDS: Readonly<Record<string, LabelKind>> = {
  exchange: "exchange",
  cex: "exchange",
  bridge: "bridge",
  pool: "pool",
  dex: "pool",
  router: "router",
  aggregator: "router",
  fund: "fund",
  mev: "mev",
  "mev-bot": "mev",
  lending: "lending",
  staking: "staking",
};

/** Returns the kind that a label list's word means: "cex" is an exchange; an unknown word is "other". */
export const labelKind = (word: string): LabelKind => KINDS[word.trim().toLowerCase().replaceAll("_", "-")] ?? "other";

/** Returns a book of `labels`, with the protocols that the desk knows behind them. */
export function labelBook(labels: readonly Label[]): LabelBook {
  const book = new Map<string, Label[]>();
  for (const label of [...labels, ...PROTOCOLS]) {
    const list = book.get(label.address);
    if (!list) book.set(label.address, [label]);
    else if (!list.some((other) => other.kind === label.kind)) list.push(label);
  }
  const of = (address: string) => book.get(address) ?? [];
  return { of, as: (address, kind) => of(address).find((label) => label.kind === kind) ?? null };
}

const protocol = (address: string, kind: LabelKind, name: string): Label => ({
  address,
  kind,
  name,
  source: "protocol's own documentation",
  date: null,
});

/** Contracts of protocols, from their own documentation. */
export const PROTOCOLS: readonly Label[] = [
  protocol("0x00000000219ab540356cbb839cbe05303d7705fa", "staking", "Beacon deposit"),
  protocol("0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "staking", "Lido"),
  protocol("0x889edc2edab5f40e902b864ad4d7ade8e412f9b1", "staking", "Lido withdrawal queue"),
  protocol("0xdd3f50f8a6cafbe9b31a427582963f465e745af8", "staking", "Rocket Pool deposit"),
  protocol("0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9", "lending", "Aave v2"),
  protocol("0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2", "lending", "Aave v3"),
  protocol("0x99c9fc46f92e8a1c0dec1b1747d010903e884be1", "bridge", "Optimism gateway"),
  protocol("0xbeb5fc579115071764c7423a4f12edde41f106ed", "bridge", "Optimism portal"),
  protocol("0x8315177ab297ba92a06054ce80a67ed4dbd7ed3a", "bridge", "Arbitrum bridge"),
  protocol("0x4dbd4fc535ac27206064b68ffcf827b0a60bab3f", "bridge", "Arbitrum inbox"),
  protocol("0xa3a7b6f88361f48403514059f1f16c8e78d60eec", "bridge", "Arbitrum ERC-20 gateway"),
  protocol("0x40ec5b33f54e0e8a33a975908c5ba1c14e5bbbdf", "bridge", "Polygon ERC-20 bridge"),
  protocol("0x3154cf16ccdb4c6d922629664174b904d80f2c35", "bridge", "Base bridge"),
  protocol("0x49048044d57e1c92a77f79988d21fa8faf74e97e", "bridge", "Base portal"),
  protocol("0x7a250d5630b4cf539739df2c5dacb4c659f2488d", "router", "Uniswap v2 router"),
  protocol("0xe592427a0aece92de3edee1f18e0157c05861564", "router", "Uniswap v3 router"),
  protocol("0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45", "router", "Uniswap router 02"),
  protocol("0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b", "router", "Uniswap universal router"),
  protocol("0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad", "router", "Uniswap universal router"),
  protocol("0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f", "router", "SushiSwap router"),
  protocol("0x1111111254fb6c44bac0bed2854e76f90643097d", "router", "1inch v4"),
  protocol("0x1111111254eeb25477b68fb85ed929f73a960582", "router", "1inch v5"),
  protocol("0xdef1c0ded9bec7f1a1670819833240f027b25eff", "router", "0x exchange"),
  protocol("0x9008d19f58aabd9ed0d60971565aa8510560ab41", "router", "CoW settlement"),
];
