// Tells actors what is so, until their committed state shows it: facts are compared with the state, never counted as delivered. What changes is told at once, what
// is not taken up is told again at most once a second, so nothing is one message per frame and nothing stays untold after a full mailbox or a restart.

import type { Address, System } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";

const AGAIN_MS = 1_000;

export interface Teller {
  /** `slot` names the place that the fact fills, e.g. `presence`; a new fact in it replaces the one that was told. */
  say(to: Address, slot: string, event: { readonly type: string; readonly [field: string]: unknown }): void;
  /** Type of the fact that was told last, whether or not it is committed. */
  last(to: Address, slot: string): string | undefined;
  /** The actors have begun anew: everything may be told again. */
  reset(): void;
}

export function createTeller(system: Pick<System, "notify">, clock: Clock): Teller {
  const told = new Map<string, { readonly type: string; readonly fact: string; readonly atMs: number }>();
  const placeOf = (to: Address, slot: string): string => `${to} ${slot}`;
  return {
    say: (to, slot, event) => {
      const place = placeOf(to, slot);
      const fact = JSON.stringify(event);
      const nowMs = clock.monotonic();
      const last = told.get(place);
      if (last?.fact === fact && nowMs - last.atMs < AGAIN_MS) return;
      if (system.notify(to, event)) told.set(place, { type: event.type, fact, atMs: nowMs });
    },
    last: (to, slot) => told.get(placeOf(to, slot))?.type,
    reset: () => {
      told.clear();
    },
  };
}
