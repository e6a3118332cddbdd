// A rig in this process on a clock that moves when told, with an ear on its bus. Asserts nothing itself.

import { memoryNonVolatile, type NonVolatile } from "../../../cli/rig/non-volatile.ts";
import { SimulatedRig, type RigOptions } from "../../../cli/rig/simulated-rig.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";

export interface Overheard {
  readonly id: number;
  readonly hex: string;
  /** Monotonic ms of the last bit. */
  readonly at: number;
  readonly by: string;
}

export interface VirtualRig {
  readonly rig: SimulatedRig;
  readonly clock: ManualClock;
  readonly overheard: Overheard[];
  /** Puts a frame on the bus as a client would. False when the queue is full. */
  readonly send: (id: number, hex: string) => boolean;
  /** Overheard with this id, after `since` ms. */
  readonly heard: (id: number, since?: number) => readonly Overheard[];
  /** Data of the newest frame with this id. */
  readonly last: (id: number) => string | undefined;
}

export function virtualRig(options: RigOptions & { readonly seed?: number; readonly nonVolatile?: NonVolatile } = {}): VirtualRig {
  const clock = new ManualClock();
  const rig = new SimulatedRig({ clock, random: new SeededRandom(options.seed ?? 1), nonVolatile: options.nonVolatile ?? memoryNonVolatile() }, options);
  const overheard: Overheard[] = [];
  const plug = rig.bus.attach({
    name: "client",
    kind: "client",
    queueLimit: 64,
    receive: (frame, at, by) => overheard.push({ id: frame.id, hex: Buffer.from(frame.data).toString("hex"), at, by }),
    sent: () => undefined,
  });
  rig.start();
  return {
    rig,
    clock,
    overheard,
    send: (id, hex) => plug.send({ id, extended: false, data: Uint8Array.from(Buffer.from(hex, "hex")) }),
    heard: (id, since = 0) => overheard.filter((frame) => frame.id === id && frame.at > since),
    last: (id) => overheard.findLast((frame) => frame.id === id)?.hex,
  };
}

/** Distances between neighbours, ms. */
export function intervals(frames: readonly Overheard[]): readonly number[] {
  return frames.slice(1).map((frame, at) => frame.at - (frames[at]?.at ?? 0));
}
