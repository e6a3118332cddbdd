// How long a status is awaited that shows what a command wanted, after its frame (vehicle V2). The deadline of a command is another matter: until then its frame must be on the bus (vehicle X4).

const LEAST_WAIT_MS = 1_500;
const WAIT_PERIODS = 3;
const WAIT_BEYOND_MS = 1_000;
/** Where no period is known. */
const UNKNOWN_PERIOD_WAIT_MS = 5_000;

/** @param periodMs of the status that confirms it, where that is known */
export function confirmationWaitMs(periodMs: number | undefined): number {
  return periodMs === undefined ? UNKNOWN_PERIOD_WAIT_MS : Math.max(LEAST_WAIT_MS, WAIT_PERIODS * periodMs + WAIT_BEYOND_MS);
}
