// Which buses are muted is known beside the journal too: it stands with the node's identity, so that a journal that was lost does not open them again (vehicle X1; rules L1, L2).
//
// K1. Written after each commit that changes it, and tried again until it is.
// K2. A vehicle whose history begins anew begins with what stands there.

import type { VehicleContext, VehicleInput } from "../actors/index.ts";
import type { Identity } from "../protocols/sqlite/index.ts";
import { type Address, Retry, type System } from "../runtime/index.ts";
import type { Clock, Log, Random } from "../runtime/ports/index.ts";

const RETRY = { firstMs: 500, longestMs: 30_000 };

export interface KeptMuteOptions {
  readonly vehicle: Address;
  readonly system: Pick<System, "read" | "watch">;
  /** As it was read or written last; undefined before the store is open. */
  readonly identity: () => Identity | undefined;
  /** Lasting when it resolves. */
  readonly save: (identity: Identity) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface KeptMute {
  /** For a vehicle whose history begins (K2). */
  readonly muted: () => NonNullable<VehicleInput["muted"]>;
  /** From when the vehicle is hosted on; returns how to stop. */
  begin(): () => Promise<void>;
}

export function keptMute({ vehicle, system, identity, save, clock, random, log }: KeptMuteOptions): KeptMute {
  return {
    muted: () => Object.fromEntries((identity()?.muted ?? []).map((bus) => [bus, { since: clock.now(), reason: "it was muted before the journal was lost" }])),
    begin: () => {
      const retry = new Retry(clock, () => random.next(), RETRY);
      let writing: Promise<void> | undefined;
      let isStopped = false;

      function keep(): void {
        const known = identity();
        const context = system.read(vehicle)?.context as VehicleContext | undefined;
        if (isStopped || writing !== undefined || retry.isWaiting || known === undefined || context === undefined) return;
        const muted = Object.keys(context.muted).sort();
        if (muted.join() === (known.muted ?? []).join()) return;
        writing = save({ ...known, muted })
          .then(
            () => {
              retry.reset();
            },
            (error: unknown) => {
              log.error({ err: error, muted }, "which buses are muted could not be kept beside the journal; it is tried again");
              if (!isStopped) retry.later(keep);
            },
          )
          .finally(() => {
            writing = undefined;
            keep();
          });
      }

      const unwatch = system.watch(keep);
      keep();
      return async () => {
        isStopped = true;
        unwatch();
        retry.cancel();
        await writing;
      };
    },
  };
}
