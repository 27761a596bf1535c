import { PRACTICE_FILE, readPolicy } from "#host/policy-file";

/** What the practice policy changes of the defaults, as a replay of generated input gives it to the desk. */
export const PRACTICE = readPolicy(PRACTICE_FILE);
