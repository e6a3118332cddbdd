// An open loop: commands leave by the clock, whether earlier ones were answered or not, and their time counts from when they should have left. A sender that waits
// for its answer would not ask while the system stalls, and so would leave the stall out.

import type { Address } from "../../runtime/index.ts";
import type { Fleet } from "./fleet.ts";

/** Due ones leave together this often, ms: about as fine as a timer of Node is. */
const TICK_MS = 1;

/** @returns how long each accepted command took, ms */
export async function steadyCommands(fleet: Fleet, ratePerS: number, timeMs: number): Promise<readonly number[]> {
  const total = Math.max(1, Math.round((ratePerS * timeMs) / 1_000));
  const intervalMs = 1_000 / ratePerS;
  const start = performance.now();
  const latenciesMs: number[] = [];
  const sent: Promise<void>[] = [];
  const tell = async (at: number): Promise<void> => {
    const to = fleet.addresses[at % fleet.addresses.length] as Address;
    const told = await fleet.system.tell(to, { type: "level.set", percent: at % 101 });
    if (told.kind !== "accepted" || told.durable !== "local") throw new Error(`a command was not accepted: ${JSON.stringify(told)}`);
    latenciesMs.push(performance.now() - (start + at * intervalMs));
  };
  while (sent.length < total) {
    while (sent.length < total && start + sent.length * intervalMs <= performance.now()) sent.push(tell(sent.length));
    if (sent.length < total) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(sent);
  return latenciesMs;
}
