// The node's hosted time: it grows only while the node runs and is kept across restarts, so that an `elapsed` timer saves what remains (rules K1).
// It is written every 15 s and at a clean stop, and never falls behind what a journal names; after a kill a timer may wait at most 15 s longer.

import type { Clock, Store, TimeoutHandle } from "../ports/index.ts";

const KEY = "hosted-ms";
const SAVE_EVERY_MS = 15_000;
/** What a clock that is corrected in small steps does not do between two looks. */
const JUMP_MS = 2_000;

export interface HostedClock {
  /** Hosted ms. */
  now(): number;
  /**
   * Wall time from which on the wall clock was watched without a break: since the start, since it has been trusted, since its last jump.
   * @param isTrusted whether it is now
   */
  watchedSince(isTrusted: boolean): number;
  /** Called with the stamps of recovered state, before any timer is armed. */
  atLeast(elapsed: number): void;
  stop(): Promise<void>;
}

export async function openHostedClock(clock: Clock, store: Store): Promise<HostedClock> {
  const stored = await store.values.get(KEY);
  let base = stored === undefined ? 0 : Number(new TextDecoder().decode(stored));
  if (!Number.isFinite(base) || base < 0) base = 0;
  const began = clock.monotonic();
  const now = (): number => base + (clock.monotonic() - began);
  const save = (): Promise<void> => store.values.set(KEY, new TextEncoder().encode(String(Math.floor(now()))));

  let watched = clock.now();
  let wasTrusted = true;
  let ahead = clock.now() - clock.monotonic();
  const watchedSince = (isTrusted: boolean): number => {
    const drift = clock.now() - clock.monotonic();
    if (Math.abs(drift - ahead) > JUMP_MS || (isTrusted && !wasTrusted)) watched = clock.now();
    ahead = drift;
    wasTrusted = isTrusted;
    return watched;
  };

  let handle: TimeoutHandle | undefined;
  let stopped = false;
  const arm = (): void => {
    handle = clock.setTimeout(
      () => {
        save()
          .catch(() => undefined) // the next commit fails as well and is handled there
          .finally(() => {
            if (!stopped) arm();
          });
      },
      SAVE_EVERY_MS,
      { unref: true },
    );
  };
  arm();

  return {
    now,
    watchedSince,
    atLeast: (elapsed) => {
      if (elapsed > now()) base += elapsed - now();
    },
    stop: async () => {
      stopped = true;
      clock.clearTimeout(handle);
      await save().catch(() => undefined);
    },
  };
}
