import * as z from "zod";
import { AssetName } from "#units/asset";
import { Instant } from "#units/time";

/** The bounds of a whole number, both of them allowed, and what stands for one that is not given. */
interface Bounds {
  readonly from: number;
  readonly to: number;
  readonly otherwise: number;
}

/**
 * Returns the schema of a whole number in a query: digits alone, so no "1e2", " 7" or "0x10". `override` is what JSON Schema
 * says of it, where a string that becomes a number would lose its bounds.
 */
export const whole = ({ from, to, otherwise }: Bounds) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${String(to).length}}$`), `a whole number from ${from} to ${to}`)
    .transform(Number)
    .pipe(z.int().min(from).max(to))
    .default(otherwise)
    .meta({ override: { type: "integer", minimum: from, maximum: to, default: otherwise } });

/** The `limit` of a list: 1 to 200, 50 when absent. */
export const Limit = whole({ from: 1, to: 200, otherwise: 50 });

/** A place in a list that is sorted by time and id, newest first: "2022-06-21T00:00:00.000Z_<id>". */
export const Before = z
  .string()
  .transform((text) => {
    const [at, ...id] = text.split("_");
    return { at, id: id.join("_") };
  })
  .pipe(z.object({ at: Instant, id: z.uuid() }))
  .meta({
    override: {
      type: "string",
      pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z_[0-9a-fA-F-]{36}$",
      description: "`next` of the page before",
    },
  });

/** One asset, as ETH. */
export const OneAsset = AssetName.optional();

/** The instant that a reply is of; left out = the newest. */
export const At = Instant.optional();

/** A wallet's address, in whatever case it comes. */
export const Address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address")
  .transform((address) => address.toLowerCase());
