import type { Db } from "../client.ts";
import { drizzleOf } from "../drizzle.ts";
import { instruments } from "../schema.ts";

/** Returns the assets that have an instrument, sorted. */
export async function tradedAssets(db: Db): Promise<string[]> {
  const list = await drizzleOf(db)
    .selectDistinct({ asset: instruments.asset })
    .from(instruments)
    .orderBy(instruments.asset);
  return list.map(({ asset }) => asset);
}
