import { deskHealth } from "#db/reading/overview";
import { type ArmingLookup, lookAtArming } from "#db/trading/arming";
import { armingJudge } from "#runtime/arming-judge";
import { inputOf } from "#runtime/config";
import { route } from "#runtime/route";
import { healthContract } from "#topology/contracts/health";
import { millis } from "#units/time";

/** A live desk whose newest block is older than this is behind: blocks come every 12 seconds. */
const BEHIND_SECONDS = 300;

/** What a reader needs of an arming: the account is the operator's to know. */
const armedOf = ({ account: _, ...armed }: ArmingLookup & { readonly problem: string | null }) => armed;

/**
 * How far the desk has come. A live desk that is behind says so, and answers 503; how far, the newest block's own time shows: no body
 * holds a clock, so that one who has it already is told so. What replays a recording is as old as that. `arming` is live's alone: until when positions may be opened,
 * by whom, up to which caps, and why not; null = not armed. `stops`
 * says how many open positions a stop at the venue covers, since when one has none, and for how long one had none before.
 */
export const answer = route("GET /api/health", healthContract, async ({ at }, { database, settings }) => {
  const { mode } = settings;
  const health = await deskHealth(database, settings.chain, mode);
  const armed = mode === "live" ? await lookAtArming(database, mode, armingJudge(settings)) : null;
  const { block } = health;
  const lagSeconds = block === null ? null : (millis(at) - millis(block.at)) / 1000;
  const isBehind = settings.inputName === "live" && lagSeconds !== null && lagSeconds > BEHIND_SECONDS;
  return {
    status: isBehind ? 503 : 200,
    body: {
      status: block === null ? "waiting for the first block" : isBehind ? "behind" : "ok",
      chain: settings.chain,
      mode,
      venue: settings.venue,
      input: inputOf(settings),
      ...health,
      arming: armed && armedOf(armed),
    },
  };
});
