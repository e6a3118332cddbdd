// How fast the entities of a node may come into memory: what its options say, and the check of that. Who keeps to them is the activation gate of the system.

import { aWholeNumberFrom, keysOf } from "./shape/index.ts";

/** Of activations: fewer are no rate but a standstill. */
const LEAST_PER_SECOND = 0.001;

/** Whole numbers from 1, but for `perSecond`. */
export interface ActivationLimits {
  /** Activations a second, over time; from 0.001. Default 5,000. */
  readonly perSecond?: number;
  /** Of them at once after a quiet time. Default 1,000. */
  readonly burst?: number;
  /** On their way at the same time, i.e. between the store's reading and the end of their first turn. Default 256. */
  readonly concurrent?: number;
  /** Commands that wait for an activation of their own at most, and as many each of what entities send each other and of what only recovers; what is more is told `full`. Default 10,000. */
  readonly waiting?: number;
}

/** As options of code have them. */
export const activationLimits = keysOf<ActivationLimits>(
  { perSecond: { type: "number", minimum: LEAST_PER_SECOND }, burst: aWholeNumberFrom(1), concurrent: aWholeNumberFrom(1), waiting: aWholeNumberFrom(1) },
  [],
);
