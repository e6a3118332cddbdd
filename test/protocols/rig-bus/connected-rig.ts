// A rig and a client of its bus, joined by a real Unix socket, both on one clock that moves when told. Asserts nothing itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRig, type StartedRig } from "../../../cli/rig/start-rig.ts";
import { type BusState, frameAt, type FrameBatch, FrameFlag } from "../../../protocols/can/index.ts";
import { createRigBus, type RigBus, type RigBusOptions } from "../../../protocols/rig-bus/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";

export interface HeardFrame {
  readonly id: number;
  readonly hex: string;
  readonly timeS: number;
  readonly line: number;
  readonly isOurs: boolean;
}

export interface ConnectedRig {
  readonly clock: ManualClock;
  readonly started: StartedRig;
  readonly bus: RigBus;
  readonly frames: HeardFrame[];
  /** Monotonic ms at which each batch was handed on, with its size. */
  readonly batches: { readonly at: number; readonly count: number }[];
  readonly states: BusState[];
  /** A second rig on the same socket, after `started.stop()`. */
  readonly again: () => Promise<StartedRig>;
}

export interface Teardown {
  teardown(run: () => Promise<void>): void;
}

/** A folder with a path short enough for sockets, removed at the end. */
export function socketDir(t: Teardown): string {
  const dir = mkdtempSync(join(tmpdir(), "rig-"));
  t.teardown(() => {
    rmSync(dir, { recursive: true, force: true });
    return Promise.resolve();
  });
  return dir;
}

export function clientOf(
  path: string,
  clock: ManualClock,
  options: Partial<RigBusOptions> = {},
): Pick<ConnectedRig, "bus" | "frames" | "batches" | "states"> & { start(): Promise<void> } {
  const bus = createRigBus({ path, ...options }, { clock, random: new SeededRandom(2) });
  const frames: HeardFrame[] = [];
  const batches: { at: number; count: number }[] = [];
  const states: BusState[] = [];
  const onFrames = (batch: FrameBatch): void => {
    batches.push({ at: clock.monotonic(), count: batch.count });
    for (let at = 0; at < batch.count; at++) {
      const frame = frameAt(batch, at);
      frames.push({
        id: frame.id,
        hex: Buffer.from(frame.data).toString("hex"),
        timeS: batch.timesS[at] ?? 0,
        line: batch.lines[at] ?? 0,
        isOurs: ((batch.flags[at] ?? 0) & FrameFlag.sentByUs) !== 0,
      });
    }
  };
  return { bus, frames, batches, states, start: () => bus.start({ onFrames, onState: (state) => states.push(state) }) };
}

/** Both up, the modules booted (400 ms have passed). */
export async function connectedRig(t: Teardown, options: Partial<RigBusOptions> = {}): Promise<ConnectedRig> {
  const dir = socketDir(t);
  const clock = new ManualClock();
  const open = new Set<StartedRig>();
  const again = async (): Promise<StartedRig> => {
    const rig = await startRig({ socketDir: dir, clock, random: new SeededRandom(1) });
    open.add(rig);
    return rig;
  };
  const started = await again();
  const client = clientOf(started.busSocket, clock, { mode: "normal", ...options });
  await client.start();
  t.teardown(async () => {
    await client.bus.stop();
    for (const rig of open) await rig.stop();
  });
  await clock.advance(400);
  await settle();
  return { ...client, clock, started, again };
}
