/** What an embedded database reclaims at once: everything, with statistics, or only the tables whose rows change in place. */
export type VacuumExtent = "all" | "updated";

// Some minutes of a replay's blocks, and a minute of a live desk, which polls though nothing comes.
const EVERY = 500;
const WHOLE_EVERY = 64;

/**
 * Returns what to vacuum after so many polls; null = nothing. All of it when there were twice as many polls as at the last
 * time, since a replay's tables grow with its polls, and at least once an hour of a live desk: a kept plan that was made
 * while a table was empty is analyzed again only after its statistics. A whole vacuum takes half a second.
 */
export function vacuumAfter(polls: number): VacuumExtent | null {
  if (polls === 0 || polls % EVERY !== 0) return null;
  const vacuums = polls / EVERY;
  return vacuums % WHOLE_EVERY === 0 || Number.isInteger(Math.log2(vacuums)) ? "all" : "updated";
}
