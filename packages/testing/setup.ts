import fc from "fast-check";
import { inject } from "vitest";

// One seed for the whole run, which its first line says: a property that failed there fails again, alone or not.
fc.configureGlobal({ seed: inject("seed") });
